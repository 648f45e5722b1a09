/** What the library holds: its status and every photo as columns, fetched again when it changes. */
import type { LibraryStatus, Root } from '../../../main/contract.ts';
import type { ErrorShape } from '../../../main/errors.ts';
import { CallError, type PageClient } from '../client.ts';
import type { GridSource } from '../grid/source.ts';
import { monthOf, placed, type Month } from './months.ts';

export interface Timeline {
  readonly generation: number;
  readonly ids: readonly number[];
  readonly aspects: readonly number[];
  readonly months: readonly Month[];
}

const emptyTimeline: Timeline = { generation: -1, ids: [], aspects: [], months: [] };

/** Fetching is spaced at least this far apart while photos keep coming in, milliseconds. */
const quietMs = 1_000;
/** ... and at least this many times as long as the last fetch took. */
const quietFactor = 10;

export class Library implements GridSource {
  status = $state.raw<LibraryStatus | null>(null);
  timeline = $state.raw<Timeline>(emptyTimeline);
  /** Why the library cannot be read at all. */
  failure = $state.raw<ErrorShape | null>(null);
  loaded = $state(false);
  suggestions = $state.raw<readonly string[]>([]);
  readonly roots: readonly Root[] = $derived(this.status?.roots ?? []);
  readonly #client: PageClient;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #running = false;
  #again = false;

  constructor(client: PageClient) {
    this.#client = client;
    client.on('library', ({ generation }) => {
      if (generation !== this.timeline.generation) this.#soon(quietMs);
    });
    client.on('roots', ({ roots }) => {
      if (this.status !== null) this.status = { ...this.status, roots };
      this.#soon(quietMs);
    });
  }

  get count(): number {
    return this.timeline.ids.length;
  }

  idAt(index: number): number | undefined {
    return this.timeline.ids[index];
  }

  near(): void {
    // All of it is here already.
  }

  monthOf(index: number): string {
    return monthOf(this.timeline.months, index);
  }

  /** Fetches status and photos now; one fetch at a time. */
  async refresh(): Promise<void> {
    if (this.#running) {
      this.#again = true;
      return;
    }
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#running = true;
    const begun = performance.now();
    try {
      const [status, timeline] = await Promise.all([
        this.#client.call('library.status', {}),
        this.#client.call('photos.timeline', {}),
      ]);
      this.status = status;
      if (timeline.generation !== this.timeline.generation) {
        this.timeline = { ...timeline, months: placed(timeline.months) };
        void this.#suggest();
      }
      this.failure = null;
      this.loaded = true;
    } catch (error) {
      const { code, message, details } = CallError.from(error);
      // A restart announces itself; what is on the screen stays until then.
      if (!this.loaded || code !== 'engine-stopped') this.failure = { code, message, details };
    } finally {
      this.#running = false;
    }
    if (this.#again) {
      this.#again = false;
      this.#soon(Math.max(quietMs, (performance.now() - begun) * quietFactor));
    }
  }

  #soon(ms: number): void {
    if (this.#running) this.#again = true;
    else this.#timer ??= setTimeout(() => void this.refresh(), ms);
  }

  async #suggest(): Promise<void> {
    // Ten photos make a first example worth trying; after a few hundred it no longer changes much.
    if (this.count < 10 || (this.suggestions.length > 0 && this.count > 500)) return;
    try {
      this.suggestions = (await this.#client.call('search.suggestions', {})).queries;
    } catch {
      // Examples to try are a courtesy: without them the search bar is still there.
      this.suggestions = [];
    }
  }
}
