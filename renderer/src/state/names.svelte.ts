/** Names that were taught: their list, whom they were given to, and every change, each with a way back. */
import { SvelteMap } from 'svelte/reactivity';
import type { TaughtName } from '../../../main/contract.ts';
import { CallError, type PageClient } from '../client.ts';
import { idsNotIn } from '../grid/id-sets.ts';
import type { Words } from '../i18n/words.svelte.ts';
import type { Notices } from './notices.svelte.ts';

interface Needs {
  readonly client: PageClient;
  readonly notices: Notices;
  readonly words: Words;
}

/** The sheets about names; one at a time. */
export type NameDialog =
  | { readonly kind: 'teach'; readonly photoIds: readonly number[] }
  | { readonly kind: 'edit'; readonly name: TaughtName }
  | { readonly kind: 'photos'; readonly name: TaughtName };

interface Members {
  /** How many the name had when they were fetched. */
  readonly photos: number;
  readonly ids: readonly number[];
}

export class Names {
  list = $state.raw<readonly TaughtName[]>([]);
  loaded = $state(false);
  dialog = $state.raw<NameDialog | null>(null);
  readonly #members = new SvelteMap<number, Members>();
  readonly #app: Needs;
  #heard = 0;

  constructor(app: Needs) {
    this.#app = app;
    app.client.on('names', ({ names }) => {
      this.#heard++;
      this.#take(names);
    });
  }

  async refresh(): Promise<void> {
    const heard = this.#heard;
    try {
      const { names } = await this.#app.client.call('names.list', {});
      // An event that came meanwhile is newer than this answer.
      if (heard === this.#heard) this.#take(names);
    } catch (error) {
      this.#app.notices.report(error);
    }
  }

  named(name: string): TaughtName | undefined {
    const wanted = folded(name);
    return this.list.find((each) => folded(each.name) === wanted);
  }

  /** The names that any of these photos (copies of one) carries, as far as `loadMembers` has fetched them. */
  carriedBy(photoIds: readonly number[]): readonly TaughtName[] {
    return this.list.filter(({ id }) => {
      const ids = this.#members.get(id)?.ids;
      return ids !== undefined && photoIds.some((photoId) => ids.includes(photoId));
    });
  }

  /** Fetches who carries which name, where that isn't known or has changed. */
  async loadMembers(): Promise<void> {
    const changed = this.list.filter(({ id, photos }) => this.#members.get(id)?.photos !== photos);
    await Promise.all(
      changed.map(async ({ id, photos }) => {
        try {
          const { photoIds } = await this.#app.client.call('names.photos', { nameId: id });
          this.#members.set(id, { photos, ids: photoIds });
        } catch {
          // The photo is shown without this name; whoever opens the name hears why.
        }
      }),
    );
  }

  /** @throws CallError, for the sheet to show. */
  async teach(name: string, kind: string, photoIds: readonly number[]): Promise<void> {
    const { client, words } = this.#app;
    const known = this.named(name);
    const before =
      known === undefined ? [] : (await client.call('names.photos', { nameId: known.id })).photoIds;
    const fresh = idsNotIn(before, photoIds);
    const newKind = kind.trim() === '' || kind.trim() === known?.kind ? undefined : kind.trim();
    if (known !== undefined && fresh.length === 0 && newKind === undefined) {
      this.#told(words.t.names.thereAlready(known.name), known.id, null);
      return;
    }
    const { name: taught } = await client.call('names.teach', {
      name: known?.name ?? name.trim(),
      ...(newKind === undefined ? {} : { kind: newKind }),
      photoIds: [...fresh],
    });
    this.#put(taught);
    this.#told(words.t.names.taught(taught.name, taught.photos), taught.id, async () => {
      if (known === undefined) {
        await client.call('names.remove', { nameId: taught.id });
        this.#drop(taught.id);
        return;
      }
      if (newKind !== undefined) await client.call('names.update', { nameId: known.id, kind: known.kind });
      this.#put((await client.call('names.take', { nameId: known.id, photoIds: [...fresh] })).name);
    });
  }

  /** @throws CallError, for the sheet to show. */
  async update(name: TaughtName, change: { name: string; kind: string | null }): Promise<void> {
    this.#put((await this.#app.client.call('names.update', { nameId: name.id, ...change })).name);
  }

  /** @throws CallError, for the sheet to show. */
  async photos(name: TaughtName): Promise<readonly number[]> {
    return (await this.#app.client.call('names.photos', { nameId: name.id })).photoIds;
  }

  async take(name: TaughtName, photoIds: readonly number[]): Promise<void> {
    const { client, words } = this.#app;
    const ids = [...photoIds];
    await this.#try(async () => {
      this.#put((await client.call('names.take', { nameId: name.id, photoIds: ids })).name);
      this.#told(words.t.names.took(ids.length, name.name), name.id, async () => {
        this.#put((await client.call('names.teach', { name: name.name, photoIds: ids })).name);
      });
    });
  }

  async forget(name: TaughtName): Promise<void> {
    const { client, words } = this.#app;
    await this.#try(async () => {
      const photoIds = [...(await this.photos(name))];
      await client.call('names.remove', { nameId: name.id });
      this.#drop(name.id);
      this.#told(words.t.names.forgotten(name.name), name.id, async () => {
        const kind = name.kind === null ? {} : { kind: name.kind };
        this.#put((await client.call('names.teach', { name: name.name, ...kind, photoIds })).name);
      });
    });
  }

  #take(names: readonly TaughtName[]): void {
    this.list = names;
    this.loaded = true;
  }

  #put(name: TaughtName): void {
    this.#members.delete(name.id);
    const known = this.list.some(({ id }) => id === name.id);
    this.list = known ? this.list.map((each) => (each.id === name.id ? name : each)) : [name, ...this.list];
  }

  #drop(nameId: number): void {
    this.#members.delete(nameId);
    this.list = this.list.filter(({ id }) => id !== nameId);
  }

  #told(what: string, nameId: number, back: (() => Promise<void>) | null): void {
    const { notices, words } = this.#app;
    // One name, one message: the latest is the one that can be undone.
    notices.tell(
      what,
      `name-${nameId}`,
      back === null ? null : { label: words.t.app.undo, run: () => void this.#try(back) },
    );
  }

  async #try(change: () => Promise<void>): Promise<void> {
    try {
      await change();
    } catch (error) {
      this.#app.notices.report(CallError.from(error));
    }
  }
}

function folded(name: string): string {
  return name.trim().normalize('NFC').toLowerCase();
}
