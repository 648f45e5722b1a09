/** Looks and words become one order: reciprocal ranks within bands that either of them can raise. */
import type { Band, Hit } from '../../contract.ts';
import type { WordHit, WordPlace } from '../store/types.ts';
import type { WordEvidence } from './word-evidence.ts';

export interface SeenPhoto {
  readonly id: number;
  /** Cosine, less what unwanted things take from it. */
  readonly score: number;
  /** By its looks alone. */
  readonly band: Band;
}

export interface BlendedPhoto extends SeenPhoto {
  readonly foundBy: Hit['foundBy'];
}

/** Of reciprocal rank fusion (Cormack, Clarke and Büttcher 2009): a list's first places don't outweigh all else. */
const rankOffset = 60;
/**
 * What a list of each kind is worth, times how much the query's words tell photos apart. A person's words are worth
 * more than looks, for what looks cannot know; a tag was computed from the looks, and a file name may be about
 * the folder. Measured on a made library, see test/unit/search/fusion.test.ts.
 */
export const usualWorth: Readonly<Record<WordPlace, number>> = { hand: 1.5, caption: 1, tag: 0.7, name: 0.7 };
/** Looks count less where nothing looks like the query. */
const looksWorth = { likely: 1, nothing: 0.5 };

/**
 * @param photos by score, best first; those found by words alone among them.
 * @param alone whether the words are the whole query: with example photos beside them they are half of it.
 * @param worth learnt from thumbs, where it was.
 * @returns strong ones first, then likely, then weak. Photos without the query's words keep their band and their order
 *   among each other; without any hit by words the order is that of the scores.
 */
export function blend(
  photos: readonly SeenPhoto[],
  words: WordEvidence,
  alone: boolean,
  worth: Readonly<Record<WordPlace, number>> = usualWorth,
): BlendedPhoto[] {
  if (words.hits.size === 0) return photos.map((photo) => ({ ...photo, foundBy: 'looks' as const }));
  const lists = placeRanks(words);
  const looks = photos.some(({ band }) => band !== 'weak') ? looksWorth.likely : looksWorth.nothing;
  const order = new Map<number, number>();
  const blended = photos.map((photo, i): BlendedPhoto => {
    const hit = words.hits.get(photo.id);
    let sum = looks / (rankOffset + i + 1);
    for (const place of hit?.places ?? [])
      sum += (worth[place] * words.weight) / (rankOffset + (lists[place].get(hit?.score ?? 0) ?? 1));
    order.set(photo.id, sum);
    if (hit === undefined) return { ...photo, foundBy: 'looks' };
    return {
      ...photo,
      band: raised(photo.band, hit, alone),
      foundBy: photo.band === 'weak' ? 'words' : 'both',
    };
  });
  const sumOf = ({ id }: BlendedPhoto): number => order.get(id) ?? 0;
  return blended.sort(
    (a, b) => bands[a.band] - bands[b.band] || sumOf(b) - sumOf(a) || b.score - a.score || a.id - b.id,
  );
}

const bands: Readonly<Record<Band, number>> = { strong: 0, likely: 1, weak: 2 };

/**
 * A photo that holds all the words is likely; strong where a person wrote them, or its looks agree. Tags alone agree
 * with looks always: they were computed from them.
 */
function raised(band: Band, hit: WordHit, alone: boolean): Band {
  if (hit.score < 1) return band;
  if (band !== 'weak') return hit.places.some((place) => place !== 'tag') ? 'strong' : band;
  return alone && hit.byHand ? 'strong' : 'likely';
}

/** Photos that hold equally much share a place, and those after them count all before (1, 1, 3). */
function placeRanks({ hits }: WordEvidence): Record<WordPlace, Map<number, number>> {
  const ranks = { hand: new Map(), caption: new Map(), tag: new Map(), name: new Map() } as Record<
    WordPlace,
    Map<number, number>
  >;
  const seen: Record<WordPlace, number> = { hand: 0, caption: 0, tag: 0, name: 0 };
  for (const { places, score } of hits.values())
    for (const place of places) {
      seen[place] += 1;
      if (!ranks[place].has(score)) ranks[place].set(score, seen[place]);
    }
  return ranks;
}
