/** What is sent to the process that trains, and what it says on the way. */
import type { LabProgress } from '../../contract.ts';
import type { LabTask } from './lab/lab-run.ts';
import type { StoredHead } from './projection.ts';
import type { LearningEpoch, LearningTask } from './types.ts';

export interface LearnJob {
  readonly task: LearningTask;
}

export type LearningEvent = { readonly epoch: LearningEpoch } | { readonly proving: true };

export interface ProjectJob {
  readonly head: StoredHead;
  /** (n, dims), at most `projectedAtOnce` of them. */
  readonly rows: Float32Array;
  /** Those of the first job count. */
  readonly threads: number;
}

export interface LabJob {
  readonly task: LabTask;
}

export type LabEvent = LabProgress;
