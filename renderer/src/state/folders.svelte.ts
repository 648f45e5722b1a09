/** Choosing, adding and removing folders, by the system's dialog or by the page's own browser. */
import type { AppInfo } from '../../../main/contract.ts';
import type { PageClient } from '../client.ts';
import type { Words } from '../i18n/words.svelte.ts';
import type { Indexing } from './indexing.svelte.ts';
import type { Library } from './library.svelte.ts';
import type { Notices } from './notices.svelte.ts';

interface Needs {
  readonly client: PageClient;
  readonly words: Words;
  readonly notices: Notices;
  readonly library: Library;
  readonly indexing: Indexing;
  readonly info: AppInfo | null;
}

export interface Chosen {
  readonly grant: string;
  readonly name: string;
}

interface Browsing {
  readonly hint: string;
  /** What the button that chooses says. */
  readonly action: (name: string) => string;
  readonly chosen: (folder: Chosen) => void;
}

export class Folders {
  /** The page's own folder browser is open, and hands over what is chosen. */
  browsing = $state.raw<Browsing | null>(null);
  readonly #app: Needs;

  constructor(app: Needs) {
    this.#app = app;
  }

  /** Asks for folders and adds them. */
  async add(hint: string | null = null): Promise<void> {
    const { folders } = this.#app.words.t;
    await this.choose((folder) => void this.addGranted(folder), hint ?? folders.hint, folders.choose);
  }

  /** @param action what the button of the page's own browser says. */
  async choose(
    chosen: (folder: Chosen) => void,
    hint = '',
    action = this.#app.words.t.folders.use,
  ): Promise<void> {
    const { client, info, notices } = this.#app;
    if (info?.can.pickFolder !== true) {
      this.browsing = { hint, action, chosen };
      return;
    }
    try {
      const { folders } = await client.call('folders.pick', {});
      folders.forEach(chosen);
    } catch (error) {
      notices.report(error);
    }
  }

  async addGranted({ grant, name }: Chosen): Promise<void> {
    const { client, words, notices, library, indexing } = this.#app;
    try {
      const { alreadyCovered } = await client.call('roots.add', { grant });
      notices.tell(alreadyCovered ? words.t.folders.covered(name) : words.t.folders.added(name));
      // The engine starts looking at it by itself.
      await Promise.all([library.refresh(), indexing.refresh()]);
    } catch (error) {
      notices.report(error);
    }
  }

  async remove(rootId: number): Promise<void> {
    const { client, words, notices, library, indexing } = this.#app;
    try {
      const { removedPhotos } = await client.call('roots.remove', { rootId });
      notices.tell(words.t.settings.folders.removed(removedPhotos));
      await Promise.all([library.refresh(), indexing.refresh()]);
    } catch (error) {
      notices.report(error);
    }
  }
}
