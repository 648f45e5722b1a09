/** The seventeen cross-attention heads of the study, v0 to v11, each as its definition says. */
import { add, divide, multiply, scale, sigmoid } from '../autodiff/arithmetic.ts';
import { l2Normalize, matMul, mean, softmax } from '../autodiff/linear-algebra.ts';
import { concat, expand, reshape, split, sum, transpose } from '../autodiff/shaping.ts';
import { axisSize, type Tensor } from '../autodiff/tensor.ts';
import {
  attend,
  attentionWeights,
  drop,
  gatedNetwork,
  joinHeads,
  namesUnder,
  norm,
  project,
  splitHeads,
  type Workshop,
} from './blocks.ts';

/** Image tokens (B, Nᵢ, d) and text tokens (B, Nₜ, d), before or after a head. */
export interface TokenPair {
  readonly images: Tensor;
  readonly texts: Tensor;
}

export type LabHead = (pair: TokenPair, shop: Workshop) => TokenPair;

/** One weight matrix for both ways: I' = A T, T' = Aᵀ I. */
function sharedWay(weights: Tensor, images: Tensor, texts: Tensor): TokenPair {
  return { images: matMul(weights, texts), texts: matMul(transpose(weights), images) };
}

/** One layer norm for both modalities. */
const normed = ({ images, texts }: TokenPair, shop: Workshop): TokenPair => ({
  images: norm(shop, 'norm', images),
  texts: norm(shop, 'norm', texts),
});

const v0: LabHead = ({ images, texts }) => ({
  images: matMul(attentionWeights(images, texts), texts),
  texts: matMul(attentionWeights(texts, images), images),
});

const v1: LabHead = ({ images, texts }) => sharedWay(attentionWeights(images, texts), images, texts);

const v2: LabHead = (pair, shop) => v1(normed(pair, shop), shop);

const v3: LabHead = (pair, shop) => {
  const out = v2(pair, shop);
  return { images: add(out.images, pair.images), texts: add(out.texts, pair.texts) };
};

const v4: LabHead = (pair, shop) => {
  const { images, texts } = normed(pair, shop);
  return v1(
    {
      images: project(shop, 'image', images, shop.dims),
      texts: project(shop, 'text', texts, shop.dims),
    },
    shop,
  );
};

const v5: LabHead = (pair, shop) => {
  const inputs = normed(pair, shop);
  const out = v1(inputs, shop);
  const half = (a: Tensor, b: Tensor): Tensor => scale(add(a, b), 0.5);
  return { images: half(out.images, inputs.images), texts: half(out.texts, inputs.texts) };
};

const v6: LabHead = (pair, shop) => {
  const { images, texts } = normed(pair, shop);
  const { dims } = shop;
  const weights = attentionWeights(project(shop, 'query', images, dims), project(shop, 'key', texts, dims));
  return sharedWay(weights, project(shop, 'value', images, dims), project(shop, 'value', texts, dims));
};

const v7: LabHead = (pair, shop) => {
  const { images, texts } = normed(pair, shop);
  const { dims, heads } = shop;
  const parted = (name: string, x: Tensor): Tensor => splitHeads(project(shop, name, x, dims), heads);
  const weights = attentionWeights(parted('query', images), parted('key', texts));
  const out = sharedWay(weights, parted('value', images), parted('value', texts));
  return {
    images: norm(shop, 'norm_out', joinHeads(out.images)),
    texts: norm(shop, 'norm_out', joinHeads(out.texts)),
  };
};

const v8: LabHead = (pair, shop) => {
  const { images, texts } = normed(pair, shop);
  const names = namesUnder('attention');
  return {
    images: norm(shop, 'norm_out', attend(shop, names, images, texts)),
    texts: norm(shop, 'norm_out', attend(shop, names, texts, images)),
  };
};

interface V9Parts {
  /** What the tokens are before attention. */
  readonly prepare?: (pair: TokenPair, shop: Workshop) => TokenPair;
  readonly way?: (from: Tensor, to: Tensor, shop: Workshop, modality: 'image' | 'text') => Tensor;
  /** What becomes of attended tokens, given those before attention. */
  readonly finish?: (
    attended: Tensor,
    original: Tensor,
    shop: Workshop,
    modality: 'image' | 'text',
  ) => Tensor;
}

const plainWay = (from: Tensor, to: Tensor, shop: Workshop): Tensor =>
  attend(shop, namesUnder('attention'), from, to);

/** Norm, attention, dropout, norm, gated network with a residual round it only; the later heads vary its parts. */
function v9With({ prepare = (pair) => pair, way = plainWay, finish = (x) => x }: V9Parts): LabHead {
  return (pair, shop) => {
    const { images, texts } = normed(prepare(pair, shop), shop);
    const side = (from: Tensor, to: Tensor, modality: 'image' | 'text'): Tensor => {
      const attended = finish(
        drop(shop, `${modality} attention`, way(from, to, shop, modality)),
        from,
        shop,
        modality,
      );
      const hidden = gatedNetwork(
        { ...shop, dropoutRate: 0 },
        'network',
        norm(shop, 'norm_network', attended),
      );
      return add(attended, drop(shop, `${modality} network`, hidden));
    };
    return { images: side(images, texts, 'image'), texts: side(texts, images, 'text') };
  };
}

/** Sigmoid gates on [attended, original], with a scale of 0.1 on what passes. */
function gated(attended: Tensor, original: Tensor, shop: Workshop, modality: string): Tensor {
  const gate = sigmoid(project(shop, `${modality}.gate`, concat([attended, original], 2), shop.dims));
  return add(original, scale(multiply(gate, attended), 0.1));
}

/** Three levels, each a projection and a norm with attention of its own, fused by learnt weights that sum to 1. */
function threeLevels(from: Tensor, to: Tensor, shop: Workshop, sharedKeys: boolean): Tensor {
  const levels = [0, 1, 2].map((level) => {
    const at = (x: Tensor): Tensor =>
      norm(shop, `level${String(level)}.norm`, project(shop, `level${String(level)}`, x, shop.dims));
    return attend(shop, namesUnder(`level${String(level)}.attention`), at(from), at(to), { sharedKeys });
  });
  const weights = split(softmax(shop.parameter('level_weights', [3], 0)), [1, 1, 1], 0);
  const parts = levels.map((level, i) => multiply(level, weights[i] ?? level));
  return parts.slice(1).reduce(add, parts[0] ?? from);
}

/** Similarities of contrastively projected tokens with the other side's mean, added to every feature. */
function withSimilarity(attended: Tensor, original: Tensor, shop: Workshop): Tensor {
  const a = l2Normalize(project(shop, 'contrast', attended, shop.dims));
  const b = l2Normalize(project(shop, 'contrast', original, shop.dims));
  const similarity = sum(multiply(a, b), [2], true);
  return add(attended, expand(similarity, attended.shape));
}

/** A context layer: the modality's mean, projected, added to each of its tokens. */
function withContext(shop: Workshop, modality: string, x: Tensor): Tensor {
  const context = project(shop, `${modality}.context`, mean(x, [1], true), shop.dims);
  return add(x, context);
}

export const crossAttentionHeads = {
  v0,
  v1,
  v2,
  v3,
  v4,
  v5,
  v6,
  v7,
  v8,
  v9: v9With({}),
  v10_1: v9With({
    way: (from, to, shop, modality) => attend(shop, namesUnder(`${modality}.attention`), from, to),
  }),
  v10_2: v9With({ finish: gated }),
  v10_3: v9With({
    prepare: ({ images, texts }, shop) => ({
      images: withContext(shop, 'image', images),
      texts: withContext(shop, 'text', texts),
    }),
  }),
  v10_4: v9With({
    way: (from, to, shop) => attend(shop, namesUnder('attention'), from, to, { sharedKeys: true }),
  }),
  v10_5: v9With({ way: (from, to, shop) => threeLevels(from, to, shop, false) }),
  v10_6: v9With({ finish: withSimilarity }),
  v11: v9With({ way: (from, to, shop) => threeLevels(from, to, shop, true) }),
} as const satisfies Record<string, LabHead>;

/** (B, n, d) to (B, d): the mean over tokens, leaving out what the mask (B, n), 1 or 0, says. */
export function pool(tokens: Tensor, mask?: Tensor): Tensor {
  if (mask === undefined) return mean(tokens, [1]);
  const [batch, count] = [axisSize(tokens.shape, 0), axisSize(tokens.shape, 1)];
  const shares = reshape(mask, [batch, count, 1]);
  return divide(sum(multiply(tokens, shares), [1]), sum(shares, [1]));
}
