/** The vectors of what was said: texts by the pack, and photos of a captions file that the library doesn't have. */
import { AppError } from '../../../errors.ts';
import type { Draft } from './draft-pairs.ts';
import type { PairPhoto, PhotoBook } from './photo-book.ts';
import type { GatherOptions } from './types.ts';

/** One run of the text model. */
const together = 64;
/** Photos that are decoded ahead of the one that is embedded. */
const ahead = 8;

/**
 * @returns unit vector (dims,) of each text, as search would make it of what is typed: in the pack's query templates.
 * @throws AppError cancelled, worker-died
 */
export async function embedTexts(
  texts: readonly string[],
  { model, signal, onProgress }: Pick<GatherOptions, 'model' | 'signal' | 'onProgress'>,
): Promise<ReadonlyMap<string, Float32Array>> {
  const different = [...new Set(texts)];
  const found = new Map<string, Float32Array>();
  for (let at = 0; at < different.length; at += together) {
    signal?.throwIfAborted();
    const part = different.slice(at, at + together);
    const vectors = await Promise.all(part.map((text) => model.embedder.embedQuery(text, signal)));
    part.forEach((text, i) => {
      const vector = vectors[i];
      if (vector !== undefined) found.set(text, vector);
    });
    onProgress?.(found.size, different.length);
  }
  return found;
}

/**
 * Embeds in passing; one that cannot be read costs its own pairs. @returns whether there were any.
 * @throws AppError cancelled, worker-died, disk-full
 */
export async function embedFiles(
  { pairs }: Draft,
  book: PhotoBook,
  { embedPhoto, signal, onProgress, log }: GatherOptions,
): Promise<boolean> {
  const photos = [
    ...new Map(
      pairs.filter(({ photo }) => book.vector(photo) === undefined).map(({ photo }) => [photo.key, photo]),
    ).values(),
  ];
  const waiting = photos.values();
  let done = 0;
  const embed = async (photo: PairPhoto): Promise<void> => {
    try {
      book.setVector(photo, await embedPhoto(photo.path ?? '', signal));
    } catch (thrown) {
      const error = AppError.from(thrown, `Reading ${photo.name}`);
      if (fatal.has(error.code)) {
        // The others end with what they are at.
        waiting.return?.();
        throw error;
      }
      log.debug('a photo of the captions file was left out', { reason: error.message });
      book.setVector(photo, `names ${photo.name}: ${error.message}`);
    }
    onProgress?.(++done, photos.length);
  };
  const ended = await Promise.allSettled(
    Array.from({ length: ahead }, async () => {
      for (const photo of waiting) {
        signal?.throwIfAborted();
        await embed(photo);
      }
    }),
  );
  const failure = ended.find((end) => end.status === 'rejected');
  if (failure !== undefined) throw AppError.from(failure.reason, 'Reading the photos of the captions file');
  return photos.length > 0;
}

const fatal = new Set([
  'cancelled',
  'worker-died',
  'engine-stopped',
  'pack-missing',
  'pack-invalid',
  'pack-unfit',
]);
