/** Words and example photos become one query vector, each counting as much as it tells photos apart. */
import type { SearchModel } from './types.ts';
import { robustNormal } from './calibrate.ts';
import type { Normal, ScorePrior } from './mixture.ts';

/** One unit vector of a query and what its scores are expected to look like. */
export interface QueryPart {
  readonly vector: Float32Array;
  /** -2 to 2; below 0 for an example of what is not meant. */
  readonly weight: number;
  readonly prior: ScorePrior;
}

export interface FusedQuery {
  /** Unit vector (dims,) float32. */
  readonly vector: Float32Array;
  readonly prior: ScorePrior;
}

/** How many scores describe a distribution well enough: the median of 2,048 is within 3 % of a deviation. */
export const sampleSize = 2_048;

/**
 * A cosine of text and photo spreads over a third of what a cosine of two photos does (the modality gap,
 * Liang et al. 2022), so plain averaging would let the photo decide alone. Each part is divided by the spread
 * of its own scores over the library; being linear, the sum is again one vector that the index can search.
 * @returns undefined when the parts cancel out.
 */
export function fuse(parts: readonly QueryPart[], model: SearchModel): FusedQuery | undefined {
  const [only] = parts;
  if (only !== undefined && parts.length === 1 && only.weight > 0) return only;
  const vector = new Float32Array(model.index.dims);
  let total = 0;
  for (const part of parts) {
    const { std } = robustNormal(
      model.index.sampleScores(part.vector, sampleSize),
      part.prior.background.std * 0.5,
    );
    const factor = part.weight / std;
    total += Math.abs(factor);
    for (let d = 0; d < vector.length; d++) vector[d] = (vector[d] ?? 0) + factor * (part.vector[d] ?? 0);
  }
  const length = Math.hypot(...vector);
  // Shorter than a thousandth of its parts: what is left is rounding.
  if (!(length > total * 1e-3)) return undefined;
  for (let d = 0; d < vector.length; d++) vector[d] = (vector[d] ?? 0) / length;
  return { vector, prior: fusedPrior(parts, vector, model) };
}

/** The parts' expectations don't add up exactly (their scores correlate): the library's own spread decides. */
function fusedPrior(parts: readonly QueryPart[], vector: Float32Array, model: SearchModel): ScorePrior {
  const sample = model.index.sampleScores(vector, sampleSize);
  const leastStd = Math.min(...parts.map((part) => part.prior.background.std)) * 0.5;
  return priorAround(robustNormal(sample, leastStd));
}

/** Without a pack's figures, what matches is expected three and a half deviations above the rest. */
export function priorAround(background: Normal): ScorePrior {
  return {
    background,
    matching: { mean: background.mean + 3.5 * background.std, std: 1.2 * background.std },
    measured: false,
  };
}
