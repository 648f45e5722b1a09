/** The library as one piece: roots, runs, thumbnails and watching over one store. */
import type { IndexProgress, IndexReport } from '../../contract.ts';
import { AppError } from '../../errors.ts';
import { embedMissing } from './embed-run.ts';
import { startIndexRun, type IndexRun } from './index-run.ts';
import { locatePhoto } from './locate.ts';
import { absolutePath } from './paths.ts';
import { createRootIdentities } from './root-state.ts';
import { addRoot, listRoots, toRoot } from './roots.ts';
import type { ScanRequest, ScanTools } from './scan.ts';
import { subscribeFolder } from './subscribe-folder.ts';
import { createThumbnails } from './thumbnails.ts';
import type { Library, LibraryOptions, RunOptions } from './types.ts';
import { startWatching, type Watcher } from './watch.ts';

interface ActiveRun {
  readonly run: IndexRun;
  readonly controller: AbortController;
  readonly listeners: Set<(progress: IndexProgress) => void>;
  /** Callers that still want the report. The watcher, once it has a part in it, wants it to the end. */
  callers: number;
}

/** Reasons that may be gone by the next run: those photos are tried again without being asked for. */
const passing = new Set(['permission-denied', 'io-failed', 'file-vanished', 'file-changed']);

const idle: IndexProgress = {
  phase: 'idle',
  done: 0,
  total: 0,
  failed: 0,
  imagesPerSecond: 0,
  secondsLeft: null,
  current: null,
};

export function createLibrary(options: LibraryOptions): Library {
  const { store, decoder, libraryFolder, log, timers } = options;
  const identities = createRootIdentities(store);
  const tools: ScanTools = {
    store,
    identities,
    libraryFolder,
    log,
    now: options.now,
    onRemoved: options.onRemoved,
    onMoved: options.onMoved ?? (() => undefined),
  };
  const thumbnails = createThumbnails({ store, decoder, maxBytes: options.thumbnailsMaxBytes });
  const closing = new AbortController();
  let paused = false;
  let progress = idle;
  let active: ActiveRun | undefined;
  let watcher: Watcher | undefined;
  /** Runs and shadow embeddings take turns: each may be long, and they would fight for the same workers. */
  let turn: Promise<unknown> = Promise.resolve();
  let adding: Promise<unknown> = Promise.resolve();

  const rootsChanged = (): void => options.onRootsChanged(listRoots(store));

  /** The run under way, with this in it, or a new one. */
  const runWith = (wanted: ScanRequest): ActiveRun => {
    closing.signal.throwIfAborted();
    if (active !== undefined && !active.run.isOver() && !active.controller.signal.aborted) {
      active.run.request(wanted);
      return active;
    }
    const controller = new AbortController();
    const listeners = new Set<(progress: IndexProgress) => void>();
    const show = (next: IndexProgress): void => {
      progress = next;
      options.onProgress(next);
      for (const listener of listeners) listener(next);
    };
    const run = startIndexRun({
      tools,
      library: options,
      wanted,
      turn,
      isPaused: () => paused,
      signal: AbortSignal.any([controller.signal, closing.signal]),
      onProgress: show,
      onRootsChanged: rootsChanged,
    });
    const started: ActiveRun = { run, controller, listeners, callers: 0 };
    active = started;
    turn = run.report
      .catch((error: unknown) => log.debug('a run ended early', { reason: String(error) }))
      .then(() => {
        if (active !== started) return;
        active = undefined;
        show(idle);
        if (!closing.signal.aborted) rootsChanged();
      });
    return started;
  };

  const rescan = (wanted: ScanRequest): void => {
    if (closing.signal.aborted) return;
    const joined = runWith(wanted);
    joined.callers = Infinity;
    joined.run.report.catch((thrown: unknown) => {
      const error = AppError.from(thrown, 'Indexing what changed');
      if (error.code === 'engine-stopped') return;
      options.onNotice({ ...error.toShape(), level: 'error', key: 'indexing' });
    });
  };

  /** Photos that failed for a passing reason are pending again. */
  const requeuePassing = (rootIds: ReadonlySet<number>): void => {
    const ids: number[] = [];
    for (let offset = 0; ; offset += 1_000) {
      const { rows } = store.photos.failures({ offset, limit: 1_000 });
      for (const row of rows)
        if (rootIds.has(row.rootId) && passing.has(row.error?.code ?? '')) ids.push(row.id);
      if (rows.length < 1_000) break;
    }
    if (ids.length > 0) store.photos.requeue(ids);
  };

  const run = async ({ rootIds, signal, onProgress }: RunOptions = {}): Promise<IndexReport> => {
    const known = store.roots.list().map(({ id }) => id);
    const unknown = rootIds?.find((id) => !known.includes(id));
    if (unknown !== undefined) throw noRoot(unknown);
    if (signal?.aborted === true) throw cancelled();
    const wanted = new Set(rootIds ?? known);
    requeuePassing(wanted);
    const joined = runWith(new Map([...wanted].map((id) => [id, 'all'])));
    joined.callers += 1;
    if (onProgress !== undefined) joined.listeners.add(onProgress);
    let leave: ((error: AppError) => void) | undefined;
    const left = new Promise<never>((_, reject) => (leave = reject));
    const onAbort = (): void => {
      joined.callers -= 1;
      if (onProgress !== undefined) joined.listeners.delete(onProgress);
      // The last one out waits until everything begun is settled, so that the store may be closed then.
      if (joined.callers === 0) joined.controller.abort();
      else leave?.(cancelled());
    };
    signal?.addEventListener('abort', onAbort, { once: true });
    try {
      return await Promise.race([joined.run.report, left]);
    } finally {
      signal?.removeEventListener('abort', onAbort);
      if (onProgress !== undefined) joined.listeners.delete(onProgress);
    }
  };

  return {
    roots: () => listRoots(store),
    async addRoot(path) {
      // One after the other: each looks at what the one before has made.
      const mine = adding.then(() => addRoot({ store, libraryFolder, now: options.now }, path));
      adding = mine.catch(() => undefined);
      const { row, alreadyCovered, adopted } = await mine;
      if (!alreadyCovered) {
        log.info('root added', { rootId: row.id, adopted: adopted.length });
        watcher?.refresh();
        rootsChanged();
      }
      return { root: toRoot(row, store.roots.counts().get(row.id)), alreadyCovered };
    },
    removeRoot(rootId) {
      if (store.roots.get(rootId) === undefined) throw noRoot(rootId);
      const gone = store.roots.remove(rootId);
      options.onRemoved(gone, store.embeddings.generation());
      watcher?.refresh();
      rootsChanged();
      return { removedPhotos: gone.length };
    },
    run,
    async embedMissing({ model, signal, onProgress }) {
      const stop = AbortSignal.any([closing.signal, ...(signal === undefined ? [] : [signal])]);
      const mine = turn.then(() => {
        if (stop.aborted) throw stop.reason;
        return embedMissing({ store, decoder, now: options.now, model, signal: stop, onProgress });
      });
      turn = mine.catch(() => undefined);
      try {
        return await mine;
      } catch (thrown) {
        throw AppError.from(closing.signal.aborted ? closing.signal.reason : thrown, 'Embedding the library');
      }
    },
    pause() {
      paused = true;
      active?.run.wake();
    },
    resume() {
      paused = false;
      active?.run.wake();
    },
    state: () => progress,
    failures(page) {
      const { total, rows } = store.photos.failures(page);
      return {
        total,
        failures: rows.map((row) => {
          const path = absolutePath(store.roots.get(row.rootId)?.path ?? '', row.relPath);
          const error = row.error ?? { code: 'internal' as const, message: `"${row.relPath}" failed.` };
          return { photoId: row.id, path, ...error };
        }),
      };
    },
    retry: (photoIds) => ({ queued: store.photos.requeue(photoIds) }),
    thumbnail: (photoId, signal) => thumbnails.get(photoId, signal),
    locate: (photoId) => locatePhoto(store, photoId),
    async setWatching(on) {
      if (on === (watcher !== undefined)) return;
      const before = watcher;
      watcher = undefined;
      await before?.stop();
      if (!on || closing.signal.aborted) return;
      watcher = startWatching({
        store,
        identities,
        libraryFolder,
        subscribe: options.subscribe ?? subscribeFolder,
        timers,
        log,
        rescan,
        onRootsChanged: rootsChanged,
        onNotice: options.onNotice,
      });
    },
    async close() {
      closing.abort(new AppError('engine-stopped', 'Indexing was stopped: the app is closing.'));
      await watcher?.stop();
      watcher = undefined;
      await turn;
    },
  };
}

function noRoot(rootId: number): AppError {
  return new AppError(
    'not-found',
    `Folder ${rootId} is not in the library any more. Reload the list of folders.`,
  );
}

function cancelled(): AppError {
  return new AppError('cancelled', 'Indexing was cancelled.');
}
