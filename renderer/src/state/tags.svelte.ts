/** The tags that are looked for in every photo: their list, and changing it. */
import type { Tag } from '../../../main/contract.ts';
import type { PageClient } from '../client.ts';
import type { Words } from '../i18n/words.svelte.ts';
import type { Notices } from './notices.svelte.ts';

interface Needs {
  readonly client: PageClient;
  readonly notices: Notices;
  readonly words: Words;
}

export class Tags {
  list = $state.raw<readonly Tag[]>([]);
  loaded = $state(false);
  readonly #app: Needs;
  #heard = 0;

  constructor(app: Needs) {
    this.#app = app;
    app.client.on('tags', ({ tags }) => {
      this.#heard++;
      this.#take(tags);
    });
  }

  async refresh(): Promise<void> {
    const heard = this.#heard;
    try {
      const { tags } = await this.#app.client.call('tags.list', {});
      // An event that came meanwhile is newer than this answer.
      if (heard === this.#heard) this.#take(tags);
    } catch (error) {
      this.#app.notices.report(error);
    }
  }

  named(name: string): Tag | undefined {
    const wanted = name.trim().normalize('NFC').toLowerCase();
    return this.list.find((tag) => tag.name.normalize('NFC').toLowerCase() === wanted);
  }

  /** Makes a tag without an id, changes the one that has it. @throws CallError, for the dialog to show. */
  async set(tagId: number | undefined, name: string, prompts: readonly string[]): Promise<void> {
    const { client, notices, words } = this.#app;
    const { tag } = await client.call('tags.set', {
      ...(tagId === undefined ? {} : { tagId }),
      name,
      prompts: [...prompts],
    });
    const known = this.list.some(({ id }) => id === tag.id);
    this.#take(known ? this.list.map((each) => (each.id === tag.id ? tag : each)) : [...this.list, tag]);
    notices.tell(words.t.tags.saved(tag.name), 'tag');
  }

  async remove(tag: Tag): Promise<void> {
    const { client, notices, words } = this.#app;
    try {
      await client.call('tags.remove', { tagId: tag.id });
      this.list = this.list.filter(({ id }) => id !== tag.id);
      notices.tell(words.t.tags.removed(tag.name), 'tag', {
        label: words.t.app.undo,
        run: () => void this.#again(tag),
      });
    } catch (error) {
      notices.report(error);
    }
  }

  /** Brings back the tags that a new library has. */
  async restore(): Promise<void> {
    const { client, notices, words } = this.#app;
    try {
      const before = this.list.length;
      this.#take((await client.call('tags.restore', {})).tags);
      notices.tell(words.t.tags.restored(this.list.length - before), 'tag');
    } catch (error) {
      notices.report(error);
    }
  }

  async #again(tag: Tag): Promise<void> {
    try {
      await this.set(undefined, tag.name, tag.prompts);
    } catch (error) {
      this.#app.notices.report(error);
    }
  }

  #take(tags: readonly Tag[]): void {
    this.list = [...tags].sort((a, b) => a.name.localeCompare(b.name));
    this.loaded = true;
  }
}
