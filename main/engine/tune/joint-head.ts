/**
 * A head that scores a photo with a text: a small network over [photo, text, photo x text] (early fusion), whose number
 * is added to their cosine. It moves no vectors, so it orders what was found by vectors.
 */
import { add, relu, scale, multiply } from './autodiff/arithmetic.ts';
import { gemm } from './autodiff/linear-algebra.ts';
import type { Parameters } from './autodiff/optimizer-state.ts';
import { expand, reshape, sum, transpose } from './autodiff/shaping.ts';
import { axisSize, type Tensor } from './autodiff/tensor.ts';

type Values = Readonly<Record<string, Tensor>>;

/** Wide enough to tell kinds of queries apart, and 500 photos are scored in a few milliseconds in plain TypeScript. */
const hidden = 16;

export interface JointHead {
  readonly name: 'joint';
  readonly parameters: Parameters;
  /** What is added to the cosine of each with each. @param images (n, dims), @param texts (m, dims). @returns (n, m) */
  ofAll(images: Tensor, texts: Tensor, parameters: Values): Tensor;
  /** The same, computed by texts: quicker where they are fewer. @returns (m, n) */
  ofTexts(texts: Tensor, images: Tensor, parameters: Values): Tensor;
  /** Row with row. @param images (n, dims), @param texts (n, dims). @returns (n,) */
  ofPairs(images: Tensor, texts: Tensor, parameters: Values): Tensor;
}

/** The first layer's weights (dims, hidden) by what they look at, and its bias; out (hidden, 1) starts at 0: no change. */
export function createJointHead({ dims, normal }: { dims: number; normal: () => number }): JointHead {
  const drawn = (): Float32Array => Float32Array.from({ length: dims * hidden }, normal);
  const layer = (): Parameters[string] => ({ shape: [dims, hidden], start: drawn() });
  /** The number for each of `few` with each of `many`; the product's weights are moved onto the former. */
  const cross = (
    [few, fewWeights]: readonly [Tensor, Tensor],
    [many, manyWeights]: readonly [Tensor, Tensor],
    p: Values,
  ): Tensor => {
    const [n, m] = [axisSize(few.shape, 0), axisSize(many.shape, 0)];
    // Σ few many w is (few w) · many: one product of matrices for all units.
    const weighted = multiply(reshape(few, [n, 1, dims]), transpose(productOf(p, dims)));
    const products = gemm(reshape(weighted, [n * hidden, dims]), many, { transB: true });
    const ofFew = reshape(add(gemm(few, fewWeights), valueOf(p, 'bias')), [n, hidden, 1]);
    const ofMany = transpose(gemm(many, manyWeights));
    const units = relu(add(add(reshape(products, [n, hidden, m]), ofFew), ofMany));
    return sum(multiply(units, valueOf(p, 'out')), [1]);
  };
  return {
    name: 'joint',
    parameters: {
      image: layer(),
      text: layer(),
      product: layer(),
      bias: { shape: [hidden], start: new Float32Array(hidden), decays: false },
      out: { shape: [hidden, 1], start: new Float32Array(hidden) },
    },
    ofAll: (images, texts, p) => cross([images, valueOf(p, 'image')], [texts, valueOf(p, 'text')], p),
    ofTexts: (texts, images, p) => cross([texts, valueOf(p, 'text')], [images, valueOf(p, 'image')], p),
    ofPairs(images, texts, p) {
      const units = relu(
        add(
          add(gemm(images, valueOf(p, 'image')), gemm(texts, valueOf(p, 'text'))),
          add(gemm(multiply(images, texts), productOf(p, dims)), valueOf(p, 'bias')),
        ),
      );
      return reshape(gemm(units, valueOf(p, 'out')), [axisSize(images.shape, 0)]);
    },
  };
}

/** A trained joint head whose number counts only a share: 0 changes nothing (the outputs' WiSE, as the start has none). */
export function weaken(
  trained: Readonly<Record<string, Float32Array>>,
  share: number,
): Record<string, Float32Array> {
  return { ...trained, out: (trained['out'] ?? new Float32Array(0)).map((weight) => share * weight) };
}

/** What `ofPairs` says of each text with its `each` images. @param images (n * each, dims). @returns (n, each) */
export function jointOfSeveral(head: JointHead, images: Tensor, texts: Tensor, p: Values): Tensor {
  const [n, dims] = [axisSize(texts.shape, 0), axisSize(texts.shape, 1)];
  const each = axisSize(images.shape, 0) / n;
  const repeated = reshape(expand(reshape(texts, [n, 1, dims]), [n, each, dims]), [n * each, dims]);
  return reshape(head.ofPairs(images, repeated, p), [n, each]);
}

/** Numbers of unit vectors multiplied with each other are about 1/√dims of the vectors' own: the weights make up for it. */
function productOf(p: Values, dims: number): Tensor {
  return scale(valueOf(p, 'product'), Math.sqrt(dims));
}

function valueOf(p: Values, name: string): Tensor {
  const found = p[name];
  if (found === undefined) throw new RangeError(`The joint head has no parameter "${name}".`);
  return found;
}
