/** Work that follows the library: done soon after something changed, once at a time, never more than part of the time. */
import { AppError } from '../../errors.ts';
import type { Delays } from './tags-types.ts';

export interface CatchUpOptions {
  readonly timers: Delays;
  /** Milliseconds between a change and the work, so that many changes cost one. */
  readonly delayMs: number;
  /** False: only `settled` makes it work. */
  readonly background: boolean;
  /** Brings everything up to date; called again when something changed meanwhile. */
  readonly work: (signal: AbortSignal) => Promise<void>;
  /** Hears of what failed in the background; it is tried again with the next change. */
  readonly onProblem: (error: AppError) => void;
}

export interface CatchUp {
  changed(): void;
  /** Resolves when nothing is left to do. @throws AppError what the work threw, cancelled */
  settled(signal?: AbortSignal): Promise<void>;
  /** Ends the work that is under way and waits for its end. */
  close(): Promise<void>;
}

/** Of the time while changes keep coming, the work takes at most one part in this many. */
const partOfTime = 10;

export function createCatchUp({ timers, delayMs, background, work, onProblem }: CatchUpOptions): CatchUp {
  const ending = new AbortController();
  // Nobody knows yet what changed while the library was closed.
  let wanted = true;
  let running: Promise<void> | undefined;
  let cancelTimer: (() => void) | undefined;
  let tookMs = 0;

  const run = (): Promise<void> => {
    cancelTimer?.();
    cancelTimer = undefined;
    wanted = false;
    const startedAt = performance.now();
    const mine = work(ending.signal)
      .catch((thrown: unknown) => {
        wanted = true;
        throw ending.signal.aborted
          ? new AppError('cancelled', 'It was stopped.', { cause: thrown })
          : AppError.from(thrown, 'Following the library');
      })
      .finally(() => {
        tookMs = performance.now() - startedAt;
        running = undefined;
      });
    running = mine;
    return mine;
  };
  const soon = (): void => {
    if (!background || ending.signal.aborted || cancelTimer !== undefined || running !== undefined) return;
    cancelTimer = timers.after(Math.max(delayMs, tookMs * (partOfTime - 1)), () => {
      cancelTimer = undefined;
      if (running !== undefined) return;
      run().then(
        () => {
          if (wanted) soon();
        },
        (error: unknown) => {
          if (!ending.signal.aborted) onProblem(AppError.from(error));
        },
      );
    });
  };
  return {
    changed() {
      wanted = true;
      soon();
    },
    async settled(signal) {
      const upToDate = async (): Promise<void> => {
        while (wanted || running !== undefined) {
          if (ending.signal.aborted) throw new AppError('engine-stopped', 'The engine is closing.');
          await (running ?? run());
        }
      };
      await orAborted(upToDate(), signal);
    },
    async close() {
      ending.abort();
      cancelTimer?.();
      // Whoever waited for it has heard of its failure.
      await running?.catch(() => undefined);
    },
  };
}

/** The work goes on for others; only the one who gave up stops waiting. */
async function orAborted(work: Promise<void>, signal: AbortSignal | undefined): Promise<void> {
  if (signal === undefined) return work;
  signal.throwIfAborted();
  const aborted = Promise.withResolvers<never>();
  const onAbort = (): void => aborted.reject(new AppError('cancelled', 'It was cancelled.'));
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    await Promise.race([work, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', onAbort);
    // Whatever comes of it once nobody waits concerns nobody.
    work.catch(() => undefined);
  }
}
