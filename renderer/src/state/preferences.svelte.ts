/** How the app looks and behaves, as the person chose; applied to the page at once. */
import type { Settings } from '../../../main/contract.ts';
import type { PageClient } from '../client.ts';
import type { Words } from '../i18n/words.svelte.ts';
import type { Notices } from './notices.svelte.ts';

const atFirst: Settings = {
  language: 'system',
  theme: 'system',
  provider: 'auto',
  rowHeight: 200,
  thumbnailsMaxBytes: 2 ** 31,
  watchFolders: true,
  captionInBackground: false,
};

export class Preferences {
  current = $state.raw<Settings>(atFirst);
  readonly #client: PageClient;
  readonly #notices: Notices;
  readonly #words: Words;
  readonly #page: Document;

  constructor(client: PageClient, notices: Notices, words: Words, page: Document) {
    this.#client = client;
    this.#notices = notices;
    this.#words = words;
    this.#page = page;
    this.#apply();
  }

  async refresh(): Promise<void> {
    try {
      this.current = await this.#client.call('settings.get', {});
      this.#apply();
    } catch (error) {
      this.#notices.report(error);
    }
  }

  /** Shows the change at once and takes it back if it could not be kept. */
  async set(change: Partial<Settings>): Promise<void> {
    const before = this.current;
    this.current = { ...before, ...change };
    this.#apply();
    try {
      this.current = await this.#client.call('settings.set', change);
    } catch (error) {
      this.current = before;
      this.#notices.report(error);
    }
    this.#apply();
  }

  #apply(): void {
    const { theme, language } = this.current;
    this.#words.choose(language);
    const html = this.#page.documentElement;
    html.lang = this.#words.language;
    if (theme === 'system') delete html.dataset['theme'];
    else html.dataset['theme'] = theme;
  }
}
