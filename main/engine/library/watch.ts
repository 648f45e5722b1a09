/** Follows the roots while the app runs: what changes is scanned, drives that go or come are noticed. */
import { lstat } from 'node:fs/promises';
import { AppError } from '../../errors.ts';
import type { Log } from '../log.ts';
import type { RootRow, Store } from '../store/types.ts';
import { isImageName, isSkippedPath } from './image-files.ts';
import { absolutePath, relativeInside } from './paths.ts';
import { probeRoot, type RootIdentities } from './root-state.ts';
import type { ScanRequest } from './scan.ts';
import type { Notice, SubscribeFolder, Timers, WatchEvent } from './types.ts';

export interface WatcherOptions {
  readonly store: Store;
  readonly identities: RootIdentities;
  readonly libraryFolder: string;
  readonly subscribe: SubscribeFolder;
  readonly timers: Timers;
  readonly log: Log;
  /** Has this scanned and indexed. */
  readonly rescan: (request: ScanRequest) => void;
  readonly onRootsChanged: () => void;
  readonly onNotice: (notice: Notice) => void;
}

export interface Watcher {
  /** Looks at the roots at once instead of at the next poll: one was added or removed. */
  refresh(): void;
  stop(): Promise<void>;
}

/** A burst of events (a copy, an import) is over when nothing came for this long; then one scan does for all. */
const quietMs = 500;
/** A burst that never ends is scanned this often. */
const longestWaitMs = 5_000;
/** Drives send no event when they come and go. */
const pollMs = 5_000;
/** Folders that can't be watched are scanned instead, this often. */
const rescanMs = 10 * 60_000;
/** With more changes than this at once, walking the whole root is the cheaper way. */
const mostTargets = 500;

interface Watched {
  /** The folder that is watched; another one at the same path needs a new watch. */
  readonly identity: string | null;
  /** Null where the system refused, and the root is scanned from time to time. */
  readonly unsubscribe: (() => Promise<void>) | null;
}

export function startWatching(options: WatcherOptions): Watcher {
  const { store, timers, log } = options;
  const watched = new Map<number, Watched>();
  /** Folders that a scan found to be no root of ours, though they lie where one was. */
  const refused = new Map<number, string | null>();
  let events = new Map<number, Set<string> | 'all'>();
  let cancelQuiet: (() => void) | undefined;
  let cancelLongest: (() => void) | undefined;
  let cancelPoll: (() => void) | undefined;
  let cancelRescan: (() => void) | undefined;
  let stopped = false;
  let looking = Promise.resolve();

  const flush = (): void => {
    cancelQuiet?.();
    cancelLongest?.();
    cancelQuiet = cancelLongest = undefined;
    const burst = events;
    events = new Map();
    void selectTargets(store, burst).then((request) => {
      if (!stopped && request.size > 0) options.rescan(request);
    });
  };

  const note = (root: RootRow, changed: readonly WatchEvent[] | 'all'): void => {
    if (stopped) return;
    let targets = events.get(root.id) ?? new Set<string>();
    for (const path of changed === 'all' ? [root.path] : changed.map((event) => event.path)) {
      const relPath = relativeInside(root.path, path);
      // As a file or as a folder: of what is gone, nobody can say which it was.
      if (relPath === undefined || (isSkippedPath(relPath, true) && isSkippedPath(relPath, false))) continue;
      if (targets === 'all' || relPath === '' || targets.size >= mostTargets) targets = 'all';
      else targets.add(relPath);
    }
    if (targets !== 'all' && targets.size === 0) return;
    events.set(root.id, targets);
    cancelQuiet?.();
    cancelQuiet = timers.after(quietMs, flush);
    cancelLongest ??= timers.after(longestWaitMs, flush);
  };

  const watch = async (root: RootRow, identity: string | null): Promise<void> => {
    try {
      const unsubscribe = await options.subscribe(root.path, [options.libraryFolder], (error, batch) => {
        if (error === null) note(root, batch);
        else {
          log.warn('watch lost events', { path: root.path, reason: error.message });
          note(root, 'all');
        }
      });
      if (stopped) await unsubscribe();
      else watched.set(root.id, { identity, unsubscribe });
    } catch (thrown) {
      watched.set(root.id, { identity, unsubscribe: null });
      options.onNotice(notWatched(root, thrown));
    }
  };

  const unwatch = async (rootId: number): Promise<void> => {
    const before = watched.get(rootId);
    watched.delete(rootId);
    try {
      await before?.unsubscribe?.();
    } catch (thrown) {
      log.debug('unwatch failed', { rootId, reason: String(thrown) });
    }
  };

  const look = async (): Promise<void> => {
    const roots = store.roots.list();
    const counts = store.roots.counts();
    for (const id of watched.keys()) if (!roots.some((root) => root.id === id)) await unwatch(id);
    for (const root of roots) {
      const known = options.identities.get(root.id);
      const { online, identity } = await probeRoot(root.path, known, counts.get(root.id)?.photos ?? 0);
      if (stopped || store.roots.get(root.id) === undefined) continue;
      const before = watched.get(root.id);
      if (!online) {
        refused.delete(root.id);
        if (before !== undefined) await unwatch(root.id);
        if (!root.online) continue;
        store.roots.setOnline(root.id, false);
        options.onRootsChanged();
      } else if (!root.online) {
        // The scan decides whether it is the folder that it was; once for each folder that turns up.
        if (refused.get(root.id) === identity) continue;
        refused.set(root.id, identity);
        options.rescan(new Map([[root.id, 'all']]));
      } else if (before === undefined || (before.identity !== identity && identity !== null)) {
        refused.delete(root.id);
        await unwatch(root.id);
        await watch(root, identity);
        // What happened between its last scan and the watch went unseen.
        note(root, 'all');
      }
    }
  };

  const poll = (): void => {
    cancelPoll?.();
    looking = looking
      .then(() => (stopped ? undefined : look()))
      .catch((thrown: unknown) => log.warn('looking after the folders failed', { reason: String(thrown) }))
      .then(() => {
        if (!stopped) cancelPoll = timers.after(pollMs, poll);
      });
  };

  const rescanUnwatched = (): void => {
    for (const [id, { unsubscribe }] of watched) {
      const root = store.roots.get(id);
      if (unsubscribe === null && root !== undefined) note(root, 'all');
    }
    cancelRescan = timers.after(rescanMs, rescanUnwatched);
  };

  poll();
  cancelRescan = timers.after(rescanMs, rescanUnwatched);
  return {
    refresh: poll,
    async stop() {
      stopped = true;
      for (const cancel of [cancelQuiet, cancelLongest, cancelPoll, cancelRescan]) cancel?.();
      await looking;
      cancelPoll?.();
      await Promise.all([...watched.keys()].map(unwatch));
    },
  };
}

/** Leaves out files that are there and no photos; what is gone may have been a folder of them. */
async function selectTargets(
  store: Store,
  events: ReadonlyMap<number, ReadonlySet<string> | 'all'>,
): Promise<ScanRequest> {
  const request = new Map<number, readonly string[] | 'all'>();
  for (const [rootId, targets] of events) {
    const root = store.roots.get(rootId);
    if (root === undefined) continue;
    if (targets === 'all') {
      request.set(rootId, 'all');
      continue;
    }
    const wanted: string[] = [];
    for (const target of targets) {
      const found = isImageName(target) ? 'photo' : await whatIs(absolutePath(root.path, target));
      if (found !== 'other') wanted.push(target);
    }
    if (wanted.length > 0) request.set(rootId, wanted);
  }
  return request;
}

async function whatIs(path: string): Promise<'folder' | 'other' | 'gone'> {
  return lstat(path).then(
    (found) => (found.isDirectory() ? 'folder' : 'other'),
    () => 'gone',
  );
}

function notWatched(root: RootRow, thrown: unknown): Notice {
  const reason = thrown instanceof Error ? thrown.message : String(thrown);
  const limit = /inotify|no space left|ENOSPC|too many/i.test(reason);
  const remedy = limit
    ? 'The system watches only so many folders: raise its limit (fs.inotify.max_user_watches on Linux) and start again.'
    : 'Index it by hand to see changes at once.';
  return {
    level: 'warning',
    key: `watch:${root.id}`,
    code:
      AppError.from(thrown, 'Watching').code === 'permission-denied' ? 'permission-denied' : 'not-supported',
    message: `Changes in "${root.path}" can't be followed (${reason}), so it is scanned every ten minutes. ${remedy}`,
    details: { path: root.path },
  };
}
