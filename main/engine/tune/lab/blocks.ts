/** What cross-attention heads are built of: projections, norms, attention, feed-forward networks. */
import { add, divide, gelu, multiply, offset, scale } from '../autodiff/arithmetic.ts';
import {
  dropout as dropoutBy,
  layerNormalization,
  linear,
  matMul,
  mean,
  softmax,
} from '../autodiff/linear-algebra.ts';
import { reshape, sum, transpose } from '../autodiff/shaping.ts';
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
export const dropoutPrefix = 'dropout ';

/**
 * Which tokens of a sequence there are: (B, n) of 1, and 0 for padding. Left out where there is none. Padding gets no
 * weight in any attention and is no part of any mean, so that it changes nothing.
 */
export type Keep = Tensor | undefined;

/** So far below any product of queries and keys that its share of a softmax is 0 to the last bit. */
const unseen = -1e9;

/**
 * σ(Q Kᵀ / √width) for queries (..., n, width) and keys (..., m, width).
 * @param keep (B, m), of the keys. @returns (..., n, m)
 */
export function attentionWeights(queries: Tensor, keys: Tensor, keep?: Keep): Tensor {
  const width = axisSize(keys.shape, keys.shape.length - 1);
  const products = scale(matMul(queries, transpose(keys)), 1 / Math.sqrt(width));
  if (keep === undefined) return softmax(products);
  const [batch, count] = [axisSize(keep.shape, 0), axisSize(keep.shape, 1)];
  const hidden = offset(scale(keep, -unseen), unseen);
  const between = products.shape.slice(1, -1).map(() => 1);
  return softmax(add(products, reshape(hidden, [batch, ...between, count])));
}

/** (B, n, d) to (B, d): the mean over the tokens that there are. */
export function pool(tokens: Tensor, keep?: Keep): Tensor {
  if (keep === undefined) return mean(tokens, [1]);
  const [batch, count] = [axisSize(tokens.shape, 0), axisSize(tokens.shape, 1)];
  const shares = reshape(keep, [batch, count, 1]);
  return divide(sum(multiply(tokens, shares), [1]), sum(shares, [1]));
}

/** (B, n, d) to (B, 1, d): the mean over the tokens that there are, as a token. */
export function meanToken(tokens: Tensor, keep?: Keep): Tensor {
  const [batch, width] = [axisSize(tokens.shape, 0), axisSize(tokens.shape, 2)];
  return reshape(pool(tokens, keep), [batch, 1, width]);
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
 * @param options.keep (B, m), of what is attended to.
 * @param options.sharedKeys one key and one value for all query heads (multi-query attention, Shazeer 2019).
 */
export function attend(
  shop: Workshop,
  names: AttentionNames,
  from: Tensor,
  to: Tensor,
  { sharedKeys = false, keep }: { readonly sharedKeys?: boolean; readonly keep?: Keep } = {},
): Tensor {
  const { dims, heads } = shop;
  const width = sharedKeys ? dims / heads : dims;
  const queries = splitHeads(project(shop, names.query, from, dims), heads);
  const keys = splitHeads(project(shop, names.key, to, width), sharedKeys ? 1 : heads);
  const values = splitHeads(project(shop, names.value, to, width), sharedKeys ? 1 : heads);
  const attended = joinHeads(matMul(attentionWeights(queries, keys, keep), values));
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

/** A pre-norm Transformer layer; over `to` when it is given, else over itself. @param keep of what is attended to. */
export function encoderLayer(
  shop: Workshop,
  name: string,
  x: Tensor,
  { to, keep }: { readonly to?: Tensor; readonly keep?: Keep } = {},
): Tensor {
  const normed = norm(shop, `${name}.norm1`, x);
  const over = to === undefined ? normed : norm(shop, `${name}.norm_to`, to);
  const attended = add(x, attend(shop, namesUnder(`${name}.attention`), normed, over, { keep }));
  return add(attended, network(shop, `${name}.network`, norm(shop, `${name}.norm2`, attended)));
}
