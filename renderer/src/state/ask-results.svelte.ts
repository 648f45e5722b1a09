/** One question asked of many photos: which photos, how far it is, and what came of it. */
import type { CallProgress, ResultsAnswer } from '../../../main/contract.ts';
import type { ErrorShape } from '../../../main/errors.ts';
import { CallError, type PageClient } from '../client.ts';
import type { PhotoQuery } from '../grid/source.ts';
import type { Search } from './search.svelte.ts';

/** The engine asks no more than these in one go. */
const mostAsked = 500;

/** Of what a search found, so many at most: an answer should be there within a minute or so. */
const mostFound = 60;

const within = (count: number, most: number): number => Math.max(1, Math.min(most, count));

/** As many of the photos to ask are shown before they are asked. */
const shownFirst = 24;

/** The photos to ask: those that words find, those of a search as it is, or these. */
export type Scope =
  | { readonly kind: 'words' }
  | {
      readonly kind: 'search';
      readonly query: PhotoQuery;
      readonly first: readonly number[];
      readonly shown: number;
    }
  | { readonly kind: 'photos'; readonly ids: readonly number[]; readonly album: string | null };

/** The photos that a search shows, or null where nothing was searched for. */
export function scopeOf({ query, hits, shown }: Search): Scope | null {
  if (query === null) return null;
  return { kind: 'search', query, first: hits.slice(0, shownFirst).map(({ id }) => id), shown };
}

/** What was asked, as the answer on the screen remembers it. */
export interface AskedResults {
  readonly query: PhotoQuery;
  readonly question: string;
}

export class AskResults {
  words = $state('');
  question = $state('');
  scope = $state.raw<Scope>({ kind: 'words' });
  /** Early while photos are still being asked. */
  answer = $state.raw<ResultsAnswer | null>(null);
  asked = $state.raw<AskedResults | null>(null);
  progress = $state.raw<{ done: number; total: number } | null>(null);
  state = $state<'fresh' | 'asking' | 'answered' | 'stopped' | 'failed'>('fresh');
  failure = $state.raw<ErrorShape | null>(null);
  readonly ready = $derived(
    this.question.trim() !== '' && (this.scope.kind !== 'words' || this.words.trim() !== ''),
  );
  readonly #client: PageClient;
  #abort: AbortController | undefined;

  constructor(client: PageClient) {
    this.#client = client;
  }

  /** The first of the photos that will be asked, where they are known before. */
  readonly first: readonly number[] = $derived(
    this.scope.kind === 'words'
      ? []
      : this.scope.kind === 'search'
        ? this.scope.first
        : this.scope.ids.slice(0, shownFirst),
  );

  /** Looks at these from now on; what was asked before makes room. */
  about(scope: Scope): void {
    this.stop();
    this.#abort = undefined;
    this.scope = scope;
    this.answer = null;
    this.asked = null;
    this.progress = null;
    this.failure = null;
    this.state = 'fresh';
  }

  async ask(): Promise<void> {
    if (!this.ready) return;
    this.stop();
    const abort = new AbortController();
    this.#abort = abort;
    const { scope } = this;
    const query: PhotoQuery =
      scope.kind === 'search'
        ? scope.query
        : { text: scope.kind === 'words' ? this.words.trim() : '', examples: [] };
    const question = this.question.trim();
    this.asked = { query, question };
    this.answer = null;
    this.progress = null;
    this.failure = null;
    this.state = 'asking';
    let drawn: CallProgress<'ask.results'> | undefined;
    const draw = (): void => {
      if (drawn === undefined || this.#abort !== abort || this.state !== 'asking') return;
      this.progress = { done: drawn.done, total: drawn.total };
      this.answer = drawn.early;
      drawn = undefined;
    };
    try {
      const photos =
        scope.kind === 'photos'
          ? { photoIds: [...scope.ids], limit: within(scope.ids.length, mostAsked) }
          : {
              limit: within(
                scope.kind === 'search' ? scope.shown : await this.#relevant(query, abort.signal),
                mostFound,
              ),
            };
      const answer = await this.#client.call(
        'ask.results',
        {
          text: query.text,
          examples: [...query.examples],
          ...photos,
          question,
        },
        {
          signal: abort.signal,
          onProgress: (latest) => {
            // Cached answers come faster than they can be drawn: the latest of each frame is.
            if (drawn === undefined) requestAnimationFrame(draw);
            drawn = latest;
          },
        },
      );
      if (this.#abort !== abort) return;
      this.answer = answer;
      this.state = 'answered';
    } catch (error) {
      if (this.#abort !== abort) return;
      const { code, message, details } = CallError.from(error);
      this.state = code === 'cancelled' ? 'stopped' : 'failed';
      if (code !== 'cancelled') this.failure = { code, message, details };
    }
  }

  /** How many photos stand out for the words: asking those that don't would drown the answer. */
  async #relevant({ text }: PhotoQuery, signal: AbortSignal): Promise<number> {
    const { thin, total, bands } = await this.#client.call('search.query', { text, limit: 1 }, { signal });
    const clear = bands.strong + bands.likely;
    return thin || clear === 0 ? total : clear;
  }

  /** What has been answered by then stays on the screen. */
  stop(): void {
    this.#abort?.abort();
  }
}
