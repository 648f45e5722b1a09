/** The seventeen cross-attention heads of the study, v0 to v11, each as its definition says. */
import { add, multiply, scale, sigmoid } from '../autodiff/arithmetic.ts';
import { l2Normalize, matMul, softmax } from '../autodiff/linear-algebra.ts';
import { concat, expand, split, sum, transpose } from '../autodiff/shaping.ts';
import type { Tensor } from '../autodiff/tensor.ts';
import {
  attend,
  attentionWeights,
  drop,
  gatedNetwork,
  joinHeads,
  meanToken,
  namesUnder,
  norm,
  project,
  splitHeads,
  type Keep,
  type Workshop,
} from './blocks.ts';

/** Image tokens (B, Nᵢ, d) and text tokens (B, Nₜ, d), before or after a head. */
export interface TokenPair {
  readonly images: Tensor;
  readonly texts: Tensor;
  /** (B, Nₜ), of the texts: they differ in length. Photos always have all their tokens. */
  readonly keep?: Keep;
}

export type LabHead = (pair: TokenPair, shop: Workshop) => Omit<TokenPair, 'keep'>;

/** One weight matrix for both ways: I' = A T, T' = Aᵀ I. */
function sharedWay(weights: Tensor, images: Tensor, texts: Tensor): Omit<TokenPair, 'keep'> {
  return { images: matMul(weights, texts), texts: matMul(transpose(weights), images) };
}

/** One layer norm for both modalities. */
const normed = ({ images, texts, keep }: TokenPair, shop: Workshop): TokenPair => ({
  images: norm(shop, 'norm', images),
  texts: norm(shop, 'norm', texts),
  keep,
});

const v0: LabHead = ({ images, texts, keep }) => ({
  images: matMul(attentionWeights(images, texts, keep), texts),
  texts: matMul(attentionWeights(texts, images), images),
});

const v1: LabHead = ({ images, texts, keep }) =>
  sharedWay(attentionWeights(images, texts, keep), images, texts);

const v2: LabHead = (pair, shop) => v1(normed(pair, shop), shop);

const v3: LabHead = (pair, shop) => {
  const out = v2(pair, shop);
  return { images: add(out.images, pair.images), texts: add(out.texts, pair.texts) };
};

const v4: LabHead = (pair, shop) => {
  const { images, texts, keep } = normed(pair, shop);
  return v1(
    {
      images: project(shop, 'image', images, shop.dims),
      texts: project(shop, 'text', texts, shop.dims),
      keep,
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
  const { images, texts, keep } = normed(pair, shop);
  const { dims } = shop;
  const weights = attentionWeights(
    project(shop, 'query', images, dims),
    project(shop, 'key', texts, dims),
    keep,
  );
  return sharedWay(weights, project(shop, 'value', images, dims), project(shop, 'value', texts, dims));
};

const v7: LabHead = (pair, shop) => {
  const { images, texts, keep } = normed(pair, shop);
  const { dims, heads } = shop;
  const parted = (name: string, x: Tensor): Tensor => splitHeads(project(shop, name, x, dims), heads);
  const weights = attentionWeights(parted('query', images), parted('key', texts), keep);
  const out = sharedWay(weights, parted('value', images), parted('value', texts));
  return {
    images: norm(shop, 'norm_out', joinHeads(out.images)),
    texts: norm(shop, 'norm_out', joinHeads(out.texts)),
  };
};

const v8: LabHead = (pair, shop) => {
  const { images, texts, keep } = normed(pair, shop);
  const names = namesUnder('attention');
  return {
    images: norm(shop, 'norm_out', attend(shop, names, images, texts, { keep })),
    texts: norm(shop, 'norm_out', attend(shop, names, texts, images)),
  };
};

/** From one modality's tokens over the other's, as a head of the later ones does it. */
interface Crossing {
  readonly from: Tensor;
  readonly to: Tensor;
  /** Of `to`. */
  readonly keep: Keep;
  /** Of `from`. */
  readonly modality: 'image' | 'text';
}

interface V9Parts {
  /** What the tokens are before attention. */
  readonly prepare?: (pair: TokenPair, shop: Workshop) => TokenPair;
  readonly way?: (crossing: Crossing, shop: Workshop) => Tensor;
  /** What becomes of attended tokens, given those before attention. */
  readonly finish?: (
    attended: Tensor,
    original: Tensor,
    shop: Workshop,
    modality: 'image' | 'text',
  ) => Tensor;
}

const plainWay = ({ from, to, keep }: Crossing, shop: Workshop): Tensor =>
  attend(shop, namesUnder('attention'), from, to, { keep });

/** Norm, attention, dropout, norm, gated network with a residual round it only; the later heads vary its parts. */
function v9With({ prepare = (pair) => pair, way = plainWay, finish = (x) => x }: V9Parts): LabHead {
  return (pair, shop) => {
    const { images, texts, keep } = normed(prepare(pair, shop), shop);
    const side = (crossing: Crossing): Tensor => {
      const { from, modality } = crossing;
      const across = drop(shop, `${modality} attention`, way(crossing, shop));
      const attended = finish(across, from, shop, modality);
      const hidden = gatedNetwork(
        { ...shop, dropoutRate: 0 },
        'network',
        norm(shop, 'norm_network', attended),
      );
      return add(attended, drop(shop, `${modality} network`, hidden));
    };
    return {
      images: side({ from: images, to: texts, keep, modality: 'image' }),
      texts: side({ from: texts, to: images, keep: undefined, modality: 'text' }),
    };
  };
}

/** Sigmoid gates on [attended, original], with a scale of 0.1 on what passes. */
function gated(attended: Tensor, original: Tensor, shop: Workshop, modality: string): Tensor {
  const gate = sigmoid(project(shop, `${modality}.gate`, concat([attended, original], 2), shop.dims));
  return add(original, scale(multiply(gate, attended), 0.1));
}

/** Three levels, each a projection and a norm with attention of its own, fused by learnt weights that sum to 1. */
function threeLevels({ from, to, keep }: Crossing, shop: Workshop, sharedKeys: boolean): Tensor {
  const levels = [0, 1, 2].map((level) => {
    const at = (x: Tensor): Tensor =>
      norm(shop, `level${String(level)}.norm`, project(shop, `level${String(level)}`, x, shop.dims));
    return attend(shop, namesUnder(`level${String(level)}.attention`), at(from), at(to), {
      sharedKeys,
      keep,
    });
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
function withContext(shop: Workshop, modality: string, x: Tensor, keep?: Keep): Tensor {
  const context = project(shop, `${modality}.context`, meanToken(x, keep), shop.dims);
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
    way: ({ from, to, keep, modality }, shop) =>
      attend(shop, namesUnder(`${modality}.attention`), from, to, { keep }),
  }),
  v10_2: v9With({ finish: gated }),
  v10_3: v9With({
    prepare: ({ images, texts, keep }, shop) => ({
      images: withContext(shop, 'image', images),
      texts: withContext(shop, 'text', texts, keep),
      keep,
    }),
  }),
  v10_4: v9With({
    way: ({ from, to, keep }, shop) =>
      attend(shop, namesUnder('attention'), from, to, { sharedKeys: true, keep }),
  }),
  v10_5: v9With({ way: (crossing, shop) => threeLevels(crossing, shop, false) }),
  v10_6: v9With({ finish: withSimilarity }),
  v11: v9With({ way: (crossing, shop) => threeLevels(crossing, shop, true) }),
} as const satisfies Record<string, LabHead>;
