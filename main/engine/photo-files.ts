/** Photos on disk, for shells: where an indexed one lies, and which photo lies at a path. */
import { realpath } from 'node:fs/promises';
import { basename, dirname, join, relative, sep } from 'node:path';
import { displayImage } from './display-image.ts';
import type { Decoder } from './inference/types.ts';
import type { Library } from './library/types.ts';
import { AppError } from '../errors.ts';
import type { Store } from './store/types.ts';
import type { PhotoFile } from './types.ts';

/** What the decoder calls a format, as browsers call it. */
const mimes: Readonly<Record<string, string>> = {
  jpeg: 'image/jpeg',
  jpg: 'image/jpeg',
  png: 'image/png',
  webp: 'image/webp',
  gif: 'image/gif',
  tiff: 'image/tiff',
  tif: 'image/tiff',
  avif: 'image/avif',
  heic: 'image/heic',
  heif: 'image/heif',
};

/** @throws AppError not-found, root-offline, file-vanished, permission-denied */
export async function photoFile(store: Store, library: Library, photoId: number): Promise<PhotoFile> {
  const { path, metadata } = await library.locate(photoId);
  const row = store.photos.get(photoId);
  const root = row === undefined ? undefined : store.roots.get(row.rootId);
  if (root === undefined)
    throw new AppError('not-found', 'The photo is not in the library any more.', { details: { photoId } });
  const format = metadata?.format.toLowerCase() ?? '';
  const mime = Object.hasOwn(mimes, format) ? mimes[format] : undefined;
  // A shell serves image types only; a photo that never decoded has none.
  if (mime === undefined)
    throw new AppError('image-unsupported', `${basename(path)} was not read as a photo.`, {
      details: { path },
    });
  return { path, rootPath: root.path, mime };
}

/** @throws AppError not-found, root-offline, image-unsupported (never read as a photo), what the decoder throws */
export async function photoPicture(
  library: Library,
  decoder: Decoder,
  photoId: number,
  maxEdge: number,
): Promise<Uint8Array> {
  const { path, metadata } = await library.locate(photoId);
  if (metadata !== null) return displayImage(decoder, path, metadata, maxEdge);
  throw new AppError('image-unsupported', `${basename(path)} was not read as a photo.`, {
    details: { path },
  });
}

/** @returns the id of the indexed photo at an absolute path, or null. */
export async function photoAt(store: Store, path: string): Promise<number | null> {
  const candidates = [path];
  try {
    candidates.push(await realpath(path), join(await realpath(dirname(path)), basename(path)));
  } catch {
    // The file may be offline and still be known by the path as given.
  }
  for (const root of store.roots.list()) {
    for (const candidate of candidates) {
      const inside = relative(root.path, candidate);
      if (inside === '' || inside.startsWith('..')) continue;
      const wanted = inside.split(sep).join('/').normalize('NFC');
      const ids = store.photos.filter({ in: [basename(candidate)], rootIds: [root.id] });
      const row = store.photos.getMany(ids).find(({ relPath }) => relPath.normalize('NFC') === wanted);
      if (row !== undefined) return row.id;
    }
  }
  return null;
}
