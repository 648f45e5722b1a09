/** Operations that move numbers about without changing them, and their gradients. */
import {
  apply,
  axisSize,
  constant,
  elementCount,
  positiveAxis,
  result,
  sameShape,
  show,
  type Operation,
  type Shape,
  type Tensor,
} from './tensor.ts';

const integers = (values: readonly number[]): Tensor => constant(values, [values.length], 'int64');

/** The same numbers in another shape; gradient: back into the old shape. @throws RangeError */
export function reshape(x: Tensor, shape: Shape): Tensor {
  if (elementCount(shape) !== elementCount(x.shape))
    throw new RangeError(`A tensor of shape ${show(x.shape)} doesn't fit into ${show(shape)}.`);
  if (sameShape(shape, x.shape)) return x;
  return apply('Reshape', [x, integers(shape)], shape, (gradient) => [reshape(gradient, x.shape), undefined]);
}

/** Axes in another order; gradient: the inverse order. Without an order, the last two are exchanged. */
export function transpose(x: Tensor, order: readonly number[] = lastTwoExchanged(x.shape)): Tensor {
  const shape = order.map((axis) => axisSize(x.shape, axis));
  const inverse = order.map((_, axis) => order.indexOf(axis));
  return apply('Transpose', [x], shape, (gradient) => [transpose(gradient, inverse)], { perm: order });
}

/** Repeats axes of size 1 (and missing leading ones) as often as the shape says; gradient: their sum. */
export function expand(x: Tensor, shape: Shape): Tensor {
  if (sameShape(shape, x.shape)) return x;
  return apply('Expand', [x, integers(shape)], shape, (gradient) => [sumTo(gradient, x.shape), undefined]);
}

/** Joins tensors along an axis; gradient: each gets its part. */
export function concat(parts: readonly Tensor[], axis: number): Tensor {
  const [first] = parts;
  if (first === undefined) throw new RangeError('Nothing was given to be joined.');
  const at = positiveAxis(first.shape, axis);
  const sizes = parts.map((part) => axisSize(part.shape, at));
  const shape = first.shape.with(
    at,
    sizes.reduce((a, b) => a + b, 0),
  );
  return apply('Concat', parts, shape, (gradient) => split(gradient, sizes, at), { axis: at });
}

/** Cuts a tensor along an axis into parts of these sizes; gradient: the parts' gradients joined. */
export function split(x: Tensor, sizes: readonly number[], axis: number): Tensor[] {
  const at = positiveAxis(x.shape, axis);
  if (sizes.reduce((a, b) => a + b, 0) !== axisSize(x.shape, at))
    throw new RangeError(
      `Parts of ${sizes.join(' + ')} don't make up axis ${String(at)} of ${show(x.shape)}.`,
    );
  if (sizes.length === 1) return [x];
  const shapes = sizes.map((size) => x.shape.with(at, size));
  const operation: Operation = {
    operator: 'Split',
    inputs: [x, integers(sizes)],
    attributes: { axis: at },
    backward: (gradients) => [
      // A part that nothing depends on is worth nothing.
      concat(
        shapes.map((shape, place) => gradients[place] ?? zeros(shape, x)),
        at,
      ),
      undefined,
    ],
  };
  return shapes.map((shape, place) => result(operation, place, shape));
}

/**
 * Rows of a table by their numbers (an embedding lookup); gradient: each row gets the sum of what its uses are worth.
 * @param table (rows, ...), @param indices int64 of any shape. @returns (...indices.shape, ...)
 */
export function gather(table: Tensor, indices: Tensor): Tensor {
  const row = table.shape.slice(1);
  const count = elementCount(indices.shape);
  return apply(
    'Gather',
    [table, indices],
    [...indices.shape, ...row],
    (gradient) => [
      scatterAdd(reshape(gradient, [count, ...row]), reshape(indices, [count, 1]), table.shape),
      undefined,
    ],
    { axis: 0 },
  );
}

/** Adds rows to a table of zeros, at their indices (rows, 1). Only ever used in a gradient. */
function scatterAdd(rows: Tensor, indices: Tensor, shape: Shape): Tensor {
  return apply(
    'ScatterND',
    [zeros(shape, rows), indices, rows],
    shape,
    (gradient) => [undefined, undefined, gather(gradient, reshape(indices, [axisSize(indices.shape, 0)]))],
    { reduction: { text: 'add' } },
  );
}

/** Zeros of this shape, as one number that is repeated: a graph carries no megabytes of them. */
export function zeros(shape: Shape, like: Tensor): Tensor {
  return expand(constant([0], shape.length === 0 ? [] : shape.map(() => 1), like.type), shape);
}

/** Sum over axes, which stay with size 1 where `keep` says so; gradient: repeated along them. */
export function sum(x: Tensor, axes: readonly number[], keep = false): Tensor {
  const over = axes.map((axis) => positiveAxis(x.shape, axis));
  if (over.length === 0) return x;
  const kept = x.shape.map((size, axis) => (over.includes(axis) ? 1 : size));
  const shape = keep ? kept : x.shape.filter((_, axis) => !over.includes(axis));
  return apply(
    'ReduceSum',
    [x, integers(over)],
    shape,
    (gradient) => [expand(reshape(gradient, kept), x.shape), undefined],
    { keepdims: keep ? 1 : 0 },
  );
}

/** The reverse of broadcasting: sums the axes along which a tensor of `shape` was repeated to become this one. */
export function sumTo(x: Tensor, shape: Shape): Tensor {
  if (sameShape(x.shape, shape)) return x;
  const added = x.shape.length - shape.length;
  const over = x.shape.flatMap((size, axis) => {
    const was = shape[axis - added];
    return was === undefined || (was === 1 && size !== 1) ? [axis] : [];
  });
  return reshape(sum(x, over), shape);
}

/** The shape that two tensors have together, as NumPy and ONNX broadcast them. @throws RangeError */
export function broadcastShape(a: Shape, b: Shape): Shape {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, i) => {
    const sizeA = a[i - rank + a.length] ?? 1;
    const sizeB = b[i - rank + b.length] ?? 1;
    if (sizeA !== sizeB && sizeA !== 1 && sizeB !== 1)
      throw new RangeError(`Tensors of shapes ${show(a)} and ${show(b)} can't be combined.`);
    return Math.max(sizeA, sizeB);
  });
}

function lastTwoExchanged(shape: Shape): number[] {
  const axes = shape.map((_, axis) => axis);
  const [a, b] = axes.splice(-2);
  if (a === undefined || b === undefined)
    throw new RangeError(`A tensor of shape ${show(shape)} has no two axes to exchange.`);
  return [...axes, b, a];
}
