/** Why the photo in the viewer matched its search, and where in it the search is. */
import type { Why } from '../../../main/contract.ts';
import type { ErrorShape } from '../../../main/errors.ts';
import { CallError, type PageClient } from '../client.ts';
import type { PhotoQuery } from '../grid/source.ts';

/** Arrows held down pass photos faster than anyone reads about them, milliseconds. */
const restMs = 150;

export class WhyMatched {
  found = $state.raw<Why | null>(null);
  failure = $state.raw<ErrorShape | null>(null);
  /** The heat map lies over the photo. */
  where = $state(false);
  readonly #client: PageClient;
  #photoId: number | undefined;
  #query: PhotoQuery | null = null;
  #abort: AbortController | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(client: PageClient) {
    this.#client = client;
  }

  /** Asks for this photo and search, unless that was asked already; nothing without either. */
  look(photoId: number | undefined, query: PhotoQuery | null): void {
    if (photoId === this.#photoId && query === this.#query) return;
    this.#photoId = photoId;
    this.#query = query;
    this.#abort?.abort();
    clearTimeout(this.#timer);
    this.found = null;
    this.failure = null;
    if (photoId === undefined || query === null) return;
    this.#timer = setTimeout(() => void this.#ask(photoId, query), restMs);
  }

  /** After a failure, or when the photo's caption or tags changed. */
  again(): void {
    const [photoId, query] = [this.#photoId, this.#query];
    if (photoId !== undefined && query !== null) void this.#ask(photoId, query);
  }

  async #ask(photoId: number, query: PhotoQuery): Promise<void> {
    this.#abort?.abort();
    const abort = new AbortController();
    this.#abort = abort;
    this.failure = null;
    try {
      const found = await this.#client.call(
        'search.why',
        { photoId, text: query.text, examples: [...query.examples] },
        { signal: abort.signal },
      );
      if (!abort.signal.aborted) this.found = found;
    } catch (error) {
      const { code, message, details } = CallError.from(error);
      if (!abort.signal.aborted && code !== 'cancelled') this.failure = { code, message, details };
    }
  }
}
