/** The queries that are remembered for "before and after", and forgetting them. */
import type { CallOutput } from '../../../main/contract.ts';
import type { PageClient } from '../client.ts';
import type { Words } from '../i18n/words.svelte.ts';
import type { Notices } from './notices.svelte.ts';

interface Needs {
  readonly client: PageClient;
  readonly notices: Notices;
  readonly words: Words;
}

/** As many as are kept. */
const mostQueries = 500;

export class PastQueries {
  list = $state.raw<CallOutput<'queries.list'>['queries']>([]);
  readonly #app: Needs;

  constructor(app: Needs) {
    this.#app = app;
  }

  async refresh(): Promise<void> {
    const { client, notices } = this.#app;
    try {
      this.list = (await client.call('queries.list', { limit: mostQueries })).queries;
    } catch (error) {
      notices.report(error);
    }
  }

  /** One of them, or all without a text. */
  async forget(text?: string): Promise<void> {
    const { client, notices, words } = this.#app;
    try {
      await client.call('queries.forget', text === undefined ? {} : { text });
      this.list = text === undefined ? [] : this.list.filter((query) => query.text !== text);
      notices.tell(words.t.teach.forgotten, 'forgotten');
    } catch (error) {
      notices.report(error);
    }
  }
}
