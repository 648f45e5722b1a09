/** One token after another: what every way of writing is given and gives, and the pause in which a cancel is heard. */
import { AppError } from '../../../errors.ts';
import type { Generation } from '../../packs/types.ts';
import type { DecoderRun } from './cached-decoder.ts';

export interface WrittenTokens {
  /** Generated, prompt and end token left out. */
  readonly ids: readonly number[];
  /** Sum of the natural log-probabilities that the model itself gives the generated tokens, the end token included. */
  readonly logProbability: number;
  /** Tokens that the sum is over. */
  readonly count: number;
}

export interface WriteOptions {
  readonly run: DecoderRun;
  /** Ids to go on from, the start token first. */
  readonly prompt: readonly number[];
  readonly end: number;
  readonly generation: Generation;
  /** Hears the ids generated so far, after each token. */
  readonly onTokens: (ids: readonly number[]) => void;
  readonly shouldStop: () => boolean;
}

/** Lets the message loop turn, so that a cancel is heard, then asks the decoder. @throws AppError cancelled */
export async function nextScores(
  { shouldStop }: Pick<WriteOptions, 'shouldStop'>,
  run: DecoderRun,
  tokens: readonly (readonly number[])[],
): Promise<Float32Array[]> {
  await nextTurn();
  if (shouldStop()) throw cancelled();
  return run.next(tokens);
}

/** onnxruntime's `run` blocks the thread, so messages are only heard in between. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

export function cancelled(): AppError {
  return new AppError('cancelled', 'Writing about the photo was cancelled.');
}
