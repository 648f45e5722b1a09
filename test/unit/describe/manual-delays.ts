/** A clock that tests turn by hand. */
import type { Delays } from '../../../main/engine/describe/types.ts';

export interface ManualDelays extends Delays {
  /** Runs what is due by now; what that begins waits for the next turn. */
  turn(): void;
  readonly waiting: number;
}

export function manualDelays(): ManualDelays {
  const due = new Set<() => void>();
  return {
    after(_delayMs, run) {
      due.add(run);
      return () => due.delete(run);
    },
    turn() {
      const now = [...due];
      due.clear();
      for (const run of now) run();
    },
    get waiting() {
      return due.size;
    },
  };
}

/** Lets everything that needs neither a timer nor the disk go on. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
}

/** Waits for what the disk or another process has a part in. @throws after ten seconds */
export async function until(what: string, isSo: () => boolean): Promise<void> {
  const startedAt = performance.now();
  while (!isSo()) {
    if (performance.now() - startedAt > 10_000) throw new Error(`it never came about that ${what}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}
