/** Operations number by number, and their gradients. Two tensors are broadcast as in NumPy. */
import { broadcastShape, expand, sumTo } from './shaping.ts';
import { apply, sameShape, scalar, type Shape, type Tensor } from './tensor.ts';

function binary(
  operator: string,
  left: Tensor,
  right: Tensor,
  backward: (gradient: Tensor) => readonly [Tensor, Tensor],
): Tensor {
  const shape = broadcastShape(left.shape, right.shape);
  const a = unexpanded(left, right, shape);
  const b = unexpanded(right, a, shape);
  return apply(operator, [a, b], shape, (gradient) => {
    const [toA, toB] = backward(gradient);
    return [sumTo(toA, a.shape), sumTo(toB, b.shape)];
  });
}

/** What was repeated only to fit is repeated by the operation itself: a gradient of a sum never becomes a matrix. */
function unexpanded(value: Tensor, other: Tensor, shape: Shape): Tensor {
  const small = repeatedFrom(value);
  return small !== undefined && sameShape(broadcastShape(small.shape, other.shape), shape) ? small : value;
}

/** What this value is a repetition of, if it is one. */
function repeatedFrom({ origin }: Tensor): Tensor | undefined {
  const expanded = origin.kind === 'result' && origin.operation.operator === 'Expand';
  return expanded ? origin.operation.inputs[0] : undefined;
}

const unary = (operator: string, x: Tensor, backward: (gradient: Tensor) => Tensor): Tensor =>
  apply(operator, [x], x.shape, (gradient) => [backward(gradient)]);

/** d(a+b) = da + db */
export const add = (a: Tensor, b: Tensor): Tensor => binary('Add', a, b, (gradient) => [gradient, gradient]);

/**
 * a + b of one shape, for values that nothing else uses, as parts of a gradient: where one is a matrix product,
 * onnxruntime adds the other in the same pass (its fusion looks for Sum, not for Add).
 */
export const accumulate = (a: Tensor, b: Tensor): Tensor =>
  apply('Sum', [a, b], a.shape, (gradient) => [gradient, gradient]);

/** d(a-b) = da - db */
export const subtract = (a: Tensor, b: Tensor): Tensor =>
  binary('Sub', a, b, (gradient) => [gradient, negate(gradient)]);

/** d(ab) = b da + a db */
export const multiply = (a: Tensor, b: Tensor): Tensor =>
  binary('Mul', a, b, (gradient) => [multiply(gradient, b), multiply(gradient, a)]);

/** d(a/b) = da/b - (a/b) db/b */
export function divide(a: Tensor, b: Tensor): Tensor {
  const quotient: Tensor = binary('Div', a, b, (gradient) => {
    const toA = divide(gradient, b);
    return [toA, negate(multiply(toA, quotient))];
  });
  return quotient;
}

export const negate = (x: Tensor): Tensor => unary('Neg', x, negate);

/** x times a number. What was one number repeated is scaled before it is repeated. */
export function scale(x: Tensor, by: number): Tensor {
  const small = repeatedFrom(x);
  return small === undefined ? multiply(x, scalar(by, x)) : expand(scale(small, by), x.shape);
}

export const offset = (x: Tensor, by: number): Tensor => add(x, scalar(by, x));

/** d(x²) = 2x dx */
export const square = (x: Tensor): Tensor =>
  apply('Mul', [x, x], x.shape, (gradient) => [multiply(scale(gradient, 2), x), undefined]);

/** d exp(x) = exp(x) dx */
export function exp(x: Tensor): Tensor {
  const value: Tensor = unary('Exp', x, (gradient) => multiply(gradient, value));
  return value;
}

/** d log(x) = dx / x */
export const log = (x: Tensor): Tensor => unary('Log', x, (gradient) => divide(gradient, x));

/** d sqrt(x) = dx / (2 sqrt(x)) */
export function sqrt(x: Tensor): Tensor {
  const value: Tensor = unary('Sqrt', x, (gradient) => divide(gradient, scale(value, 2)));
  return value;
}

/** d tanh(x) = (1 - tanh(x)²) dx */
export function tanh(x: Tensor): Tensor {
  const value: Tensor = unary('Tanh', x, (gradient) => multiply(gradient, offset(negate(square(value)), 1)));
  return value;
}

/** d σ(x) = σ(x) (1 - σ(x)) dx */
export function sigmoid(x: Tensor): Tensor {
  const value: Tensor = unary('Sigmoid', x, (gradient) =>
    multiply(gradient, multiply(value, offset(negate(value), 1))),
  );
  return value;
}

/** d max(0, x) = dx where x > 0. The step is the sign of the result, which is 0 or 1. */
export function relu(x: Tensor): Tensor {
  const value: Tensor = unary('Relu', x, (gradient) => multiply(gradient, sign(value)));
  return value;
}

/** log(1 + exp(x)), which is safe for large x; d softplus(x) = σ(x) dx */
export const softplus = (x: Tensor): Tensor =>
  unary('Softplus', x, (gradient) => multiply(gradient, sigmoid(x)));

/** d erf(x) = 2/√π exp(-x²) dx */
export const erf = (x: Tensor): Tensor =>
  unary('Erf', x, (gradient) => multiply(gradient, scale(exp(negate(square(x))), 2 / Math.sqrt(Math.PI))));

/** The exact GELU, x Φ(x) (Hendrycks and Gimpel 2016), made of the above: its gradient follows by itself. */
export const gelu = (x: Tensor): Tensor => multiply(scale(x, 0.5), offset(erf(scale(x, Math.SQRT1_2)), 1));

/** -1, 0 or 1; flat, so that nothing flows back. */
const sign = (x: Tensor): Tensor => apply('Sign', [x], x.shape, () => [undefined]);

/** The smaller of x and a number; gradient: where x is the smaller. */
export const atMost = (x: Tensor, limit: number): Tensor => {
  // limit - relu(limit - x)
  const room = relu(offset(negate(x), limit));
  return offset(negate(room), limit);
};
