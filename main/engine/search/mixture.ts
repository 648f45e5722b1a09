/** Tells matching scores from the rest: a mixture of two normal distributions with priors from the pack. */

export interface Normal {
  readonly mean: number;
  readonly std: number;
}

export interface ScorePrior {
  /** Cosines of pairs that do not match, and of pairs that do. */
  readonly background: Normal;
  readonly matching: Normal;
  /** The pack's makers measured both: matches score there, wherever this query's background lies. */
  readonly measured: boolean;
  /** Where photos that were taught say themselves from which cosine on a photo matches, and may match. */
  readonly taught?: { readonly strongAt: number; readonly likelyAt: number } | undefined;
}

/** Scores with how many photos each stands for. */
export interface WeightedScores {
  readonly scores: Float64Array;
  readonly weights: Float64Array;
}

export interface Mixture {
  readonly background: Normal;
  readonly matching: Normal;
  /** Share of the library that matches, 0 to 1. */
  readonly share: number;
}

const mostRounds = 40;
/** Rounds end when the share moves by less than this part of itself: 1 % of it decides no band. */
const settled = 1e-3;
/**
 * Priors in photos: how many of its own a library needs before it outweighs the pack. The background's mean
 * differs from query to query by about half its deviation, hence the small figure.
 */
const priorPhotos = { backgroundMean: 4, backgroundStd: 24, matchingMean: 8, matchingStd: 12 };
/** Before looking, one photo in ten matches, and that belief is worth three photos. */
const sharePrior = { matching: 0.3, background: 2.7 };
/** The matching component never explains what lies nearer to the background than this, in its deviations. */
const leastGap = 2;

/**
 * Maximum a posteriori by expectation maximisation (Dempster, Laird and Rubin 1977); deterministic.
 * @param observed finite scores; may be empty, and then the prior is returned.
 */
export function fitMixture(observed: WeightedScores, prior: ScorePrior): Mixture {
  const leastStd = prior.background.std * 0.3;
  let background = { ...prior.background, mean: startingMean(observed, prior) };
  let matching: Normal = {
    ...prior.matching,
    mean: Math.max(prior.matching.mean, background.mean + leastGap * background.std),
  };
  let share = sharePrior.matching / (sharePrior.matching + sharePrior.background);
  const { scores, weights } = observed;
  for (let round = 0; round < mostRounds; round++) {
    const inside = newSums();
    const outside = newSums();
    const posteriorOf = matchProbability({ background, matching, share });
    for (let i = 0; i < scores.length; i++) {
      const score = scores[i] ?? 0;
      const weight = weights[i] ?? 0;
      const posterior = posteriorOf(score);
      addTo(inside, score, weight * posterior);
      addTo(outside, score, weight * (1 - posterior));
    }
    background = maximise(outside, prior.background, {
      meanPhotos: priorPhotos.backgroundMean,
      stdPhotos: priorPhotos.backgroundStd,
      leastStd,
      mostStd: prior.background.std * 2,
    });
    const usualGap = prior.matching.mean - prior.background.mean;
    const expected = prior.measured ? prior.matching.mean : background.mean + usualGap;
    const least = background.mean + leastGap * background.std;
    const fitted = maximise(
      inside,
      { mean: Math.max(expected, least), std: prior.matching.std },
      {
        meanPhotos: priorPhotos.matchingMean + inside.weight / 2,
        stdPhotos: priorPhotos.matchingStd,
        leastStd,
        mostStd: prior.matching.std,
      },
    );
    matching = { ...fitted, mean: Math.max(fitted.mean, least) };
    const total = inside.weight + outside.weight;
    const before = share;
    share = (inside.weight + sharePrior.matching) / (total + sharePrior.matching + sharePrior.background);
    if (Math.abs(share - before) < settled * before) break;
  }
  return { background, matching, share };
}

/** Probability that a photo with a score matches. Scores above the matching mean count as the mean. */
function matchProbability({ background, matching, share }: Mixture): (score: number) => number {
  const prior = Math.log(share) - Math.log1p(-share) + Math.log(background.std / matching.std);
  return (score) => {
    const inside = (Math.min(score, matching.mean) - matching.mean) / matching.std;
    const outside = (Math.max(score, background.mean) - background.mean) / background.std;
    return 1 / (1 + Math.exp(0.5 * (inside * inside - outside * outside) - prior));
  };
}

/** Lowest score whose probability of matching reaches `probability`; the probability never falls with the score. */
export function scoreAtProbability(probability: number, mixture: Mixture): number {
  let low = mixture.background.mean;
  let high = mixture.matching.mean + 12 * mixture.background.std;
  const posteriorOf = matchProbability(mixture);
  if (posteriorOf(high) < probability) return Infinity;
  for (let step = 0; step < 50; step++) {
    const middle = (low + high) / 2;
    if (posteriorOf(middle) >= probability) high = middle;
    else low = middle;
  }
  return high;
}

interface Sums {
  weight: number;
  first: number;
  second: number;
}

const newSums = (): Sums => ({ weight: 0, first: 0, second: 0 });

function addTo(sums: Sums, score: number, weight: number): void {
  sums.weight += weight;
  sums.first += weight * score;
  sums.second += weight * score * score;
}

function maximise(
  sums: Sums,
  prior: Normal,
  belief: { meanPhotos: number; stdPhotos: number; leastStd: number; mostStd: number },
): Normal {
  const mean = (sums.first + belief.meanPhotos * prior.mean) / (sums.weight + belief.meanPhotos);
  const spread = sums.second - 2 * mean * sums.first + mean * mean * sums.weight;
  const variance = (spread + belief.stdPhotos * prior.std ** 2) / (sums.weight + belief.stdPhotos);
  return { mean, std: Math.min(belief.mostStd, Math.max(belief.leastStd, Math.sqrt(Math.max(0, variance)))) };
}

/** The 30th percentile, moved up to where a background's median would be: robust while most photos do not match. */
function startingMean({ scores, weights }: WeightedScores, prior: ScorePrior): number {
  const order = Array.from(scores.keys()).sort((a, b) => (scores[a] ?? 0) - (scores[b] ?? 0));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  let below = 0;
  for (const i of order) {
    below += weights[i] ?? 0;
    if (below >= total * 0.3) {
      // 0.52 deviations lie between a normal distribution's 30th percentile and its median.
      const start = (scores[i] ?? 0) + 0.52 * prior.background.std;
      const trust = total / (total + priorPhotos.backgroundMean);
      return trust * start + (1 - trust) * prior.background.mean;
    }
  }
  return prior.background.mean;
}
