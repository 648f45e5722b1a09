/** Trains a head on pairs of embeddings: seeded batches, warm-up and cosine decay, early stopping on held-out loss. */
import { totalmem } from 'node:os';
import { AppError } from '../../errors.ts';
import { add } from './autodiff/arithmetic.ts';
import { openGraph } from './autodiff/graph-session.ts';
import type { Parameters, TrainingState } from './autodiff/optimizer-state.ts';
import { input } from './autodiff/tensor.ts';
import { openTrainingStep } from './autodiff/training-step.ts';
import { appendPairs, batchFeeds, hasAlike, planBatches, takePairs } from './batches.ts';
import { bothWays } from './evaluate.ts';
import type { Head } from './heads.ts';
import type { JointHead } from './joint-head.ts';
import { lossParameters, pairLoss, type LossName } from './pair-loss.ts';
import { openHeadScores } from './score-head.ts';
import { drawnOrder, randomOf } from './seeded.ts';

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
  /** (count * each,): as the pairs' own, -1 for photos of no pair: a photo kept aside is no negative of the others. */
  readonly kin?: Int32Array | undefined;
}

export interface HeadTrainingOptions {
  readonly head: Head | JointHead;
  /** A joint head is trained with InfoNCE, whatever this says: its score has no margin and no bias to learn. */
  readonly loss: LossName;
  readonly train: TrainingPairs;
  /** Judged after each epoch; decides when to stop. */
  readonly heldOut: TrainingPairs;
  /** About half of each batch, so that what it shows is not forgotten. Its groups and wordings are its own. */
  readonly replay?: TrainingPairs | undefined;
  readonly epochs: number;
  readonly batch: number;
  readonly learningRate: number;
  /** The same seed, pairs, settings and number of threads give the same bits on the CPU. */
  readonly seed: number;
  readonly threads: number;
  /** Bytes that a step may take; half of the machine's by default. */
  readonly memory?: number;
  /** Epochs without a better held-out loss before training stops; 3 by default. */
  readonly patience?: number;
  readonly signal?: AbortSignal | undefined;
  /** @param progress for `resume`: the run ends with the same bits as one that never stopped. */
  readonly onEpoch?: ((report: EpochReport, progress: TrainingProgress) => void) | undefined;
  /** Goes on after the epoch that this was given for. Must be of the same options. */
  readonly resume?: TrainingProgress | undefined;
}

export interface EpochReport {
  /** From 1. */
  readonly epoch: number;
  readonly trainLoss: number;
  readonly heldOutLoss: number;
  /** Both ways, of at most 250 held-out pairs among 500 with some of the training pairs. */
  readonly r10: number;
}

/** A run between two epochs. No generator is kept: each epoch draws from its own number. */
export interface TrainingProgress {
  readonly state: TrainingState;
  readonly reports: readonly EpochReport[];
  readonly best: {
    readonly loss: number;
    readonly epoch: number;
    readonly parameters: Readonly<Record<string, Float32Array>>;
  };
}

export interface TrainedHead {
  /** The parameters of the epoch with the lowest held-out loss. */
  readonly parameters: Readonly<Record<string, Float32Array>>;
  readonly bestEpoch: number;
  readonly epochs: readonly EpochReport[];
}

/** More candidates would show the curve no better. */
const curvePairs = 500;
const mostJudged = 1_024;

/** @throws AppError input-invalid for pairs that can't be trained on, cancelled, internal when the loss runs away */
export async function trainHead(options: HeadTrainingOptions): Promise<TrainedHead> {
  const { head, train, heldOut, epochs, seed, threads, signal, patience = 3 } = options;
  const loss = head.name === 'joint' ? 'infonce' : options.loss;
  checkPairs(train, 'training');
  checkPairs(heldOut, 'held-out');
  const replay =
    options.replay === undefined || options.replay.weights.length === 0 ? undefined : options.replay;
  if (replay !== undefined) checkPairs(replay, 'replay', 1);
  const plan = planBatches(train, replay, options.batch);
  checkMemory(plan.batch, options);
  const { dims } = train;
  const each = train.hard?.each ?? 0;
  const parameters: Parameters = { ...head.parameters, ...lossParameters(loss) };
  const tensors = Object.fromEntries(
    Object.entries(parameters).map(([name, { shape }]) => [name, input(name, shape)]),
  );
  const masked = hasAlike(plan.pairs);
  const step = await openTrainingStep({
    threads,
    parameters,
    loss: (p) => {
      const ofBatch = pairLoss(head, loss, { size: plan.batch, dims, masked, each }, p);
      const pull = head.name === 'joint' ? null : head.pull(p);
      return pull === null ? ofBatch : add(ofBatch, pull);
    },
  });
  const watched = drawnOrder(heldOut.weights.length, randomOf(seed, 'sample'));
  const judged = { masked: hasAlike(heldOut), each: heldOut.hard?.each ?? 0 };
  const judgedRows = [...watched.subarray(0, mostJudged)];
  const judge = await openGraph(
    { loss: pairLoss(head, loss, { size: judgedRows.length, dims, ...judged }, tensors) },
    { threads },
  );
  const judgedBatch = batchFeeds(heldOut, judgedRows, judged);
  const scores = openHeadScores(head, threads);
  // Few pairs among each other would all be found at once: training pairs are candidates beside them.
  const asked = takePairs(heldOut, [...watched.subarray(0, curvePairs / 2)]);
  const beside = drawnOrder(train.weights.length, randomOf(seed, 'sample', 1));
  const curve = appendPairs(
    asked,
    takePairs(train, [...beside.subarray(0, curvePairs - asked.weights.length)]),
  );

  try {
    if (options.resume !== undefined) step.restore(options.resume.state);
    const total = epochs * plan.stepsPerEpoch;
    const reports = [...(options.resume?.reports ?? [])];
    let best: TrainingProgress['best'] = options.resume?.best ?? {
      loss: Infinity,
      epoch: 0,
      parameters: step.state().parameters,
    };
    const isOver = (): boolean => reports.length >= epochs || reports.length - best.epoch >= patience;
    while (!isOver()) {
      const epoch = reports.length + 1;
      let sum = 0;
      for (const [at, rows] of plan.rowsOf(seed, epoch).entries()) {
        stopIfAborted(signal);
        const done = await step.run(
          batchFeeds(plan.pairs, rows, { own: plan.own, masked, each }),
          options.learningRate * schedule((epoch - 1) * plan.stepsPerEpoch + at, total),
        );
        sum += done.loss;
        // Stop and progress messages are heard between steps.
        await new Promise(setImmediate);
      }
      const state = step.state();
      const heldOutLoss = Number((await judge.run({ ...judgedBatch, ...state.parameters })).loss[0]);
      if (!Number.isFinite(heldOutLoss) || !Number.isFinite(sum))
        throw new AppError(
          'internal',
          `The training ran away: after epoch ${String(epoch)} its loss is no number any more. The search is as it was; try a lower learning rate than ${String(options.learningRate)}.`,
        );
      const { r10 } = bothWays(await scores.ranks(curve, state.parameters, asked.weights.length));
      const report = { epoch, trainLoss: sum / plan.stepsPerEpoch, heldOutLoss, r10 };
      reports.push(report);
      if (heldOutLoss < best.loss) best = { loss: heldOutLoss, epoch, parameters: state.parameters };
      options.onEpoch?.(report, { state, reports: [...reports], best });
    }
    stopIfAborted(signal);
    return {
      parameters: Object.fromEntries(
        Object.keys(head.parameters).map((name) => [name, best.parameters[name] ?? new Float32Array(0)]),
      ),
      bestEpoch: best.epoch,
      epochs: reports,
    };
  } finally {
    await Promise.all([step.close(), judge.release(), scores.close()]);
  }
}

export function stopIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true)
    throw new AppError('cancelled', 'The training was stopped; the search is as it was.');
}

/** Linear warm-up over the first tenth, then half a cosine down to 0. */
function schedule(step: number, total: number): number {
  const warm = Math.max(1, Math.round(total / 10));
  if (step < warm) return (step + 1) / warm;
  return 0.5 * (1 + Math.cos((Math.PI * (step - warm)) / Math.max(1, total - warm)));
}

/** Matrices of a batch's every image with every text that are alive at once in a step; measured. */
const batchMatrices = 8;

function checkMemory(batch: number, { head, memory = totalmem() / 2 }: HeadTrainingOptions): void {
  // A joint head has as many for each of its units.
  const units = head.name === 'joint' ? (head.parameters['bias']?.start.length ?? 1) : 1;
  const perPair = batchMatrices * units * Float32Array.BYTES_PER_ELEMENT;
  if (perPair * batch ** 2 <= memory) return;
  const gibibytes = (bytes: number): string => (bytes / 2 ** 30).toFixed(1);
  throw new AppError(
    'input-invalid',
    `Batches of ${String(batch)} pairs need about ${gibibytes(perPair * batch ** 2)} GiB of memory, and ${gibibytes(memory)} GiB may be taken. Take at most ${String(Math.floor(Math.sqrt(memory / perPair)))} pairs.`,
  );
}

/** @throws AppError input-invalid for a vector that is no number, or too few pairs; internal for sizes that don't fit */
export function checkPairs(
  { images, texts, dims, weights, groups, hard }: TrainingPairs,
  what: string,
  fewest = 2,
): void {
  const count = weights.length;
  if (images.length !== count * dims || texts.length !== count * dims || groups.length !== count)
    throw new AppError('internal', `The ${what} pairs don't have as many images, texts and weights.`);
  if (hard !== undefined && hard.images.length !== count * dims * hard.each)
    throw new AppError('internal', `The ${what} pairs don't have as many hard negatives as they say.`);
  if (count < fewest)
    throw new AppError(
      'input-invalid',
      `There are ${String(count)} ${what} pairs; at least ${String(fewest)} are needed to tell one from another.`,
    );
  const refuse = (i: number): never => {
    throw new AppError(
      'input-invalid',
      `The ${what} pair number ${String(i + 1)} has a vector or weight that is not a number. Index its photo again.`,
      { details: { pair: i + 1 } },
    );
  };
  const check = (values: Float32Array, perPair: number): void => {
    for (let i = 0; i < values.length; i++) if (!Number.isFinite(values[i])) refuse(Math.floor(i / perPair));
  };
  check(images, dims);
  check(texts, dims);
  check(weights, 1);
  if (hard !== undefined) check(hard.images, dims * hard.each);
}
