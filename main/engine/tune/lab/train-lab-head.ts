/** Trains one head of the lab: the same batches, optimiser and loss for every head. */
import { AppError } from '../../../errors.ts';
import { inOrder } from '../autodiff/gradients.ts';
import { openGraph } from '../autodiff/graph-session.ts';
import type { Parameters } from '../autodiff/optimizer-state.ts';
import { elementCount, input, type Shape, type Tensor } from '../autodiff/tensor.ts';
import { openTrainingStep } from '../autodiff/training-step.ts';
import { logitScale } from '../losses.ts';
import { normalOf, randomOf } from '../seeded.ts';
import { dropoutPrefix } from './blocks.ts';
import { collectParameters, lookupIn, type LabHeadName } from './registry.ts';
import {
  blockCosines,
  blockInputs,
  blockLoss,
  enterPrefix,
  pairFeatures,
  type BlockShape,
  type Scoring,
} from './scores.ts';
import { epochBatches, rowsOf, type LabPairs, type LabTokens } from './tokens.ts';

export interface LabBudget {
  readonly epochs: number;
  /** Photos of a block; all against all. */
  readonly batch: number;
  readonly learningRate: number;
  readonly seed: number;
  readonly scoring: Scoring;
  readonly threads: number;
}

export interface LabTraining {
  /** By name, the logit scale's logarithm among them. */
  readonly parameters: Readonly<Record<string, Float32Array>>;
  /** Of the first block, before any update; mean of the last epoch. */
  readonly loss: { readonly first: number; readonly last: number };
  /** Length of the gradient over all parameters, before clipping: first block, mean of the last epoch. */
  readonly gradient: { readonly first: number; readonly last: number };
  /** The epoch in which numbers stopped being finite; null when all were. */
  readonly ranAway: number | null;
}

const scaleName = 'logit scale';
/** CLIP's start, ln(1/0.07) (Radford et al. 2021). */
const scaleStart = Math.log(1 / 0.07);
/** As in Vaswani et al. 2017; only the heads from v9 on have any. */
const dropoutRate = 0.1;

/** Parameters that a head starts with: drawn by the seed, the same whatever other heads are trained. */
function labParameters(block: BlockShape, seed: number): Parameters {
  const normal = normalOf(randomOf(seed, 'start'));
  return {
    ...collectParameters((lookup) => pairFeatures({ ...block, size: 1 }, 'study', lookup), normal),
    [scaleName]: { shape: [1], start: Float32Array.of(scaleStart), decays: false },
  };
}

/** Numbers that a head learns, beyond the two projections and the scale that all have. */
export function ownParameters(head: LabHeadName, dims: number): number {
  const sizes = new Map<string, number>();
  pairFeatures(
    { head, dims, imageTokens: 1, textTokens: 1, size: 1, dropoutRate: 0 },
    'study',
    (name, shape) => {
      if (!name.startsWith(enterPrefix)) sizes.set(name, elementCount(shape));
      return input(name, shape);
    },
  );
  return [...sizes.values()].reduce((total, size) => total + size, 0);
}

/**
 * A head that runs away ends there; it is a result, not an error.
 * @throws AppError cancelled; internal when onnxruntime refuses the graph
 */
export async function trainLabHead(
  head: LabHeadName,
  tokens: LabTokens,
  pairs: LabPairs,
  budget: LabBudget,
  { signal, onEpoch }: { signal?: AbortSignal | undefined; onEpoch?: (epoch: number) => void } = {},
): Promise<LabTraining> {
  const { epochs, batch, learningRate, seed, scoring, threads } = budget;
  const block: BlockShape = { head, ...tokens, size: batch, dropoutRate };
  const parameters = labParameters(block, seed);
  const build = (values: Readonly<Record<string, Tensor>>): Tensor => {
    const features = pairFeatures(block, scoring, lookupIn(values));
    return blockLoss(blockCosines(features, batch, scoring), logitScale(lookupIn(values)(scaleName, [1], 0)));
  };
  const masks = new Map<string, Shape>();
  const step = await openTrainingStep({
    parameters,
    threads,
    loss: (values) => {
      const loss = build(values);
      for (const { inputs } of inOrder([loss]))
        for (const { origin, shape } of inputs)
          if (origin.kind === 'input' && origin.name.startsWith(dropoutPrefix)) masks.set(origin.name, shape);
      return loss;
    },
  });
  try {
    const dropout = dropoutMasks(masks, seed);
    const loss = { first: Number.NaN, last: Number.NaN };
    const gradient = { first: Number.NaN, last: Number.NaN };
    let last = step.state().parameters;
    for (let epoch = 1; epoch <= epochs; epoch++) {
      const batches = epochBatches(pairs, batch, seed, epoch);
      const sums = { loss: 0, gradient: 0 };
      for (const [at, rows] of batches.entries()) {
        if (signal?.aborted === true) throw new AppError('cancelled', 'The lab was stopped.');
        const found = await step.run({ ...blockFeeds(tokens, rows), ...dropout(epoch, at) }, learningRate);
        const norm = found.gradientNorm ?? 0;
        if (!Number.isFinite(found.loss) || !Number.isFinite(norm))
          return { parameters: last, loss, gradient, ranAway: epoch };
        if (epoch === 1 && at === 0) {
          loss.first = found.loss;
          gradient.first = norm;
        }
        sums.loss += found.loss;
        sums.gradient += norm;
        // Stop and progress messages are heard between steps.
        await new Promise(setImmediate);
      }
      loss.last = sums.loss / batches.length;
      gradient.last = sums.gradient / batches.length;
      last = step.state().parameters;
      onEpoch?.(epoch);
    }
    const finite = Object.values(last).every((values) => values.every(Number.isFinite));
    return { parameters: last, loss, gradient, ranAway: finite ? null : epochs };
  } finally {
    await step.close();
  }
}

/** A trained head over blocks of photos and captions, without dropout. */
export interface LabJudge {
  /**
   * @param rows as many photos and captions as the block has; they need not be pairs.
   * @returns cosines (size, size), and the features (size², d) of every photo with every caption.
   */
  block(rows: LabPairs): Promise<{ cosines: Float32Array; images: Float32Array; texts: Float32Array }>;
  /** What cosines are multiplied with. */
  readonly scale: number;
  close(): Promise<void>;
}

/** Always judges in the sound way: each photo with each caption. @throws AppError internal */
export async function openLabJudge(
  head: LabHeadName,
  tokens: LabTokens,
  size: number,
  parameters: LabTraining['parameters'],
  threads: number,
): Promise<LabJudge> {
  const block: BlockShape = { head, ...tokens, size, dropoutRate: 0 };
  const specs = labParameters(block, 0);
  const inputs = Object.fromEntries(
    Object.entries(specs).map(([name, { shape }]) => [name, input(name, shape)]),
  );
  const features = pairFeatures(block, 'pairs', lookupIn(inputs));
  const graph = await openGraph({ cosines: blockCosines(features, size, 'pairs'), ...features }, { threads });
  return {
    async block(rows) {
      const found = await graph.run({ ...parameters, ...blockFeeds(tokens, rows) });
      return {
        cosines: found.cosines as Float32Array,
        images: found.images as Float32Array,
        texts: found.texts as Float32Array,
      };
    },
    scale: Math.min(100, Math.exp(parameters[scaleName]?.[0] ?? scaleStart)),
    close: () => graph.release(),
  };
}

function blockFeeds(
  { images, texts, mask, imageTokens, textTokens, dims }: LabTokens,
  { photos, captions }: LabPairs,
): Record<string, Float32Array> {
  return {
    [blockInputs.images]: rowsOf(images, photos, imageTokens * dims),
    [blockInputs.texts]: rowsOf(texts, captions, textTokens * dims),
    [blockInputs.mask]: rowsOf(mask, captions, textTokens),
  };
}

/** Masks are cut, at a drawn place, from one long row of drawn numbers: drawing each anew would cost more than training. */
function dropoutMasks(
  shapes: ReadonlyMap<string, Shape>,
  seed: number,
): (epoch: number, step: number) => Record<string, Float32Array> {
  const sizes = [...shapes].map(([name, shape]) => ({ name, size: elementCount(shape) }));
  const spare = 65_536;
  const longest = sizes.reduce((most, { size }) => Math.max(most, size), 0);
  const random = randomOf(seed, 'sample');
  const drawn =
    longest === 0
      ? new Float32Array(0)
      : Float32Array.from({ length: longest + spare }, () =>
          random() < dropoutRate ? 0 : 1 / (1 - dropoutRate),
        );
  return (epoch, step) => {
    const place = randomOf(seed, 'sample', epoch * 100_000 + step + 1);
    return Object.fromEntries(
      sizes.map(({ name, size }) => {
        const from = Math.floor(place() * spare);
        return [name, drawn.subarray(from, from + size)];
      }),
    );
  };
}
