/** Caption runs as clients see them: one at a time, joined by every caller, paused, stopped, in the background. */
import type { CaptionProgress, CaptionReport } from '../../contract.ts';
import { AppError } from '../../errors.ts';
import { createCaptionQueue, type CaptionQueue } from './caption-queue.ts';
import { runCaptions } from './caption-run.ts';
import { createQuarantine } from './quarantine.ts';
import type { DescribeOptions } from './types.ts';

/** As the library's rate of indexing: over the last seconds of work. */
interface Rate {
  note(done: number): void;
  restart(done: number): void;
  perSecond(): number;
  secondsFor(left: number): number | null;
}

export interface CaptionRunsOptions extends DescribeOptions {
  readonly createRate: () => Rate;
  /** True while photos are being indexed: what runs in the background waits for its end. */
  readonly isIndexing: () => boolean;
  readonly onProgress: (progress: CaptionProgress) => void;
}

interface RunRequest {
  /** The whole library without ids. */
  readonly photoIds?: readonly number[] | undefined;
  readonly again: boolean;
  /** Nobody waits for it: it gives way to indexing, and leaves out what failed before. */
  readonly background?: boolean;
  readonly signal: AbortSignal;
  readonly onProgress?: ((progress: CaptionProgress) => void) | undefined;
}

export interface CaptionRuns {
  /**
   * Joins or widens the run under way; every caller gets its report. An abort detaches its caller, and the run ends
   * when the last has gone. Asking for captions ends a pause.
   * @throws AppError as `runCaptions`
   */
  run(request: RunRequest): Promise<CaptionReport>;
  state(): CaptionProgress;
  /** The photo in work is finished; no other is begun until `resume`. */
  pause(): void;
  resume(): void;
  /** @returns whether there was a run to stop. */
  stop(): boolean;
  /** What a run waits for may have come about. */
  wake(): void;
  /** Ends the run under way (its callers get engine-stopped) and waits for the photo in work to be let go. */
  close(): Promise<void>;
}

interface ActiveRun {
  readonly report: Promise<CaptionReport>;
  readonly queue: CaptionQueue;
  readonly controller: AbortController;
  readonly listeners: Set<(progress: CaptionProgress) => void>;
  callers: number;
  /** Callers that a person is behind. */
  people: number;
  stopped: boolean;
  over: boolean;
}

const idle: CaptionProgress = {
  phase: 'idle',
  done: 0,
  total: 0,
  failed: 0,
  photosPerMinute: 0,
  secondsLeft: null,
  current: null,
};

export function createCaptionRuns(options: CaptionRunsOptions): CaptionRuns {
  const { store, log } = options;
  const quarantine = createQuarantine(store);
  /** Photos that failed since the app was started; a person may ask for them again. */
  const failedBefore = new Set<number>();
  const closing = new AbortController();
  let progress = idle;
  let paused = false;
  let active: ActiveRun | undefined;
  let last: Promise<unknown> = Promise.resolve();
  let wakeUp: (() => void) | undefined;

  const wake = (): void => wakeUp?.();

  const start = (): ActiveRun => {
    const before = last;
    const controller = new AbortController();
    const signal = AbortSignal.any([controller.signal, closing.signal]);
    const rate = options.createRate();
    let failed = 0;
    let current: string | null = null;
    const show = (phase: CaptionProgress['phase']): void => {
      const { taken, left } = run.queue.counts();
      const done = current === null ? taken : taken - 1;
      progress = {
        phase,
        done,
        total: taken + left,
        failed,
        photosPerMinute: phase === 'captioning' ? rate.perSecond() * 60 : 0,
        secondsLeft: phase === 'captioning' ? rate.secondsFor(taken + left - done) : null,
        current,
      };
      options.onProgress(progress);
      for (const listener of run.listeners) listener(progress);
    };
    const hold = (): 'paused' | 'waiting' | undefined => {
      if (signal.aborted || run.stopped) return undefined;
      if (paused) return 'paused';
      return run.people === 0 && options.isIndexing() ? 'waiting' : undefined;
    };
    const mayBegin = async (): Promise<void> => {
      for (let held = hold(); held !== undefined; held = hold()) {
        show(held);
        await new Promise<void>((resolve) => (wakeUp = resolve));
        wakeUp = undefined;
        rate.restart(run.queue.counts().taken);
      }
    };
    signal.addEventListener('abort', wake, { once: true });
    const run: ActiveRun = {
      queue: createCaptionQueue(store, (photoId) => run.people === 0 && failedBefore.has(photoId)),
      controller,
      listeners: new Set(),
      callers: 0,
      people: 0,
      stopped: false,
      over: false,
      // Begun when its first caller has said what is wanted, and a run that was ended has let its photo go.
      report: before.then(() =>
        runCaptions({
          ...options,
          queue: run.queue,
          quarantine,
          signal,
          mayBegin,
          isStopped: () => run.stopped,
          onBegun(name) {
            current = name;
            show('captioning');
          },
          onSettled({ photoId }, didFail) {
            current = null;
            if (didFail) {
              failed += 1;
              failedBefore.add(photoId);
              run.queue.pass(photoId);
            } else failedBefore.delete(photoId);
            rate.note(run.queue.counts().taken);
            show('captioning');
          },
        }),
      ),
    };
    active = run;
    last = run.report
      .catch((thrown: unknown) => log.debug('a caption run ended early', { reason: String(thrown) }))
      .then(() => {
        run.over = true;
        if (active !== run) return;
        active = undefined;
        paused = false;
        progress = idle;
        options.onProgress(idle);
      });
    return run;
  };

  const joinable = (): ActiveRun =>
    active !== undefined && !active.over && !active.stopped && !active.controller.signal.aborted
      ? active
      : start();

  return {
    async run({ photoIds, again, background = false, signal, onProgress }) {
      closing.signal.throwIfAborted();
      signal.throwIfAborted();
      const run = joinable();
      if (photoIds !== undefined) run.queue.add(photoIds, { again, asked: true });
      else if (again) run.queue.add(store.photos.timeline().ids, { again, asked: false });
      else run.queue.addLibrary();
      run.callers += 1;
      if (!background) {
        run.people += 1;
        paused = false;
      }
      if (onProgress !== undefined) run.listeners.add(onProgress);
      wake();
      const left = Promise.withResolvers<never>();
      const leave = (): void => {
        run.callers -= 1;
        if (!background) run.people -= 1;
        if (onProgress !== undefined) run.listeners.delete(onProgress);
        // The last one out waits until the photo in work is let go, so that the store may be closed then.
        if (run.callers === 0) run.controller.abort(cancelled());
        else left.reject(cancelled());
      };
      signal.addEventListener('abort', leave, { once: true });
      try {
        return await Promise.race([run.report, left.promise]);
      } catch (thrown) {
        throw closing.signal.aborted ? closing.signal.reason : AppError.from(thrown, 'Captioning');
      } finally {
        signal.removeEventListener('abort', leave);
        if (onProgress !== undefined) run.listeners.delete(onProgress);
      }
    },
    state: () => progress,
    pause() {
      if (active === undefined) return;
      paused = true;
      wake();
    },
    resume() {
      paused = false;
      wake();
    },
    stop() {
      if (active === undefined) return false;
      active.stopped = true;
      active.controller.abort(cancelled());
      return true;
    },
    wake,
    async close() {
      closing.abort(new AppError('engine-stopped', 'Captioning was stopped: the app is closing.'));
      await last;
    },
  };
}

function cancelled(): AppError {
  return new AppError('cancelled', 'Captioning was cancelled.');
}
