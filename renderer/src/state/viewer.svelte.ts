/** The one photo that fills the window, and what is known about it. */
import type { Caption, PhotoDetail } from '../../../main/contract.ts';
import type { PageClient } from '../client.ts';
import type { GridSource } from '../grid/source.ts';
import { Ask } from './ask.ts';
import type { Feedback } from './feedback.svelte.ts';
import type { Notices } from './notices.svelte.ts';
import { ViewerCaption } from './viewer-caption.svelte.ts';
import { WhyMatched } from './why.svelte.ts';

type Side = 'info' | 'ask';

export class Viewer {
  source = $state.raw<GridSource | null>(null);
  index = $state(0);
  detail = $state.raw<PhotoDetail | null>(null);
  /** What stands beside the photo. */
  side = $state<Side | null>(null);
  /** The person set about asking: the field for it takes the focus and says so here. */
  aboutToAsk = $state(false);
  readonly open = $derived(this.source !== null);
  readonly photoId = $derived(this.source?.idAt(this.index));
  readonly query = $derived(this.source?.query ?? null);
  readonly caption: ViewerCaption;
  readonly ask: Ask;
  readonly why: WhyMatched;
  readonly #client: PageClient;
  readonly #notices: Notices;
  readonly #feedback: Feedback;
  readonly #page: Window;
  #abort: AbortController | undefined;
  #closed: ((index: number) => void) | undefined;

  constructor(client: PageClient, notices: Notices, feedback: Feedback, page: Window) {
    this.#client = client;
    this.#notices = notices;
    this.#feedback = feedback;
    this.#page = page;
    this.caption = new ViewerCaption(client, (photoId, caption) => this.#captioned(photoId, caption));
    this.ask = new Ask(client, notices);
    this.why = new WhyMatched(client);
    page.addEventListener('popstate', () => {
      if (this.open && !marked(page.history.state)) this.#shut();
    });
    client.on('described', ({ photoIds }) => {
      if (this.photoId !== undefined && photoIds.includes(this.photoId)) void this.#load();
    });
  }

  /** @param onClosed hears which photo was shown last, so that focus can return there. */
  show(source: GridSource, index: number, onClosed?: (index: number) => void): void {
    this.source = source;
    this.#closed = onClosed;
    const query = this.#feedback.about(source.query);
    if (query !== null) this.#feedback.remember(query);
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

  /** Opens the questions, with the field ready to type in. */
  beginAsking(): void {
    this.side = 'ask';
    this.aboutToAsk = true;
  }

  toggle(side: Side): void {
    if (side === 'ask' && this.side !== 'ask') this.beginAsking();
    else this.side = this.side === side ? null : side;
  }

  close(): void {
    if (!this.open) return;
    if (marked(this.#page.history.state)) this.#page.history.back();
    this.#shut();
  }

  /** Closes and then goes elsewhere: going back is not done at once, and would undo it. */
  leave(go: () => void): void {
    if (marked(this.#page.history.state)) this.#page.addEventListener('popstate', go, { once: true });
    else go();
    this.close();
  }

  /** Ids before and after, to be fetched ahead. */
  neighbours(): readonly number[] {
    const { source, index } = this;
    return [source?.idAt(index + 1), source?.idAt(index - 1)].filter((id) => id !== undefined);
  }

  #shut(): void {
    this.#abort?.abort();
    this.ask.stopAll();
    this.why.look(undefined, null);
    this.source = null;
    this.detail = null;
    this.#closed?.(this.index);
    this.#closed = undefined;
  }

  #move(index: number): void {
    this.index = index;
    this.caption.before = null;
    this.source?.near(index);
    void this.#load();
  }

  #captioned(photoId: number, caption: Caption | null): void {
    if (this.detail?.id !== photoId) return;
    this.detail = { ...this.detail, caption };
    // Its words may be why it matches.
    this.why.again();
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
