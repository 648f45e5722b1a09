/** Every head of the lab by name, and the parameters that one needs. */
import type { Parameters, ParameterSpec } from '../autodiff/optimizer-state.ts';
import { elementCount, input, type Tensor } from '../autodiff/tensor.ts';
import type { ParameterLookup, Start } from './blocks.ts';
import { crossAttentionHeads, type LabHead } from './cross-attention.ts';
import { encoderHeads } from './encoders.ts';

export const labHeads = { ...crossAttentionHeads, ...encoderHeads } as const satisfies Record<
  string,
  LabHead
>;
export type LabHeadName = keyof typeof labHeads;
export const labHeadNames = Object.keys(labHeads) as LabHeadName[];

/** Notes what a head asks for while its expression is built, so that the head itself is the only list of it. */
export function collectParameters(
  build: (parameter: ParameterLookup) => unknown,
  normal: () => number,
): Parameters {
  const found = new Map<string, ParameterSpec>();
  build((name, shape, start) => {
    if (!found.has(name))
      found.set(name, { shape, start: startOf(shape, start, normal), decays: shape.length > 1 });
    return input(name, shape);
  });
  return Object.fromEntries(found);
}

/** Hands out parameters that are there already. @throws RangeError for one that was not collected */
export function lookupIn(parameters: Readonly<Record<string, Tensor>>): ParameterLookup {
  return (name) => {
    const found = parameters[name];
    if (found === undefined) throw new RangeError(`The head has no parameter "${name}".`);
    return found;
  };
}

/** Glorot and Bengio 2010: variance 2 / (in + out). */
function startOf(shape: readonly number[], start: Start, normal: () => number): Float32Array {
  const count = elementCount(shape);
  if (start !== 'glorot') return new Float32Array(count).fill(start);
  const spread = Math.sqrt(2 / ((shape[0] ?? 1) + (shape[1] ?? 1)));
  return Float32Array.from({ length: count }, () => spread * normal());
}
