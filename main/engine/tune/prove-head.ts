/** Trains a head and says, from pairs it never saw, whether it may replace what is there. */
import { AppError } from '../../errors.ts';
import { openGraph } from './autodiff/graph-session.ts';
import { input } from './autodiff/tensor.ts';
import {
  bothWays,
  differenceInterval,
  rankPairs,
  type Interval,
  type PairVectors,
  type Retrieval,
} from './evaluate.ts';
import { interpolate, type Head } from './heads.ts';
import { splitPairs } from './split-pairs.ts';
import { trainHead, type HeadTrainingOptions, type TrainedHead, type TrainingPairs } from './train-head.ts';

export interface ProofOptions extends Omit<HeadTrainingOptions, 'train' | 'heldOut'> {
  readonly pairs: TrainingPairs;
  /** (pairs,): near-duplicates and bursts share a number, and a side of the split. */
  readonly kin: Int32Array;
  /** Pairs that have nothing to do with this library: what the head must not unlearn. */
  readonly generic: TrainingPairs;
}

export interface Proof {
  /** What the head's parameters would be: already the chosen share of the way. */
  readonly parameters: Readonly<Record<string, Float32Array>>;
  /** How far from the start to the trained parameters, 0 to 1. */
  readonly share: number;
  readonly training: TrainedHead;
  readonly counts: { readonly train: number; readonly choose: number; readonly prove: number };
  readonly before: Retrieval;
  readonly after: Retrieval;
  /** Of the difference in R@10 on the pairs kept for the proof, 95 %. */
  readonly gain: Interval;
  readonly generic: { readonly before: Retrieval; readonly after: Retrieval };
  readonly accepted: boolean;
  /** Why not, or what was gained: one sentence. */
  readonly reason: string;
}

/** Fewer than this many groups of photos prove nothing. */
export const fewestGroups = 40;
/** Points of R@10 that the generic set may lose. */
const genericAllowance = 0.005;
const sharesTried = [0.25, 0.5, 0.75, 1];

/** @throws AppError input-invalid when there are too few pairs or all texts are the same, cancelled */
export async function proveHead(options: ProofOptions): Promise<Proof> {
  const { head, pairs, kin, generic, random, threads } = options;
  checkVariety(pairs, kin);
  const { train, choose, prove } = splitPairs(pairs, kin, random);
  const training = await trainHead({ ...options, train, heldOut: choose });

  const judge = await openJudge(head, [choose, prove, generic], threads);
  try {
    const tried = [];
    for (const share of sharesTried) {
      const parameters = interpolate(head, training.parameters, share);
      const [chosen, wide] = [await judge(choose, parameters), await judge(generic, parameters)];
      tried.push({ share, parameters, chosen: bothWays(chosen), wide: bothWays(wide) });
    }
    const start = interpolate(head, training.parameters, 0);
    const genericBefore = bothWays(await judge(generic, start));
    // The best for this library among those that unlearn nothing; if all do, the gentlest.
    const harmless = tried.filter(({ wide }) => wide.r10 >= genericBefore.r10 - genericAllowance);
    const best = (harmless.length > 0 ? harmless : tried.slice(0, 1)).reduce((a, b) =>
      b.chosen.r10 + b.chosen.mrr > a.chosen.r10 + a.chosen.mrr ? b : a,
    );
    const [beforeRanks, afterRanks] = [await judge(prove, start), await judge(prove, best.parameters)];
    const gain = differenceInterval(beforeRanks, afterRanks, { random });
    const found = {
      before: bothWays(beforeRanks),
      after: bothWays(afterRanks),
      gain,
      generic: { before: genericBefore, after: best.wide },
    };
    return {
      ...found,
      ...verdict(found),
      parameters: best.parameters,
      share: best.share,
      training,
      counts: {
        train: train.weights.length,
        choose: choose.weights.length,
        prove: prove.weights.length,
      },
    };
  } finally {
    await judge.close();
  }
}

/** A head is offered only when its gain is certain and nothing else is lost. */
export function verdict({
  before,
  after,
  gain,
  generic,
}: Pick<Proof, 'before' | 'after' | 'gain' | 'generic'>): Pick<Proof, 'accepted' | 'reason'> {
  const points = (share: number): string => (100 * share).toFixed(1);
  const lost = generic.before.r10 - generic.after.r10;
  if (lost > genericAllowance)
    return {
      accepted: false,
      reason: `General search would lose ${points(lost)} points of R@10, and at most ${points(genericAllowance)} are allowed. The search stays as it is.`,
    };
  const change = after.r10 - before.r10;
  if (!(gain.low > 0))
    return {
      accepted: false,
      reason:
        change > 0
          ? `On photos kept aside R@10 rose by ${points(change)} points, which may be chance (between ${points(gain.low)} and ${points(gain.high)}). More examples would show it. The search stays as it is.`
          : `On photos kept aside it finds no better than before (R@10 ${points(before.r10)} before, ${points(after.r10)} after). The search stays as it is.`,
    };
  return {
    accepted: true,
    reason: `On photos kept aside R@10 rose from ${points(before.r10)} to ${points(after.r10)} (by ${points(gain.low)} to ${points(gain.high)} points), and general search keeps what it had.`,
  };
}

function checkVariety({ texts, dims }: TrainingPairs, kin: Int32Array): void {
  const groups = new Set(kin).size;
  if (groups < fewestGroups)
    throw new AppError(
      'input-invalid',
      `There are ${String(kin.length)} examples of ${String(groups)} different photos; at least ${String(fewestGroups)} are needed to learn from some and prove it on others. Give more thumbs, names or captions first.`,
      { details: { groups, needed: fewestGroups } },
    );
  const first = texts.subarray(0, dims);
  const same = kin.every((_, row) => first.every((value, i) => value === texts[row * dims + i]));
  if (same)
    throw new AppError(
      'input-invalid',
      'All examples have the same words, so there is nothing to tell them apart by. Add examples with other words.',
    );
}

interface Judge {
  (
    pairs: PairVectors & TrainingPairs,
    parameters: Readonly<Record<string, Float32Array>>,
  ): Promise<ReturnType<typeof rankPairs>>;
  close(): Promise<void>;
}

/** Applies the head to each set's images and ranks its pairs; texts stay where they are. */
async function openJudge(head: Head, sets: readonly TrainingPairs[], threads: number): Promise<Judge> {
  const graphs = new Map<number, Awaited<ReturnType<typeof openGraph<'out'>>>>();
  for (const { weights, dims } of sets) {
    const count = weights.length;
    if (graphs.has(count)) continue;
    const parameters = Object.fromEntries(
      Object.entries(head.parameters).map(([name, { shape }]) => [name, input(name, shape)]),
    );
    graphs.set(
      count,
      await openGraph({ out: head.apply(input('x', [count, dims]), parameters) }, { threads }),
    );
  }
  const judge = async (
    pairs: TrainingPairs,
    parameters: Readonly<Record<string, Float32Array>>,
  ): Promise<ReturnType<typeof rankPairs>> => {
    const found = await graphs.get(pairs.weights.length)?.run({ x: pairs.images, ...parameters });
    return rankPairs(
      { ...pairs, images: (found?.out ?? pairs.images) as Float32Array },
      pairs.groups,
      pairs.wordings,
    );
  };
  return Object.assign(judge, {
    async close() {
      await Promise.all([...graphs.values()].map((graph) => graph.release()));
    },
  });
}
