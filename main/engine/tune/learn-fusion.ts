/** A run of the head that weighs evidence: cross-validated by search, as thumbs are few. */
import { AppError } from '../../errors.ts';
import { decodeCheckpoint, encodeCheckpoint } from './checkpoint.ts';
import { bothWays, retrieval, type Retrieval } from './evaluate.ts';
import {
  judgedQueries,
  openFusionTraining,
  orderInterval,
  orderOf,
  retrievalOfOrders,
  usualWorth,
  wordKinds,
  worthOf,
  type JudgedQuery,
  type Ordered,
} from './fusion-head.ts';
import { createHead } from './heads.ts';
import { openHeadScores } from './score-head.ts';
import { drawnOrder, randomOf } from './seeded.ts';
import { stopIfAborted, type EpochReport } from './train-head.ts';
import type { LearningOptions, LearningTask, LearntHead } from './types.ts';

/** Fewer searches with thumbs both ways prove nothing. */
const fewestJudgedQueries = 20;
const folds = 5;

/**
 * One model learns from all searches, and five more each without a fifth of them and without what is kin to their
 * photos: each search is judged by the model that has not seen it. Nothing is chosen by what was held out, so all
 * epochs are made.
 * @throws AppError input-invalid (too few thumbs, a checkpoint of another run), cancelled
 */
export async function learnFusion(task: LearningTask, options: LearningOptions = {}): Promise<LearntHead> {
  const { settings, threads, gathered } = task;
  const queries = judgedQueries(gathered.evidence);
  checkEvidence(task, queries);
  const place = drawnOrder(queries.length, randomOf(settings.seed, 'split'));
  const foldOf = new Map([...place].map((row, i) => [queries[row], i % folds]));
  const seenBy = Array.from({ length: folds }, (_, fold) => trainedWithout(queries, foldOf, fold));
  const models = [queries, ...seenBy];
  const { step, epoch: runEpoch } = await openFusionTraining(models, threads);
  try {
    const resumed = task.checkpoint === undefined ? undefined : decodeCheckpoint(task, task.checkpoint);
    if (resumed !== undefined) step.restore(resumed.state);
    const reports: EpochReport[] = [...(resumed?.reports ?? [])];
    const learnt = (model: number): ReturnType<typeof worthOf> =>
      worthOf(step.state().parameters['factor'] ?? new Float32Array(0), model, models.length);
    const judged = (): Ordered[] => {
      const byFold = Array.from({ length: folds }, (_, fold) => learnt(1 + fold));
      return queries.map((query) => orderOf(query, byFold[foldOf.get(query) ?? 0] ?? usualWorth));
    };
    while (reports.length < settings.epochs) {
      stopIfAborted(options.signal);
      const trainLoss = await runEpoch();
      if (!Number.isFinite(trainLoss))
        throw new AppError(
          'internal',
          'The training ran away: its loss is no number any more. The search is as it was.',
        );
      const orders = judged();
      // What is not in order of held-out pairs: the loss that a person would see.
      const heldOutLoss = 1 - orders.reduce((sum, { order }) => sum + order, 0) / orders.length;
      const { r10 } = retrievalOfOrders(orders, retrieval);
      const report = { epoch: reports.length + 1, trainLoss, heldOutLoss, r10 };
      reports.push(report);
      const state = step.state();
      const best = { loss: heldOutLoss, epoch: report.epoch, parameters: state.parameters };
      options.onEpoch?.({
        ...report,
        checkpoint: encodeCheckpoint(task, { state, reports: [...reports], best }),
      });
      // Stop messages are heard between epochs.
      await new Promise(setImmediate);
    }
    options.onProving?.();
    stopIfAborted(options.signal);
    const [before, after] = [queries.map((query) => orderOf(query, usualWorth)), judged()];
    const worth = learnt(0);
    const gain = orderInterval(before, after, randomOf(settings.seed, 'bootstrap'));
    const wide = await genericRetrieval(task);
    return {
      head: 'fusion',
      parameters: {
        worth: { shape: [wordKinds.length], values: Float32Array.from(wordKinds, (kind) => worth[kind]) },
      },
      share: 1,
      bestEpoch: reports.length,
      split: { train: queries.length, choose: 0, prove: queries.length },
      before: retrievalOfOrders(before, retrieval),
      after: retrievalOfOrders(after, retrieval),
      gain,
      // No vectors move, and the generic pairs have no captions, tags or names to weigh.
      generic: { before: wide, after: wide },
      ...verdict(before, after, gain),
    };
  } finally {
    await step.close();
  }
}

function trainedWithout(
  queries: readonly JudgedQuery[],
  foldOf: ReadonlyMap<JudgedQuery | undefined, number>,
  fold: number,
): JudgedQuery[] {
  const heldOut = queries.filter((query) => foldOf.get(query) === fold);
  const seen = new Set(heldOut.flatMap(({ kin }) => [...kin]));
  const others = queries.filter((query) => foldOf.get(query) !== fold);
  const apart = others.filter(({ kin }) => ![...kin].some((group) => seen.has(group)));
  // Where all searches are about the same few photos, that the searches differ must do.
  return apart.length >= queries.length / 4 ? apart : others;
}

function checkEvidence({ gathered }: LearningTask, queries: readonly JudgedQuery[]): void {
  for (const { looks, words } of gathered.evidence)
    if (![looks, ...Object.values(words)].every(Number.isFinite))
      throw new AppError(
        'input-invalid',
        'A photo that got a thumb has a vector that is not a number. Index it again.',
      );
  const more = fewestJudgedQueries - queries.length;
  if (more > 0)
    throw new AppError(
      'input-invalid',
      `There are ${String(queries.length)} searches with thumbs both up and down; at least ${String(fewestJudgedQueries)} are needed to learn what words are worth. Give thumbs both ways in ${String(more)} more searches.`,
      { details: { queries: queries.length, needed: fewestJudgedQueries, more } },
    );
  const told = wordKinds.some((kind) => gathered.evidence.some(({ words }) => words[kind] > 0));
  if (!told)
    throw new AppError(
      'input-invalid',
      'None of the photos with thumbs has a caption, tag or name that holds words of its search, so there is nothing to weigh.',
    );
}

function verdict(
  before: readonly Ordered[],
  after: readonly Ordered[],
  { low, high }: LearntHead['gain'],
): Pick<LearntHead, 'accepted' | 'reason'> {
  const percent = (share: number): string => (100 * share).toFixed(1);
  const mean = (orders: readonly Ordered[]): number =>
    orders.reduce((sum, { order }) => sum + order, 0) / orders.length;
  const [was, is] = [mean(before), mean(after)];
  const figures = `thumbs up stood above thumbs down in ${percent(was)} % of cases before and in ${percent(is)} % after`;
  if (low > 0)
    return {
      accepted: true,
      reason: `In searches kept aside ${figures} (better by ${percent(low)} to ${percent(high)} points). Photos' vectors stay as they are.`,
    };
  return {
    accepted: false,
    reason:
      is > was
        ? `In searches kept aside ${figures}, which may be chance (between ${percent(low)} and ${percent(high)} points). More thumbs would show it. The search stays as it is.`
        : `In searches kept aside ${figures}. The search stays as it is.`,
  };
}

async function genericRetrieval({ gathered, dims, threads }: LearningTask): Promise<Retrieval> {
  const unmoved = createHead('linear', { dims, normal: () => 0 });
  const scores = openHeadScores(unmoved, threads);
  try {
    const start = Object.fromEntries(
      Object.entries(unmoved.parameters).map(([name, spec]) => [name, spec.start]),
    );
    return bothWays(await scores.ranks(gathered.generic, start));
  } finally {
    await scores.close();
  }
}
