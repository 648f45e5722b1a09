/** Puts the parts of learning from a person together: what there is, runs and their proof, heads into use and out again. */
import type {
  PairSource,
  QueryComparison,
  SwapProgress,
  TuneProgress,
  TuneRun,
  TuneSources,
} from '../contract.ts';
import { createTuneCompare, type CompareAsked, type TuneCompareOptions } from './tune-compare.ts';
import { exportHead, importHead, type TuneExchangeOptions } from './tune-exchange.ts';
import { createTuneMemory } from './tune-memory.ts';
import { estimateSeconds, toRun, type TuneBase } from './tune-record.ts';
import { createTuneRuns } from './tune-runs.ts';
import { createTuneSwap, type TuneSwapOptions } from './tune-swap.ts';
import type { PairsAsked, RunAsked, TrainingOptions } from './tune-training.ts';
import type { SourcesReport } from './tune/pairs/types.ts';
import type { TuneProcess } from './tune/types.ts';

export interface TuningOptions
  extends
    Omit<TrainingOptions, 'memory' | 'process'>,
    Pick<TuneSwapOptions, 'heads' | 'onSwapped'>,
    Pick<TuneCompareOptions, 'inUse' | 'searchOver' | 'orderingOf'>,
    Pick<TuneExchangeOptions, 'checkShapes'> {
  readonly process: Pick<TuneProcess, 'learn' | 'project'>;
  /** What there is to learn from, without embedding anything. */
  readonly survey: (base: TuneBase, asked: PairsAsked, signal: AbortSignal) => Promise<SourcesReport>;
  /** Null when a run is over. */
  readonly onProgress: (progress: TuneProgress | null) => void;
  readonly onRuns: (state: { runs: TuneRun[]; active: number | null }) => void;
}

interface LongContext<P> {
  readonly signal: AbortSignal;
  readonly onProgress: (progress: P) => void;
}

export interface Tuning {
  /** @throws AppError pack-missing, cancelled */
  sources(
    asked: { file: string | null; sources?: readonly PairSource[] | undefined },
    signal: AbortSignal,
  ): Promise<TuneSources>;
  /** See TuneRuns.run. */
  run(asked: RunAsked, context: LongContext<TuneProgress>): Promise<TuneRun>;
  progress(): TuneProgress | null;
  stop(): Promise<void>;
  list(): { runs: TuneRun[]; active: number | null };
  /** See TuneCompare.compare. */
  compare(asked: CompareAsked, signal: AbortSignal): Promise<QueryComparison[]>;
  /** See TuneSwap.accept. */
  accept(runId: number, context: LongContext<SwapProgress>): Promise<{ run: TuneRun; seconds: number }>;
  /** See TuneSwap.undo. */
  undo(context: LongContext<SwapProgress>): Promise<{ active: number | null; seconds: number }>;
  decline(runId: number): TuneRun;
  remove(runId: number): void;
  /** @returns the path of the file. See exportHead. */
  export(runId: number, folder: string): Promise<string>;
  /** See importHead. */
  import(path: string): Promise<TuneRun>;
  /** Another pack is in use: runs made for the former are not in use any more, and one under way has failed. */
  packChanged(): void;
  /** Ends what runs, and goes back to the pack's own vectors: all that was learnt may be erased then. */
  reset(signal: AbortSignal): Promise<void>;
  /** Ends the run under way, which can go on at the next start. */
  close(): Promise<void>;
}

export function createTuning(options: TuningOptions): Tuning {
  const { store, now } = options;
  const memory = createTuneMemory(store);
  const list: Tuning['list'] = () => ({ runs: store.runs.list().map(toRun), active: swap.active() });
  const tellRuns = (): void => options.onRuns(list());
  const runs = createTuneRuns({ ...options, memory, onRuns: tellRuns });
  const swap = createTuneSwap({ ...options, memory, running: () => runs.activeId(), onRuns: tellRuns });
  const comparing = createTuneCompare(options);
  if (!store.readOnly) takeUpAfterCrash(options);

  return {
    async sources({ file, sources }, signal) {
      const base = await options.base();
      const report = await options.survey(base, { file, sources, seed: 1, at: now() }, signal);
      return { ...report, secondsEstimate: estimateSeconds(report.pairs, base.dims) };
    },
    run: (asked, context) => runs.run(asked, context),
    progress: () => runs.progress(),
    stop: () => runs.stop(),
    list() {
      swap.reconcile();
      return list();
    },
    compare: (asked, signal) => comparing.compare(asked, signal),
    accept: (runId, context) => swap.accept(runId, context),
    undo: (context) => swap.undo(context),
    decline: (runId) => swap.decline(runId),
    remove: (runId) => swap.remove(runId),
    export: (runId, folder) => exportHead(options, runId, folder),
    async import(path) {
      const run = await importHead(options, path);
      tellRuns();
      return run;
    },
    packChanged() {
      const model = store.embeddings.activeModel();
      if (model !== undefined) runs.baseChanged(model.base?.fingerprint ?? model.fingerprint);
      swap.reconcile();
    },
    async reset(signal) {
      await runs.stop();
      await swap.reset(signal);
    },
    close: () => runs.close(),
  };
}

/** A process that ended in the midst of a run left it "running"; what had not come to train has nothing to go on with. */
function takeUpAfterCrash({ store, now }: Pick<TuningOptions, 'store' | 'now'>): void {
  for (const { id, state, dataHash } of store.runs.list())
    if (state === 'running' && dataHash === '') store.runs.remove(id);
  const error = {
    code: 'engine-stopped',
    message: 'The app was closed in the midst of this run. It can go on from its last epochs.',
  } as const;
  store.runs.interruptRunning(error, now());
}
