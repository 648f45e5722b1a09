/** The search bar's words and example photos, and what was found for the latest of them. */
import type { Chip, Example, Hit, SearchResult } from '../../../main/contract.ts';
import type { ErrorShape } from '../../../main/errors.ts';
import { CallError, type PageClient } from '../client.ts';
import { unseen } from './unseen-hits.ts';
import type { GridMemory, GridSource, PhotoQuery } from '../grid/source.ts';

export interface ExamplePhoto {
  readonly key: string;
  readonly name: string;
  readonly weight: number;
  /** A photo of the library, or a dropped picture the engine keeps for the session. */
  readonly photoId: number | null;
  readonly exampleId: string | null;
  /** Drawn into the chip for a dropped picture; null where the page cannot read its format. */
  readonly preview: ImageBitmap | null;
}

/** What a result answers; the grid starts at the top when it changes. */
export interface Asked {
  readonly text: string;
  readonly examples: readonly ExamplePhoto[];
}

const debounceMs = 80;
/** No sign of waiting before this, milliseconds. */
const patienceMs = 300;
const pageSize = 200;
export const weightStep = 0.25;
export const weightLimit = 2;
const mostExamples = 16;

export class Search implements GridSource {
  text = $state('');
  examples = $state.raw<readonly ExamplePhoto[]>([]);
  result = $state.raw<SearchResult | null>(null);
  /** The words that `result` answers; chips are spans of these. */
  answered = $state.raw<Asked>({ text: '', examples: [] });
  hits = $state.raw<readonly Hit[]>([]);
  showWeak = $state(false);
  waiting = $state(false);
  failure = $state.raw<ErrorShape | null>(null);
  /** The library changed since the result was fetched. */
  outdated = $state(false);
  /** Counts the answers, so that the grid knows a new one from a further page. */
  round = $state(0);
  memory: GridMemory = { top: 0, active: 0 };
  readonly active = $derived(this.text.trim() !== '' || this.examples.length > 0);
  /** How many photos the grid shows: the bands that are open, as far as they are fetched. */
  readonly shown = $derived.by(() => {
    const { result, hits } = this;
    if (result === null) return 0;
    return Math.min(hits.length, this.#open(result));
  });
  readonly chips: readonly Chip[] = $derived.by(() => {
    const answered = this.answered.text;
    return (this.result?.chips ?? []).filter(
      ({ span }) => span !== null && this.text.slice(...span) === answered.slice(...span),
    );
  });
  /** What found the photos that are shown; filters alone compare nothing. */
  readonly query: PhotoQuery | null = $derived(
    this.result === null || this.result.plan === 'filter-only' || this.result.plan === 'empty'
      ? null
      : { text: this.answered.text, examples: this.answered.examples.map(toExample) },
  );
  readonly #client: PageClient;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #patience: ReturnType<typeof setTimeout> | undefined;
  #abort: AbortController | undefined;
  #paging = false;
  #asks = 0;
  #exampleKeys = 0;

  constructor(client: PageClient) {
    this.#client = client;
    client.on('library', () => {
      if (this.result === null) return;
      this.outdated = true;
      // Where little was found there is nothing on the screen to disturb.
      if (this.active && this.hits.length === 0) this.soon(debounceMs);
    });
  }

  get count(): number {
    return this.shown;
  }

  idAt(index: number): number | undefined {
    return this.hits[index]?.id;
  }

  near(index: number): void {
    if (index >= this.shown - pageSize / 4) void this.more();
  }

  setText(text: string): void {
    this.text = text;
    this.soon(debounceMs);
  }

  clear(): void {
    this.text = '';
    this.examples = [];
    this.soon(0);
  }

  /** Shows photos like these; words stay, unless they found them. */
  likePhotos(photos: readonly { id: number; name: string }[]): void {
    this.text = '';
    this.examples = photos
      .slice(0, mostExamples)
      .map(({ id, name }) => this.#example({ name, photoId: id, exampleId: null, preview: null }));
    this.soon(0);
  }

  likeDropped(dropped: { exampleId: string; name: string; preview: ImageBitmap | null }): void {
    this.examples = [...this.examples, this.#example({ ...dropped, photoId: null })].slice(-mostExamples);
    this.soon(0);
  }

  weigh(key: string, by: number): void {
    this.examples = this.examples.map((example) => {
      if (example.key !== key) return example;
      // Zero would ask for nothing, so it is stepped over.
      const next = example.weight + by === 0 ? by : example.weight + by;
      return { ...example, weight: Math.max(-weightLimit, Math.min(weightLimit, next)) };
    });
    this.soon(debounceMs);
  }

  removeExample(key: string): void {
    this.examples = this.examples.filter((example) => example.key !== key);
    this.soon(debounceMs);
  }

  /** Asks again after a pause in typing; what is on the screen stays until the answer is there. */
  soon(ms: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#ask(), ms);
  }

  /** The next page of what is open. */
  async more(): Promise<void> {
    const { result, round } = this;
    if (result === null || this.#paging || this.hits.length >= this.#open(result)) return;
    this.#paging = true;
    try {
      const page = await this.#client.call('search.query', {
        text: this.answered.text,
        examples: this.answered.examples.map(toExample),
        offset: this.hits.length,
        limit: pageSize,
      });
      if (round !== this.round) return;
      const fresh = unseen(this.hits, page.hits);
      this.hits = [...this.hits, ...fresh];
      // The library shrank meanwhile: without this the same page would be asked for for ever.
      if (fresh.length === 0) this.result = { ...result, ...shrunk(result, this.hits.length) };
    } catch (error) {
      this.#fail(error);
    } finally {
      this.#paging = false;
    }
  }

  #open(result: SearchResult): number {
    if (result.plan === 'filter-only' || result.thin || this.showWeak) return result.total;
    return result.bands.strong + result.bands.likely;
  }

  async #ask(): Promise<void> {
    const ask = ++this.#asks;
    this.#abort?.abort();
    const abort = new AbortController();
    this.#abort = abort;
    clearTimeout(this.#patience);
    if (!this.active) {
      this.#settle();
      this.result = null;
      this.hits = [];
      this.failure = null;
      this.answered = { text: '', examples: [] };
      return;
    }
    this.#patience = setTimeout(() => (this.waiting = true), patienceMs);
    const asked: Asked = { text: this.text, examples: this.examples };
    try {
      const result = await this.#client.call(
        'search.query',
        { text: asked.text, examples: asked.examples.map(toExample), offset: 0, limit: pageSize },
        { signal: abort.signal },
      );
      // An answer that was overtaken is dropped even where cancelling came too late.
      if (ask !== this.#asks) return;
      const same = asked.text === this.answered.text && asked.examples === this.answered.examples;
      this.answered = asked;
      this.result = result;
      this.hits = result.hits;
      this.failure = null;
      this.outdated = false;
      if (!same) {
        this.showWeak = false;
        this.memory = { top: 0, active: 0 };
      }
      this.round++;
      this.#settle();
    } catch (error) {
      if (ask === this.#asks) this.#fail(error);
    }
  }

  #fail(thrown: unknown): void {
    const { code, message, details } = CallError.from(thrown);
    if (code === 'cancelled') return;
    this.failure = { code, message, details };
    this.#settle();
  }

  #settle(): void {
    clearTimeout(this.#patience);
    this.waiting = false;
  }

  #example(photo: Omit<ExamplePhoto, 'key' | 'weight'>): ExamplePhoto {
    return { ...photo, key: `example-${++this.#exampleKeys}`, weight: 1 };
  }
}

function toExample({ photoId, exampleId, weight }: ExamplePhoto): Example {
  return photoId === null ? { exampleId: exampleId ?? '', weight } : { photoId, weight };
}

function shrunk(result: SearchResult, held: number): Pick<SearchResult, 'total' | 'bands'> {
  const strong = Math.min(result.bands.strong, held);
  const likely = Math.min(result.bands.likely, held - strong);
  return { total: held, bands: { strong, likely, weak: held - strong - likely } };
}
