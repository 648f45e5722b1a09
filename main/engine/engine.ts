/** Wires the rooms into one engine: opens them in order, answers the contract's calls, closes them in reverse. */
import { z } from 'zod';
import {
  calls,
  type CallInput,
  type CallOutput,
  type EngineCallName,
  type EventName,
  type EventPayload,
} from '../contract.ts';
import { AppError } from '../errors.ts';
import { readSettings } from './app-settings.ts';
import { createEventBus } from './event-bus.ts';
import { createGrants } from './grants.ts';
import { openIndex } from './index/open-index.ts';
import { indexingHandlers } from './indexing-handlers.ts';
import { createDecoder } from './inference/decoder.ts';
import { libraryHandlers, refuseWriting } from './library-handlers.ts';
import { createLibrary } from './library/library.ts';
import type { Timers } from './library/types.ts';
import { createModelKeeper, type LoadedModel } from './model-keeper.ts';
import { packHandlers } from './pack-handlers.ts';
import { createPackShelf } from './pack-shelf.ts';
import { createPackSwitch } from './pack-switch.ts';
import { photoAt, photoFile, photoPicture } from './photo-files.ts';
import { photoHandlers } from './photo-handlers.ts';
import type { Rooms } from './rooms.ts';
import { createSearch } from './search/search.ts';
import { settingsHandlers } from './settings-handlers.ts';
import { openStore } from './store/store.ts';
import type { Engine, EngineOptions, Handlers } from './types.ts';

/** A person sees five changes a second as continuous, and every client draws each of them. */
const progressEveryMs = 200;
/** What changed in the library makes clients search again; not with each batch of eight photos. */
const libraryEveryMs = 700;

/**
 * Opens the library. Unless told not to watch, begins loading the active pack and its index, and looks for changed
 * photos, in the background. Calls are answered at once; those that need the pack load it or wait for it.
 * @throws AppError library-locked, library-newer, library-damaged, permission-denied, disk-full
 */
export async function createEngine(options: EngineOptions): Promise<Engine> {
  const { directory, log, now, spawn } = options;
  const timers = options.timers ?? processTimers;
  const store = openStore({ directory, now, log, readOnly: options.readOnly ?? false });
  const watch = !store.readOnly && options.watch !== false;
  const bus = createEventBus(timers, log);
  const grants = createGrants();
  const notice: Rooms['notice'] = (payload) => bus.emit('notice', payload);
  const decoder = createDecoder({ spawn, log });
  const packs = createPackShelf({
    ...options,
    store,
    notice,
    isActive: (id) => id === models.activePackId(),
  });
  const models = createModelKeeper({
    store,
    log,
    defaultPackId: packs.defaultPackId,
    loadEmbedder: (packId, onText) => packs.load(packId, onText),
    openIndex: (modelId, dims) => openIndex({ store, modelId, dims, log }),
    onProblem: (error) => notice({ ...error, level: 'error', key: 'pack' }),
  });
  /** The model that the run under way asked for: a swap in its midst must not mix two packs' vectors. */
  let runModel: LoadedModel | undefined;
  const libraryChanged = (): void =>
    bus.emitThinned('library', libraryEveryMs, () => ({
      generation: store.embeddings.generation(),
      photos: store.photos.counts().indexed,
    }));
  const library = createLibrary({
    store,
    decoder,
    model: () => (runModel = models.current()),
    libraryFolder: directory,
    thumbnailsMaxBytes: () => readSettings(store).thumbnailsMaxBytes,
    log,
    now,
    timers,
    onCommitted(rows, generation) {
      if (runModel?.index === models.index()) models.index()?.upsert(rows, generation);
      // The pack was changed in the midst of this run: its photos need vectors of the new one, too.
      else catchUpSoon();
      libraryChanged();
    },
    onRemoved(ids, generation) {
      models.index()?.remove(ids, generation);
      libraryChanged();
    },
    onMoved: libraryChanged,
    onProgress: (progress) => bus.emitThinned('indexing', progressEveryMs, () => progress),
    onRootsChanged: (roots) => bus.emitThinned('roots', progressEveryMs, () => ({ roots })),
    onNotice: notice,
  });
  const search = createSearch({
    store,
    model: () => models.searchable(),
    embedder: async () => (await models.ready()).embedder,
    decoder: () => decoder,
    now,
  });
  const background = new Set<Promise<unknown>>();
  const inBackground = (about: string, work: () => Promise<unknown>): void => {
    const running = work()
      .catch((thrown: unknown) => {
        const error = AppError.from(thrown, about);
        if (error.code === 'cancelled' || error.code === 'engine-stopped') return;
        notice({ ...error.toShape(), level: 'error', key: 'background' });
      })
      .finally(() => background.delete(running));
    background.add(running);
  };
  const indexSoon: Rooms['indexSoon'] = (rootIds) => {
    // A command line runs what it wants run and waits for it.
    if (!watch) return;
    inBackground('Indexing', async () => {
      await models.ready();
      const report = await library.run({ rootIds });
      if (report.indexed + report.removed > 0) await models.index()?.save();
    });
  };
  const packSwitch = createPackSwitch({ store, library, models, packs, log, openIndex });
  let catchingUp = false;
  const catchUpSoon = (): void => {
    if (catchingUp || store.readOnly) return;
    catchingUp = true;
    inBackground('Looking at the photos with the new model', async () => {
      try {
        if ((await packSwitch.catchUp()) > 0) libraryChanged();
      } finally {
        catchingUp = false;
      }
    });
  };
  const rooms: Rooms = {
    directory,
    store,
    library,
    decoder,
    models,
    packs,
    search,
    bus,
    grants,
    log,
    now,
    notice,
    indexSoon,
    applySettings: () => library.setWatching(watch && readSettings(store).watchFolders),
    packSwitch,
  };
  const handlers = createHandlers(rooms);

  // Not awaited: a library opens at once, and a query waits no longer than its pack takes.
  const started = startUp(rooms, inBackground, watch);
  let closing: Promise<void> | undefined;
  const engine: Engine = {
    call<K extends EngineCallName>(
      name: K,
      input: CallInput<K>,
      context: Parameters<Engine['call']>[2] = {},
    ) {
      const signal = context.signal ?? new AbortController().signal;
      const progress = (context.progress ?? ignore) as (value: unknown) => void;
      return engine.callUnknown(name, input, { signal, progress }) as Promise<CallOutput<K>>;
    },
    async callUnknown(name, input, context) {
      if (!isEngineCall(name)) throw new AppError('input-invalid', 'There is no call of that name here.');
      if (closing !== undefined) throw new AppError('engine-stopped', 'The engine is closing.');
      const parsed = calls[name].input.safeParse(input);
      if (!parsed.success)
        throw new AppError('input-invalid', `${name} does not take that: ${z.prettifyError(parsed.error)}`);
      refuseWriting(name, store);
      try {
        const handler = handlers[name] as (input: unknown, context: unknown) => unknown;
        return await handler(parsed.data, context);
      } catch (thrown) {
        const error = AppError.from(thrown, `The call ${name}`);
        if (error.code === 'internal') log.error('a call failed', { name, stack: stackOf(thrown) });
        throw error;
      }
    },
    on: <K extends EventName>(name: K, listener: (payload: EventPayload<K>) => void) =>
      bus.onAny((event, payload) => {
        if (event === name) listener(payload as EventPayload<K>);
      }),
    onAny: (listener) => bus.onAny(listener),
    grant: (path) => grants.issue(path),
    photoFile: (photoId) => photoFile(store, library, photoId),
    thumbnail: (photoId) => library.thumbnail(photoId),
    displayImage: (photoId, maxEdge) => photoPicture(library, decoder, photoId, maxEdge),
    photoAt: (path) => photoAt(store, path),
    close() {
      closing ??= closeAll();
      return closing;
    },
  };

  async function closeAll(): Promise<void> {
    await library.close();
    await started;
    await Promise.allSettled(background);
    const index = models.index();
    try {
      if (!store.readOnly) await index?.save();
    } catch (thrown) {
      // It is rebuilt from the vectors at the next start; nothing is lost but that time.
      log.warn('the index could not be saved', { message: AppError.from(thrown).message });
    }
    await models.close();
    await decoder.close();
    bus.close();
    store.close();
  }
  return Promise.resolve(engine);
}

function createHandlers(rooms: Rooms): Handlers {
  const { search } = rooms;
  return {
    ...libraryHandlers(rooms),
    ...indexingHandlers(rooms),
    ...photoHandlers(rooms.store),
    ...packHandlers(rooms),
    ...settingsHandlers(rooms),
    'search.query': (input, { signal }) => search.query(input, signal),
    'search.parse': (input) => search.parse(input),
    'search.addExample': (input, { signal }) => search.addExample(input, signal),
    'search.classify': (input, { signal }) => search.classify(input, signal),
    'search.suggestions': (_input, { signal }) => search.suggestions(signal),
  };
}

async function startUp(
  rooms: Rooms,
  inBackground: (about: string, work: () => Promise<unknown>) => void,
  watch: boolean,
): Promise<void> {
  // A command line may need no pack at all; the calls that do load it.
  if (!watch) return;
  // Its failure is told by notice, and again to every call that needs it.
  rooms.models.load().catch(() => undefined);
  // The files of the active pack were replaced (a newer version of the app): new vectors in the background.
  inBackground('Looking at the photos with the new model', async () => {
    await rooms.models.ready();
    await rooms.packSwitch.catchUp();
  });
  inBackground('Watching the folders', () => rooms.applySettings());
  // Finishes what was interrupted, and finds what changed while nobody watched.
  if (rooms.store.roots.list().length > 0) rooms.indexSoon();
  return Promise.resolve();
}

function isEngineCall(name: string): name is EngineCallName {
  return Object.hasOwn(calls, name) && calls[name as keyof typeof calls].at === 'engine';
}

const ignore = (): void => undefined;

function stackOf(thrown: unknown): string {
  const error = thrown instanceof AppError && thrown.cause instanceof Error ? thrown.cause : thrown;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

const processTimers: Timers = {
  after(delayMs, run) {
    const timer = setTimeout(run, delayMs);
    return () => clearTimeout(timer);
  },
};
