/** The process that trains, seen from outside: started with the first request, ended when nobody needs it. */
import { availableParallelism } from 'node:os';
import type { LabRow } from '../../contract.ts';
import { AppError } from '../../errors.ts';
import { supervise } from '../inference/supervisor.ts';
import type { SpawnWorker } from '../inference/types.ts';
import type { Log } from '../log.ts';
import type { LabEvent, LabJob, LearningEvent, LearnJob, ProjectJob } from './tune-messages.ts';
import type { LearntHead, TuneProcess } from './types.ts';

export interface TuneProcessOptions {
  readonly spawn: SpawnWorker;
  readonly log: Log;
  /** For projecting; a task to learn brings its own. */
  readonly threads?: number | undefined;
}

/** Rows in a message: 16 MiB at 512 numbers, so that a cancel is heard within a fraction of a second. */
const projectedAtOnce = 8_192;
const mostThreads = 4;

/** Starts nothing yet. */
export function openTuneProcess({ spawn, log, threads }: TuneProcessOptions): TuneProcess {
  const supervisor = supervise({ name: 'tune', spawn, log });
  const projecting = threads ?? Math.min(mostThreads, availableParallelism());
  return {
    async learn(task, { signal, onEpoch, onProving } = {}) {
      const learnt = supervisor.request('learn', { task } satisfies LearnJob, {
        signal,
        onProgress: (said) => {
          // What was under way when the caller gave up is told all the same: its checkpoint is worth keeping.
          const event = said as LearningEvent;
          if ('epoch' in event) onEpoch?.(event.epoch);
          else onProving?.();
        },
      });
      return (await learnt) as LearntHead;
    },
    async lab(task, { signal, onProgress } = {}) {
      const rows = supervisor.request('lab', { task } satisfies LabJob, {
        signal,
        onProgress: (said) => {
          onProgress?.(said as LabEvent);
        },
      });
      return (await rows) as LabRow[];
    },
    async project(head, rows, signal) {
      const { dims } = head;
      if (rows.length % dims !== 0)
        throw new AppError('internal', `The rows to project are not of ${String(dims)} numbers each.`);
      const projected = new Float32Array(rows.length);
      const step = projectedAtOnce * dims;
      for (let at = 0; at < rows.length; at += step) {
        if (signal?.aborted === true) throw new AppError('cancelled', 'Applying the head was cancelled.');
        // A copy: a view would be sent with all that lies around it.
        const job: ProjectJob = { head, rows: rows.slice(at, at + step), threads: projecting };
        projected.set((await supervisor.request('project', job, { signal })) as Float32Array, at);
      }
      return projected;
    },
    stop() {
      supervisor.stop();
    },
    close: () => supervisor.close(),
  };
}
