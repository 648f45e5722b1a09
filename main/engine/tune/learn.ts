/** One run from its pairs to a head with its proof: what the process that trains is asked for. */
import type { HeadName } from '../../contract.ts';
import { AppError } from '../../errors.ts';
import { takePairs } from './batches.ts';
import { decodeCheckpoint, encodeCheckpoint } from './checkpoint.ts';
import { createHead, mostKeys, type Head } from './heads.ts';
import { createJointHead, type JointHead } from './joint-head.ts';
import { learnFusion } from './learn-fusion.ts';
import { proveHead } from './prove-head.ts';
import { drawnOrder, normalOf, randomOf } from './seeded.ts';
import type { TrainingPairs } from './train-head.ts';
import type { HeadParameters, LearningOptions, LearningTask, LearntHead } from './types.ts';

/** Weight of the squared distance from the identity for heads that start there and should stay near (ProLIP). */
const residualPull = 1e-3;

/** A joint head scores every photo of a batch with every text in each of its hidden units. */
const mostJointBatch = 256;

/**
 * Splits, trains, proves. On the CPU, the same task with the same number of threads gives the same bits, also when it
 * was stopped after any epoch and goes on from that epoch's checkpoint.
 * @throws AppError input-invalid (data that cannot be learnt from, a checkpoint of another run), cancelled, internal
 */
export async function learn(task: LearningTask, options: LearningOptions = {}): Promise<LearntHead> {
  const { settings, gathered, dims, threads, checkpoint } = task;
  for (const [what, pairs] of Object.entries({
    own: gathered.pairs,
    replay: gathered.replay,
    generic: gathered.generic,
  }))
    if (pairs.weights.length > 0 && pairs.dims !== dims)
      throw new AppError(
        'internal',
        `The ${what} pairs have vectors of ${String(pairs.dims)} numbers and the pack's have ${String(dims)}.`,
      );
  const kind = settings.head;
  if (kind === 'fusion') return learnFusion(task, options);
  const proof = await proveHead({
    head: (train) => untrained(kind, train, settings.seed),
    loss: settings.loss,
    pairs: gathered.pairs,
    kin: gathered.kin,
    generic: gathered.generic,
    replay: gathered.replay,
    epochs: settings.epochs,
    batch: kind === 'joint' ? Math.min(settings.batch, mostJointBatch) : settings.batch,
    learningRate: settings.learningRate,
    seed: settings.seed,
    threads,
    signal: options.signal,
    onProving: options.onProving,
    resume: checkpoint === undefined ? undefined : decodeCheckpoint(task, checkpoint),
    onEpoch: (report, progress) =>
      options.onEpoch?.({ ...report, checkpoint: encodeCheckpoint(task, progress) }),
  });
  const { head, share, training, counts, before, after, gain, generic, accepted, reason } = proof;
  return {
    head: kind,
    parameters: shaped(head, proof.parameters),
    share,
    bestEpoch: training.bestEpoch,
    split: counts,
    before,
    after,
    gain,
    generic,
    accepted,
    reason,
  };
}

function untrained(name: Exclude<HeadName, 'fusion'>, train: TrainingPairs, seed: number): Head | JointHead {
  const { dims } = train;
  const normal = normalOf(randomOf(seed, 'start'));
  if (name === 'joint') return createJointHead({ dims, normal });
  const pull = name === 'residual' ? residualPull : 0;
  return createHead(name, {
    dims,
    normal,
    pull,
    ...(name === 'cache' ? { keys: drawKeys(train, seed) } : {}),
  });
}

/** Photos that a cache begins with: one of each group, so that a burst is not most of it. */
function drawKeys(train: TrainingPairs, seed: number): Float32Array {
  const seen = new Set<number>();
  const rows: number[] = [];
  for (const row of drawnOrder(train.weights.length, randomOf(seed, 'start', 1))) {
    const group = train.groups[row] ?? row;
    if (rows.length === mostKeys) break;
    if (seen.has(group)) continue;
    seen.add(group);
    rows.push(row);
  }
  return takePairs(train, rows).images;
}

function shaped(head: Head | JointHead, values: Readonly<Record<string, Float32Array>>): HeadParameters {
  return Object.fromEntries(
    Object.entries(head.parameters).map(([name, { shape, start }]) => [
      name,
      { shape, values: values[name] ?? start },
    ]),
  );
}
