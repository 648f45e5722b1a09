/** Puts the parts of the tune room together: the process that trains, the head in use, the head that orders. */
import { AppError } from '../errors.ts';
import { catchUpHead } from './derive.ts';
import { createHeadSwitch, type HeadSwitch, type HeadSwitchOptions } from './head-switch.ts';
import type { SpawnWorker } from './inference/types.ts';
import type { LoadedModel } from './model-keeper.ts';
import type { HeadRow } from './store/types.ts';
import { createOrdering } from './tune/ordering.ts';
import { createProjection } from './tune/projection.ts';
import { openTuneProcess } from './tune/tune-client.ts';
import type { Ordering, Projection, TuneProcess } from './tune/types.ts';

export interface LearningOptions extends Omit<HeadSwitchOptions, 'process' | 'projectionOf'> {
  readonly spawn: SpawnWorker;
}

export interface Learning {
  /** Starts when first asked. */
  readonly process: TuneProcess;
  readonly heads: HeadSwitch;
  /** Of the head that orders what is found; undefined when there is none, or it cannot be read. */
  ordering(): Ordering | undefined;
  /** Vectors that the head in use lacks; for those who have the turn already. @returns how many were made. */
  catchUpHead(model: LoadedModel, signal: AbortSignal | undefined): Promise<number>;
  /** Ends what runs. */
  close(): Promise<void>;
}

export function createLearning(options: LearningOptions): Learning {
  const { store, spawn, log } = options;
  const process = openTuneProcess({ spawn, log });
  const parts = { ...options, process, projectionOf };
  const heads = createHeadSwitch(parts);
  let kept: { readonly runId: number; readonly ordering: Ordering | undefined } | undefined;
  return {
    process,
    heads,
    ordering() {
      const runId = store.runs.ordering();
      if (runId === null) return undefined;
      if (kept?.runId !== runId) kept = { runId, ordering: readOrdering(options, runId) };
      return kept.ordering;
    },
    catchUpHead: (model, signal) => catchUpHead(parts, model, signal),
    async close() {
      await heads.close();
      await process.close();
    },
  };
}

/** @throws AppError internal when the parameters don't fit */
export function projectionOf({ head, dims, parameters }: HeadRow): Projection {
  return createProjection(head, dims, parameters);
}

/** Search goes on without it where it is damaged. */
function readOrdering({ store, log }: LearningOptions, runId: number): Ordering | undefined {
  try {
    const row = store.runs.head(runId);
    return row === undefined ? undefined : createOrdering(row.head, row.dims, row.parameters);
  } catch (thrown) {
    log.warn('the head that orders what is found is not used', { error: AppError.from(thrown).toShape() });
    return undefined;
  }
}
