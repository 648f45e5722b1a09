/** What general search is judged by, and replayed from: the pack's own set, or one made of the library. */
import type { GenericPairs, GenericSet } from '../../inference/types.ts';
import type { GatheredPairs } from '../types.ts';
import type { TrainingPairs } from '../train-head.ts';
import { findAlike } from './alike.ts';
import { wordingOf } from './wordings.ts';

/** @param embed one unit vector for each text. @throws AppError cancelled, worker-died */
export async function fromSet(
  set: GenericSet,
  embed: (texts: readonly string[]) => Promise<ReadonlyMap<string, Float32Array>>,
  signal?: AbortSignal,
): Promise<Pick<GatheredPairs, 'generic' | 'replay'>> {
  const vectors = await embed([...set.judged.texts, ...set.replay.texts]);
  return {
    generic: { name: set.name, ...(await toPairs(set.judged, set.dims, vectors, signal)) },
    replay: await toPairs(set.replay, set.dims, vectors, signal),
  };
}

/** Pairs of equal worth; near-duplicates share a group, texts that say the same a wording. */
async function toPairs(
  { images, photos, texts }: GenericPairs,
  dims: number,
  vectors: ReadonlyMap<string, Float32Array>,
  signal?: AbortSignal,
): Promise<TrainingPairs> {
  const rows = Array.from({ length: images.length / dims }, (_, i) =>
    images.subarray(i * dims, (i + 1) * dims),
  );
  const { groups } = await findAlike(
    rows.map((vector) => ({ vector, camera: null, takenAt: null })),
    signal,
  );
  const pairs = {
    images: new Float32Array(texts.length * dims),
    texts: new Float32Array(texts.length * dims),
    dims,
    weights: new Float32Array(texts.length).fill(1),
    groups: Int32Array.from(photos, (photo) => groups[photo] ?? photo),
    wordings: numbered(texts.map(wordingOf)),
  };
  texts.forEach((text, i) => {
    const [image, vector] = [rows[photos[i] ?? 0], vectors.get(text)];
    if (image !== undefined) pairs.images.set(image, i * dims);
    if (vector !== undefined) pairs.texts.set(vector, i * dims);
  });
  return pairs;
}

/** The same number for equal keys, by their first place. */
export function numbered(keys: readonly string[]): Int32Array {
  const numbers = new Map<string, number>();
  return Int32Array.from(keys, (key, i) => {
    if (!numbers.has(key)) numbers.set(key, i);
    return numbers.get(key) ?? i;
  });
}
