/**
 * How well each photo of a block fits each caption of it, as an expression of a head's parameters: in the sound way, and
 * in the study's.
 *
 * A head mixes the two sides, so what it makes of a photo depends on the caption that it is shown with. The sound way
 * shows each photo with each caption, B² pairs, and compares the two halves of each pair: training sees wrong pairs as
 * judging will. The study showed each photo with its own caption only, and compared photos and captions of different
 * pairs: B pairs instead of B². There a head that lets both halves see the same things gives equal halves for any pair,
 * right or wrong, and the loss never shows it a wrong pair.
 */
import { add, multiply, scale, subtract } from '../autodiff/arithmetic.ts';
import { gemm, l2Normalize, logSumExp } from '../autodiff/linear-algebra.ts';
import { expand, reshape, sum } from '../autodiff/shaping.ts';
import { axisSize, constant, input, type Tensor } from '../autodiff/tensor.ts';
import { pool, project, type ParameterLookup, type Workshop } from './blocks.ts';
import { labHeads, type LabHeadName } from './registry.ts';

export type Scoring = 'pairs' | 'study';

/** Sizes of a block of photos and captions. */
export interface BlockShape {
  readonly head: LabHeadName;
  readonly dims: number;
  readonly imageTokens: number;
  readonly textTokens: number;
  /** Photos, and as many captions. */
  readonly size: number;
  readonly dropoutRate: number;
}

/** Heads of multi-head attention: eight, as in Vaswani et al. 2017, where the width can be shared out among as many. */
const attentionHeads = (dims: number): number => [8, 4, 2].find((heads) => dims % heads === 0) ?? 1;

export interface PairFeatures {
  /** (rows, d) unit rows: what the head makes of the photo and of the caption of each pair. */
  readonly images: Tensor;
  readonly texts: Tensor;
}

/** Parameters of the projections that every head has. */
export const enterPrefix = 'enter ';

/** What a block is fed. */
export const blockInputs = { images: 'images', texts: 'texts', mask: 'mask' } as const;

/**
 * Each modality is projected to the heads' width first, as in the study.
 * @returns for each pair (i, j) of a photo and a caption, row i * size + j; for 'study' for each (i, i), row i.
 */
export function pairFeatures(block: BlockShape, scoring: Scoring, parameter: ParameterLookup): PairFeatures {
  const { head, dims, imageTokens, textTokens, size, dropoutRate } = block;
  const shop: Workshop = { dims, heads: attentionHeads(dims), parameter, dropoutRate };
  const images = project(
    shop,
    `${enterPrefix}image`,
    input(blockInputs.images, [size, imageTokens, dims]),
    dims,
  );
  const texts = project(shop, `${enterPrefix}text`, input(blockInputs.texts, [size, textTokens, dims]), dims);
  const mask = input(blockInputs.mask, [size, textTokens]);
  const shown =
    scoring === 'study'
      ? { images, texts, keep: mask }
      : {
          images: eachWithEach(images, 'rows'),
          texts: eachWithEach(texts, 'columns'),
          keep: eachWithEach(mask, 'columns'),
        };
  const out = labHeads[head](shown, shop);
  return { images: l2Normalize(pool(out.images)), texts: l2Normalize(pool(out.texts, shown.keep)) };
}

/** (B, ...) to (B², ...): row i * B + j is row i ('rows') or row j ('columns'). */
function eachWithEach(x: Tensor, along: 'rows' | 'columns'): Tensor {
  const size = axisSize(x.shape, 0);
  const rest = x.shape.slice(1);
  const apart = reshape(x, along === 'rows' ? [size, 1, ...rest] : [1, size, ...rest]);
  return reshape(expand(apart, [size, size, ...rest]), [size * size, ...rest]);
}

/** Cosines (B, B) of a block: row i, column j for photo i with caption j. */
export function blockCosines({ images, texts }: PairFeatures, size: number, scoring: Scoring): Tensor {
  return scoring === 'study'
    ? gemm(images, texts, { transB: true })
    : reshape(sum(multiply(images, texts), [1]), [size, size]);
}

/** Cross-entropy of rows and of columns, half each, the diagonal being right (Radford et al. 2021). */
export function blockLoss(cosines: Tensor, logitScale: Tensor): Tensor {
  const size = axisSize(cosines.shape, 0);
  const logits = multiply(cosines, reshape(logitScale, []));
  const eye = Array.from({ length: size * size }, (_, i) => (i % (size + 1) === 0 ? 1 : 0));
  const right = sum(multiply(logits, constant(eye, [size, size], 'float32')), [0, 1]);
  const over = (axis: 0 | 1): Tensor => sum(logSumExp(logits, axis), [0, 1]);
  return scale(subtract(scale(add(over(0), over(1)), 0.5), right), 1 / size);
}
