/** Trains a head and says, from pairs it never saw, whether it may replace what is there. */
import { AppError } from '../../errors.ts';
import { appendPairs, takePairs } from './batches.ts';
import { bothWays, differenceInterval, type Interval, type Ranks, type Retrieval } from './evaluate.ts';
import { interpolate, type Head } from './heads.ts';
import { weaken, type JointHead } from './joint-head.ts';
import { openHeadScores } from './score-head.ts';
import { drawnOrder, randomOf } from './seeded.ts';
import { splitPairs } from './split-pairs.ts';
import {
  checkPairs,
  stopIfAborted,
  trainHead,
  type HeadTrainingOptions,
  type TrainedHead,
  type TrainingPairs,
} from './train-head.ts';

export interface ProofOptions extends Omit<HeadTrainingOptions, 'head' | 'train' | 'heldOut'> {
  /** Untrained; made out of the pairs that it is to be trained on. */
  readonly head: (train: TrainingPairs) => Head | JointHead;
  readonly pairs: TrainingPairs;
  /** (pairs,): near-duplicates and bursts share a number, and a side of the split. */
  readonly kin: Int32Array;
  /** Pairs that have nothing to do with this library: what the head must not unlearn. */
  readonly generic: TrainingPairs;
  /** Training is over. */
  readonly onProving?: (() => void) | undefined;
}

export interface Proof {
  /** As it was before it was trained. */
  readonly head: Head | JointHead;
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
/** As many are kept aside for the proof where there are enough: their R@10 is then certain to about 6 points. */
const provingPairs = 120;
const sharesTried = [0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.75, 1];
/** Photos and texts that each judged pair is looked for among. */
const mostCandidates = 2_000;

/**
 * Trains on most of the pairs, chooses how far to go on some, and judges on others, which nothing has seen.
 * @throws AppError input-invalid when there are too few pairs or all texts are the same, cancelled
 */
export async function proveHead(options: ProofOptions): Promise<Proof> {
  const { pairs, kin, generic, seed, threads, signal } = options;
  checkPairs(pairs, 'training');
  checkPairs(generic, 'generic');
  checkVariety(pairs, kin);
  const { train, choose, prove, proveKin } = splitPairs(
    pairs,
    kin,
    randomOf(seed, 'split'),
    sharesOf(kin.length),
  );
  const head = options.head(train);
  const training = await trainHead({ ...options, head, train, heldOut: choose });
  options.onProving?.();

  const at = (share: number): Record<string, Float32Array> =>
    head.name === 'joint'
      ? weaken(training.parameters, share)
      : interpolate(head, training.parameters, share);
  // A dozen pairs among each other would all be found: the others are candidates, too, as they are in the library.
  const beside = (part: TrainingPairs): TrainingPairs =>
    takePairs(
      train,
      [...drawnOrder(train.weights.length, randomOf(seed, 'sample', 2))].slice(0, mostBeside(part)),
    );
  const [chooseAmong, proveAmong] = [choose, prove].map((part) => appendPairs(part, beside(part)));
  const scores = openHeadScores(head, threads);
  const judge = async (
    among: TrainingPairs | undefined,
    parameters: Readonly<Record<string, Float32Array>>,
    asked?: TrainingPairs,
  ): Promise<Ranks> => {
    stopIfAborted(signal);
    // Stop messages are heard between two looks.
    await new Promise(setImmediate);
    return scores.ranks(among ?? generic, parameters, asked?.weights.length);
  };
  try {
    const start = at(0);
    const genericBefore = bothWays(await judge(generic, start));
    const tried = [];
    for (const share of sharesTried) {
      const parameters = at(share);
      const chosen = bothWays(await judge(chooseAmong, parameters, choose));
      tried.push({ share, parameters, chosen, wide: bothWays(await judge(generic, parameters)) });
    }
    // The best for this library among those that unlearn nothing; if all do, the gentlest.
    const harmless = tried.filter(({ wide }) => isHarmless({ before: genericBefore, after: wide }));
    const best = (harmless.length > 0 ? harmless : tried.slice(0, 1)).reduce((a, b) =>
      b.chosen.r10 + b.chosen.mrr > a.chosen.r10 + a.chosen.mrr ? b : a,
    );
    const [beforeRanks, afterRanks] = [
      await judge(proveAmong, start, prove),
      await judge(proveAmong, best.parameters, prove),
    ];
    const found = {
      before: bothWays(beforeRanks),
      after: bothWays(afterRanks),
      gain: differenceInterval(beforeRanks, afterRanks, {
        random: randomOf(seed, 'bootstrap'),
        clusters: {
          textToImage: proveKin,
          // One rank for each photo, in the order of their first rows.
          imageToText: proveKin.filter((_, row) => prove.groups.indexOf(prove.groups[row] ?? -1) === row),
        },
      }),
      generic: { before: genericBefore, after: best.wide },
    };
    return {
      head,
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
    await scores.close();
  }
}

/** Few pairs prove little: of a small library a larger part is kept aside. */
function sharesOf(count: number): { choose: number; prove: number } {
  return { choose: 0.15, prove: Math.min(0.35, Math.max(0.15, provingPairs / count)) };
}

/** Candidates beside the pairs that are judged. */
function mostBeside(part: TrainingPairs): number {
  return Math.max(0, mostCandidates - part.weights.length);
}

/** Shares of pairs that are counted as floating-point numbers don't lose half a point exactly. */
function isHarmless({ before, after }: Proof['generic']): boolean {
  return after.r10 >= before.r10 - genericAllowance - 1e-9;
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
  if (!isHarmless(generic))
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
      `There are ${String(kin.length)} examples of ${String(groups)} different photos; at least ${String(fewestGroups)} are needed to learn from some and prove it on others. Give ${String(fewestGroups - groups)} more thumbs, names or captions first.`,
      { details: { groups, needed: fewestGroups, more: fewestGroups - groups } },
    );
  if (texts.every((value, i) => value === texts[i % dims]))
    throw new AppError(
      'input-invalid',
      'All examples have the same words, so there is nothing to tell them apart by. Add examples with other words.',
    );
}
