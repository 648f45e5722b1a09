/** A question's ids as the tensors that answerers take. */
import { Tensor } from 'onnxruntime-node';
import type { Tensors } from './model-graph.ts';

/** As many as are shown. */
export const mostAnswers = 5;

/** `input_ids` and `attention_mask` (1, T) int64 of one text, nothing padded. */
export function questionFeeds(ids: readonly number[]): Tensors {
  return { input_ids: integers(ids), attention_mask: ones([1, ids.length]) };
}

export function integers(values: readonly number[]): Tensor {
  return new Tensor('int64', BigInt64Array.from(values, BigInt), [1, values.length]);
}

export function ones(shape: readonly number[]): Tensor {
  const size = shape.reduce((a, b) => a * b, 1);
  return new Tensor('int64', new BigInt64Array(size).fill(1n), shape);
}
