/** Compares the gradients that the engine derives with central differences, in double precision. */
import assert from 'node:assert/strict';
import { multiply } from '../../../../main/engine/tune/autodiff/arithmetic.ts';
import { gradients } from '../../../../main/engine/tune/autodiff/gradients.ts';
import { openGraph, type Feeds } from '../../../../main/engine/tune/autodiff/graph-session.ts';
import { sum } from '../../../../main/engine/tune/autodiff/shaping.ts';
import {
  elementCount,
  input,
  type Shape,
  type Tensor,
} from '../../../../main/engine/tune/autodiff/tensor.ts';
import { seededRandom } from '../../search/seeded-random.ts';

/**
 * Step of the differences: about the cube root of the precision, where rounding and curvature balance. The
 * differences are then right to about ten digits in double precision, and to three in single.
 */
const precision = {
  float64: { step: 1e-5, tolerance: 1e-7 },
  float32: { step: 1e-2, tolerance: 2e-3 },
} as const;

export interface CheckedInput {
  readonly shape: Shape;
  /** Where the numbers lie; a logarithm wants them above 0. */
  readonly range?: readonly [number, number];
}

/**
 * @param build the expression under test; its outputs are weighted with fixed random numbers and summed, so that a
 *   gradient which is right only for a sum of ones is found out.
 */
export async function checkGradients(
  wanted: readonly CheckedInput[],
  build: (...inputs: Tensor[]) => Tensor,
  also: {
    readonly feeds?: Feeds;
    /** Single precision for what onnxruntime has no double kernel of. */
    readonly type?: keyof typeof precision;
  } = {},
): Promise<void> {
  const random = seededRandom(17);
  const { type = 'float64' } = also;
  const { step, tolerance } = precision[type];
  const fill = (shape: Shape, next: () => number): Float32Array | Float64Array => {
    const numbers = Array.from({ length: elementCount(shape) }, next);
    return type === 'float64' ? Float64Array.from(numbers) : Float32Array.from(numbers);
  };
  const inputs = wanted.map(({ shape }, i) => input(`x${String(i)}`, shape, type));
  const feeds: Record<string, Float32Array | Float64Array> = {};
  wanted.forEach(({ shape, range: [low, high] = [-1.5, 1.5] }, i) => {
    feeds[`x${String(i)}`] = fill(shape, () => low + (high - low) * random());
  });
  const value = build(...inputs);
  const weights = input('weights', value.shape, type);
  feeds['weights'] = fill(value.shape, () => random() * 2 - 1);
  const loss = sum(
    multiply(value, weights),
    value.shape.map((_, axis) => axis),
  );
  const derived = gradients(loss, inputs);
  const graph = await openGraph(
    { loss, ...Object.fromEntries(derived.map((gradient, i) => [`g${String(i)}`, gradient])) },
    { threads: 1 },
  );
  const run = async (): Promise<Record<string, Float64Array>> =>
    (await graph.run({ ...feeds, ...also.feeds })) as Record<string, Float64Array>;
  const found = await run();
  for (const [i, { shape }] of wanted.entries()) {
    const numbers = feeds[`x${String(i)}`]!;
    const gradient = found[`g${String(i)}`]!;
    assert.equal(gradient.length, elementCount(shape));
    for (let at = 0; at < numbers.length; at++) {
      const middle = numbers[at]!;
      numbers[at] = middle + step;
      const above = (await run())['loss']![0]!;
      numbers[at] = middle - step;
      const below = (await run())['loss']![0]!;
      numbers[at] = middle;
      const expected = (above - below) / (2 * step);
      assert.ok(
        Math.abs(gradient[at]! - expected) <= tolerance * Math.max(1, Math.abs(expected)),
        `input ${String(i)}, element ${String(at)}: derived ${String(gradient[at])}, measured ${String(expected)}`,
      );
    }
  }
  await graph.release();
}
