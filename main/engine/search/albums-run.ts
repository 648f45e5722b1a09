/** Asks the queries of smart albums again after the library changed, and remembers which could not be asked. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { z } from 'zod';
import type { SmartQuery } from '../../contract.ts';
import { errorShape, smartQuery } from '../../contract-shapes.ts';
import { AppError, type ErrorShape } from '../../errors.ts';
import type { AlbumRow } from '../store/types.ts';
import type { AlbumsOptions } from './albums-types.ts';

export interface AlbumsRun {
  /** Brings every smart album up to date; one whose query fails keeps its photos. @throws AppError cancelled */
  work(signal: AbortSignal): Promise<void>;
  /** What a query finds, best first. @throws AppError input-invalid, not-found, pack-missing, cancelled */
  ask(query: SmartQuery, signal?: AbortSignal): Promise<readonly number[]>;
  /** Makes what was found an album's photos, and forgets its problem. @returns whether they are others than before. */
  keep(albumId: number, found: readonly number[]): boolean;
  problemOf(albumId: number): ErrorShape | null;
  bestOf(albumId: number): number | null;
}

/** Queries may name other albums; longer chains of them settle with the next change. */
const mostRounds = 4;
const stateKey = 'albums.found';
const stateShape = z.object({
  /** What the library was like when the queries were last asked. */
  at: z.string(),
  albums: z.record(z.string(), z.object({ best: z.number().nullable(), problem: errorShape.nullable() })),
});
type State = z.output<typeof stateShape>;
const lasting: ReadonlySet<string> = new Set(['input-invalid', 'not-found', 'library-damaged']);
const dayMs = 86_400_000;

/** @throws AppError library-damaged */
export function readSmartQuery({ name, query }: AlbumRow): SmartQuery {
  const parsed = smartQuery.safeParse(query);
  if (parsed.success) return parsed.data;
  throw new AppError(
    'library-damaged',
    `The query of the album "${name}" cannot be read. Give it a new one.`,
  );
}

export function createAlbumsRun(options: AlbumsOptions): AlbumsRun {
  const { store, find, parse, onAlbums, onMembers, now } = options;
  let known: State | undefined;
  const state = (): State => {
    const parsed = stateShape.safeParse(store.settings.get(stateKey));
    known ??= parsed.success ? parsed.data : { at: '', albums: {} };
    return known;
  };
  const write = (next: State): void => {
    known = next;
    store.settings.set(stateKey, next);
  };
  const note = (albumId: number, entry: { best: number | null; problem: ErrorShape | null }): void =>
    write({ ...state(), albums: { ...state().albums, [albumId]: entry } });
  /** Filters such as `after:yesterday` mean something else tomorrow. @param ownWrites changes of words to take away. */
  const libraryAt = (ownWrites = 0): string =>
    [
      store.embeddings.activeModel()?.fingerprint ?? '',
      store.embeddings.generation(),
      store.words.generation() - ownWrites,
      Math.floor((now() - new Date(now()).getTimezoneOffset() * 60_000) / dayMs),
    ].join(' ');

  const ask = async (query: SmartQuery, signal?: AbortSignal): Promise<readonly number[]> => {
    if (query.text.trim() === '' && query.examples.length === 0)
      throw new AppError(
        'input-invalid',
        'A smart album needs a query: words, a filter or an example photo.',
      );
    if (query.examples.some((example) => 'exampleId' in example))
      throw new AppError(
        'input-invalid',
        'A dropped picture is known until the app closes, too short for an album. Index its folder and use the photo.',
      );
    const problem = parse(query.text).find((chip) => chip.problem !== null);
    if (problem !== undefined)
      throw new AppError('input-invalid', `The album's query cannot be asked: ${problem.problem ?? ''}`);
    return find(query, signal ?? new AbortController().signal);
  };
  const keep = (albumId: number, found: readonly number[]): boolean => {
    note(albumId, { best: found[0] ?? null, problem: null });
    return store.albums.setFound(albumId, found);
  };

  const bringUpToDate = async (album: AlbumRow, signal: AbortSignal): Promise<boolean> => {
    let found: readonly number[];
    try {
      found = await ask(readSmartQuery(album), signal);
    } catch (thrown) {
      const error = AppError.from(thrown, `The query of the album "${album.name}"`);
      if (signal.aborted || error.code === 'cancelled' || error.code === 'engine-stopped') throw error;
      const problem = error.toShape();
      const before = state().albums[album.id];
      if (before?.problem?.message === problem.message) return false;
      note(album.id, { best: before?.best ?? null, problem });
      onAlbums();
      return false;
    }
    // Removed, or given another query, while it was asked.
    const current = store.albums.get(album.id);
    if (current === undefined || JSON.stringify(current.query) !== JSON.stringify(album.query)) return false;
    const hadProblem = state().albums[album.id]?.problem != null;
    const before = new Set(store.albums.photos(album.id));
    const isOther = keep(album.id, found);
    if (isOther) {
      const after = new Set(store.albums.photos(album.id));
      onMembers([...before, ...after].filter((id) => before.has(id) !== after.has(id)));
    }
    if (isOther || hadProblem) onAlbums();
    return isOther;
  };

  return {
    ask,
    keep,
    problemOf: (albumId) => state().albums[albumId]?.problem ?? null,
    bestOf: (albumId) => state().albums[albumId]?.best ?? null,
    async work(signal) {
      if (store.readOnly) return;
      for (let round = 0; round < mostRounds; round++) {
        const at = libraryAt();
        if (state().at === at) return;
        const smart = store.albums.list().filter(({ kind }) => kind === 'smart');
        let moved = 0;
        for (const album of smart) {
          signal.throwIfAborted();
          if (await bringUpToDate(album, signal)) moved++;
          await nextTurn();
        }
        const present = new Set(smart.map(({ id }) => String(id)));
        const albums = Object.fromEntries(Object.entries(state().albums).filter(([id]) => present.has(id)));
        // A query that is wrong stays so until the library changes; one that a pack kept from running does not.
        const isSettled = Object.values(albums).every(
          ({ problem }) => problem === null || lasting.has(problem.code),
        );
        const namesAlbums = smart.some((album) => parse(textOf(album)).some(({ kind }) => kind === 'album'));
        // What this round itself moved matters only to queries that name albums.
        const isSame = libraryAt(moved) === at && !(moved > 0 && namesAlbums);
        write({ at: !isSettled ? '' : isSame ? libraryAt() : at, albums });
        if (moved === 0) return;
      }
    },
  };
}

function textOf({ query }: AlbumRow): string {
  const parsed = smartQuery.safeParse(query);
  return parsed.success ? parsed.data.text : '';
}
