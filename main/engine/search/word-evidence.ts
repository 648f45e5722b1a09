/** What captions, tags and file names say about a query, beside what the photos look like. */
import type { Store, WordHit } from '../store/types.ts';
import type { ParsedQuery } from './query-language.ts';

export interface WordEvidence {
  /** How much the query's words tell photos apart, 0 to 1. */
  readonly weight: number;
  /** Best first. */
  readonly hits: ReadonlyMap<number, WordHit>;
  /** Photos whose caption by hand says what is not wanted. */
  readonly out: ReadonlySet<number>;
}

/** @param nearest photos nearest by their looks: common words are looked for only there; left out, everywhere. */
export type ReadWords = (nearest?: ReadonlySet<number>) => WordEvidence;

/** Photos of which a person said, by a name, that they are what is wanted, or not wanted. */
export interface NamedPhotos {
  readonly wanted: readonly number[];
  readonly unwanted: readonly number[];
}

/** @param allowed photos that pass the filters; undefined for all. */
export function wordReader(
  { words }: Store,
  { text, without }: Pick<ParsedQuery, 'text' | 'without'>,
  allowed: ReadonlySet<number> | undefined,
  named: NamedPhotos = { wanted: [], unwanted: [] },
): ReadWords {
  return (nearest) => {
    const options = { limit: Infinity, allowed, nearest };
    const { hits, weight } = words.search(text, options);
    const wanted = new Map(hits.map((hit) => [hit.photoId, hit]));
    const out = new Set(named.unwanted);
    for (const photoId of named.wanted)
      if (allowed?.has(photoId) ?? true)
        wanted.set(photoId, { photoId, score: 1, matched: 1, places: ['hand'], byHand: true });
    for (const unwanted of without)
      for (const { photoId, score, places } of words.search(unwanted, options).hits) {
        if (score < 1) continue;
        // A model's words may be wrong: they lift nothing then, and looks decide.
        wanted.delete(photoId);
        if (places.includes('hand')) out.add(photoId);
      }
    return { weight: named.wanted.length > 0 ? 1 : weight, hits: wanted, out };
  };
}
