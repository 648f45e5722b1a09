/** One photo on its way to a model: where it lies, and whether its file is still the one that was indexed. */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError } from '../../errors.ts';
import type { PhotoRow, Store } from '../store/types.ts';
import type { DescribeOptions } from './types.ts';

export interface KnownPhoto {
  readonly row: PhotoRow;
  /** Absolute, as it is shown; the file may be out of reach. */
  readonly path: string;
}

/** @throws AppError not-found */
export function knownPhoto(store: Store, photoId: number): KnownPhoto {
  const row = store.photos.get(photoId);
  const root = row === undefined ? undefined : store.roots.get(row.rootId);
  if (row === undefined || root === undefined)
    throw new AppError('not-found', 'The photo is not in the library any more.', { details: { photoId } });
  return { row, path: join(root.path, row.relPath) };
}

/**
 * @param look is given the real path of the file.
 * @returns what it made of the photo, and whether that may be kept: what was said of a file that has changed since
 *   it was indexed would be taken for words about its former bytes.
 * @throws AppError not-found, root-offline, file-vanished, permission-denied, and what `look` throws
 */
export async function lookAt<T>(
  { store, locate }: Pick<DescribeOptions, 'store' | 'locate'>,
  photoId: number,
  look: (path: string) => Promise<T>,
): Promise<{ readonly seen: T; readonly current: boolean }> {
  const { path } = await locate(photoId);
  const hash = store.photos.get(photoId)?.hash;
  const seen = await look(path);
  const row = store.photos.get(photoId);
  const file = await stat(path).catch(() => undefined);
  const current =
    row !== undefined && row.hash === hash && file?.size === row.bytes && file.mtimeMs === row.mtimeMs;
  return { seen, current };
}
