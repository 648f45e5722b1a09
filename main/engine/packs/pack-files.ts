/** Lists and hashes the files of a pack folder. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { pipeline } from 'node:stream/promises';

export type FileHashes = Record<string, { bytes: number; sha256: string }>;

/** @returns paths relative to `dir`, '/' between parts, sorted; hidden ones are left out. */
export async function listFiles(dir: string): Promise<string[]> {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() || entry.isSymbolicLink())
    .map((entry) => relative(dir, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .filter((path) => !path.split('/').some((part) => part.startsWith('.')))
    .sort();
}

/** @returns lower-case hex. About 0.5 GB/s on one core. */
export async function sha256File(path: string, signal?: AbortSignal): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(
    createReadStream(path, { highWaterMark: 1 << 20 }),
    hash,
    signal === undefined ? {} : { signal },
  );
  return hash.digest('hex');
}

export async function hashFiles(
  dir: string,
  paths: readonly string[],
  signal?: AbortSignal,
): Promise<FileHashes> {
  const hashes: FileHashes = {};
  for (const path of paths) {
    const full = join(dir, path);
    const { size } = await stat(full);
    hashes[path] = { bytes: size, sha256: await sha256File(full, signal) };
  }
  return hashes;
}
