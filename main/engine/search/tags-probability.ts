/** How probable it is that a photo shows what a tag names, from one cosine and the library's own scores. */
import type { Scoring, TextSide } from '../inference/types.ts';
import { calibrate, textPrior } from './calibrate.ts';
import { averageUnit } from './classify.ts';
import { sampleSize } from './fuse.ts';
import type { SearchModel } from './types.ts';

/** Probability of a tag for a photo's cosine with it, 0 to 1; it never falls as the cosine rises. */
export type TagScale = (cosine: number) => number;

/** Nearest photos that are known exactly; the others are sampled. */
const nearest = 500;
/**
 * From which probability on a photo carries a tag. Over the 790 validation photos of the starter pack and the
 * tags of a new library, 0.6 gives tags of which 0.87 are right (where the labels tell), 0.75 a photo; 0.5 gives
 * 0.81 and 0.96, 0.7 gives 0.90 and 0.58. Tags that are seldom wrong are worth more than many.
 */
const leastPosterior = 0.6;
/** A sigmoid pack's probabilities of true tags are low, its order is good: what search calls likely (calibrate.ts). */
const leastSigmoid = 0.15;

export function leastProbability(scoring: Pick<Scoring, 'kind'>): number {
  return scoring.kind === 'sigmoid' ? leastSigmoid : leastPosterior;
}

/**
 * A tag's unit vector (dims,): the mean of its sentences, or of its name in the pack's templates.
 * @throws AppError cancelled, worker-died
 */
export async function tagVector(
  tag: { readonly name: string; readonly prompts: readonly string[] },
  embedder: Pick<TextSide, 'embedTexts' | 'scoring'>,
  signal?: AbortSignal,
): Promise<Float32Array> {
  const { promptTemplates } = embedder.scoring;
  const templates = promptTemplates.length === 0 ? ['{}'] : promptTemplates;
  const sentences =
    tag.prompts.length > 0 ? tag.prompts : templates.map((each) => each.replaceAll('{}', () => tag.name));
  return averageUnit(await embedder.embedTexts(sentences, signal));
}

/**
 * Many tags may be true of one photo, so each is judged by itself, not by a softmax over all of them.
 *
 * Softmax packs (CLIP): their cosines mean nothing by themselves, but over a whole library they fall into a large
 * hump of photos that don't show it and a small one of those that do. `calibrate` finds where the posterior of
 * that mixture reaches 0.5 (likely) and 0.9 (strong), within what the pack measured; the probability is the logistic
 * curve through these two points. Sigmoid packs (SigLIP) were trained to give each pair its own probability: theirs
 * is taken as it is.
 */
export function tagScale({ embedder, index }: SearchModel, vector: Float32Array): TagScale {
  const { scoring } = embedder;
  if (scoring.kind === 'sigmoid')
    return (cosine) => 1 / (1 + Math.exp(-(scoring.logitScale * cosine + scoring.logitBias)));
  const found = index.size === 0 ? [] : index.search(vector, { k: Math.min(nearest, index.size) }).neighbours;
  const distribution = {
    sample: index.size === 0 ? new Float32Array(0) : index.sampleScores(vector, sampleSize),
    head: Float32Array.from(found, ({ score }) => score),
    size: index.size,
  };
  const { likelyAt, strongAt } = calibrate(distribution, textPrior(scoring), scoring);
  if (!Number.isFinite(likelyAt)) return () => 0;
  const steepness = Math.log(9) / Math.max(1e-6, strongAt - likelyAt);
  // Where nothing could be strong the curve is flat: such a tag is carried by no photo.
  return (cosine) => 1 / (1 + Math.exp(-steepness * (cosine - likelyAt)));
}
