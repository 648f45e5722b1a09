/** Thumbnails on demand: from the store, or made again from the photo when they were evicted. */
import { AppError } from '../../errors.ts';
import type { Decoder, ImageSpec } from '../inference/types.ts';
import type { Store } from '../store/types.ts';
import { locatePhoto } from './locate.ts';
import { createGate } from './read-photo.ts';

export interface Thumbnails {
  /** @throws AppError not-found, root-offline, file-vanished, permission-denied, image-* */
  get(photoId: number, signal?: AbortSignal): Promise<Uint8Array>;
}

export interface ThumbnailOptions {
  readonly store: Store;
  readonly decoder: Decoder;
  readonly maxBytes: () => number;
}

/** Only the thumbnail is wanted; the smallest picture that a model could get costs next to nothing beside it. */
const leastSpec: ImageSpec = {
  resize: { width: 8, height: 8 },
  crop: null,
  resample: 2,
  rescale: 1 / 255,
  mean: [0, 0, 0],
  std: [1, 1, 1],
};

/** A grid that is scrolled asks for many; indexing goes on beside it. */
const madeAtOnce = 2;
const trimEvery = 256;

export function createThumbnails({ store, decoder, maxBytes }: ThumbnailOptions): Thumbnails {
  const inWork = new Map<number, Promise<Uint8Array>>();
  const gate = createGate(madeAtOnce);
  let made = 0;

  const make = async (photoId: number): Promise<Uint8Array> => {
    const { path } = await locatePhoto(store, photoId);
    const { thumbnail } = await gate(() => decoder.decode({ path }, { spec: leastSpec, thumbnail: true }));
    if (thumbnail === null) throw new AppError('internal', `The decoder made no thumbnail of "${path}".`);
    if (!store.readOnly && store.photos.get(photoId) !== undefined) {
      store.thumbnails.put([{ photoId, webp: thumbnail }]);
      made += 1;
      if (made % trimEvery === 0) store.thumbnails.trim(maxBytes());
    }
    return thumbnail;
  };

  return {
    async get(photoId, signal) {
      signal?.throwIfAborted();
      const stored = store.thumbnails.get(photoId);
      if (stored !== undefined) return stored;
      // Two who ask for the same one get the same one; a failure is not kept.
      let making = inWork.get(photoId);
      if (making === undefined) {
        making = make(photoId).finally(() => inWork.delete(photoId));
        inWork.set(photoId, making);
      }
      return making;
    },
  };
}
