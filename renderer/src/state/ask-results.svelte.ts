/** One question asked of many photos: which photos, how far it is, and what came of it. */
import type { CallProgress, ResultsAnswer } from '../../../main/contract.ts';
import type { ErrorShape } from '../../../main/errors.ts';
import { CallError, type PageClient } from '../client.ts';
import type { PhotoQuery } from '../grid/source.ts';

/** The engine asks no more than these in one go. */
const mostAsked = 500;

/** As many of the photos to ask are shown before they are asked. */
export const shownFirst = 24;

/** The photos to ask: those that words find, those of a search as it is, or these. */
export type Scope =
  | { readonly kind: 'words' }
  | { readonly kind: 'search'; readonly query: PhotoQuery; readonly first: readonly number[] }
  | { readonly kind: 'photos'; readonly ids: readonly number[]; readonly album: string | null };

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
      const answer = await this.#client.call(
        'ask.results',
        {
          text: query.text,
          examples: [...query.examples],
          ...(scope.kind === 'photos'
            ? { photoIds: [...scope.ids], limit: Math.max(1, Math.min(mostAsked, scope.ids.length)) }
            : {}),
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

  /** What has been answered by then stays on the screen. */
  stop(): void {
    this.#abort?.abort();
  }
}
