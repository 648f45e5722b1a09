/** Which folders make up the library: adding one, taking one away, and one inside the other. */
import { opendir, realpath, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import type { Root } from '../../contract.ts';
import { AppError } from '../../errors.ts';
import type { RootRow, Store } from '../store/types.ts';
import { relativeInside } from './paths.ts';

/** Roots as people see them. */
export function listRoots(store: Store): Root[] {
  const counts = store.roots.counts();
  return store.roots.list().map((row) => toRoot(row, counts.get(row.id)));
}

export function toRoot(row: RootRow, counts: { photos: number; failed: number } | undefined): Root {
  const { id, path, online, lastScanAt } = row;
  return {
    id,
    path,
    // A drive's own folder ("E:\", "/") has no last part.
    name: basename(path) === '' ? path : basename(path),
    state: online ? 'online' : 'offline',
    photos: counts?.photos ?? 0,
    failed: counts?.failed ?? 0,
    lastScanAt,
  };
}

export interface AddedRoot {
  readonly row: RootRow;
  readonly alreadyCovered: boolean;
  /** Roots that became part of the new one. */
  readonly adopted: readonly number[];
}

export interface AddRootOptions {
  readonly store: Store;
  readonly libraryFolder: string;
  readonly now: () => number;
}

/**
 * Links, drive letters of different case and trailing slashes are resolved first, so that one folder is one
 * root however it is spelled.
 * @throws AppError root-invalid
 */
export async function addRoot(options: AddRootOptions, wanted: string): Promise<AddedRoot> {
  const { store, libraryFolder } = options;
  const { path, identity } = await resolveFolder(wanted);
  if (relativeInside(libraryFolder, path) !== undefined)
    throw invalid(
      wanted,
      `"${wanted}" belongs to Afterimage's own library. Choose the folder that holds your photos.`,
    );
  const roots = store.roots.list();
  // The same folder may be reached by two names that no link explains: bind mounts, mapped drives.
  for (const row of roots) {
    const same = identity !== undefined && (await identityOf(row.path)) === identity;
    if (same || relativeInside(row.path, path) !== undefined)
      return { row, alreadyCovered: true, adopted: [] };
  }
  const row = store.roots.add(path, options.now());
  const adopted: number[] = [];
  for (const child of roots) {
    const inside = relativeInside(path, child.path);
    if (inside === undefined) continue;
    store.roots.adopt(row.id, child.id, inside);
    adopted.push(child.id);
  }
  return { row, alreadyCovered: false, adopted };
}

async function resolveFolder(wanted: string): Promise<{ path: string; identity: string | undefined }> {
  try {
    const path = await realpath(wanted);
    const found = await stat(path);
    if (!found.isDirectory())
      throw invalid(wanted, `"${wanted}" is a file. Choose the folder that it lies in.`);
    if (!path.isWellFormed() || path.includes('\uFFFD'))
      throw invalid(
        wanted,
        `"${wanted}" has a name that is not valid Unicode. Rename it, then add it again.`,
      );
    // Asking for permissions is not the same as having them (ACLs, other user ids): the folder is opened.
    await (await opendir(path)).close();
    return { path, identity: await identityOf(path) };
  } catch (thrown) {
    if (thrown instanceof AppError) throw thrown;
    const { code } = AppError.from(thrown, 'Adding the folder');
    throw invalid(
      wanted,
      code === 'permission-denied'
        ? `"${wanted}" can't be read: access is denied. Allow reading it in the system's settings, then add it again.`
        : `"${wanted}" can't be found. Check that its drive is connected, then add it again.`,
      thrown,
    );
  }
}

/** Undefined where the folder isn't there, or its file system knows no inodes. */
async function identityOf(path: string): Promise<string | undefined> {
  return stat(path, { bigint: true }).then(
    ({ dev, ino }) => (ino === 0n ? undefined : `${dev}:${ino}`),
    () => undefined,
  );
}

function invalid(path: string, message: string, cause?: unknown): AppError {
  return new AppError('root-invalid', message, { cause, details: { path } });
}
