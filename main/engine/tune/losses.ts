/** The losses that a head is trained with. All take unit vectors, and all are one number. */
import {
  add,
  atMost,
  exp,
  multiply,
  offset,
  relu,
  scale,
  softplus,
  square,
  subtract,
} from './autodiff/arithmetic.ts';
import { gemm, logSumExp, weightedMean } from './autodiff/linear-algebra.ts';
import { concat, reshape, sum, transpose, zeros } from './autodiff/shaping.ts';
import { axisSize, constant, scalar, type Tensor } from './autodiff/tensor.ts';

/** CLIP keeps its learnt scale below this, for training to stay stable (Radford et al. 2021). */
const largestLogitScale = 100;

/** A learnt scale is kept as its logarithm; as a factor it never exceeds 100. */
export const logitScale = (logarithm: Tensor): Tensor => exp(atMost(logarithm, Math.log(largestLogitScale)));

export interface PairLossInputs {
  /** (B, d) unit rows; row i of both is a pair. */
  readonly images: Tensor;
  readonly texts: Tensor;
  /** One number: the factor of the cosines. */
  readonly scale: Tensor;
  /** (B,): how much each pair counts. */
  readonly weights: Tensor;
  /** (B, B), added to the logits: 0, or a large negative number where two pairs are no true negatives of each other. */
  readonly mask?: Tensor | undefined;
  readonly hard?: HardImages | undefined;
}

/** Images that a pair's text must score below its own, beside those of the batch. */
export interface HardImages {
  /** (B * each, d) unit rows: those of pair i are rows i * each and on. */
  readonly images: Tensor;
  /** (B, each), added to their logits: 0, or a large negative number for places left empty. */
  readonly mask: Tensor;
}

/** What the loss of a batch is made of, whatever made the scores. */
export interface BatchLogits {
  /** (B, B): rows are images, columns are texts, the diagonal is right. Masked. */
  readonly all: Tensor;
  /** (B,): the diagonal without its mask. */
  readonly right: Tensor;
  /** (B, each): each text with its hard negatives. Masked. */
  readonly hard?: Tensor | undefined;
}

/**
 * Symmetric InfoNCE as in CLIP (van den Oord et al. 2018; Radford et al. 2021): cross-entropy of rows and of columns
 * of the similarities, the diagonal being right. Written with log-sum-exp, so that the one-hot targets are never made.
 * Hard negatives are further images that a text chooses from.
 */
export function infoNce({ images, texts, scale: factor, weights, mask, hard }: PairLossInputs): Tensor {
  // The factor is applied where it touches fewest numbers.
  const scaled = multiply(images, factor);
  const similar = gemm(scaled, texts, { transB: true });
  return infoNceOf(
    {
      all: mask === undefined ? similar : add(similar, mask),
      right: sum(multiply(scaled, texts), [1]),
      hard: hard === undefined ? undefined : add(multiply(hardCosines(texts, hard), factor), hard.mask),
    },
    weights,
  );
}

/** @param weights (B,) */
export function infoNceOf({ all, right, hard }: BatchLogits, weights: Tensor): Tensor {
  const batch = axisSize(all.shape, 0);
  const imageToText = reshape(logSumExp(all, 1), [batch]);
  const textToImage = reshape(logSumExp(withHard(all, hard), 0), [batch]);
  return weightedMean(subtract(scale(add(imageToText, textToImage), 0.5), right), weights);
}

/**
 * SigLIP's loss (Zhai et al. 2023): each of the B² pairs by itself is a match or not, log(1 + exp(-z (s cos + b)))
 * with z = 1 on the diagonal and -1 elsewhere, summed over a row. Hard negatives are further pairs that don't match.
 * @param bias one number; SigLIP starts it at -10, as nearly all pairs are no matches.
 */
export function sigmoidLoss({
  images,
  texts,
  scale: factor,
  weights,
  mask,
  hard,
  bias,
}: PairLossInputs & { readonly bias: Tensor }): Tensor {
  const batch = axisSize(images.shape, 0);
  const logit = (cosines: Tensor): Tensor => add(multiply(cosines, factor), bias);
  const cosines = logit(gemm(images, texts, { transB: true }));
  const logits = mask === undefined ? cosines : add(cosines, mask);
  // log(1 + e^-x) = log(1 + e^x) - x: all pairs as non-matches, and the diagonal put right.
  const asNegatives = sum(softplus(logits), [1]);
  const right = add(multiply(sum(multiply(images, texts), [1]), reshape(factor, [])), reshape(bias, []));
  const perPair = subtract(reshape(asNegatives, [batch]), right);
  if (hard === undefined) return weightedMean(perPair, weights);
  const against = sum(softplus(add(logit(hardCosines(texts, hard)), hard.mask)), [1]);
  return weightedMean(add(perPair, against), weights);
}

/**
 * NT-Xent over 2B views (Chen et al. 2020): each view must find its other half among all others but itself.
 * @param temperature 0.1 in the study that the lab follows.
 */
export function ntXent({
  images,
  texts,
  weights,
  mask,
  hard,
  temperature,
}: Omit<PairLossInputs, 'scale'> & { readonly temperature: number }): Tensor {
  const batch = axisSize(images.shape, 0);
  const views = concat([images, texts], 0);
  const logits = add(
    scale(gemm(views, views, { transB: true }), 1 / temperature),
    ofDiagonal(2 * batch, -1e9, views),
  );
  // Two photos of one group, or two texts, are as little negatives of each other as photo and text are.
  const half = mask === undefined ? undefined : concat([mask, mask], 0);
  const masked = half === undefined ? logits : add(logits, concat([half, half], 1));
  const all =
    hard === undefined
      ? logSumExp(masked, 1)
      : logSumExp(concat([masked, hardOfViews(texts, hard, temperature)], 1), 1);
  const right = scale(sum(multiply(images, texts), [1]), 1 / temperature);
  return weightedMean(
    subtract(reshape(all, [2 * batch]), concat([right, right], 0)),
    concat([weights, weights], 0),
  );
}

/**
 * Triplet loss, max(0, d(a,p) - d(a,n) + margin) with d = 1 - cosine (Schroff et al. 2015), with the hardest negative of
 * the batch or of those mined, both ways (VSE++, Faghri et al. 2018). The hardest is taken
 * softly: log-sum-exp with a high factor has a gradient and differs from the maximum by less than log(B)/factor.
 */
export function hardestTriplet({
  images,
  texts,
  weights,
  mask,
  hard,
  margin,
}: Omit<PairLossInputs, 'scale'> & { readonly margin: number }): Tensor {
  const batch = axisSize(images.shape, 0);
  const sharpness = 50;
  const cosines = gemm(images, texts, { transB: true });
  const others = add(cosines, ofDiagonal(batch, -1e3, images));
  const candidates = scale(mask === undefined ? others : add(others, mask), sharpness);
  const mined = hard === undefined ? undefined : scale(add(hardCosines(texts, hard), hard.mask), sharpness);
  const right = sum(multiply(images, texts), [1]);
  const over = (logits: Tensor, axis: 0 | 1): Tensor =>
    relu(offset(subtract(scale(reshape(logSumExp(logits, axis), [batch]), 1 / sharpness), right), margin));
  return weightedMean(scale(add(over(withHard(candidates, mined), 0), over(candidates, 1)), 0.5), weights);
}

/** (B, each): each text's cosines with its own hard negatives. @param texts (B, d) */
export function hardCosines(texts: Tensor, { images, mask }: HardImages): Tensor {
  const [batch, dims] = [axisSize(texts.shape, 0), axisSize(texts.shape, 1)];
  const each = axisSize(mask.shape, 1);
  return sum(multiply(reshape(images, [batch, each, dims]), reshape(texts, [batch, 1, dims])), [2]);
}

/** The images that each column's text chooses from: those of the batch, and under them its hard negatives. */
function withHard(all: Tensor, hard: Tensor | undefined): Tensor {
  return hard === undefined ? all : concat([all, transpose(hard)], 0);
}

/** (2B, each): hard negatives belong to the texts, which are the second half of the views. */
function hardOfViews(texts: Tensor, hard: HardImages, temperature: number): Tensor {
  const ofTexts = add(scale(hardCosines(texts, hard), 1 / temperature), hard.mask);
  return concat([add(zeros(ofTexts.shape, ofTexts), scalar(-1e9, ofTexts)), ofTexts], 0);
}

/** The squared Frobenius distance from a matrix to where it started: what keeps a head near the identity (ProLIP). */
export function pullTowards(matrix: Tensor, start: Tensor): Tensor {
  return sum(
    square(subtract(matrix, start)),
    matrix.shape.map((_, axis) => axis),
  );
}

/** A square matrix of zeros with this on its diagonal. */
function ofDiagonal(size: number, value: number, like: Tensor): Tensor {
  const values = new Array<number>(size * size).fill(0);
  for (let i = 0; i < size; i++) values[i * size + i] = value;
  return constant(values, [size, size], like.type);
}
