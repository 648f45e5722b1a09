/** A run as it is kept and shown, and what it is set to where nobody said otherwise. */
import type { PairSource, TuneRun, TuneSettings } from '../contract.ts';
import type { RunRecord, RunRow } from './store/types.ts';
import type { GatheredPairs, LearntHead } from './tune/types.ts';

/** The pack that heads are trained over: always its own vectors, whatever head is in use. */
export interface TuneBase {
  readonly modelId: number;
  readonly fingerprint: string;
  readonly packId: string;
  readonly packName: string;
  readonly dims: number;
}

/** Settings as they were asked for. */
export type AskedSettings = Pick<TuneSettings, 'head' | 'loss' | 'epochs' | 'seed'> & {
  readonly batch?: number | undefined;
  readonly learningRate?: number | undefined;
};

/** The share of the pairs that is trained on; the others choose and prove. */
const trainShare = 0.7;
/** Steps that an epoch has at least, where there are pairs enough: with batches four times as large less is learnt. */
const stepsPerEpoch = 4;
const batches = { smallest: 16, largest: 1_024 } as const;
/** Measured on own words for 200 and 1,000 photos, see test/bench/tuning-quality.ts: ten times as much learns no better. */
const learningRates: Readonly<Record<TuneSettings['head'], number>> = {
  cache: 3e-3,
  residual: 3e-3,
  linear: 1e-3,
  'low-rank': 1e-2,
  mlp: 2e-2,
  joint: 3e-3,
  fusion: 1e-2,
};

/** What was not said is chosen by how many pairs there are. */
export function settle(asked: AskedSettings, pairs: number, sources: readonly PairSource[]): TuneSettings {
  const steady = 2 ** Math.floor(Math.log2(Math.max(2, (trainShare * pairs) / stepsPerEpoch)));
  const batch = Math.min(batches.largest, Math.max(batches.smallest, steady));
  return {
    head: asked.head,
    loss: asked.loss,
    epochs: asked.epochs,
    seed: asked.seed,
    batch: asked.batch ?? batch,
    learningRate: asked.learningRate ?? learningRates[asked.head],
    sources: [...sources],
  };
}

/** A run that nothing is known of yet. */
export function newRecord(base: TuneBase, settings: TuneSettings, startedAt: number): RunRecord {
  return {
    state: 'running',
    startedAt,
    endedAt: null,
    imported: false,
    settings,
    packId: base.packId,
    packName: base.packName,
    dims: base.dims,
    dataHash: '',
    pairs: 0,
    bySource: [],
    split: null,
    curve: [],
    bestEpoch: null,
    before: null,
    after: null,
    gain: null,
    generic: null,
    share: null,
    accepted: null,
    reason: null,
    seconds: 0,
    error: null,
  };
}

/** What is known of a run once its pairs are there. */
export function dataOf({
  dataHash,
  sources,
}: GatheredPairs): Pick<RunRecord, 'dataHash' | 'pairs' | 'bySource'> {
  const counts = new Map<PairSource, number>();
  for (const source of sources) counts.set(source, (counts.get(source) ?? 0) + 1);
  return {
    dataHash,
    pairs: sources.length,
    bySource: [...counts].map(([source, pairs]) => ({ source, pairs })),
  };
}

/** What is known of a run once it is proved. */
export function proofOf(learnt: LearntHead, genericName: string): Partial<RunRecord> {
  return {
    state: learnt.accepted ? 'offered' : 'refused',
    split: { ...learnt.split },
    bestEpoch: learnt.bestEpoch,
    before: { ...learnt.before },
    after: { ...learnt.after },
    gain: { low: learnt.gain.low, high: learnt.gain.high },
    generic: {
      name: genericName,
      before: { ...learnt.generic.before },
      after: { ...learnt.generic.after },
    },
    share: learnt.share,
    accepted: learnt.accepted,
    reason: learnt.reason,
    error: null,
  };
}

/** As clients see it. */
export function toRun(row: RunRow): TuneRun {
  const run: TuneRun & { fingerprint?: string } = { ...row };
  delete run.fingerprint;
  return run;
}

/** Multiplications and additions of training that two cores get through in a second: 55-62 thousand million, measured. */
const operationsPerSecond = 50e9;
/** Starting the process, the texts of the generic set, proving. */
const secondsAlways = 3;
/** Texts that a pack's text side embeds in a second: 1,500 by the starter (measured), fewer by larger ones. */
const textsPerSecond = 700;

/** @returns seconds that a run of so many pairs takes with the usual settings, rather more than less. */
export function estimateSeconds(pairs: number, dims: number): number {
  if (pairs === 0) return 0;
  const { batch, epochs } = settle({ head: 'cache', loss: 'infonce', epochs: 20, seed: 1 }, pairs, []);
  // Forward once and backward twice: the head's product, and the batch's similarities.
  const perPair = 3 * (dims * dims + Math.min(batch, pairs) * dims);
  // Replay comes on top, pair for pair.
  const training = (2 * epochs * trainShare * pairs * perPair) / operationsPerSecond;
  return Math.ceil(secondsAlways + training + pairs / textsPerSecond);
}
