/** The other ways to align two sequences: co-attention, hierarchy, streams, latents, gated and bilinear fusion. */
import { add, multiply, offset, negate, sigmoid } from '../autodiff/arithmetic.ts';
import { matMul } from '../autodiff/linear-algebra.ts';
import { concat, expand, reshape, split, zeros } from '../autodiff/shaping.ts';
import { axisSize, type Tensor } from '../autodiff/tensor.ts';
import {
  attend,
  attentionWeights,
  encoderLayer,
  meanToken,
  namesUnder,
  norm,
  project,
  type Keep,
} from './blocks.ts';
import type { LabHead, TokenPair } from './cross-attention.ts';

/** One head; the text asks, the image answers (co-attention, Lu et al. 2016). The image goes through unchanged. */
const coAttention: LabHead = ({ images, texts }, shop) => {
  const queries = project(shop, 'query', texts, shop.dims);
  const keys = project(shop, 'key', images, shop.dims);
  const values = project(shop, 'value', images, shop.dims);
  return { images: values, texts: matMul(attentionWeights(queries, keys), values) };
};

/** Self-attention inside each modality, then both ways across, joined with the former and projected. */
const hierarchical: LabHead = ({ images, texts, keep }, shop) => {
  const local = {
    images: encoderLayer(shop, 'image.local', images),
    texts: encoderLayer(shop, 'text.local', texts, { keep }),
  };
  const side = (name: string, from: Tensor, to: Tensor, kept?: Keep): Tensor => {
    const across = attend(shop, namesUnder(`${name}.across`), norm(shop, `${name}.norm`, from), to, {
      keep: kept,
    });
    return project(shop, `${name}.out`, concat([from, across], 2), shop.dims);
  };
  return {
    images: side('image', local.images, local.texts, keep),
    texts: side('text', local.texts, local.images),
  };
};

/** Latents in the Perceiver; many fewer than tokens, which is the point. */
const latentCount = 16;

/**
 * A fixed array of learnt latents looks at all tokens at once, thinks, and is asked by each modality (Perceiver IO,
 * Jaegle et al. 2022). Every product has the tokens on one side and the latents on the other: its cost grows
 * linearly with the tokens.
 */
const perceiver: LabHead = ({ images, texts, keep }, shop) => {
  const batch = axisSize(images.shape, 0);
  const { dims } = shop;
  const typed = (modality: string, x: Tensor): Tensor =>
    add(x, shop.parameter(`${modality}.type`, [dims], 0));
  const inputs = concat([typed('image', images), typed('text', texts)], 1);
  const start = expand(
    reshape(shop.parameter('latents', [latentCount, dims], 'glorot'), [1, latentCount, dims]),
    [batch, latentCount, dims],
  );
  let latents = encoderLayer(shop, 'read', start, { to: inputs, keep: keepAll({ images, texts, keep }) });
  for (const depth of ['think0', 'think1']) latents = encoderLayer(shop, depth, latents);
  return {
    images: encoderLayer(shop, 'image.write', images, { to: latents }),
    texts: encoderLayer(shop, 'text.write', texts, { to: latents }),
  };
};

/** What there is of both modalities in one sequence, photos first. */
function keepAll({ images, keep }: TokenPair): Keep {
  if (keep === undefined) return undefined;
  const all = offset(zeros([axisSize(images.shape, 0), axisSize(images.shape, 1)], keep), 1);
  return concat([all, keep], 1);
}

/** A stream per modality with layers across (ViLBERT, Lu et al. 2019; LXMERT, Tan and Bansal 2019). */
const twoStream: LabHead = ({ images, texts, keep }, shop) => {
  let pair = {
    images: encoderLayer(shop, 'image.own', images),
    texts: encoderLayer(shop, 'text.own', texts, { keep }),
  };
  for (const layer of ['0', '1'])
    pair = {
      images: encoderLayer(shop, `image.across${layer}`, pair.images, { to: pair.texts, keep }),
      texts: encoderLayer(shop, `text.across${layer}`, pair.texts, { to: pair.images }),
    };
  return pair;
};

/** One sequence of both modalities through one encoder (VisualBERT, Li et al. 2019; ViLT, Kim et al. 2021). */
const singleStream: LabHead = ({ images, texts, keep }, shop) => {
  const typed = (modality: string, x: Tensor): Tensor =>
    add(x, shop.parameter(`${modality}.type`, [shop.dims], 0));
  let all = concat([typed('image', images), typed('text', texts)], 1);
  const kept = keepAll({ images, texts, keep });
  for (const layer of ['layer0', 'layer1']) all = encoderLayer(shop, layer, all, { keep: kept });
  const [outImages, outTexts] = split(all, [axisSize(images.shape, 1), axisSize(texts.shape, 1)], 1);
  return { images: outImages ?? images, texts: outTexts ?? texts };
};

/** A gate decides, number by number, between a token and the other modality's mean (Arevalo et al. 2017). */
const gatedFusion: LabHead = ({ images, texts, keep }, shop) => {
  const side = (name: string, own: Tensor, other: Tensor, kept?: Keep): Tensor => {
    const mean = meanToken(project(shop, `${name}.other`, other, shop.dims), kept);
    const context = expand(mean, own.shape);
    const gate = sigmoid(project(shop, `${name}.gate`, concat([own, context], 2), shop.dims));
    return add(multiply(gate, own), multiply(offset(negate(gate), 1), context));
  };
  return { images: side('image', images, texts, keep), texts: side('text', texts, images) };
};

/** Width of the factors in which the outer product is taken. */
const factorWidth = 64;

/** The outer product of a token and the other's mean, in low-rank factors (MLB, Kim et al. 2017). */
const bilinearFusion: LabHead = ({ images, texts, keep }, shop) => {
  const side = (name: string, own: Tensor, other: Tensor, kept?: Keep): Tensor => {
    const left = project(shop, `${name}.left`, own, factorWidth);
    const right = project(shop, `${name}.right`, meanToken(other, kept), factorWidth);
    return add(own, project(shop, `${name}.out`, multiply(left, right), shop.dims));
  };
  return { images: side('image', images, texts, keep), texts: side('text', texts, images) };
};

export const encoderHeads = {
  'co-attention': coAttention,
  hierarchical,
  perceiver,
  'two-stream': twoStream,
  'single-stream': singleStream,
  'gated-fusion': gatedFusion,
  'bilinear-fusion': bilinearFusion,
} as const satisfies Record<string, LabHead>;
