/** Trains a head on pairs of embeddings: seeded batches, warm-up and cosine decay, early stopping on held-out loss. */
import { AppError } from '../../errors.ts';
import { add } from './autodiff/arithmetic.ts';
import { openGraph } from './autodiff/graph-session.ts';
import type { Parameters, TrainingState } from './autodiff/optimizer-state.ts';
import { input, type Tensor } from './autodiff/tensor.ts';
import { openTrainingStep } from './autodiff/training-step.ts';
import type { Head } from './heads.ts';
import { hardestTriplet, infoNce, logitScale, ntXent, sigmoidLoss, type PairLossInputs } from './losses.ts';

export const lossNames = ['infonce', 'siglip', 'ntxent', 'triplet'] as const;
type LossName = (typeof lossNames)[number];

export interface TrainingPairs {
  /** (count, dims) float32, row-major, unit rows; row i of both is a pair. */
  readonly images: Float32Array;
  readonly texts: Float32Array;
  readonly dims: number;
  /** How much each pair counts, by its source and its age. */
  readonly weights: Float32Array;
  /** Pairs of one group (one photo or its near-duplicates) are no negatives of each other. */
  readonly groups: Int32Array;
  /**
   * (count,): nor are pairs of one wording (the same words, or as good as); every pair has its own when left out. Apart
   * from `groups`, for a photo that is in two albums must not make the two albums one.
   */
  readonly wordings?: Int32Array | undefined;
  /** Further negatives of each pair's text: mined from the index, or thumbs down. */
  readonly hard?: HardNegatives | undefined;
}

export interface HardNegatives {
  readonly each: number;
  /** (count * each, dims) unit rows: the images that pair i must beat are rows i * each and on. */
  readonly images: Float32Array;
  /** (count * each,): 1, or 0 for places left empty. */
  readonly present: Uint8Array;
}

export interface HeadTrainingOptions {
  readonly head: Head;
  readonly loss: LossName;
  readonly train: TrainingPairs;
  /** Judged after each epoch; decides when to stop. */
  readonly heldOut: TrainingPairs;
  readonly epochs: number;
  readonly batch: number;
  readonly learningRate: number;
  /** Uniform in [0, 1), seeded: the same seed and pairs give the same bits on the CPU. */
  readonly random: () => number;
  readonly threads: number;
  /** Epochs without a better held-out loss before training stops; 3 by default. */
  readonly patience?: number;
  readonly signal?: AbortSignal | undefined;
  readonly onEpoch?: ((epoch: EpochReport) => void) | undefined;
  /** Goes on from here. */
  readonly resume?: TrainingState | undefined;
}

interface EpochReport {
  /** From 1. */
  readonly epoch: number;
  readonly trainLoss: number;
  readonly heldOutLoss: number;
  readonly state: TrainingState;
}

export interface TrainedHead {
  /** The parameters of the epoch with the lowest held-out loss. */
  readonly parameters: Readonly<Record<string, Float32Array>>;
  readonly bestEpoch: number;
  readonly epochs: readonly Omit<EpochReport, 'state'>[];
}

/** Added to the logits of pairs that are no true negatives. */
const excluded = -1e4;
/** CLIP's start, ln(1/0.07), and SigLIP's, ln 10 and -10. */
const scaleStarts: Readonly<Record<LossName, number>> = {
  infonce: Math.log(1 / 0.07),
  siglip: Math.log(10),
  ntxent: 0,
  triplet: 0,
};

/** @throws AppError input-invalid for pairs that can't be trained on, cancelled */
export async function trainHead(options: HeadTrainingOptions): Promise<TrainedHead> {
  const { head, train, heldOut, epochs, random, threads, signal, patience = 3 } = options;
  const count = checkPairs(train, 'training');
  const heldCount = checkPairs(heldOut, 'held-out');
  const batch = Math.min(options.batch, count);
  const masked = [train, heldOut].some(({ groups, wordings }) =>
    [groups, wordings].some((alike) => alike !== undefined && new Set(alike).size < alike.length),
  );
  const parameters: Parameters = {
    ...head.parameters,
    ...(options.loss === 'infonce' || options.loss === 'siglip'
      ? { 'logit scale': { shape: [1], start: Float32Array.of(scaleStarts[options.loss]), decays: false } }
      : {}),
    ...(options.loss === 'siglip'
      ? { 'logit bias': { shape: [1], start: Float32Array.of(-10), decays: false } }
      : {}),
  };
  const build =
    (size: number, dims: number) =>
    (p: Readonly<Record<string, Tensor>>): Tensor =>
      lossOf(options.loss, {
        images: head.apply(input('images', [size, dims]), p),
        texts: input('texts', [size, dims]),
        weights: input('weights', [size]),
        mask: masked ? input('mask', [size, size]) : undefined,
        parameters: p,
      });
  const step = await openTrainingStep({
    threads,
    parameters,
    loss: (p) => {
      const loss = build(batch, train.dims)(p);
      const pull = head.pull(p);
      return pull === null ? loss : add(loss, pull);
    },
  });
  const heldInputs = Object.fromEntries(
    Object.entries(parameters).map(([name, { shape }]) => [name, input(name, shape)]),
  );
  const heldSize = Math.min(heldCount, 1_024);
  const judge = await openGraph({ loss: build(heldSize, heldOut.dims)(heldInputs) }, { threads });
  const heldBatch = batchOf(heldOut, [...heldOut.groups.keys()].slice(0, heldSize), masked);

  try {
    if (options.resume !== undefined) step.restore(options.resume);
    const perEpoch = Math.max(1, Math.floor(count / batch));
    const total = epochs * perEpoch;
    const order = Uint32Array.from({ length: count }, (_, i) => i);
    const reports: Omit<EpochReport, 'state'>[] = [];
    let best = { loss: Infinity, epoch: 0, parameters: step.state().parameters };
    for (let epoch = 1; epoch <= epochs; epoch++) {
      shuffle(order, random);
      let sum = 0;
      for (let at = 0; at < perEpoch; at++) {
        if (signal?.aborted === true)
          throw new AppError('cancelled', 'The training was stopped; the search is as it was.');
        const rows = [...order.subarray(at * batch, (at + 1) * batch)];
        const { loss } = await step.run(
          batchOf(train, rows, masked),
          options.learningRate * schedule((epoch - 1) * perEpoch + at, total),
        );
        sum += loss;
        // Stop and progress messages are heard between steps.
        await new Promise(setImmediate);
      }
      const state = step.state();
      const heldOutLoss = Number((await judge.run({ ...heldBatch, ...state.parameters })).loss[0]);
      if (!Number.isFinite(heldOutLoss))
        throw new AppError(
          'internal',
          'The training ran away (its loss is no number any more). The search is as it was; try a lower learning rate.',
        );
      const report = { epoch, trainLoss: sum / perEpoch, heldOutLoss };
      reports.push(report);
      options.onEpoch?.({ ...report, state });
      if (heldOutLoss < best.loss) best = { loss: heldOutLoss, epoch, parameters: state.parameters };
      else if (epoch - best.epoch >= patience) break;
    }
    return {
      parameters: Object.fromEntries(
        Object.keys(head.parameters).map((name) => [name, best.parameters[name] ?? new Float32Array(0)]),
      ),
      bestEpoch: best.epoch,
      epochs: reports,
    };
  } finally {
    await Promise.all([step.close(), judge.release()]);
  }
}

function lossOf(
  name: LossName,
  pairs: Omit<PairLossInputs, 'scale'> & { readonly parameters: Readonly<Record<string, Tensor>> },
): Tensor {
  const { parameters } = pairs;
  const learnt = (parameter: string): Tensor => parameters[parameter] ?? input(parameter, [1]);
  switch (name) {
    case 'infonce':
      return infoNce({ ...pairs, scale: logitScale(learnt('logit scale')) });
    case 'siglip':
      return sigmoidLoss({ ...pairs, scale: logitScale(learnt('logit scale')), bias: learnt('logit bias') });
    case 'ntxent':
      return ntXent({ ...pairs, temperature: 0.1 });
    case 'triplet':
      return hardestTriplet({ ...pairs, margin: 0.2 });
  }
}

/** Linear warm-up over the first tenth, then half a cosine down to 0. */
function schedule(step: number, total: number): number {
  const warm = Math.max(1, Math.round(total / 10));
  if (step < warm) return (step + 1) / warm;
  return 0.5 * (1 + Math.cos((Math.PI * (step - warm)) / Math.max(1, total - warm)));
}

function batchOf(
  pairs: TrainingPairs,
  rows: readonly number[],
  masked: boolean,
): Record<string, Float32Array> {
  const { dims } = pairs;
  const images = new Float32Array(rows.length * dims);
  const texts = new Float32Array(rows.length * dims);
  const weights = new Float32Array(rows.length);
  rows.forEach((row, i) => {
    images.set(pairs.images.subarray(row * dims, (row + 1) * dims), i * dims);
    texts.set(pairs.texts.subarray(row * dims, (row + 1) * dims), i * dims);
    weights[i] = pairs.weights[row] ?? 0;
  });
  return {
    images,
    texts,
    weights,
    ...(masked ? { mask: maskOf([pairs.groups, pairs.wordings], rows) } : {}),
  };
}

/** Only rows that share a group or a wording are visited: a batch of 1,024 has a million pairs. */
function maskOf(alike: readonly (Int32Array | undefined)[], rows: readonly number[]): Float32Array {
  const mask = new Float32Array(rows.length ** 2);
  for (const numbers of alike) {
    if (numbers === undefined) continue;
    const members = new Map<number, number[]>();
    rows.forEach((row, i) => {
      const number = numbers[row] ?? -1;
      const list = members.get(number);
      if (list === undefined) members.set(number, [i]);
      else list.push(i);
    });
    for (const list of members.values())
      for (const a of list) for (const b of list) if (a !== b) mask[a * rows.length + b] = excluded;
  }
  return mask;
}

/** Fisher and Yates. */
function shuffle(order: Uint32Array, random: () => number): void {
  for (let i = order.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    const here = order[i] ?? 0;
    order[i] = order[j] ?? 0;
    order[j] = here;
  }
}

/** @returns how many pairs. @throws AppError input-invalid */
function checkPairs({ images, texts, dims, weights, groups }: TrainingPairs, what: string): number {
  const count = weights.length;
  if (images.length !== count * dims || texts.length !== count * dims || groups.length !== count)
    throw new AppError('internal', `The ${what} pairs don't have as many images, texts and weights.`);
  if (count < 2)
    throw new AppError(
      'input-invalid',
      `There are ${String(count)} ${what} pairs; at least 2 are needed to tell one from another.`,
    );
  for (const values of [images, texts])
    for (const [i, value] of values.entries())
      if (!Number.isFinite(value))
        throw new AppError(
          'input-invalid',
          `The ${what} pair number ${String(Math.floor(i / dims) + 1)} has a vector that is not a number. Index its photo again.`,
        );
  return count;
}
