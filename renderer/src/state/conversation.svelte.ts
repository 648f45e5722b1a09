/** Questions about one photo, and their answers as they come. */
import type { PhotoAnswer } from '../../../main/contract.ts';
import type { ErrorShape } from '../../../main/errors.ts';
import { CallError, type PageClient } from '../client.ts';
import type { Notices } from './notices.svelte.ts';

export interface Exchange {
  readonly key: number;
  readonly question: string;
  readonly state: 'asking' | 'answered' | 'stopped' | 'failed';
  /** The words of the answer that have come so far. */
  readonly words: string;
  readonly answer: PhotoAnswer | null;
  readonly failure: ErrorShape | null;
}

/** What a pack that can follow a conversation is told of it. */
const turnsTold = 6;

export class Conversation {
  exchanges = $state.raw<readonly Exchange[]>([]);
  suggestions = $state.raw<readonly string[]>([]);
  readonly photoId: number;
  readonly #client: PageClient;
  readonly #notices: Notices;
  #abort: AbortController | undefined;
  #keys = 0;
  #begun = false;
  readonly asking = $derived(this.exchanges.some(({ state }) => state === 'asking'));

  constructor(photoId: number, client: PageClient, notices: Notices) {
    this.photoId = photoId;
    this.#client = client;
    this.#notices = notices;
  }

  /** What was asked of this photo before, and what could be asked; fetched once. */
  async begin(): Promise<void> {
    if (this.#begun) return;
    this.#begun = true;
    const { photoId } = this;
    const suggested = this.#client.call('ask.suggestions', { photoId }).then(
      ({ questions }) => (this.suggestions = questions),
      // A courtesy: without them one can still ask.
      () => (this.suggestions = []),
    );
    try {
      const { answers } = await this.#client.call('ask.history', { photoId });
      const earlier = answers.map((answer) => this.#exchange(answer.question, { state: 'answered', answer }));
      this.exchanges = [...earlier, ...this.exchanges];
    } catch (error) {
      this.#begun = false;
      this.#notices.report(error);
    }
    await suggested;
  }

  async ask(text: string, again = false): Promise<void> {
    const question = text.trim();
    if (question === '') return;
    this.stop();
    const abort = new AbortController();
    this.#abort = abort;
    const turns = this.exchanges
      .flatMap(({ answer }) =>
        answer?.sure === true ? [{ question: answer.question, answer: answer.answer }] : [],
      )
      .slice(-turnsTold);
    const asked = this.#exchange(question, { state: 'asking' });
    this.exchanges = [...this.exchanges, asked];
    try {
      const answer = await this.#client.call(
        'ask.photo',
        { photoId: this.photoId, question, turns, again },
        {
          signal: abort.signal,
          onProgress: ({ text: words }) => {
            if (!abort.signal.aborted) this.#change(asked.key, { words });
          },
        },
      );
      this.#change(asked.key, { state: 'answered', answer });
    } catch (error) {
      const { code, message, details } = CallError.from(error);
      if (code === 'cancelled') this.#change(asked.key, { state: 'stopped' });
      else this.#change(asked.key, { state: 'failed', failure: { code, message, details } });
    }
  }

  /** Takes a question out that was not answered, and asks it anew. */
  async retry(exchange: Exchange): Promise<void> {
    this.exchanges = this.exchanges.filter(({ key }) => key !== exchange.key);
    await this.ask(exchange.question);
  }

  stop(): void {
    this.#abort?.abort();
  }

  async forget(): Promise<void> {
    this.stop();
    try {
      await this.#client.call('ask.forget', { photoId: this.photoId });
      this.exchanges = [];
    } catch (error) {
      this.#notices.report(error);
    }
  }

  #exchange(question: string, rest: Partial<Exchange>): Exchange {
    return {
      key: ++this.#keys,
      question,
      state: 'asking',
      words: '',
      answer: null,
      failure: null,
      ...rest,
    };
  }

  #change(key: number, change: Partial<Exchange>): void {
    this.exchanges = this.exchanges.map((exchange) =>
      exchange.key === key ? { ...exchange, ...change } : exchange,
    );
  }
}
