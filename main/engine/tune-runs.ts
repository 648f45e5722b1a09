/** Tuning runs as clients see them: one at a time, followed by everybody, stopped, ended with the engine or the pack. */
import type { TuneProgress, TuneRun } from '../contract.ts';
import { AppError } from '../errors.ts';
import { toRun, type TuneBase } from './tune-record.ts';
import { trainRun, type Ending, type RunAsked, type TrainingOptions } from './tune-training.ts';

export interface TuneRunsOptions extends TrainingOptions {
  /** Null when the run is over. */
  readonly onProgress: (progress: TuneProgress | null) => void;
  /** A run began, ended or went. */
  readonly onRuns: () => void;
}

export interface TuneRuns {
  /**
   * Trains and proves. Another is refused while one is under way. An abort stops it, and it can go on later.
   * @returns the run: offered, refused, or stopped by `stop`.
   * @throws AppError input-invalid (too little to learn from, a run under way, nothing to go on with), cancelled,
   *   worker-died, engine-stopped, disk-full
   */
  run(
    asked: RunAsked,
    context: { signal: AbortSignal; onProgress: (progress: TuneProgress) => void },
  ): Promise<TuneRun>;
  progress(): TuneProgress | null;
  /** The run under way. */
  activeId(): number | undefined;
  /** Ends the run under way, and waits until it has let go. */
  stop(): Promise<void>;
  /** Another pack is in use: what is being learnt for the former fits nothing any more. */
  baseChanged(fingerprint: string): void;
  close(): Promise<void>;
}

interface ActiveRun {
  readonly controller: AbortController;
  base: TuneBase | undefined;
  progress: TuneProgress | null;
  ending: Ending | undefined;
  over: Promise<unknown>;
}

/** The library keeps this many runs that proved no better; the oldest go first. */
const mostRefused = 100;

export function createTuneRuns(options: TuneRunsOptions): TuneRuns {
  const { store, memory } = options;
  let active: ActiveRun | undefined;
  let closed = false;

  const end = (ending: Ending): void => {
    if (active === undefined || active.ending !== undefined) return;
    active.ending = ending;
    active.controller.abort(ending.error);
  };
  const prune = (): void => {
    const refused = store.runs.list().filter(({ state }) => state === 'refused');
    for (const { id } of refused.slice(mostRefused)) {
      store.runs.remove(id);
      memory.forget(id);
    }
  };
  const follow = async (
    run: ActiveRun,
    asked: RunAsked,
    onProgress: (progress: TuneProgress) => void,
  ): Promise<TuneRun> => {
    try {
      const row = await trainRun(options, asked, {
        signal: run.controller.signal,
        ending: () => run.ending,
        show({ id, curve, settings }, stage, secondsLeft) {
          run.progress = {
            runId: id,
            stage,
            epoch: curve.at(-1)?.epoch ?? 0,
            epochs: settings.epochs,
            curve,
            secondsLeft,
          };
          options.onProgress(run.progress);
          onProgress(run.progress);
        },
        onBase(base) {
          run.base = base;
        },
        onBegun: options.onRuns,
      });
      prune();
      return toRun(row);
    } catch (thrown) {
      const kept = run.progress === null ? undefined : store.runs.get(run.progress.runId);
      // Whoever stopped it is told so by its state; one that had nothing to keep yet was only cancelled.
      if (run.ending?.error.details?.by === 'stop' && kept?.state === 'stopped') return toRun(kept);
      throw run.ending?.error ?? AppError.from(thrown, 'The training');
    } finally {
      active = undefined;
      options.onProgress(null);
      options.onRuns();
    }
  };

  return {
    async run(asked, { signal, onProgress }) {
      if (closed) throw stopping();
      signal.throwIfAborted();
      if (active !== undefined)
        throw new AppError(
          'input-invalid',
          'The search is being improved already. Wait for that run to end, or stop it first.',
        );
      const run: ActiveRun = {
        controller: new AbortController(),
        base: undefined,
        progress: null,
        ending: undefined,
        over: Promise.resolve(),
      };
      active = run;
      const leave = (): void => end({ state: 'stopped', error: cancelled('caller') });
      signal.addEventListener('abort', leave, { once: true });
      const result = follow(run, asked, onProgress);
      run.over = result.catch(() => undefined);
      try {
        return await result;
      } finally {
        signal.removeEventListener('abort', leave);
      }
    },
    progress: () => active?.progress ?? null,
    activeId: () => active?.progress?.runId,
    async stop() {
      const over = active?.over;
      end({ state: 'stopped', error: cancelled('stop') });
      await over;
    },
    baseChanged(fingerprint) {
      if (active?.base === undefined || active.base.fingerprint === fingerprint) return;
      end({
        state: 'failed',
        error: new AppError(
          'input-invalid',
          `The model was changed meanwhile, and what was being learnt for ${active.base.packName} does not fit the other. Start again.`,
        ),
      });
    },
    async close() {
      closed = true;
      const over = active?.over;
      end({ state: 'interrupted', error: stopping() });
      await over;
    },
  };
}

function stopping(): AppError {
  return new AppError(
    'engine-stopped',
    'The training was interrupted: the app is closing. It can go on later.',
  );
}

function cancelled(by: 'caller' | 'stop'): AppError {
  return new AppError('cancelled', 'The training was stopped; the search is as it was.', { details: { by } });
}
