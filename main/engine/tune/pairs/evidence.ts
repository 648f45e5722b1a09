/** For the head that weighs looks against words: what search knew of the photos that got thumbs. */
import { dot } from '../../inference/unit-vectors.ts';
import type { Store } from '../../store/types.ts';
import type { Evidence } from '../types.ts';
import type { Draft } from './draft-pairs.ts';
import { drawPhotos, readVector, type PhotoBook } from './photo-book.ts';

/** Photos that say what cosines a query has with anything. */
const backgroundSize = 1_000;

type Thumb = Draft['thumbsUp'][number];

/**
 * Words are read as search reads them (`store.words.search`): a photo that holds them in a place holds as much of the
 * query's information there as it holds anywhere. The background is the median and its robust deviation over the
 * library (Rousseeuw and Croux 1993: 1.4826 times the median of absolute differences).
 * @param vectorOf unit vector of a query's text
 * @param modelId the pack's own
 */
export function gatherEvidence(
  { thumbsUp, against, kinOf }: Pick<Draft, 'thumbsUp' | 'against' | 'kinOf'>,
  vectorOf: (text: string) => Float32Array | undefined,
  book: PhotoBook,
  { store, modelId, seed }: { readonly store: Store; readonly modelId: number; readonly seed: number },
): Evidence[] {
  const queries = new Map<string, { up: Thumb[]; down: Thumb[] }>();
  const of = (wording: string): { up: Thumb[]; down: Thumb[] } => {
    let found = queries.get(wording);
    if (found === undefined) queries.set(wording, (found = { up: [], down: [] }));
    return found;
  };
  for (const thumb of thumbsUp) of(thumb.wording).up.push(thumb);
  for (const thumb of against) of(thumb.wording).down.push(thumb);
  if (queries.size === 0) return [];
  const background = drawPhotos(store, backgroundSize, seed).flatMap(
    (id) => readVector(store, modelId, id) ?? [],
  );

  const rows: Evidence[] = [];
  [...queries.keys()].sort().forEach((wording, query) => {
    const { up, down } = of(wording);
    const [first] = [...up, ...down];
    const text = first === undefined ? undefined : vectorOf(first.text);
    if (first === undefined || text === undefined) return;
    const { middle, deviation } = spreadOf(background.map((vector) => dot(text, vector)));
    const ids = [...up, ...down].flatMap(({ photo }) => photo.photoId ?? []);
    const hits = new Map(
      store.words
        .search(first.text, { limit: Infinity, allowed: new Set(ids) })
        .hits.map((hit) => [hit.photoId, hit]),
    );
    const row = (photo: Thumb['photo'], wanted: 0 | 1): void => {
      const image = book.vector(photo);
      if (!(image instanceof Float32Array)) return;
      const hit = photo.photoId === null ? undefined : hits.get(photo.photoId);
      const held = (place: 'hand' | 'caption' | 'tag' | 'name'): number =>
        hit?.places.includes(place) === true ? hit.score : 0;
      rows.push({
        query,
        wanted,
        looks: (dot(text, image) - middle) / deviation,
        words: { hand: held('hand'), caption: held('caption'), tag: held('tag'), name: held('name') },
        kin: kinOf.get(photo.key) ?? -1,
      });
    };
    for (const { photo } of up) row(photo, 1);
    for (const { photo } of down) row(photo, 0);
  });
  return rows;
}

function spreadOf(scores: readonly number[]): { middle: number; deviation: number } {
  const middle = median(scores);
  const deviation = 1.4826 * median(scores.map((score) => Math.abs(score - middle)));
  return { middle, deviation: Math.max(deviation, 1e-3) };
}

function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}
