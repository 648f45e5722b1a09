/** Real worker processes whose beginnings, ends and messages a test can count, and that it can kill. */
import { createNodeSpawner } from '../../../../main/engine/inference/node-spawner.ts';
import type { SpawnWorker, WorkerProcess } from '../../../../main/engine/inference/types.ts';
import { silentLog } from '../../../../main/engine/log.ts';

export interface CountedSpawner {
  readonly spawn: SpawnWorker;
  readonly started: number;
  readonly running: number;
  /** What the processes said before their answers. */
  readonly progress: unknown[];
  /** Ends the processes that run as if they had crashed. */
  crash(): void;
  /** Settles when none is running. */
  gone(): Promise<void>;
}

export function countedSpawner(): CountedSpawner {
  const inner = createNodeSpawner({ log: silentLog });
  const running = new Set<WorkerProcess>();
  const progress: unknown[] = [];
  let started = 0;
  let waiting: (() => void)[] = [];
  return {
    spawn: (name) => {
      const worker = inner(name);
      started++;
      running.add(worker);
      worker.onMessage((message) => {
        if (typeof message === 'object' && message !== null && 'progress' in message)
          progress.push(message.progress);
      });
      worker.onExit(() => {
        running.delete(worker);
        if (running.size > 0) return;
        for (const resolve of waiting) resolve();
        waiting = [];
      });
      return worker;
    },
    get started() {
      return started;
    },
    get running() {
      return running.size;
    },
    progress,
    crash() {
      for (const worker of running) worker.kill();
    },
    gone: () =>
      running.size === 0
        ? Promise.resolve()
        : new Promise((resolve) => {
            waiting.push(resolve);
          }),
  };
}
