/** The one photo that fills the window, and what is known about it. */
import type { PhotoDetail } from '../../../main/contract.ts';
import type { PageClient } from '../client.ts';
import type { GridSource } from '../grid/source.ts';
import type { Notices } from './notices.svelte.ts';

export class Viewer {
  source = $state.raw<GridSource | null>(null);
  index = $state(0);
  detail = $state.raw<PhotoDetail | null>(null);
  panel = $state(false);
  readonly open = $derived(this.source !== null);
  readonly photoId = $derived(this.source?.idAt(this.index));
  readonly #client: PageClient;
  readonly #notices: Notices;
  readonly #page: Window;
  #abort: AbortController | undefined;
  #closed: ((index: number) => void) | undefined;

  constructor(client: PageClient, notices: Notices, page: Window) {
    this.#client = client;
    this.#notices = notices;
    this.#page = page;
    page.addEventListener('popstate', () => {
      if (this.open && !marked(page.history.state)) this.#shut();
    });
  }

  /** @param onClosed hears which photo was shown last, so that focus can return there. */
  show(source: GridSource, index: number, onClosed?: (index: number) => void): void {
    this.source = source;
    this.#closed = onClosed;
    // Back closes the photo rather than leave the page.
    this.#page.history.pushState({ photo: true }, '');
    this.#move(index);
  }

  step(by: number): void {
    const { source } = this;
    if (source === null) return;
    const next = Math.max(0, Math.min(source.count - 1, this.index + by));
    if (next !== this.index) this.#move(next);
  }

  close(): void {
    if (!this.open) return;
    if (marked(this.#page.history.state)) this.#page.history.back();
    this.#shut();
  }

  /** Ids before and after, to be fetched ahead. */
  neighbours(): readonly number[] {
    const { source, index } = this;
    return [source?.idAt(index + 1), source?.idAt(index - 1)].filter((id) => id !== undefined);
  }

  #shut(): void {
    this.#abort?.abort();
    this.source = null;
    this.detail = null;
    this.#closed?.(this.index);
    this.#closed = undefined;
  }

  #move(index: number): void {
    this.index = index;
    this.source?.near(index);
    void this.#load();
  }

  async #load(): Promise<void> {
    this.#abort?.abort();
    const abort = new AbortController();
    this.#abort = abort;
    const { photoId } = this;
    if (photoId === undefined) return;
    try {
      const detail = await this.#client.call('photos.get', { photoId }, { signal: abort.signal });
      if (!abort.signal.aborted) this.detail = detail;
    } catch (error) {
      if (!abort.signal.aborted) this.#notices.report(error);
    }
  }
}

function marked(state: unknown): boolean {
  return typeof state === 'object' && state !== null && 'photo' in state;
}
