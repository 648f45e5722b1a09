/** Where a photo lies on the disk right now, checked to be inside its root. */
import { realpath } from 'node:fs/promises';
import { AppError } from '../../errors.ts';
import type { Store } from '../store/types.ts';
import { absolutePath, relativeInside } from './paths.ts';
import type { PhotoLocation } from './types.ts';
import { isGone } from './walk.ts';

/** @throws AppError not-found, root-offline, file-vanished, permission-denied (also where a link leads out) */
export async function locatePhoto(store: Store, photoId: number): Promise<PhotoLocation> {
  const row = store.photos.get(photoId);
  const root = row === undefined ? undefined : store.roots.get(row.rootId);
  if (row === undefined || root === undefined)
    throw new AppError('not-found', `Photo ${photoId} is not in the library any more. Search again.`);
  const details = { path: row.relPath };
  try {
    const rootPath = await realpath(root.path);
    const path = await realpath(absolutePath(rootPath, row.relPath));
    if (relativeInside(rootPath, path) === undefined)
      throw new AppError(
        'permission-denied',
        `"${row.relPath}" is a link that leads out of its folder, and is not opened. Add the folder it leads to instead.`,
        { details },
      );
    return { path, metadata: row.metadata };
  } catch (thrown) {
    if (thrown instanceof AppError) throw thrown;
    if (!isGone(thrown)) throw AppError.from(thrown, `Opening "${row.relPath}"`);
    if (root.online && (await isThere(root.path)))
      throw new AppError(
        'file-vanished',
        `"${row.relPath}" is not there any more. Scan its folder to find out whether it moved.`,
        { cause: thrown, details },
      );
    throw new AppError(
      'root-offline',
      `"${row.relPath}" is on "${root.path}", which is not connected. Connect the drive, then try again.`,
      { cause: thrown, details },
    );
  }
}

async function isThere(path: string): Promise<boolean> {
  return realpath(path).then(
    () => true,
    () => false,
  );
}
