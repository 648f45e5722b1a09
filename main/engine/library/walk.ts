/** Walks a root lazily, folder by folder in sorted order, and yields its photo files with their stat. */
import type { Dirent } from 'node:fs';
import { lstat, readdir, realpath, stat } from 'node:fs/promises';
import { AppError, type ErrorShape } from '../../errors.ts';
import type { SeenFile } from '../store/types.ts';
import { isSkippedFile, isSkippedFolder, isSkippedPath } from './image-files.ts';
import { absolutePath, relativeInside } from './paths.ts';

/** Something in a root that could not be looked at. */
export interface WalkProblem {
  readonly relPath: string;
  /** What a folder holds is unknown then; a file that can't be read says nothing about others. */
  readonly kind: 'folder' | 'file';
  readonly error: ErrorShape;
}

export interface WalkBatch {
  readonly files: readonly SeenFile[];
  readonly problems: readonly WalkProblem[];
}

export interface WalkOptions {
  /** Files or folders below the root to look at, instead of all of it. Ones that are gone yield nothing. */
  readonly targets?: readonly string[] | undefined;
  /** Real paths of folders to leave out: the library's own. */
  readonly excluded?: readonly string[] | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** More in flight gain nothing: libuv's pool has four threads unless told otherwise. */
const statsAtOnce = 64;

interface Folder {
  readonly relPath: string;
  readonly name: string | null;
  /** dev:ino of the folders above, so that a bind mount of a parent ends instead of going round. */
  readonly above: ReadonlySet<string>;
}

/**
 * Hidden and system folders are skipped and no link to a folder is followed; a link to a file counts only
 * where its target lies inside the root in a place that the walk itself leaves out (as git-annex keeps them).
 * @param rootPath real path of the root.
 */
export async function* walk(rootPath: string, options: WalkOptions = {}): AsyncGenerator<WalkBatch> {
  for (const target of options.targets ?? ['']) {
    options.signal?.throwIfAborted();
    const found = await lookAt(rootPath, target);
    if (found.batch !== undefined) yield found.batch;
    if (found.folder !== undefined) yield* walkFolder(rootPath, found.folder, options);
  }
}

async function lookAt(rootPath: string, target: string): Promise<{ batch?: WalkBatch; folder?: Folder }> {
  const name = target.split('/').at(-1) ?? null;
  if (target === '') return { folder: { relPath: '', name: null, above: new Set() } };
  try {
    const found = await lstat(absolutePath(rootPath, target));
    if (isSkippedPath(target, found.isDirectory())) return {};
    if (found.isDirectory()) return { folder: { relPath: target, name, above: new Set() } };
    const parts = target.split('/');
    return { batch: await statAll(rootPath, [{ relPath: target, parent: parts.at(-2) ?? null, found }]) };
  } catch (thrown) {
    if (isGone(thrown)) return {};
    return { batch: { files: [], problems: [problem(target, 'folder', thrown)] } };
  }
}

async function* walkFolder(rootPath: string, start: Folder, options: WalkOptions): AsyncGenerator<WalkBatch> {
  const stack = [start];
  for (let folder = stack.pop(); folder !== undefined; folder = stack.pop()) {
    options.signal?.throwIfAborted();
    const path = absolutePath(rootPath, folder.relPath);
    if (options.excluded?.includes(path)) continue;
    const problems: WalkProblem[] = [];
    const candidates: Candidate[] = [];
    try {
      const self = await stat(path, { bigint: true });
      const identity = `${self.dev}:${self.ino}`;
      if (self.ino !== 0n && folder.above.has(identity)) continue;
      const above = new Set(folder.above).add(identity);
      const below: Folder[] = [];
      for (const entry of await sortedEntries(path)) {
        const relPath = folder.relPath === '' ? entry.name : `${folder.relPath}/${entry.name}`;
        const parent = folder.name;
        if (entry.isDirectory() ? isSkippedFolder(entry.name, parent) : isSkippedFile(entry.name, parent))
          continue;
        if (entry.unreadable) problems.push(unreadableName(relPath, entry.isDirectory()));
        else if (entry.isDirectory()) below.push({ relPath, name: entry.name, above });
        else candidates.push({ relPath, parent, found: entry });
      }
      // The stack is last in, first out: reversed, the folders come in their sorted order.
      stack.push(...below.reverse());
    } catch (thrown) {
      // A folder below that went since it was listed holds nothing; the root itself must be there.
      if (folder.relPath === '' || !isGone(thrown)) problems.push(problem(folder.relPath, 'folder', thrown));
    }
    const batch = await statAll(rootPath, candidates);
    if (batch.files.length + batch.problems.length + problems.length > 0)
      yield { files: batch.files, problems: [...problems, ...batch.problems] };
  }
}

interface Candidate {
  readonly relPath: string;
  readonly parent: string | null;
  readonly found: { isFile(): boolean; isSymbolicLink(): boolean };
}

async function statAll(rootPath: string, candidates: readonly Candidate[]): Promise<WalkBatch> {
  const files: SeenFile[] = [];
  const problems: WalkProblem[] = [];
  for (let start = 0; start < candidates.length; start += statsAtOnce) {
    const slice = candidates.slice(start, start + statsAtOnce);
    const looked = await Promise.all(slice.map((candidate) => statOne(rootPath, candidate)));
    for (const one of looked) {
      if (one === undefined) continue;
      if ('error' in one) problems.push(one);
      else files.push(one);
    }
  }
  return { files, problems };
}

async function statOne(rootPath: string, candidate: Candidate): Promise<SeenFile | WalkProblem | undefined> {
  const { relPath, found } = candidate;
  const path = absolutePath(rootPath, relPath);
  try {
    if (found.isSymbolicLink()) {
      const target = relativeInside(rootPath, await realpath(path));
      // Outside the root, or somewhere the walk comes by anyway.
      if (target === undefined || !isSkippedPath(target, false)) return undefined;
    } else if (!found.isFile()) return undefined;
    const now = await (found.isSymbolicLink() ? stat(path) : lstat(path));
    return now.isFile() ? { relPath, bytes: now.size, mtimeMs: now.mtimeMs } : undefined;
  } catch (thrown) {
    return isGone(thrown) ? undefined : problem(relPath, 'file', thrown);
  }
}

interface Entry {
  readonly name: string;
  /** The name is not Unicode: it can be shown, but neither stored nor opened by what is shown. */
  readonly unreadable: boolean;
  isDirectory(): boolean;
  isFile(): boolean;
  isSymbolicLink(): boolean;
}

async function sortedEntries(path: string): Promise<Entry[]> {
  const entries = await readdir(path, { withFileTypes: true });
  const suspect = entries.some(({ name }) => name.includes('\uFFFD') || !name.isWellFormed());
  const named = suspect ? await withRawNames(path) : entries.map((entry) => readable(entry, entry.name));
  return named.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
}

function readable(entry: Dirent<string | Buffer>, name: string, unreadable = false): Entry {
  return {
    name,
    unreadable,
    isDirectory: () => entry.isDirectory(),
    isFile: () => entry.isFile(),
    isSymbolicLink: () => entry.isSymbolicLink(),
  };
}

/** U+FFFD may be a real part of a name or stand for bytes that are no UTF-8: only the raw names tell. */
async function withRawNames(path: string): Promise<Entry[]> {
  const raw = await readdir(path, { withFileTypes: true, encoding: 'buffer' });
  return raw.map((entry) => {
    const name = entry.name.toString('utf8');
    return readable(entry, name, !Buffer.from(name, 'utf8').equals(entry.name));
  });
}

function unreadableName(relPath: string, isFolder: boolean): WalkProblem {
  return {
    relPath,
    kind: isFolder ? 'folder' : 'file',
    error: {
      code: 'io-failed',
      message: `"${relPath}" has a name that is not valid Unicode, so it can't be opened. Rename it, then scan again.`,
      details: { path: relPath },
    },
  };
}

function problem(relPath: string, kind: 'folder' | 'file', thrown: unknown): WalkProblem {
  const about = relPath === '' ? 'Reading the folder' : `Reading "${relPath}"`;
  return { relPath, kind, error: AppError.from(thrown, about).toShape() };
}

export function isGone(thrown: unknown): boolean {
  const code = (thrown as NodeJS.ErrnoException | undefined)?.code;
  return code === 'ENOENT' || code === 'ENOTDIR';
}
