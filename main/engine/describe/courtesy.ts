/** Lets background work step aside while a person searches or waits for words about one photo. */
import type { Delays } from './types.ts';

export interface Courtesy {
  /** A search that a person waits for. Background work begins nothing new until it is over and no other follows. */
  search<T>(work: () => Promise<T>): Promise<T>;
  /** As `search`, for captions and answers: background work in their way is broken off, too, and done again later. */
  urgent<T>(work: () => Promise<T>): Promise<T>;
  /**
   * Background work in small pieces: begun when nobody waits for anything. `work` may run more than once, since it
   * is broken off by something urgent.
   * @throws what `work` throws, and the signal's reason
   */
  whenQuiet<T>(work: (signal: AbortSignal) => Promise<T>, signal: AbortSignal): Promise<T>;
  /** Nothing waits for anything any more, and no pause keeps the process from ending. */
  close(): void;
}

/** Between two words a person types about 200 ms pass, at a pause for thought some more: not yet the moment to begin. */
const quietAfterMs = 500;

export function createCourtesy(timers: Delays): Courtesy {
  let busy = 0;
  let closed = false;
  /** Cancels the pause after the last of it. */
  let cooling: (() => void) | undefined;
  const stopCooling = (): void => {
    cooling?.();
    cooling = undefined;
  };
  const waiting = new Set<() => void>();
  const interruptible = new Set<AbortController>();

  const isQuiet = (): boolean => busy === 0 && cooling === undefined;
  const settle = (): void => {
    if (!isQuiet()) return;
    for (const resolve of waiting) resolve();
    waiting.clear();
  };
  const during = async <T>(work: () => Promise<T>): Promise<T> => {
    busy += 1;
    stopCooling();
    try {
      return await work();
    } finally {
      busy -= 1;
      stopCooling();
      // Only what is in the background cares for the pause.
      if (!closed)
        cooling = timers.after(quietAfterMs, () => {
          cooling = undefined;
          settle();
        });
    }
  };
  const quiet = async (signal: AbortSignal): Promise<void> => {
    while (!isQuiet()) {
      signal.throwIfAborted();
      await new Promise<void>((resolve) => {
        waiting.add(resolve);
        signal.addEventListener('abort', () => resolve(), { once: true });
      });
    }
    signal.throwIfAborted();
  };

  return {
    search: during,
    urgent(work) {
      for (const running of interruptible) running.abort();
      return during(work);
    },
    async whenQuiet(work, signal) {
      for (;;) {
        await quiet(signal);
        const stepAside = new AbortController();
        interruptible.add(stepAside);
        try {
          return await work(AbortSignal.any([signal, stepAside.signal]));
        } catch (thrown) {
          if (signal.aborted || !stepAside.signal.aborted) throw thrown;
        } finally {
          interruptible.delete(stepAside);
        }
      }
    },
    close() {
      closed = true;
      stopCooling();
      settle();
    },
  };
}
