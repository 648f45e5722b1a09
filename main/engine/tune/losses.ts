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
  subtract,
} from './autodiff/arithmetic.ts';
import { gemm, logSumExp, weightedMean } from './autodiff/linear-algebra.ts';
import { concat, reshape, sum } from './autodiff/shaping.ts';
import { axisSize, constant, type Tensor } from './autodiff/tensor.ts';

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
}

/**
 * Symmetric InfoNCE as in CLIP (van den Oord et al. 2018; Radford et al. 2021): cross-entropy of rows and of columns
 * of the similarities, the diagonal being right. Written with log-sum-exp, so that the one-hot targets are never made.
 */
export function infoNce({ images, texts, scale: factor, weights, mask }: PairLossInputs): Tensor {
  const batch = axisSize(images.shape, 0);
  // The factor is applied where it touches fewest numbers.
  const scaled = multiply(images, factor);
  const similar = gemm(scaled, texts, { transB: true });
  const logits = mask === undefined ? similar : add(similar, mask);
  const right = sum(multiply(scaled, texts), [1]);
  const rows = reshape(logSumExp(logits, 1), [batch]);
  const columns = reshape(logSumExp(logits, 0), [batch]);
  return weightedMean(subtract(scale(add(rows, columns), 0.5), right), weights);
}

/**
 * SigLIP's loss (Zhai et al. 2023): each of the B² pairs by itself is a match or not, log(1 + exp(-z (s cos + b)))
 * with z = 1 on the diagonal and -1 elsewhere, summed over a row.
 * @param bias one number; SigLIP starts it at -10, as nearly all pairs are no matches.
 */
export function sigmoidLoss({
  images,
  texts,
  scale: factor,
  weights,
  mask,
  bias,
}: PairLossInputs & { readonly bias: Tensor }): Tensor {
  const batch = axisSize(images.shape, 0);
  const cosines = add(multiply(gemm(images, texts, { transB: true }), factor), bias);
  const logits = mask === undefined ? cosines : add(cosines, mask);
  // log(1 + e^-x) = log(1 + e^x) - x: all pairs as non-matches, and the diagonal put right.
  const asNegatives = sum(softplus(logits), [1]);
  const right = add(multiply(sum(multiply(images, texts), [1]), reshape(factor, [])), reshape(bias, []));
  return weightedMean(subtract(reshape(asNegatives, [batch]), right), weights);
}

/**
 * NT-Xent over 2B views (Chen et al. 2020): each view must find its other half among all others but itself.
 * @param temperature 0.1 in the study that the lab follows.
 */
export function ntXent({
  images,
  texts,
  weights,
  temperature,
}: Pick<PairLossInputs, 'images' | 'texts' | 'weights'> & { readonly temperature: number }): Tensor {
  const batch = axisSize(images.shape, 0);
  const views = concat([images, texts], 0);
  const logits = add(
    scale(gemm(views, views, { transB: true }), 1 / temperature),
    ofDiagonal(2 * batch, -1e9, views),
  );
  const all = reshape(logSumExp(logits, 1), [2 * batch]);
  const right = scale(sum(multiply(images, texts), [1]), 1 / temperature);
  return weightedMean(subtract(all, concat([right, right], 0)), concat([weights, weights], 0));
}

/**
 * Triplet loss, max(0, d(a,p) - d(a,n) + margin) with d = 1 - cosine (Schroff et al. 2015), with the hardest negative of
 * the batch, both ways (VSE++, Faghri et al. 2018). The hardest is taken
 * softly: log-sum-exp with a high factor has a gradient and differs from the maximum by less than log(B)/factor.
 */
export function hardestTriplet({
  images,
  texts,
  weights,
  mask,
  margin,
}: Omit<PairLossInputs, 'scale'> & { readonly margin: number }): Tensor {
  const batch = axisSize(images.shape, 0);
  const sharpness = 50;
  const cosines = gemm(images, texts, { transB: true });
  const others = add(cosines, ofDiagonal(batch, -1e3, images));
  const candidates = scale(mask === undefined ? others : add(others, mask), sharpness);
  const right = sum(multiply(images, texts), [1]);
  const over = (axis: 0 | 1): Tensor =>
    relu(
      offset(subtract(scale(reshape(logSumExp(candidates, axis), [batch]), 1 / sharpness), right), margin),
    );
  return weightedMean(scale(add(over(0), over(1)), 0.5), weights);
}

/** The squared Frobenius distance from a matrix to where it started: what keeps a head near the identity (ProLIP). */
export function pullTowards(matrix: Tensor, start: Tensor): Tensor {
  const difference = subtract(matrix, start);
  return sum(
    multiply(difference, difference),
    matrix.shape.map((_, axis) => axis),
  );
}

/** A square matrix of zeros with this on its diagonal. */
function ofDiagonal(size: number, value: number, like: Tensor): Tensor {
  const values = new Array<number>(size * size).fill(0);
  for (let i = 0; i < size; i++) values[i * size + i] = value;
  return constant(values, [size, size], like.type);
}
