/** Heads over frozen embeddings: small functions that start as the identity and are trained for one library. */
import { exp, offset, relu, scale } from './autodiff/arithmetic.ts';
import { gemm, l2Normalize } from './autodiff/linear-algebra.ts';
import type { Parameters } from './autodiff/optimizer-state.ts';
import { constant, type Tensor } from './autodiff/tensor.ts';
import { pullTowards } from './losses.ts';

export const headNames = ['cache', 'residual', 'linear', 'low-rank', 'mlp'] as const;
export type HeadName = (typeof headNames)[number];

type Values = Readonly<Record<string, Tensor>>;

/** A head on the image side; texts stay where the pack puts them, so that queries cost nothing more. */
export interface Head {
  readonly name: HeadName;
  readonly parameters: Parameters;
  /** @param x (n, dims) unit rows. @returns (n, dims) unit rows. */
  apply(x: Tensor, parameters: Values): Tensor;
  /** What is added to the loss so that the head stays near where it started; null for none. */
  pull(parameters: Values): Tensor | null;
}

/** CLIP-Adapter's share of the learnt part (Gao et al. 2021). */
export const residualAlpha = 0.2;
/** How fast a key's influence falls with distance: at a cosine of 0.77 it is a tenth. Measured, see docs/learning.md. */
export const cacheSharpness = 10;
/** Keys of a cache: more learn no better, and every photo is compared with each. */
export const mostKeys = 512;

export interface HeadSettings {
  readonly dims: number;
  /** Standard normal numbers, seeded. */
  readonly normal: () => number;
  /** Weight of the squared Frobenius distance from the start (ProLIP, Fahes et al. 2024). */
  readonly pull?: number;
  readonly rank?: number;
  /** Of a cache: (keys, dims) unit rows, where it begins to look. */
  readonly keys?: Float32Array;
}

/**
 * - cache: x + exp(-β(1 - xK)) V, K starting at photos to learn from and V at 0: a photo is moved by what was learnt of
 *   photos like it, and one that is like none stays where it is (the trained key-value cache of Tip-Adapter-F, Zhang et
 *   al. 2022, with directions in place of class labels as values);
 * - residual: x((1-α)I + αΔ), Δ starting at I;
 * - linear: xW, W starting at I;
 * - low-rank: x + x U V, V starting at 0 (as LoRA does, Hu et al. 2021);
 * - mlp: x + α relu(x A) B, B starting at 0 (CLIP-Adapter's bottleneck of a quarter of the width).
 */
export function createHead(name: HeadName, settings: HeadSettings): Head {
  const { dims, normal, pull = 0, rank = Math.max(4, Math.round(dims / 16)) } = settings;
  const alpha = residualAlpha;
  const square = [dims, dims];
  const random = (rows: number, columns: number): Float32Array =>
    Float32Array.from({ length: rows * columns }, () => normal() / Math.sqrt(rows));
  const eye = identity(dims);
  const towardsIdentity = (parameter: string) => (p: Values) =>
    pull === 0 ? null : scale(pullTowards(get(p, parameter), constant([...eye], square, 'float32')), pull);
  switch (name) {
    case 'cache': {
      const { keys = new Float32Array(dims) } = settings;
      const count = keys.length / dims;
      return {
        name,
        parameters: {
          keys: { shape: [dims, count], start: transposed(keys, dims), decays: false },
          values: { shape: [count, dims], start: new Float32Array(keys.length), decays: false },
        },
        apply: (x, p) => {
          const near = exp(offset(gemm(x, get(p, 'keys'), { factor: cacheSharpness }), -cacheSharpness));
          return l2Normalize(gemm(near, get(p, 'values'), { plus: { matrix: x, factor: 1 } }));
        },
        pull: () => null,
      };
    }
    case 'residual':
      return {
        name,
        parameters: { delta: { shape: square, start: eye, decays: false } },
        apply: (x, p) =>
          l2Normalize(gemm(x, get(p, 'delta'), { factor: alpha, plus: { matrix: x, factor: 1 - alpha } })),
        pull: towardsIdentity('delta'),
      };
    case 'linear':
      return {
        name,
        parameters: { weight: { shape: square, start: eye, decays: false } },
        apply: (x, p) => l2Normalize(gemm(x, get(p, 'weight'))),
        pull: towardsIdentity('weight'),
      };
    case 'low-rank':
      return {
        name,
        parameters: {
          down: { shape: [dims, rank], start: random(dims, rank) },
          up: { shape: [rank, dims], start: new Float32Array(rank * dims) },
        },
        apply: (x, p) =>
          l2Normalize(gemm(gemm(x, get(p, 'down')), get(p, 'up'), { plus: { matrix: x, factor: 1 } })),
        pull: () => null,
      };
    case 'mlp': {
      const hidden = Math.max(8, Math.round(dims / 4));
      return {
        name,
        parameters: {
          down: { shape: [dims, hidden], start: random(dims, hidden) },
          up: { shape: [hidden, dims], start: new Float32Array(hidden * dims) },
        },
        apply: (x, p) =>
          l2Normalize(
            gemm(relu(gemm(x, get(p, 'down'))), get(p, 'up'), {
              factor: alpha,
              plus: { matrix: x, factor: 1 },
            }),
          ),
        pull: () => null,
      };
    }
  }
}

/** Parameters a share of the way from where they started to where training took them (WiSE-FT, Wortsman et al. 2022). */
export function interpolate(
  { parameters }: Head,
  trained: Readonly<Record<string, Float32Array>>,
  share: number,
): Record<string, Float32Array> {
  return Object.fromEntries(
    Object.entries(parameters).map(([name, { start }]) => [
      name,
      start.map((from, i) => from + share * ((trained[name]?.[i] ?? from) - from)),
    ]),
  );
}

/** (rows, width) as (width, rows). */
function transposed(rows: Float32Array, width: number): Float32Array {
  const count = rows.length / width;
  return Float32Array.from(
    { length: rows.length },
    (_, i) => rows[(i % count) * width + Math.floor(i / count)] ?? 0,
  );
}

function identity(size: number): Float32Array {
  const matrix = new Float32Array(size * size);
  for (let i = 0; i < size; i++) matrix[i * size + i] = 1;
  return matrix;
}

function get(parameters: Values, name: string): Tensor {
  const found = parameters[name];
  if (found === undefined) throw new RangeError(`The head has no parameter "${name}".`);
  return found;
}
