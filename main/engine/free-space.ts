/** Looks at the drive before a swap writes as much as all vectors take. */
import { statfs } from 'node:fs/promises';
import { AppError } from '../errors.ts';

/** Bytes that this process may still write to the drive of a folder. */
export type FreeBytes = (directory: string) => Promise<number>;

/** A row with its key, its place in the index by generation and what pages of 16 KiB leave empty, of its vector. */
const perVector = 1.2;
/** hnswlib reads its graph from a file, with links of about 150 bytes. */
const linkBytes = 160;
/** SQLite's log, and room to go on. */
const spare = 32 * 2 ** 20;

/**
 * @param work how many vectors are to be written, and how many photos the index beside will have
 * @throws AppError disk-full that says how much is needed
 */
export async function checkSpace(
  directory: string,
  { vectors, photos, dims }: { readonly vectors: number; readonly photos: number; readonly dims: number },
  freeBytes: FreeBytes = askFileSystem,
): Promise<void> {
  const bytes = vectors * (dims * 4 * perVector + 64) + photos * (dims * 4 + linkBytes) + spare;
  if ((await freeBytes(directory)) >= bytes) return;
  const megabytes = Math.ceil(bytes / 2 ** 20);
  throw new AppError(
    'disk-full',
    `Putting the head into use needs ${megabytes} MB in ${directory}, and there is less. Free some space and accept it again; search goes on as before.`,
    { details: { path: directory, megabytes } },
  );
}

async function askFileSystem(directory: string): Promise<number> {
  const { bavail, bsize } = await statfs(directory);
  return bavail * bsize;
}
