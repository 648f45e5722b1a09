/** A stopped run as opaque bytes, and only for the very run that it was stopped in. */
import { createHash } from 'node:crypto';
import { deserialize, serialize } from 'node:v8';
import { AppError } from '../../errors.ts';
import type { TrainingProgress } from './train-head.ts';
import type { LearningTask } from './types.ts';

interface Stored {
  readonly run: string;
  readonly progress: TrainingProgress;
}

/** What a run is a function of, beside the number of threads. Raised when the same settings begin to train differently. */
const version = 1;

function runOf({ settings, gathered, dims }: LearningTask): string {
  const { head, loss, epochs, seed, batch, learningRate } = settings;
  return createHash('sha256')
    .update(JSON.stringify([version, head, loss, epochs, seed, batch, learningRate, dims, gathered.dataHash]))
    .digest('hex');
}

export function encodeCheckpoint(task: LearningTask, progress: TrainingProgress): Uint8Array {
  return new Uint8Array(serialize({ run: runOf(task), progress } satisfies Stored));
}

/** @throws AppError input-invalid for bytes of another run, of other settings or data, or of none. */
export function decodeCheckpoint(task: LearningTask, bytes: Uint8Array): TrainingProgress {
  let stored: Partial<Stored> | undefined;
  try {
    stored = deserialize(bytes) as Partial<Stored>;
  } catch (thrown) {
    throw new AppError(
      'input-invalid',
      'What was kept of the stopped run cannot be read. Start the run again from its beginning.',
      { cause: thrown },
    );
  }
  if (stored.run !== runOf(task) || stored.progress === undefined)
    throw new AppError(
      'input-invalid',
      'What was kept belongs to a run with other settings or other examples, so it cannot go on from there. Start a new run.',
    );
  return stored.progress;
}
