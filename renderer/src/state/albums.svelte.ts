/** The albums: their list, and every change to them, each with a word about it and a way back. */
import type { Album, SmartQuery } from '../../../main/contract.ts';
import { CallError, type PageClient } from '../client.ts';
import { idsNotIn } from '../grid/id-sets.ts';
import type { Words } from '../i18n/words.svelte.ts';
import type { Notices } from './notices.svelte.ts';
import type { Routes } from './routes.svelte.ts';

interface Needs {
  readonly client: PageClient;
  readonly notices: Notices;
  readonly words: Words;
  readonly routes: Routes;
}

/** What a new album is made of: photos that were chosen, or what a query finds. */
export type AlbumContent = { readonly photoIds: readonly number[] } | { readonly query: SmartQuery };

/** The dialogs about albums; one at a time. */
export type AlbumDialog =
  | { readonly kind: 'add'; readonly photoIds: readonly number[] }
  | { readonly kind: 'new' }
  | { readonly kind: 'save'; readonly query: SmartQuery; readonly dropped: boolean }
  | { readonly kind: 'edit'; readonly album: Album; readonly query: SmartQuery };

export class Albums {
  list = $state.raw<readonly Album[]>([]);
  loaded = $state(false);
  dialog = $state.raw<AlbumDialog | null>(null);
  readonly #app: Needs;
  #heard = 0;

  constructor(app: Needs) {
    this.#app = app;
    app.client.on('albums', ({ albums }) => {
      this.#heard++;
      this.#take(albums);
    });
  }

  async refresh(): Promise<void> {
    const heard = this.#heard;
    try {
      const { albums } = await this.#app.client.call('albums.list', {});
      // An event that came meanwhile is newer than this answer.
      if (heard === this.#heard) this.#take(albums);
    } catch (error) {
      this.#app.notices.report(error);
    }
  }

  byId(albumId: number | null): Album | undefined {
    return this.list.find(({ id }) => id === albumId);
  }

  /** Names are told apart as people read them, not by case or by how an accent is encoded. */
  named(name: string): Album | undefined {
    const wanted = folded(name);
    return this.list.find((album) => folded(album.name) === wanted);
  }

  /** @throws CallError, for the dialog to show. */
  async create(name: string, content: AlbumContent): Promise<Album> {
    const input =
      'query' in content ? { name, query: content.query } : { name, photoIds: [...content.photoIds] };
    const { album } = await this.#app.client.call('albums.create', input);
    this.#put(album);
    this.#told(this.#app.words.t.albums.made(album.name, album.photos), album, 'open');
    return album;
  }

  /** Makes an empty album, for photos that one is going to choose, and shows it. @throws CallError */
  async createEmpty(name: string): Promise<void> {
    const { album } = await this.#app.client.call('albums.create', { name, photoIds: [] });
    this.#put(album);
    this.#app.routes.openAlbum(album.id);
  }

  async add(album: Album, photoIds: readonly number[]): Promise<void> {
    const { client, words } = this.#app;
    await this.#try(async () => {
      const before = await client.call('albums.photos', { albumId: album.id });
      const fresh = idsNotIn(before.ids, photoIds);
      if (fresh.length === 0) {
        this.#told(words.t.albums.thereAlready(album.name), album, 'open');
        return;
      }
      this.#put((await client.call('albums.add', { albumId: album.id, photoIds: fresh })).album);
      this.#told(words.t.albums.added(fresh.length, album.name), album, () =>
        client.call('albums.take', { albumId: album.id, photoIds: fresh }),
      );
    });
  }

  async take(album: Album, photoIds: readonly number[]): Promise<void> {
    const { client, words } = this.#app;
    const ids = [...photoIds];
    await this.#try(async () => {
      this.#put((await client.call('albums.take', { albumId: album.id, photoIds: ids })).album);
      this.#told(words.t.albums.took(ids.length, album.name), album, () =>
        client.call('albums.add', { albumId: album.id, photoIds: ids }),
      );
    });
  }

  /** @throws CallError, for the field to show. */
  async rename(album: Album, name: string): Promise<void> {
    this.#put((await this.#app.client.call('albums.update', { albumId: album.id, name })).album);
  }

  /** @throws CallError, for the dialog to show. */
  async look(album: Album, query: SmartQuery): Promise<void> {
    this.#put((await this.#app.client.call('albums.update', { albumId: album.id, query })).album);
  }

  /** @param photoId null lets the engine choose. */
  async setCover(album: Album, photoId: number | null): Promise<void> {
    const { client, words } = this.#app;
    await this.#try(async () => {
      this.#put((await client.call('albums.update', { albumId: album.id, cover: photoId })).album);
      this.#told(words.t.albums.coverSet(album.name), album, () =>
        client.call('albums.update', { albumId: album.id, cover: album.cover }),
      );
    });
  }

  async remove(album: Album): Promise<void> {
    const { client, notices, words, routes } = this.#app;
    await this.#try(async () => {
      await client.call('albums.remove', { albumId: album.id });
      this.list = this.list.filter(({ id }) => id !== album.id);
      if (routes.albumId === album.id) routes.go('albums');
      notices.tell(words.t.albums.removed(album.name));
    });
  }

  #take(albums: readonly Album[]): void {
    this.list = albums;
    this.loaded = true;
  }

  #put(album: Album): void {
    const known = this.list.some(({ id }) => id === album.id);
    this.list = known
      ? this.list.map((each) => (each.id === album.id ? album : each))
      : [album, ...this.list];
  }

  /** @param then undoes what the message tells of, or opens the album. */
  #told(what: string, album: Album, then: 'open' | (() => Promise<{ album: Album }>)): void {
    const { notices, words, routes } = this.#app;
    const { t } = words;
    const action =
      then === 'open'
        ? { label: t.albums.open, run: () => routes.openAlbum(album.id) }
        : {
            label: t.app.undo,
            run: () => void this.#try(async () => this.#put((await then()).album)),
          };
    // One album, one message: the latest is the one that can be undone.
    notices.tell(what, `album-${album.id}`, action);
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
