/** Puts the parts of the tune room together: the process that trains, and the head in use. */
import { AppError } from '../errors.ts';
import { catchUpHead } from './derive.ts';
import { createHeadSwitch, type HeadSwitch, type HeadSwitchOptions } from './head-switch.ts';
import type { LoadedModel } from './model-keeper.ts';
import type { HeadRow } from './store/types.ts';
import type { Projection, TuneProcess } from './tune/types.ts';

export type LearningOptions = Omit<HeadSwitchOptions, 'process' | 'projectionOf'>;

export interface Learning {
  /** Starts when first asked. */
  readonly process: TuneProcess;
  readonly heads: HeadSwitch;
  /** Vectors that the head in use lacks; for those who have the turn already. @returns how many were made. */
  readonly catchUpHead: (model: LoadedModel, signal: AbortSignal | undefined) => Promise<number>;
  /** Ends what runs. */
  close(): Promise<void>;
}

export function createLearning(options: LearningOptions): Learning {
  const process = openTuneProcess();
  const parts = { ...options, process, projectionOf };
  return {
    process,
    heads: createHeadSwitch(parts),
    catchUpHead: (model, signal) => catchUpHead(parts, model, signal),
    async close() {
      await process.close();
    },
  };
}

export function projectionOf(head: HeadRow): Projection {
  throw new AppError('not-supported', `Heads such as ${head.head} cannot be used yet.`);
}

function openTuneProcess(): TuneProcess {
  const no = (): Promise<never> =>
    Promise.reject(new AppError('not-supported', 'Nothing can be trained yet.'));
  return { learn: no, project: no, stop: () => undefined, close: () => Promise.resolve() };
}
