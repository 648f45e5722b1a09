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
/** Never called likely or strong below these deviations above the background, where the pack measured nothing. */
const leastZ = { likely: 1.8, strong: 2.3 };
/** The same where photos were taught: they may be a third of a small library, and widen its background. */
const leastTaughtZ = { likely: 0.5, strong: 1 };
/**
 * Where a pack did measure, the mixture decides only within these bounds: deviations of the matching scores
 * above their mean, and for the lower bound also deviations above the background, whichever is less. What
 * merely belongs to the query's neighbourhood (food, for "pizza") makes a hump of its own, and the wide
 * background of a small pack would call nothing at all. Chosen on 162 labels over the 790
 * validation photos of the starter pack: F1 0.35 on average, 0.56 with the best threshold of each by itself.
 */
const bounds = {
  likely: { low: 0.3, lowZ: 2.05, high: 0.5, perShare: 3 },
  strong: { low: 0.8, lowZ: 2.5, high: 1.2, perShare: 2 },
};

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
  if (prior.taught !== undefined) return calibrateTaught(distribution, prior.taught, prior.background.std);
  const mixture = fitMixture(weigh(distribution), prior);
  const { background } = mixture;
  const at = (level: 'likely' | 'strong', probability: number): number => {
    const score = scoreAtProbability(probability, mixture);
    if (prior.measured) return within(boundsOf(level, prior, mixture.share), score);
    const std = Math.max(background.std, prior.background.std * 0.5);
    return Math.max(score, background.mean + leastZ[level] * std);
  };
  let likelyAt = at('likely', likelyProbability);
  let strongAt = at('strong', strongProbability);
  if (scoring?.kind === 'sigmoid' && scoring.logitScale > 0) {
    // A sigmoid pack was trained to give probabilities: what it is sure of is a match in any library, and
    // what it rules out is none.
    const scoreOf = (probability: number): number =>
      (Math.log(probability / (1 - probability)) - scoring.logitBias) / scoring.logitScale;
    likelyAt = Math.max(Math.min(likelyAt, scoreOf(0.15)), scoreOf(0.0005));
    strongAt = Math.max(Math.min(strongAt, scoreOf(0.5)), scoreOf(0.002));
  }
  return { likelyAt: Math.min(likelyAt, strongAt), strongAt, background };
}

/** What was taught knows best, but what half the library scores is no match, whatever was taught. */
function calibrateTaught(
  { sample }: ScoreDistribution,
  taught: { readonly strongAt: number; readonly likelyAt: number },
  leastStd: number,
): Thresholds {
  const background = robustNormal(sample, leastStd * 0.3);
  const strongAt = Math.max(taught.strongAt, background.mean + leastTaughtZ.strong * background.std);
  const likelyAt = Math.max(taught.likelyAt, background.mean + leastTaughtZ.likely * background.std);
  return { likelyAt: Math.min(likelyAt, strongAt), strongAt, background };
}

/** The larger the share that matches, the lower the bound: where half the photos match, few others are near. */
function boundsOf(
  level: 'likely' | 'strong',
  { background, matching }: ScorePrior,
  share: number,
): { low: number; high: number } {
  const { low, lowZ, high, perShare } = bounds[level];
  return {
    low: Math.min(
      matching.mean + (low - perShare * share) * matching.std,
      background.mean + lowZ * background.std,
    ),
    high: Math.max(matching.mean + high * matching.std, background.mean + lowZ * background.std),
  };
}

function within({ low, high }: { low: number; high: number }, score: number): number {
  return Math.min(Math.max(score, low), high);
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
