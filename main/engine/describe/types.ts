/** What the describe room needs of the others: photos, a model for each task, and a place to say what changed. */
import type { LanguageModel } from '../inference/language/types.ts';
import type { Log } from '../log.ts';
import type { Store } from '../store/types.ts';
import type { Courtesy } from './courtesy.ts';

export type LanguageTask = 'caption' | 'answer';

/** A clock's other half; as in the engine's options. */
export interface Delays {
  /** @returns a function that cancels. */
  after(delayMs: number, run: () => void): () => void;
}

/**
 * Lends the model in use for a task while `work` lasts: a model that is replaced meanwhile is closed afterwards.
 * @throws AppError pack-missing, pack-invalid, and what `work` throws
 */
export type UseModel = <T>(task: LanguageTask, work: (model: LanguageModel) => Promise<T>) => Promise<T>;

export interface DescribeOptions {
  readonly store: Store;
  readonly log: Log;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** @throws AppError not-found, root-offline, file-vanished, permission-denied */
  readonly locate: (photoId: number) => Promise<{ readonly path: string }>;
  readonly useModel: UseModel;
  readonly courtesy: Courtesy;
  /** Captions or answers of these photos changed. */
  readonly onDescribed: (photoIds: readonly number[]) => void;
}

/** What a call passes on: its caller's wish to stop, and where the words go as they are written. */
export interface Listening {
  readonly signal: AbortSignal;
  readonly onText: (text: string) => void;
}
