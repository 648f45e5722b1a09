/** The loss of a batch as a graph, whatever the head is and whatever the loss. */
import { add, multiply } from './autodiff/arithmetic.ts';
import { gemm } from './autodiff/linear-algebra.ts';
import type { Parameters } from './autodiff/optimizer-state.ts';
import { reshape, sum } from './autodiff/shaping.ts';
import { input, type Tensor } from './autodiff/tensor.ts';
import type { Head } from './heads.ts';
import { jointOfSeveral, type JointHead } from './joint-head.ts';
import {
  hardCosines,
  hardestTriplet,
  infoNce,
  infoNceOf,
  logitScale,
  ntXent,
  sigmoidLoss,
  type HardImages,
  type PairLossInputs,
} from './losses.ts';

export const lossNames = ['infonce', 'siglip', 'ntxent', 'triplet'] as const;
export type LossName = (typeof lossNames)[number];

type Values = Readonly<Record<string, Tensor>>;

export interface BatchShape {
  readonly size: number;
  readonly dims: number;
  /** Some pairs are no true negatives of each other. */
  readonly masked: boolean;
  /** Hard negatives of each pair. */
  readonly each: number;
}

/** CLIP's start, ln(1/0.07), and SigLIP's, ln 10 and -10. */
const scaleStarts = { infonce: Math.log(1 / 0.07), siglip: Math.log(10) };
const biasStart = -10;

/** What a loss learns beside the head. */
export function lossParameters(loss: LossName): Parameters {
  const single = (start: number): Parameters[string] => ({
    shape: [1],
    start: Float32Array.of(start),
    decays: false,
  });
  switch (loss) {
    case 'infonce':
      return { 'logit scale': single(scaleStarts.infonce) };
    case 'siglip':
      return { 'logit scale': single(scaleStarts.siglip), 'logit bias': single(biasStart) };
    case 'ntxent':
    case 'triplet':
      return {};
  }
}

/** @returns one number. Its inputs are those of `batchFeeds`. @param loss for a joint head, InfoNCE */
export function pairLoss(
  head: Head | JointHead,
  loss: LossName,
  shape: BatchShape,
  parameters: Values,
): Tensor {
  const { size, dims, masked, each } = shape;
  const images = input('images', [size, dims]);
  const texts = input('texts', [size, dims]);
  const weights = input('weights', [size]);
  const mask = masked ? input('mask', [size, size]) : undefined;
  const hard: HardImages | undefined =
    each === 0
      ? undefined
      : { images: input('hard images', [size * each, dims]), mask: input('hard mask', [size, each]) };
  const learnt = (name: string): Tensor => parameters[name] ?? input(name, [1]);
  if (head.name === 'joint')
    return jointLoss(
      head,
      { images, texts, weights, mask, hard },
      logitScale(learnt('logit scale')),
      parameters,
    );
  const moved: Omit<PairLossInputs, 'scale'> = {
    images: head.apply(images, parameters),
    texts,
    weights,
    mask,
    hard: hard === undefined ? undefined : { ...hard, images: head.apply(hard.images, parameters) },
  };
  switch (loss) {
    case 'infonce':
      return infoNce({ ...moved, scale: logitScale(learnt('logit scale')) });
    case 'siglip':
      return sigmoidLoss({ ...moved, scale: logitScale(learnt('logit scale')), bias: learnt('logit bias') });
    case 'ntxent':
      return ntXent({ ...moved, temperature: 0.1 });
    case 'triplet':
      return hardestTriplet({ ...moved, margin: 0.2 });
  }
}

function jointLoss(
  head: JointHead,
  { images, texts, weights, mask, hard }: Omit<PairLossInputs, 'scale'>,
  factor: Tensor,
  p: Values,
): Tensor {
  const all = multiply(add(gemm(images, texts, { transB: true }), head.ofAll(images, texts, p)), factor);
  const cosines = sum(multiply(images, texts), [1]);
  const right = multiply(add(cosines, head.ofPairs(images, texts, p)), reshape(factor, []));
  return infoNceOf(
    {
      all: mask === undefined ? all : add(all, mask),
      right,
      hard:
        hard === undefined
          ? undefined
          : add(
              multiply(add(hardCosines(texts, hard), jointOfSeveral(head, hard.images, texts, p)), factor),
              hard.mask,
            ),
    },
    weights,
  );
}
