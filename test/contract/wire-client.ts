/** What the clients of both shells have in common: an answer as it came over the wire. */
import { AppError, type ErrorShape } from '../../main/errors.ts';

export type Answer = { readonly output: unknown } | { readonly error: ErrorShape };

/** @throws AppError as the other side had it. */
export function open(answer: Answer): unknown {
  if ('error' in answer) throw AppError.fromShape(answer.error);
  return answer.output;
}
