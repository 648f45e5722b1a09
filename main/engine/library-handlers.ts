/** Calls about the library as a whole and its folders. */
import { AppError } from '../errors.ts';
import type { LibraryStatus } from '../contract.ts';
import { forgetLabReport } from './lab-handlers.ts';
import type { Rooms } from './rooms.ts';
import type { Handlers } from './types.ts';

type LibraryCalls = 'library.status' | 'library.erase' | 'roots.list' | 'roots.add' | 'roots.remove';

export function libraryHandlers(rooms: Rooms): Pick<Handlers, LibraryCalls> {
  const { store, library, grants, bus } = rooms;
  const captionCounts = keepUntilChanged(store, () => store.captions.counts());
  return {
    'library.status': () => statusOf(rooms, captionCounts()),
    'library.erase': async (_input, { signal }) => {
      rooms.describing.runs.stop();
      await rooms.tuning.reset(signal);
      for (const { id } of store.roots.list()) library.removeRoot(id);
      store.thumbnails.trim(0);
      // Captions and albums would be there again with the photos; whoever erases wants neither.
      store.erase.descriptions();
      forgetLearning(rooms);
      rooms.language.reset();
      rooms.albums.changed();
      bus.emit('albums', { albums: rooms.albums.current() });
      await rooms.packs.removeAll();
      bus.emit('roots', { roots: library.roots() });
      return {};
    },
    'roots.list': () => ({ roots: library.roots() }),
    'roots.add': async ({ grant }) => {
      const added = await library.addRoot(grants.path(grant));
      if (!added.alreadyCovered) rooms.indexSoon([added.root.id]);
      return added;
    },
    'roots.remove': ({ rootId }) => library.removeRoot(rootId),
  };
}

/** Thumbs and names too. Vectors that a head made cannot be in use when it goes: not even where no pack could be loaded to swap them. */
function forgetLearning(rooms: Rooms): void {
  const { store, bus } = rooms;
  const base = store.embeddings.activeModel()?.base;
  if (base !== undefined && base !== null) store.embeddings.setActiveModel(base.modelId);
  store.erase.learning();
  forgetLabReport(rooms);
  bus.emit('feedback', store.feedback.counts());
  bus.emit('names', { names: [] });
  bus.emit('runs', { runs: [], active: null });
}

/** Counting looks at every photo: 100 ms for 100,000, too long for something that is asked after every event. */
function keepUntilChanged<T>({ embeddings, words }: Rooms['store'], count: () => T): () => T {
  let kept: { readonly generation: string; readonly counted: T } | undefined;
  return () => {
    const generation = `${embeddings.generation()}.${words.generation()}`;
    if (kept?.generation !== generation) kept = { generation, counted: count() };
    return kept.counted;
  };
}

async function statusOf(
  { store, library, models, packs, directory }: Rooms,
  captions: LibraryStatus['captions'],
): Promise<LibraryStatus> {
  const counts = store.photos.counts();
  const index = models.index();
  const sizes = store.sizes();
  return {
    path: directory,
    roots: library.roots(),
    photos: counts.total,
    indexed: counts.indexed,
    failed: counts.failed,
    pending: counts.pending,
    generation: store.embeddings.generation(),
    activePack: (await packs.list()).find(({ active }) => active.includes('embed')) ?? null,
    provider: models.current()?.embedder.provider ?? null,
    activeRun: store.embeddings.activeModel()?.base?.runId ?? store.runs.ordering(),
    index: index === undefined ? storedIndex(store) : { ...index.state, size: index.size },
    bytes: { ...sizes, packs: packs.bytes() },
    captions,
    readOnly: store.readOnly,
  };
}

/** What the index will be once it is loaded. */
function storedIndex({ embeddings, snapshots }: Rooms['store']): LibraryStatus['index'] {
  const active = embeddings.activeModel();
  if (active === undefined) return { kind: 'exact', size: 0, building: false };
  const kind = snapshots.info(active.modelId) === undefined ? 'exact' : 'hnsw';
  return { kind, size: embeddings.count(active.modelId), building: false };
}

/** Calls that write; a library that another process owns answers them with its reason. */
const writing = new Set<keyof Handlers>([
  'library.erase',
  'roots.add',
  'roots.remove',
  'indexing.run',
  'indexing.pause',
  'indexing.resume',
  'indexing.retry',
  'packs.install',
  'packs.installFolder',
  'packs.use',
  'packs.remove',
  'settings.set',
  // Captions of one photo and answers are still to be had: they are shown, and not kept.
  'captions.set',
  'captions.run',
  'captions.pause',
  'captions.resume',
  'captions.stop',
  'ask.forget',
  'tags.set',
  'tags.remove',
  'tags.restore',
  'albums.create',
  'albums.update',
  'albums.remove',
  'albums.add',
  'albums.take',
  'feedback.set',
  'feedback.clear',
  'queries.forget',
  'names.teach',
  'names.update',
  'names.take',
  'names.remove',
  'tune.run',
  'tune.stop',
  'tune.accept',
  'tune.decline',
  'tune.undo',
  'tune.remove',
  'tune.import',
]);

/** @throws AppError library-locked when the call writes and the library is open for reading only. */
export function refuseWriting(name: keyof Handlers, store: Rooms['store']): void {
  if (store.readOnly && writing.has(name))
    throw new AppError(
      'library-locked',
      'Another Afterimage has this library open, so it can only be searched from here. Close the other one first.',
    );
}
