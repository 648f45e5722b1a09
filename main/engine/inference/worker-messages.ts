/** The messages between a supervisor and its worker, and the worker's side of answering them. */
import { AppError, type ErrorShape } from '../../errors.ts';
import type { ProcessPort } from './process-port.ts';

interface WorkerRequest {
  readonly id: number;
  readonly type: string;
  readonly payload: unknown;
}
export type WorkerReply =
  | { readonly id: number; readonly ok: true; readonly result: unknown }
  | { readonly id: number; readonly ok: false; readonly error: ErrorShape };

/**
 * Answers requests with the handler of their type. Both ends are our own code of the same version, so payloads
 * are trusted; what files and models contain is parsed by the handlers.
 */
export function serveRequests(
  port: ProcessPort,
  handlers: Readonly<Record<string, (payload: never) => Promise<unknown>>>,
): void {
  port.onMessage((message) => {
    const request = message as WorkerRequest;
    const handler = handlers[request.type];
    const answer =
      handler === undefined
        ? Promise.reject(new AppError('internal', `A worker was asked for an unknown "${request.type}".`))
        : Promise.resolve().then(() => handler(request.payload as never));
    answer.then(
      (result) => {
        port.post({ id: request.id, ok: true, result } satisfies WorkerReply);
      },
      (thrown: unknown) => {
        port.post({
          id: request.id,
          ok: false,
          error: AppError.from(thrown).toShape(),
        } satisfies WorkerReply);
      },
    );
  });
}
