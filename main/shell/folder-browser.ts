/** Lists folders for a page that has no folder dialog: places first, then subfolders, each under a grant. */
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { homedir, userInfo } from 'node:os';
import { basename, dirname, join } from 'node:path';
import type { CallOutput } from '../contract.ts';
import { AppError } from '../errors.ts';
import type { GrantBook } from './grant-book.ts';

type Listing = CallOutput<'folders.browse'>;
type Entry = Listing['children'][number];

/** A folder with more subfolders than this shows the first of them; nobody scrolls further to pick one. */
const mostChildren = 2_000;

/**
 * @param grant of a folder listed before; null lists the places to start from.
 * @throws AppError not-found for a grant that was never issued, permission-denied, file-vanished
 */
export async function browseFolders(
  grants: GrantBook,
  grant: string | null,
  places: () => Promise<string[]> = listPlaces,
): Promise<Listing> {
  const entry = (path: string): Entry => ({ grant: grants.issue(path), name: basename(path) || path, path });
  if (grant === null) return { current: null, parent: null, children: (await places()).map(entry) };
  const path = grants.resolve(grant);
  if (path === undefined)
    throw new AppError(
      'not-found',
      'That folder is from an earlier session. Open the list of folders again.',
    );
  const parent = dirname(path);
  return {
    current: entry(path),
    parent: parent === path ? null : entry(parent),
    children: (await subfolders(path)).map(entry),
  };
}

async function subfolders(path: string): Promise<string[]> {
  const entries = await readdir(path, { withFileTypes: true }).catch((error: unknown) => {
    throw AppError.from(error, `Listing ${path}`);
  });
  return (
    entries
      // A link is not a directory here, as the scan follows none; hidden folders are skipped by it too.
      .filter((each) => each.isDirectory() && !each.name.startsWith('.') && !each.name.startsWith('$'))
      .map((each) => each.name)
      .sort((a, b) => a.localeCompare(b, undefined, { numeric: true, sensitivity: 'base' }))
      .slice(0, mostChildren)
      .map((name) => join(path, name))
  );
}

/** Home, its picture folder, and what is mounted: drive letters, /Volumes, /media. */
async function listPlaces(): Promise<string[]> {
  const home = homedir();
  const pictures = join(home, 'Pictures');
  const found = [home, ...(existsSync(pictures) ? [pictures] : [])];
  if (process.platform === 'win32') {
    const letters = 'CDEFGHIJKLMNOPQRSTUVWXYZAB'.split('');
    return [...found, ...letters.map((letter) => `${letter}:\\`).filter((drive) => existsSync(drive))];
  }
  const { username } = userInfo();
  const mounts =
    process.platform === 'darwin'
      ? ['/Volumes']
      : [`/run/media/${username}`, `/media/${username}`, '/media', '/mnt'];
  for (const mount of mounts) {
    // Most of these folders exist on some machines only: an absent one has no drives to offer.
    const drives = await subfolders(mount).catch(() => []);
    found.push(...drives.filter((drive) => !mounts.includes(drive)));
  }
  return [...found, '/'];
}
