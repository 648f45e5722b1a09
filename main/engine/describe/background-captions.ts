/** Captions new photos when there is nothing better to do, if the person wants it. */
import { AppError } from '../../errors.ts';
import type { CaptionRuns } from './caption-runs.ts';

export interface BackgroundCaptionsOptions {
  readonly runs: Pick<CaptionRuns, 'run' | 'wake'>;
  /** As the setting says. */
  readonly isWanted: () => boolean;
  /** False when there is nothing to caption, so that no model is loaded for nothing. */
  readonly hasWork: () => Promise<boolean>;
  readonly onProblem: (error: AppError) => void;
}

export interface BackgroundCaptions {
  /** Photos arrived, indexing ended, or the setting was changed. */
  changed(): void;
  /** A person stopped captioning: it stays stopped until the setting is switched on again. */
  stopped(): void;
  /** Resolves when its part in a run has ended. */
  close(): Promise<void>;
}

export function createBackgroundCaptions(options: BackgroundCaptionsOptions): BackgroundCaptions {
  const { runs, isWanted, hasWork } = options;
  let controller: AbortController | undefined;
  let running: Promise<void> = Promise.resolve();
  const state = { stopped: false, closed: false, again: false };
  const isDue = (): boolean => state.again && !state.stopped;

  const work = async (signal: AbortSignal): Promise<void> => {
    do {
      state.again = false;
      if (!(await hasWork())) continue;
      signal.throwIfAborted();
      await runs.run({ again: false, background: true, signal });
    } while (isDue() && !signal.aborted);
  };

  return {
    changed() {
      if (state.closed) return;
      runs.wake();
      if (!isWanted()) {
        state.stopped = false;
        controller?.abort();
        return;
      }
      state.again = true;
      if (state.stopped || controller !== undefined) return;
      const mine = (controller = new AbortController());
      running = work(mine.signal)
        .catch((thrown: unknown) => {
          const error = AppError.from(thrown, 'Captioning in the background');
          if (error.code !== 'cancelled' && error.code !== 'engine-stopped') options.onProblem(error);
        })
        .finally(() => {
          controller = undefined;
        });
    },
    stopped() {
      state.stopped = true;
    },
    async close() {
      state.closed = true;
      controller?.abort();
      await running;
    },
  };
}
