/** What tells one head from another: a hash over its kind, size and numbers. */
import { createHash } from 'node:crypto';
import type { HeadRow } from './learning-types.ts';

/**
 * SHA-256, hex, over kind, dims and the parameters in the order of their names, each with its shape and its float32
 * values in little-endian order: equal heads have equal hashes on every machine.
 */
export function headHash({ head, dims, parameters }: Pick<HeadRow, 'head' | 'dims' | 'parameters'>): string {
  const hash = createHash('sha256');
  hash.update(JSON.stringify([head, dims]));
  for (const [name, { shape, values }] of inOrder(parameters)) {
    hash.update(JSON.stringify([name, shape]));
    hash.update(floatBytes(values));
  }
  return hash.digest('hex');
}

/** By name, in code-unit order, which is the same in every locale. */
export function inOrder<T>(parameters: Readonly<Record<string, T>>): [string, T][] {
  return Object.entries(parameters).sort(([a], [b]) => (a < b ? -1 : 1));
}

/** The bytes of float32 values without copying; every platform that the app runs on is little-endian. */
export function floatBytes(values: Float32Array): Buffer {
  return Buffer.from(values.buffer, values.byteOffset, values.byteLength);
}
