/** The content hash that carries a photo over renames: streamed, so that a file of any size costs little memory. */
import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import type { FileStat } from '../store/types.ts';

/** Big enough that the calls don't count, small enough that hashing a piece (0.2 ms) never holds up a query. */
const pieceBytes = 256 * 1024;

export interface HashedFile {
  /** SHA-256 of the bytes, first 16 bytes as 32 hex digits. */
  readonly hash: string;
  /** Of the opened file before its first byte was read. */
  readonly stat: FileStat;
}

/** @throws the system's error (ENOENT, EACCES, EIO, ...), and AbortError when the signal fires. */
export async function hashFile(path: string, signal?: AbortSignal): Promise<HashedFile> {
  const file = await open(path, 'r');
  try {
    const { size, mtimeMs } = await file.stat();
    const hash = createHash('sha256');
    const piece = Buffer.allocUnsafe(Math.max(1, Math.min(pieceBytes, size)));
    for (;;) {
      signal?.throwIfAborted();
      const { bytesRead } = await file.read(piece, 0, piece.length, null);
      if (bytesRead === 0) break;
      hash.update(bytesRead === piece.length ? piece : piece.subarray(0, bytesRead));
    }
    return { hash: hash.digest('hex').slice(0, 32), stat: { bytes: size, mtimeMs } };
  } finally {
    await file.close();
  }
}

export function sameStat(a: FileStat, b: FileStat): boolean {
  return a.bytes === b.bytes && a.mtimeMs === b.mtimeMs;
}
