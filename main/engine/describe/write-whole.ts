/** Writes a file whole or not at all: beside its place first, then moved there. */
import { randomUUID } from 'node:crypto';
import { open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

/**
 * @param parts written one after the other; texts as UTF-8.
 * @throws the system's error (EACCES, ENOSPC, EROFS, ...); nothing is left behind then
 */
export async function writeWhole(path: string, parts: Iterable<string | Uint8Array>): Promise<void> {
  const partial = join(dirname(path), `.${basename(path)}.${randomUUID().slice(0, 8)}.tmp`);
  try {
    const file = await open(partial, 'wx');
    try {
      for (const part of parts) await file.writeFile(part, 'utf8');
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(partial, path);
  } catch (thrown) {
    await rm(partial, { force: true });
    throw thrown;
  }
}
