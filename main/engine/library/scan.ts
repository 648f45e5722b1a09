/** Brings the store's list of files in line with the disk; nothing is decoded here. */
import { setImmediate as turn } from 'node:timers/promises';
import { AppError, type ErrorShape } from '../../errors.ts';
import type { Log } from '../log.ts';
import type { FileStat, KnownFile, RootRow, SeenFile, Store } from '../store/types.ts';
import { hashFile, sameStat, type HashedFile } from './content-hash.ts';
import { absolutePath, isUnder } from './paths.ts';
import { placeContents, type Move, type RootDifference, type Verdict } from './place-contents.ts';
import { probeRoot, type RootIdentities } from './root-state.ts';
import { walk } from './walk.ts';

/** What to look at: whole roots, or (after file-system events) some of their files and folders. */
export type ScanRequest = ReadonlyMap<number, readonly string[] | 'all'>;

export interface ScanTools {
  readonly store: Store;
  readonly identities: RootIdentities;
  /** Real path of the library's own folder, which a walk leaves out. */
  readonly libraryFolder: string;
  readonly log: Log;
  readonly now: () => number;
  readonly onRemoved: (photoIds: readonly number[], generation: number) => void;
  readonly onMoved: (photoIds: readonly number[], generation: number) => void;
}

export interface ScanResult {
  readonly unchanged: number;
  readonly moved: number;
  readonly removed: number;
  /** Files looked at that were waiting to be indexed before the scan, and still are. */
  readonly pending: number;
  /** Files that the scan found to need indexing. */
  readonly queued: number;
  readonly problems: readonly (ErrorShape & { readonly path: string })[];
  /** Roots that went or came: their state in the store is up to date already. */
  readonly rootsChanged: boolean;
  /** Roots that were not asked for. */
  readonly alsoScanned: readonly number[];
}

/** Rows a transaction: some milliseconds, so that queries are answered in between. */
const rowsAtOnce = 1_000;

export async function scan(
  tools: ScanTools,
  request: ScanRequest,
  signal?: AbortSignal,
): Promise<ScanResult> {
  const { store } = tools;
  const differences: RootDifference[] = [];
  const problems: (ErrorShape & { path: string })[] = [];
  let unchanged = 0;
  let pending = 0;
  let rootsChanged = false;
  const look = async (rootId: number, targets: readonly string[] | 'all'): Promise<number> => {
    const root = store.roots.get(rootId);
    if (root === undefined) return 0;
    const compared = await compareRoot(tools, root, targets, signal);
    if (root.online !== (compared !== undefined)) {
      store.roots.setOnline(rootId, compared !== undefined);
      rootsChanged = true;
    }
    if (compared === undefined) return 0;
    differences.push(compared.difference);
    problems.push(...compared.problems);
    pending += compared.pending;
    return compared.unchanged;
  };
  for (const [rootId, targets] of request) unchanged += await look(rootId, targets);
  const alsoScanned: number[] = [];
  if (differences.some((difference) => mayHaveLeft(request, difference))) {
    for (const { id, online } of store.roots.list()) {
      if (request.has(id) || !online) continue;
      await look(id, 'all');
      alsoScanned.push(id);
    }
  }
  const rootPath = (rootId: number): string => store.roots.get(rootId)?.path ?? '';
  const verdict = await placeContents(differences, (rootId, relPath) =>
    tryHash(tools, absolutePath(rootPath(rootId), relPath), signal),
  );
  signal?.throwIfAborted();
  const added = await apply(tools, verdict, signal);
  const { touched, moved, removed, edited } = verdict;
  return {
    unchanged: unchanged + touched.length,
    moved: moved.length,
    removed: removed.length,
    pending: pending + moved.filter((move) => move.pending).length,
    queued: added + edited.length,
    problems,
    rootsChanged,
    alsoScanned,
  };
}

/**
 * What is gone from some roots may have moved to another one: then the others are scanned with them. File events
 * of a move come in pairs, so that both roots are in the request already.
 */
function mayHaveLeft(request: ScanRequest, { rootId, missing, changed }: RootDifference): boolean {
  if (request.get(rootId) !== 'all') return false;
  return missing.some(({ hash }) => hash !== null) || changed.some(({ known }) => known.hash !== null);
}

interface Compared {
  readonly difference: RootDifference;
  readonly unchanged: number;
  readonly pending: number;
  readonly problems: readonly (ErrorShape & { readonly path: string })[];
}

/** @returns undefined where the root is offline. */
async function compareRoot(
  tools: ScanTools,
  root: RootRow,
  targets: readonly string[] | 'all',
  signal: AbortSignal | undefined,
): Promise<Compared | undefined> {
  const { store, identities } = tools;
  const photos = store.photos.files(root.id);
  const before = identities.get(root.id);
  const probe = await probeRoot(root.path, before, photos.length);
  if (!probe.online) return undefined;
  // A folder put in the place of another is looked at as a whole, whatever was asked for.
  const wanted = probe.identity === before && targets !== 'all' ? outermost(targets) : [''];
  const whole = wanted[0] === '';
  const known = new Map<string, KnownFile>();
  for (const file of photos) {
    if (whole || wanted.some((target) => isUnder(file.relPath, target))) known.set(file.relPath, file);
  }

  const fresh: SeenFile[] = [];
  const changed: { known: KnownFile; seen: SeenFile }[] = [];
  const unread: string[] = [];
  const problems: (ErrorShape & { path: string })[] = [];
  let unchanged = 0;
  let pending = 0;
  for await (const batch of walk(root.path, { targets: wanted, excluded: [tools.libraryFolder], signal })) {
    for (const seen of batch.files) {
      const file = known.get(seen.relPath);
      known.delete(seen.relPath);
      if (file === undefined) fresh.push(seen);
      else if (!sameStat(file, seen)) changed.push({ known: file, seen });
      else {
        if (file.status === 'pending') pending += 1;
        else unchanged += 1;
      }
    }
    for (const { relPath, error } of batch.problems) {
      unread.push(relPath);
      problems.push({ ...error, path: absolutePath(root.path, relPath) });
    }
  }

  // The drive may have gone while it was walked: then what was not seen is not gone.
  const after = await probeRoot(root.path, before, photos.length);
  if (!after.online || after.identity !== probe.identity) return undefined;
  const nothingThere = fresh.length + changed.length + unchanged + pending + problems.length === 0;
  if (whole && nothingThere && photos.length > 0 && probe.identity !== before) return undefined;
  if (whole && probe.identity !== null) identities.set(root.id, probe.identity);
  if (whole) store.roots.setScanned(root.id, tools.now());
  const missing = [...known.values()].filter(
    ({ relPath }) => !unread.some((folder) => isUnder(relPath, folder)),
  );
  return { difference: { rootId: root.id, fresh, changed, missing }, unchanged, pending, problems };
}

/** Drops targets that lie inside another one; '' stands for the whole root. */
function outermost(targets: readonly string[]): string[] {
  const all = new Set(targets);
  if (all.has('')) return [''];
  return [...all].sort().filter((target) => {
    const parts = target.split('/');
    return !parts.some((_, index) => index > 0 && all.has(parts.slice(0, index).join('/')));
  });
}

async function tryHash(
  tools: ScanTools,
  path: string,
  signal: AbortSignal | undefined,
): Promise<HashedFile | undefined> {
  try {
    return await hashFile(path, signal);
  } catch (thrown) {
    signal?.throwIfAborted();
    tools.log.debug('not hashed', { path, reason: AppError.from(thrown, 'Reading').message });
    return undefined;
  }
}

/** @returns how many files were added. */
async function apply(tools: ScanTools, verdict: Verdict, signal: AbortSignal | undefined): Promise<number> {
  const { photos, embeddings } = tools.store;
  for (const ids of slices(verdict.removed)) {
    photos.remove(ids);
    tools.onRemoved(ids, embeddings.generation());
    await turn();
  }
  for (const moves of slices(verdict.moved)) {
    for (const move of moves) place(tools.store, move, verdict.moved);
    tools.onMoved(
      moves.map(({ photoId }) => photoId),
      embeddings.generation(),
    );
    await turn();
  }
  for (const files of slices(verdict.touched)) {
    for (const { id, stat } of files) photos.touch(id, stat);
    await turn();
  }
  for (const files of slices(verdict.edited)) {
    photos.markChanged(files);
    await turn();
  }
  let added = 0;
  for (const { rootId, files } of verdict.added) {
    for (const slice of slices(files)) {
      // What was added stays added; the rest is found by the next scan.
      signal?.throwIfAborted();
      if (tools.store.roots.get(rootId) === undefined) break;
      added += photos.add(rootId, slice).length;
      await turn();
    }
  }
  return added;
}

/**
 * A photo that still lies where another one moves to is put aside first, under a name that no file can have.
 * Should the process end in between, the next scan finds its content and places it.
 */
function place(store: Store, move: Move, all: readonly Move[]): void {
  const { rootId, relPath, stat, after, photoId } = move;
  // Forgotten while it was compared.
  if (store.roots.get(rootId) === undefined) return;
  const holder = after === null ? undefined : store.photos.get(after);
  if (holder !== undefined && holder.rootId === rootId && holder.relPath === relPath) {
    const own = all.find((other) => other.photoId === after);
    const aside: FileStat = own?.stat ?? holder;
    store.photos.move(holder.id, { rootId, relPath: `/moving/${holder.id}`, stat: aside });
  }
  store.photos.move(photoId, { rootId, relPath, stat });
}

function* slices<T>(items: readonly T[]): Generator<readonly T[]> {
  for (let start = 0; start < items.length; start += rowsAtOnce) yield items.slice(start, start + rowsAtOnce);
}
