/** A learnt score beside the cosine puts the best found photos in another order; how many are strong stays as calibrated. */
import type { VectorIndex } from '../index/types.ts';
import type { SeenPhoto } from './blend.ts';
import type { LearntOrdering } from './types.ts';

/** Further down, nobody looks; the score of so many takes some milliseconds. */
const mostReordered = 500;

/**
 * The bands were calibrated on cosines, which say how many photos match; the learnt score says which. So each place
 * keeps its band, and photos change places.
 * @param photos by cosine, best first. @returns all of them; those beyond the best are left where they were.
 */
export function reorder(
  photos: readonly SeenPhoto[],
  query: Float32Array,
  index: Pick<VectorIndex, 'vector'>,
  extraScore: NonNullable<LearntOrdering['extraScore']>,
): SeenPhoto[] {
  const extraOf = extraScore(query);
  const best = photos.slice(0, mostReordered);
  const learnt = best.map((photo) => {
    const vector = index.vector(photo.id);
    return { photo, score: photo.score + (vector === undefined ? 0 : extraOf(vector)) };
  });
  learnt.sort((a, b) => b.score - a.score || b.photo.score - a.photo.score || a.photo.id - b.photo.id);
  return [
    ...learnt.map(({ photo }, place) => ({ ...photo, band: best[place]?.band ?? photo.band })),
    ...photos.slice(mostReordered),
  ];
}
