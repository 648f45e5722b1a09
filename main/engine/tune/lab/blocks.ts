/** What cross-attention heads are built of: projections, norms, attention, feed-forward networks. */
import { add, gelu, multiply, scale } from '../autodiff/arithmetic.ts';
import {
  dropout as dropoutBy,
  layerNormalization,
  linear,
  matMul,
  softmax,
} from '../autodiff/linear-algebra.ts';
import { reshape, transpose } from '../autodiff/shaping.ts';
import { axisSize, input, type Shape, type Tensor } from '../autodiff/tensor.ts';

/** How a parameter starts: Glorot's normal, or one number everywhere. */
export type Start = 'glorot' | number;

/** Hands out a head's parameters by name; the same name is the same parameter. */
export type ParameterLookup = (name: string, shape: Shape, start: Start) => Tensor;

/** What a head may use besides its inputs. */
export interface Workshop {
  readonly dims: number;
  readonly heads: number;
  readonly parameter: ParameterLookup;
  /** 0 while a head is judged: then no masks are fed. */
  readonly dropoutRate: number;
}

/** x W (+ b) over the last axis. */
export function project(
  { parameter }: Workshop,
  name: string,
  x: Tensor,
  width: number,
  { bias = true } = {},
): Tensor {
  const from = axisSize(x.shape, x.shape.length - 1);
  const weight = parameter(`${name}.weight`, [from, width], 'glorot');
  return linear(x, weight, bias ? parameter(`${name}.bias`, [width], 0) : undefined);
}

export function norm({ parameter }: Workshop, name: string, x: Tensor): Tensor {
  const width = axisSize(x.shape, x.shape.length - 1);
  return layerNormalization(x, parameter(`${name}.gain`, [width], 1), parameter(`${name}.bias`, [width], 0));
}

/** Dropout with a mask that each run is fed under this name; nothing where the rate is 0. */
export function drop({ dropoutRate }: Workshop, name: string, x: Tensor): Tensor {
  return dropoutRate === 0 ? x : dropoutBy(x, input(`${dropoutPrefix}${name}`, x.shape));
}

/** Inputs of this prefix are dropout masks. */
const dropoutPrefix = 'dropout ';

/** σ(Q Kᵀ / √width) for queries (..., n, width) and keys (..., m, width). @returns (..., n, m) */
export function attentionWeights(queries: Tensor, keys: Tensor): Tensor {
  const width = axisSize(keys.shape, keys.shape.length - 1);
  return softmax(scale(matMul(queries, transpose(keys)), 1 / Math.sqrt(width)));
}

/** (B, n, d) to (B, heads, n, d / heads). */
export function splitHeads(x: Tensor, heads: number): Tensor {
  const [batch, tokens, width] = [axisSize(x.shape, 0), axisSize(x.shape, 1), axisSize(x.shape, 2)];
  return transpose(reshape(x, [batch, tokens, heads, width / heads]), [0, 2, 1, 3]);
}

/** (B, heads, n, w) to (B, n, heads w). */
export function joinHeads(x: Tensor): Tensor {
  const [batch, heads, tokens, width] = [0, 1, 2, 3].map((axis) => axisSize(x.shape, axis)) as [
    number,
    number,
    number,
    number,
  ];
  return reshape(transpose(x, [0, 2, 1, 3]), [batch, tokens, heads * width]);
}

/** Names of the three projections: equal names share their weights. */
export interface AttentionNames {
  readonly query: string;
  readonly key: string;
  readonly value: string;
  /** Null leaves the output projection out. */
  readonly output: string | null;
}

export const namesUnder = (prefix: string): AttentionNames => ({
  query: `${prefix}.query`,
  key: `${prefix}.key`,
  value: `${prefix}.value`,
  output: `${prefix}.output`,
});

/**
 * Multi-head attention (Vaswani et al. 2017) of (B, n, d) over (B, m, d).
 * @param sharedKeys one key and one value for all query heads (multi-query attention, Shazeer 2019).
 */
export function attend(
  shop: Workshop,
  names: AttentionNames,
  from: Tensor,
  to: Tensor,
  { sharedKeys = false } = {},
): Tensor {
  const { dims, heads } = shop;
  const width = sharedKeys ? dims / heads : dims;
  const queries = splitHeads(project(shop, names.query, from, dims), heads);
  const keys = splitHeads(project(shop, names.key, to, width), sharedKeys ? 1 : heads);
  const values = splitHeads(project(shop, names.value, to, width), sharedKeys ? 1 : heads);
  const attended = joinHeads(matMul(attentionWeights(queries, keys), values));
  return names.output === null ? attended : project(shop, names.output, attended, dims);
}

/** Gated feed-forward network: GELU(x A) x GELU(x B), back to d; four times as wide inside (cf. Shazeer 2020). */
export function gatedNetwork(shop: Workshop, name: string, x: Tensor): Tensor {
  const { dims } = shop;
  const gate = gelu(project(shop, `${name}.gate`, x, 4 * dims));
  const value = gelu(project(shop, `${name}.value`, x, 4 * dims));
  return project(shop, `${name}.out`, drop(shop, name, multiply(gate, value)), dims);
}

/** Plain feed-forward network with GELU, four times as wide inside. */
function network(shop: Workshop, name: string, x: Tensor): Tensor {
  return project(shop, `${name}.out`, gelu(project(shop, `${name}.in`, x, 4 * shop.dims)), shop.dims);
}

/** A pre-norm Transformer layer; over `to` when it is given, else over itself. */
export function encoderLayer(shop: Workshop, name: string, x: Tensor, to?: Tensor): Tensor {
  const normed = norm(shop, `${name}.norm1`, x);
  const over = to === undefined ? normed : norm(shop, `${name}.norm_to`, to);
  const attended = add(x, attend(shop, namesUnder(`${name}.attention`), normed, over));
  return add(attended, network(shop, `${name}.network`, norm(shop, `${name}.norm2`, attended)));
}
