/** Opens the rooms of an engine in order, connects what one of them tells to whom it concerns, and closes them in reverse. */
import { AppError } from '../errors.ts';
import { readSettings } from './app-settings.ts';
import { createBackground } from './background.ts';
import { deriveCommitted } from './derive.ts';
import { createDescribing } from './describing.ts';
import { createEventBus } from './event-bus.ts';
import { createGrants } from './grants.ts';
import { openIndex } from './index/open-index.ts';
import type { VectorIndex } from './index/types.ts';
import { createDecoder } from './inference/decoder.ts';
import { createLanguageKeeper } from './language-keeper.ts';
import { createLibrary } from './library/library.ts';
import { createLearning, projectionOf } from './learning-rooms.ts';
import { createModelKeeper, type LoadedModel } from './model-keeper.ts';
import { openHead } from './open-head.ts';
import { createOwnWork, processTimers, startUp } from './own-work.ts';
import { createPackShelf } from './pack-shelf.ts';
import { createPackSwitch } from './pack-switch.ts';
import type { Rooms } from './rooms.ts';
import { createAlbums } from './search/albums.ts';
import { createSearch } from './search/search.ts';
import { createTags } from './search/tags.ts';
import type { SearchOptions } from './search/types.ts';
import { openStore } from './store/store.ts';
import { openTuning } from './tune-rooms.ts';
import { createNames } from './tune/names/names.ts';
import { createTurns } from './turns.ts';
import type { EngineOptions } from './types.ts';

/** A person sees five changes a second as continuous, and every client draws each of them. */
const progressEveryMs = 200;
/** What changed in the library makes clients search again; not with each batch of eight photos. */
const libraryEveryMs = 700;

export interface OpenRooms {
  readonly rooms: Rooms;
  /** Ends what runs, saves the index, closes everything. */
  close(): Promise<void>;
}

/** @throws AppError library-locked, library-newer, library-damaged, permission-denied, disk-full */
export function openRooms(options: EngineOptions): OpenRooms {
  const { directory, log, now, spawn } = options;
  const timers = options.timers ?? processTimers;
  const store = openStore({ directory, now, log, readOnly: options.readOnly ?? false });
  const watch = !store.readOnly && options.watch !== false;
  const bus = createEventBus(timers, log);
  const grants = createGrants();
  const notice: Rooms['notice'] = (payload) => bus.emit('notice', payload);
  const work = createBackground(notice);
  const decoder = createDecoder({ spawn, log });
  const packs = createPackShelf({
    ...options,
    store,
    decoder,
    notice,
    tasksInUse: (id) => [
      ...(id === models.activePackId() ? (['embed'] as const) : []),
      ...language.tasksOf(id),
    ],
  });
  const openIndexOf = (modelId: number, dims: number, linksOf?: number): Promise<VectorIndex> =>
    openIndex({ store, modelId, dims, log, linksOf });
  const models = createModelKeeper({
    store,
    log,
    defaultPackId: packs.defaultPackId,
    loadEmbedder: (packId, onText) => packs.load(packId, onText),
    openIndex: openIndexOf,
    openHead: (runId, base) => openHead({ store, projectionOf }, runId, base),
    onProblem: (error) => notice({ ...error, level: 'error', key: 'pack' }),
    onPackChanged: () => tuning.packChanged(),
    onHeadLost: (error) => notice({ ...error, level: 'warning', key: 'head' }),
  });
  const language = createLanguageKeeper({
    store,
    log,
    defaultPackIds: packs.defaultLanguagePackIds,
    load: options.loadLanguageModel ?? ((packId) => packs.loadLanguage(packId)),
  });
  /** The model that the run under way asked for: a swap in its midst must not mix two packs' vectors. */
  let runModel: LoadedModel | undefined;
  const libraryChanged = (): void => {
    bus.emitThinned('library', libraryEveryMs, () => ({
      generation: store.embeddings.generation(),
      photos: store.photos.counts().indexed,
    }));
    tags.changed();
    albums.changed();
    names.changed();
    describing.background.changed();
  };
  const changedWords = new Set<number>();
  const tellDescribed = (photoIds: readonly number[]): void => {
    for (const photoId of photoIds) changedWords.add(photoId);
    bus.emitThinned('described', libraryEveryMs, () => {
      const payload = { photoIds: [...changedWords] };
      changedWords.clear();
      return payload;
    });
  };
  /** Words of these photos are others than before: smart albums look again. */
  const described = (photoIds: readonly number[]): void => {
    tellDescribed(photoIds);
    albums.changed();
  };
  const library = createLibrary({
    store,
    decoder,
    // New photos get the pack's own vectors first, whatever head is in use.
    model: () => (runModel = models.current())?.base,
    libraryFolder: directory,
    thumbnailsMaxBytes: () => readSettings(store).thumbnailsMaxBytes,
    log,
    now,
    timers,
    onCommitted(rows, generation) {
      const current = models.current();
      if (current !== undefined && runModel?.base.modelId === current.base.modelId)
        deriveCommitted(store, current, rows, generation);
      // The pack was changed in the midst of this run: its photos need vectors of the new one, too.
      else own.catchUpSoon();
      libraryChanged();
    },
    onRemoved(ids, generation) {
      models.index()?.remove(ids, generation);
      libraryChanged();
    },
    onMoved: libraryChanged,
    onProgress(progress) {
      bus.emitThinned('indexing', progressEveryMs, () => progress);
      if (progress.phase === 'idle') describing.background.changed();
    },
    onRootsChanged: (roots) => bus.emitThinned('roots', progressEveryMs, () => ({ roots })),
    onNotice: notice,
  });
  const names = createNames({
    store,
    log,
    now,
    model: () => models.searchable(),
    current: () => models.current(),
    onNames() {
      bus.emitThinned('names', libraryEveryMs, () => ({ names: names.list() }));
      // A smart album may ask for a name.
      albums.changed();
    },
  });
  const searchOptions: SearchOptions = {
    store,
    model: async () => names.withNames(await models.searchable()),
    embedder: async () => (await models.ready()).embedder,
    decoder: () => decoder,
    now,
    log,
    tagsOf: async (photoId, signal) => (await tags.ofPhoto(photoId, signal)).tags,
    ordering: () => learning.ordering(),
  };
  const search = createSearch(searchOptions);
  const tags = createTags({
    store,
    log,
    timers,
    model: () => models.searchable(),
    background: watch,
    onTags: () => bus.emitThinned('tags', libraryEveryMs, () => ({ tags: tags.list() })),
    onTagged: described,
  });
  const albums = createAlbums({
    store,
    log,
    timers,
    now,
    find: (query, signal) => search.ids(query, signal),
    parse: (text) => search.parse({ text }).chips,
    background: watch,
    onAlbums: () => bus.emitThinned('albums', libraryEveryMs, () => ({ albums: albums.current() })),
    onMembers: tellDescribed,
  });
  const describing = createDescribing({
    store,
    log,
    now,
    timers,
    library,
    language,
    tagsOf: (photoId) => tags.shown(photoId).map(({ name }) => name),
    inBackground: watch,
    onProgress: (progress) => bus.emitThinned('captions', progressEveryMs, () => progress),
    onDescribed: described,
    notice,
  });
  /** One change of packs or heads at a time: two would race for the same files, memory and pointer. */
  const inTurn = createTurns();
  const learning = createLearning({
    ...options,
    store,
    models,
    openIndex: openIndexOf,
    inTurn,
    // Found by other vectors: results, tags and smart albums follow.
    onSwapped: libraryChanged,
  });
  const packSwitch = createPackSwitch({
    store,
    library,
    models,
    packs,
    log,
    openIndex: openIndexOf,
    inTurn,
    catchUpHead: (model, signal) => learning.catchUpHead(model, signal),
  });
  const tuning = openTuning({
    store,
    log,
    now,
    models,
    packs,
    decoder,
    learning,
    searchOver: ({ index, ordering }) =>
      createSearch({
        ...searchOptions,
        model: async () => names.withNames({ embedder: (await models.ready()).base.embedder, index }),
        ordering: () => ordering,
      }),
    onProgress: (progress) => bus.emitThinned('tune', progressEveryMs, () => progress),
    onRuns: (state) => bus.emitThinned('runs', progressEveryMs, () => state),
    onSwapped: libraryChanged,
  });
  const own = createOwnWork({
    rooms: () => rooms,
    work,
    inBackground: watch,
    onCaughtUp: libraryChanged,
  });
  const rooms: Rooms = {
    directory,
    store,
    library,
    decoder,
    models,
    packs,
    language,
    search,
    describing,
    tags,
    albums,
    names,
    bus,
    grants,
    log,
    now,
    notice,
    indexSoon: own.indexSoon,
    applySettings: () => library.setWatching(watch && readSettings(store).watchFolders),
    packSwitch,
    learning,
    tuning,
  };
  // Not awaited: a library opens at once, and a query waits no longer than its pack takes.
  if (watch) startUp(rooms, own, work);
  return {
    rooms,
    async close() {
      await tuning.close();
      await learning.close();
      await describing.close();
      await library.close();
      await Promise.all([albums.close(), tags.close(), names.close()]);
      await work.settled();
      const index = models.index();
      try {
        if (!store.readOnly) await index?.save();
      } catch (thrown) {
        // It is rebuilt from the vectors at the next start; nothing is lost but that time.
        log.warn('the index could not be saved', { message: AppError.from(thrown).message });
      }
      await language.close();
      await models.close();
      await decoder.close();
      bus.close();
      store.close();
    },
  };
}
