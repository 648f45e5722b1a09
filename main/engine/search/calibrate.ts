/** Where strong ends and where relevance ends, from this library's own scores for this query. */
import type { Band } from '../../contract.ts';
import type { Scoring } from '../inference/types.ts';
import {
  fitMixture,
  scoreAtProbability,
  type Normal,
  type ScorePrior,
  type WeightedScores,
} from './mixture.ts';

/** What a query's cosines look like over the whole library. */
export interface ScoreDistribution {
  /** A deterministic sample of all cosines. */
  readonly sample: Float32Array;
  /** The best cosines, best first, exact and complete down to the last of them. */
  readonly head: Float32Array;
  /** Photos in the library. */
  readonly size: number;
}

export interface Thresholds {
  /** Cosine from which on a photo is strong, and likely. Infinity when none could be. */
  readonly strongAt: number;
  readonly likelyAt: number;
  readonly background: Normal;
}

/** Chance of matching from which on a photo is called likely or strong. */
const likelyProbability = 0.5;
const strongProbability = 0.9;
/** Never called likely or strong below these deviations above the background, whatever the mixture says. */
const leastZ = { likely: 1.8, strong: 2.3 };

/**
 * The pack's own figures where it carries them. Where it doesn't: OpenAI's CLIP ViT-B/32 scores 0.19 ± 0.03
 * on pairs that do not match and about 0.28 on those that do; SigLIP scores 0.0 ± 0.035 and 0.11.
 */
export function textPrior(scoring: Scoring): ScorePrior {
  const sigmoid = scoring.kind === 'sigmoid';
  const background = scoring.background ?? (sigmoid ? { mean: 0, std: 0.035 } : { mean: 0.19, std: 0.032 });
  const std = Math.max(background.std, 1e-4);
  const matching = scoring.matching ?? { mean: background.mean + 3 * std, std };
  return {
    background: { mean: background.mean, std },
    matching: { mean: matching.mean, std: Math.max(matching.std, 1e-4) },
    measured: scoring.background !== null && scoring.matching != null,
  };
}

/** Total: any finite scores, any size, give thresholds without NaN, and `likelyAt` never exceeds `strongAt`. */
export function calibrate(
  distribution: ScoreDistribution,
  prior: ScorePrior,
  scoring: Pick<Scoring, 'kind' | 'logitScale' | 'logitBias'> | null,
): Thresholds {
  const mixture = fitMixture(weigh(distribution), prior);
  const { background } = mixture;
  // What merely belongs to the query's neighbourhood (food, for "pizza") makes a second hump, too. Where the
  // pack says what matches score, that word counts as much as the library's shape.
  const byPack = prior.measured
    ? { background: prior.background, matching: prior.matching, share: Math.min(mixture.share, 0.5) }
    : undefined;
  const scoreAt = (probability: number): number =>
    Math.max(
      scoreAtProbability(probability, mixture),
      byPack === undefined ? -Infinity : scoreAtProbability(probability, byPack),
    );
  const std = Math.max(background.std, prior.background.std * 0.5);
  let likelyAt = Math.max(scoreAt(likelyProbability), background.mean + leastZ.likely * std);
  let strongAt = Math.max(scoreAt(strongProbability), background.mean + leastZ.strong * std);
  if (scoring?.kind === 'sigmoid' && scoring.logitScale > 0) {
    // A sigmoid pack was trained to give probabilities: what it is sure of is a match in any library, and
    // what it rules out is none.
    const at = (probability: number): number =>
      (Math.log(probability / (1 - probability)) - scoring.logitBias) / scoring.logitScale;
    likelyAt = Math.max(Math.min(likelyAt, at(0.15)), at(0.0005));
    strongAt = Math.max(Math.min(strongAt, at(0.5)), at(0.002));
  }
  return { likelyAt: Math.min(likelyAt, strongAt), strongAt, background };
}

export function bandOf(score: number, { strongAt, likelyAt }: Thresholds): Band {
  if (score >= strongAt) return 'strong';
  return score >= likelyAt ? 'likely' : 'weak';
}

/** Mean and deviation by median and median absolute deviation (1.4826 of it, for normal scores). */
export function robustNormal(sample: Float32Array, leastStd: number): Normal {
  const finite = Float64Array.from(sample).filter(Number.isFinite).sort();
  if (finite.length === 0) return { mean: 0, std: leastStd };
  const mean = medianOfSorted(finite);
  const deviation = medianOfSorted(finite.map((score) => Math.abs(score - mean)).sort());
  return { mean, std: Math.max(leastStd, 1.4826 * deviation) };
}

/** Each score of the head stands for itself; the sample below it stands for all the rest. */
function weigh({ sample, head, size }: ScoreDistribution): WeightedScores {
  const finiteHead = head.filter(Number.isFinite);
  const lowest =
    finiteHead.length === 0 ? Infinity : Math.min(finiteHead.at(-1) ?? Infinity, finiteHead[0] ?? Infinity);
  const rest = Math.max(0, size - finiteHead.length);
  const below =
    rest === 0 ? new Float32Array(0) : sample.filter((score) => Number.isFinite(score) && score < lowest);
  const scores = new Float64Array(finiteHead.length + below.length);
  const weights = new Float64Array(scores.length).fill(1);
  scores.set(finiteHead);
  scores.set(below, finiteHead.length);
  if (below.length > 0) weights.fill(rest / below.length, finiteHead.length);
  return { scores, weights };
}

function medianOfSorted(sorted: Float64Array): number {
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? 0;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? upper)) / 2;
}
