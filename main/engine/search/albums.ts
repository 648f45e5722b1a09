/** Albums: plain ones hold what was put in, smart ones what their query finds, as the library changes. */
import type { Album, SmartQuery } from '../../contract.ts';
import { AppError, type ErrorShape } from '../../errors.ts';
import { foldText } from '../store/fold-text.ts';
import type { AlbumRow } from '../store/types.ts';
import { createAlbumsRun, readSmartQuery } from './albums-run.ts';
import type { Albums, AlbumsOptions } from './albums-types.ts';
import { createCatchUp } from './catch-up.ts';

/** Longer than a batch of photos takes, so that a run of them asks each query seldom. */
const delayMs = 2_000;

export function createAlbums(options: AlbumsOptions): Albums {
  const { store, log, now, onAlbums, onMembers } = options;
  const run = createAlbumsRun(options);
  const catchUp = createCatchUp({
    timers: options.timers,
    delayMs,
    background: options.background,
    work: (signal) => run.work(signal),
    onProblem: (error) =>
      log.warn('smart albums could not be brought up to date', { message: error.message }),
  });
  const row = (albumId: number): AlbumRow => {
    const found = store.albums.get(albumId);
    if (found === undefined)
      throw new AppError('not-found', 'The album is not there any more.', { details: { albumId } });
    return found;
  };
  const isIn = (albumId: number, photoId: number): boolean =>
    store.albums.ofPhoto(photoId).some(({ id }) => id === albumId);
  /** Newest photo of each album, as of a generation: asked for with every list, and not free to find. */
  const newest = new Map<number, { at: string; photoId: number | null }>();
  const newestOf = (albumId: number): number | null => {
    const at = `${store.embeddings.generation()} ${store.words.generation()}`;
    const kept = newest.get(albumId);
    if (kept?.at === at) return kept.photoId;
    const photoId = store.albums.photos(albumId)[0] ?? null;
    newest.set(albumId, { at, photoId });
    return photoId;
  };
  /** As chosen, else the query's best, else the newest. */
  const coverOf = ({ id, cover, photos }: AlbumRow): number | null => {
    if (photos === 0) return null;
    for (const candidate of [cover, run.bestOf(id)])
      if (candidate !== null && isIn(id, candidate)) return candidate;
    return newestOf(id);
  };
  const toAlbum = (album: AlbumRow): Album => {
    const { id, name, kind, photos, createdAt } = album;
    let query: SmartQuery | null = null;
    let problem: ErrorShape | null = null;
    try {
      query = kind === 'smart' ? readSmartQuery(album) : null;
      problem = kind === 'smart' ? run.problemOf(id) : null;
    } catch (thrown) {
      problem = AppError.from(thrown).toShape();
    }
    return { id, name, kind, query, photos, cover: coverOf(album), createdAt, problem };
  };
  const freeName = (typed: string, ownId?: number): string => {
    const name = typed.replace(/\s+/g, ' ').trim();
    if (name === '') throw new AppError('input-invalid', 'An album needs a name. Type one.');
    const folded = foldText(name);
    const holder = store.albums.list().find((each) => foldText(each.name) === folded);
    if (holder !== undefined && holder.id !== ownId)
      throw new AppError('input-invalid', `There is an album named "${name}" already. Choose another name.`, {
        details: { name },
      });
    return name;
  };
  /** Photos that went meanwhile are left out; if none is left the person should know. */
  const present = (photoIds: readonly number[]): number[] => {
    const found = store.photos.getMany([...new Set(photoIds)]).map(({ id }) => id);
    if (found.length === 0 && photoIds.length > 0)
      throw new AppError('not-found', 'None of these photos is in the library any more. Choose others.');
    return found;
  };
  const changed = (albumId: number, photoIds: readonly number[]): Album => {
    onMembers(photoIds);
    onAlbums();
    // Another album's query may name this one.
    catchUp.changed();
    return toAlbum(row(albumId));
  };
  const current = (): Album[] => store.albums.list().map(toAlbum);
  /** A window hears of what changes by an event; a command line has no other moment than this. */
  const upToDate = async (signal?: AbortSignal): Promise<void> => {
    if (!options.background && !store.readOnly) await catchUp.settled(signal);
  };

  return {
    current,
    async list(signal) {
      await upToDate(signal);
      return current();
    },
    async create(input, signal) {
      const name = freeName(input.name);
      if ('photoIds' in input) {
        const photoIds = present(input.photoIds);
        const { id } = store.albums.add({ name, query: null, createdAt: now() });
        store.albums.put(id, photoIds);
        return changed(id, photoIds);
      }
      const found = await run.ask(input.query, signal);
      const { id } = store.albums.add({ name: freeName(name), query: input.query, createdAt: now() });
      run.keep(id, found);
      return changed(id, found);
    },
    async update({ albumId, name, query, cover }, signal) {
      const { kind } = row(albumId);
      const change: { name?: string; query?: SmartQuery; cover?: number | null } = {};
      if (name !== undefined) change.name = freeName(name, albumId);
      if (query !== undefined && kind === 'plain')
        throw new AppError(
          'input-invalid',
          'This album holds what was put in by hand, so it has no query. Make a smart album for the query.',
        );
      if (cover !== undefined && cover !== null && !isIn(albumId, cover))
        throw new AppError('input-invalid', 'The cover must be a photo of the album. Put it in first.');
      if (cover !== undefined) change.cover = cover;
      const before = store.albums.photos(albumId);
      const found = query === undefined ? undefined : await run.ask(query, signal);
      if (query !== undefined) change.query = query;
      store.albums.update(albumId, change);
      if (found !== undefined) run.keep(albumId, found);
      return changed(albumId, name !== undefined || found !== undefined ? [...before, ...(found ?? [])] : []);
    },
    remove(albumId) {
      row(albumId);
      const photoIds = store.albums.photos(albumId);
      store.albums.remove(albumId);
      newest.delete(albumId);
      onMembers(photoIds);
      onAlbums();
      catchUp.changed();
    },
    add(albumId, photoIds) {
      row(albumId);
      const found = present(photoIds);
      store.albums.put(albumId, found);
      return changed(albumId, found);
    },
    take(albumId, photoIds) {
      row(albumId);
      store.albums.take(albumId, photoIds);
      return changed(albumId, photoIds);
    },
    async photos(albumId, signal) {
      row(albumId);
      await upToDate(signal);
      row(albumId);
      return store.albums.photos(albumId);
    },
    changed: () => catchUp.changed(),
    settled: (signal) => catchUp.settled(signal),
    close: () => catchUp.close(),
  };
}
