/**
 * Tensors that have not been computed yet. Building an expression records what was done to what; `gradients`
 * walks that record backwards, and `emitGraph` writes it down for onnxruntime. Shapes are known when the
 * expression is built, so most mistakes are told where they are made.
 */
import type { Attribute, ElementType } from './onnx-model.ts';

export type Shape = readonly number[];

/**
 * What an operation's inputs are worth to a loss, given what its outputs are worth: the chain rule for this
 * operation, written in the same operations. `undefined` for an output means that nothing depends on it; for an
 * input, that nothing flows back to it (an index, a mask).
 */
type Backward = (outputGradients: readonly (Tensor | undefined)[]) => readonly (Tensor | undefined)[];

/** One node of the graph: an ONNX operator, what it takes, and its derivative. */
export interface Operation {
  readonly operator: string;
  readonly inputs: readonly Tensor[];
  readonly attributes: Readonly<Record<string, Attribute>>;
  readonly backward: Backward;
}

type Origin =
  | { readonly kind: 'input'; readonly name: string }
  | { readonly kind: 'constant'; readonly data: Float32Array | Float64Array | BigInt64Array }
  /** Output `place` of an operation; most have one. */
  | { readonly kind: 'result'; readonly operation: Operation; readonly place: number };

/** A value of the graph: its shape and element type, and where it comes from. */
export interface Tensor {
  readonly shape: Shape;
  readonly type: ElementType;
  readonly origin: Origin;
}

/** A value that is fed with each run. */
export function input(name: string, shape: Shape, type: ElementType = 'float32'): Tensor {
  return { shape, type, origin: { kind: 'input', name } };
}

/** Numbers that are part of the graph. @throws RangeError when the shape doesn't hold as many. */
export function constant(values: readonly number[], shape: Shape, type: ElementType): Tensor {
  if (values.length !== elementCount(shape))
    throw new RangeError(`A constant of shape ${show(shape)} was given ${String(values.length)} numbers.`);
  const data =
    type === 'int64'
      ? BigInt64Array.from(values, BigInt)
      : type === 'float64'
        ? Float64Array.from(values)
        : Float32Array.from(values);
  return { shape, type, origin: { kind: 'constant', data } };
}

/** A single number, of the element type of the tensor that it will be combined with. */
export function scalar(value: number, like: Tensor): Tensor {
  return constant([value], [], like.type);
}

/** Records an operation with one output. */
export function apply(
  operator: string,
  inputs: readonly Tensor[],
  shape: Shape,
  backward: (gradient: Tensor) => readonly (Tensor | undefined)[],
  attributes: Operation['attributes'] = {},
): Tensor {
  const operation: Operation = {
    operator,
    inputs,
    attributes,
    backward: ([gradient]) => (gradient === undefined ? inputs.map(() => undefined) : backward(gradient)),
  };
  return result(operation, 0, shape);
}

/** Output `place` of an operation that has several. It has the element type of the operation's first input. */
export function result(operation: Operation, place: number, shape: Shape): Tensor {
  const [first] = operation.inputs;
  if (first === undefined) throw new RangeError(`${operation.operator} was given no input.`);
  return { shape, type: first.type, origin: { kind: 'result', operation, place } };
}

export function elementCount(shape: Shape): number {
  return shape.reduce((product, size) => product * size, 1);
}

export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((size, i) => size === b[i]);
}

/** Size of an axis. @throws RangeError when the tensor has no such axis. */
export function axisSize(shape: Shape, axis: number): number {
  const size = shape[axis];
  if (size === undefined)
    throw new RangeError(`A tensor of shape ${show(shape)} has no axis ${String(axis)}.`);
  return size;
}

/** Axis counted from 0, where negative numbers count from the last. @throws RangeError */
export function positiveAxis(shape: Shape, axis: number): number {
  const counted = axis < 0 ? axis + shape.length : axis;
  axisSize(shape, counted);
  return counted;
}

export function show(shape: Shape): string {
  return `(${shape.join(', ')})`;
}
