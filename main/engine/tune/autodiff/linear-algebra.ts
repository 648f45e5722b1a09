/** Matrix products, normalisations and soft maxima, and their gradients. */
import { add, divide, exp, log, multiply, offset, scale, sqrt, square, subtract } from './arithmetic.ts';
import { broadcastShape, reshape, sum, sumTo, transpose } from './shaping.ts';
import { apply, axisSize, elementCount, positiveAxis, sameShape, show, type Tensor } from './tensor.ts';

export interface GemmOptions {
  /** Takes the first (second) matrix transposed, without moving it in memory. */
  readonly transA?: boolean;
  readonly transB?: boolean;
  /** Of the product; 1 by default. */
  readonly factor?: number;
  /** Added to the product, in the same pass over memory. */
  readonly plus?: { readonly matrix: Tensor; readonly factor: number };
}

/**
 * factor op(A) op(B) + plus, for matrices (m, k) and (k, n). With G what the result is worth, A is worth factor G op(B)ᵀ
 * and B is worth factor op(A)ᵀ G, each transposed where its operand was.
 * @throws RangeError
 */
export function gemm(a: Tensor, b: Tensor, options: GemmOptions = {}): Tensor {
  const { transA = false, transB = false, factor = 1, plus } = options;
  const [m, k] = matrixSize(a, transA);
  const [k2, n] = matrixSize(b, transB);
  if (k !== k2) throw new RangeError(`Matrices of shapes ${show(a.shape)} and ${show(b.shape)} don't match.`);
  if (plus !== undefined && !sameShape(plus.matrix.shape, [m, n]))
    throw new RangeError(
      `A matrix of shape ${show(plus.matrix.shape)} can't be added to (${String(m)}, ${String(n)}).`,
    );
  return apply(
    'Gemm',
    plus === undefined ? [a, b] : [a, b, plus.matrix],
    [m, n],
    (gradient) => [
      transA
        ? gemm(b, gradient, { transA: transB, transB: true, factor })
        : gemm(gradient, b, { transB: !transB, factor }),
      transB
        ? gemm(gradient, a, { transA: true, transB: transA, factor })
        : gemm(a, gradient, { transA: !transA, factor }),
      ...(plus === undefined ? [] : [scale(gradient, plus.factor)]),
    ],
    {
      transA: transA ? 1 : 0,
      transB: transB ? 1 : 0,
      ...(factor === 1 ? {} : { alpha: { float: factor } }),
      ...(plus === undefined ? {} : { beta: { float: plus.factor } }),
    },
  );
}

/** Products of stacks of matrices (..., m, k) and (..., k, n); leading axes are broadcast. @throws RangeError */
export function matMul(a: Tensor, b: Tensor): Tensor {
  if (a.shape.length === 2 && b.shape.length === 2) return gemm(a, b);
  const [m, k] = lastTwo(a);
  const [k2, n] = lastTwo(b);
  if (k !== k2) throw new RangeError(`Matrices of shapes ${show(a.shape)} and ${show(b.shape)} don't match.`);
  const leading = broadcastShape(a.shape.slice(0, -2), b.shape.slice(0, -2));
  return apply('MatMul', [a, b], [...leading, m, n], (gradient) => [
    sumTo(matMul(gradient, transpose(b)), a.shape),
    sumTo(matMul(transpose(a), gradient), b.shape),
  ]);
}

/** Mean over axes: their sum over how many there are. */
export function mean(x: Tensor, axes: readonly number[], keep = false): Tensor {
  const total = sum(x, axes, keep);
  return scale(total, elementCount(total.shape) / elementCount(x.shape));
}

/** d softmax(x) = s (dx - Σ s dx) */
export function softmax(x: Tensor, axis = -1): Tensor {
  const at = positiveAxis(x.shape, axis);
  const value: Tensor = apply(
    'Softmax',
    [x],
    x.shape,
    (gradient) => [multiply(value, subtract(gradient, sum(multiply(gradient, value), [at], true)))],
    { axis: at },
  );
  return value;
}

/** d log softmax(x) = dx - softmax(x) Σ dx */
export function logSoftmax(x: Tensor, axis = -1): Tensor {
  const at = positiveAxis(x.shape, axis);
  const value: Tensor = apply(
    'LogSoftmax',
    [x],
    x.shape,
    (gradient) => [subtract(gradient, multiply(exp(value), sum(gradient, [at], true)))],
    { axis: at },
  );
  return value;
}

/**
 * log Σ exp(x) along an axis, which stays with size 1; d = softmax(x) dx. Made of parts, as onnxruntime's own
 * ReduceLogSumExp works number by number and cost more than a matrix product; the exponentials are made once, for
 * the sum and for the gradient.
 */
export function logSumExp(x: Tensor, axis = -1): Tensor {
  const at = positiveAxis(x.shape, axis);
  const largest = greatest(x, at);
  return add(log(sum(exp(subtract(x, largest)), [at], true)), largest);
}

/** The largest numbers along an axis, which stays with size 1. Flat: only for shifts that cancel out. */
function greatest(x: Tensor, at: number): Tensor {
  return apply('ReduceMax', [x, axes(at)], x.shape.with(at, 1), () => [undefined, undefined], {
    keepdims: 1,
  });
}

/**
 * Layer normalisation over the last axis (Ba et al. 2016), scaled and shifted. With x̂ the normalised input and ĝ
 * what it is worth, the input is worth (ĝ - mean ĝ - x̂ mean(ĝ x̂)) / σ.
 * @param gain (width,), @param bias (width,)
 */
export function layerNormalization(x: Tensor, gain: Tensor, bias: Tensor, epsilon = 1e-5): Tensor {
  const width = axisSize(x.shape, x.shape.length - 1);
  if (gain.shape[0] !== width || bias.shape[0] !== width)
    throw new RangeError(
      `Gain and bias of shapes ${show(gain.shape)} and ${show(bias.shape)} don't fit ${show(x.shape)}.`,
    );
  return apply(
    'LayerNormalization',
    [x, gain, bias],
    x.shape,
    (gradient) => {
      const centred = subtract(x, mean(x, [-1], true));
      const deviation = sqrt(offset(mean(square(centred), [-1], true), epsilon));
      const normalised = divide(centred, deviation);
      const worth = multiply(gradient, gain);
      const along = mean(multiply(worth, normalised), [-1], true);
      const toX = divide(
        subtract(subtract(worth, mean(worth, [-1], true)), multiply(normalised, along)),
        deviation,
      );
      return [toX, sumTo(multiply(gradient, normalised), gain.shape), sumTo(gradient, bias.shape)];
    },
    { axis: -1, epsilon: { float: epsilon } },
  );
}

/**
 * Rows y of length 1: x / √(Σ x² + ε), so that a row of zeros stays one. With g what y is worth, x is worth
 * (g - y Σ g y) / √(Σ x² + ε): what points along y changes no direction.
 */
export function l2Normalize(x: Tensor, epsilon = 1e-12): Tensor {
  const length = sqrt(offset(sum(square(x), [-1], true), epsilon));
  const unit: Tensor = apply('Div', [x, length], x.shape, (gradient) => {
    const along = sum(multiply(gradient, unit), [-1], true);
    return [divide(subtract(gradient, multiply(unit, along)), length), undefined];
  });
  return unit;
}

/** Dropout by a mask that is fed: 0 where a number is dropped, 1/(1-rate) where it stays (Srivastava et al. 2014). */
export const dropout = (x: Tensor, mask: Tensor): Tensor => multiply(x, mask);

/** Weighted mean of a vector of losses (n,). The weights need not sum to 1. */
export function weightedMean(losses: Tensor, weights: Tensor): Tensor {
  return divide(sum(multiply(losses, weights), [0]), sum(weights, [0]));
}

/** x W + b for x (..., in), W (in, out), b (out,). */
export function linear(x: Tensor, weight: Tensor, bias?: Tensor): Tensor {
  const width = axisSize(x.shape, x.shape.length - 1);
  const rows = elementCount(x.shape) / width;
  // One product of matrices is quicker than a stack of small ones.
  const product = reshape(gemm(reshape(x, [rows, width]), weight), [
    ...x.shape.slice(0, -1),
    axisSize(weight.shape, 1),
  ]);
  return bias === undefined ? product : add(product, bias);
}

function axes(at: number): Tensor {
  return { shape: [1], type: 'int64', origin: { kind: 'constant', data: BigInt64Array.of(BigInt(at)) } };
}

function matrixSize({ shape }: Tensor, transposed: boolean): readonly [number, number] {
  if (shape.length !== 2) throw new RangeError(`A tensor of shape ${show(shape)} is no matrix.`);
  const [rows, columns] = [axisSize(shape, 0), axisSize(shape, 1)];
  return transposed ? [columns, rows] : [rows, columns];
}

function lastTwo({ shape }: Tensor): readonly [number, number] {
  return [axisSize(shape, shape.length - 2), axisSize(shape, shape.length - 1)];
}
