/** From where on a photo shows what was taught: what the photos that carry the name score, and what the library does. */

/** Of cosines, or of dot products with a vector of any length. */
export interface ExpectedScores {
  /** From here on a photo shows it, and may show it. */
  readonly strongAt: number;
  readonly likelyAt: number;
}

/**
 * Photos that were learnt from score higher than others of the same thing, the more so the fewer they are. (Of their
 * way up from the library's middle the others reach 0.85 with one photo, 0.92 with three, 0.96 with six; to reckon
 * with all of that would call too much strong where a single photo tells.)
 */
const optimism = 0.06;
/** Deviation of photos of one thing, as a part of that way, where few photos tell; worth so many of them. */
const usualSpread = { share: 0.05, photos: 3 };
/** Deviations below what photos of the thing score; the figures are in test/bench/tuning-quality.ts. */
const below = { strong: 0, likely: 1 };
/** Words among which a name stands: deviations above the library's middle, as search finds them for words alone. */
const wordsAbove = { strong: 2.05, likely: 1.6 };

/** @param own scores of photos that were learnt from. @param library a sample of all. */
export function expectedScores(own: readonly number[], library: Float32Array): ExpectedScores {
  const middle = meanAndSpread([...library]).mean;
  const known = meanAndSpread(own);
  const way = Math.max(0, known.mean - middle);
  const mean = middle + way * (1 - optimism / Math.max(1, own.length));
  const usual = usualSpread.photos * (usualSpread.share * way) ** 2;
  const std = Math.sqrt((own.length * known.std ** 2 + usual) / (own.length + usualSpread.photos));
  return { strongAt: mean - below.strong * std, likelyAt: mean - below.likely * std };
}

/** Of a sum of tokens and words, before it is normalised. @param words a sample of their scores over the library. */
export function expectedTogether(
  tokens: readonly ExpectedScores[],
  words: Float32Array | null,
): ExpectedScores {
  const said = words === null ? { mean: 0, std: 0 } : meanAndSpread([...words]);
  const sum = (level: 'strongAt' | 'likelyAt'): number =>
    tokens.reduce((total, token) => total + token[level], said.mean);
  return {
    strongAt: sum('strongAt') + wordsAbove.strong * said.std,
    likelyAt: sum('likelyAt') + wordsAbove.likely * said.std,
  };
}

export function meanAndSpread(scores: readonly number[]): { mean: number; std: number } {
  const mean = scores.reduce((sum, score) => sum + score, 0) / Math.max(1, scores.length);
  const variance = scores.reduce((sum, score) => sum + (score - mean) ** 2, 0) / Math.max(1, scores.length);
  return { mean, std: Math.sqrt(variance) };
}
