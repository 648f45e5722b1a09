/** The messages between a supervisor and its worker, and the worker's side of answering them. */
import { AppError, type ErrorShape } from '../../errors.ts';
import type { ProcessPort } from './process-port.ts';

interface WorkerRequest {
  readonly id: number;
  readonly type: string;
  readonly payload: unknown;
}
/** Nobody waits for the answer any more. The request is answered all the same, soon. */
interface WorkerCancel {
  readonly cancel: number;
}
export type WorkerMessage = WorkerRequest | WorkerCancel;

export type WorkerReply =
  | { readonly id: number; readonly ok: true; readonly result: unknown }
  | { readonly id: number; readonly ok: false; readonly error: ErrorShape }
  /** More is coming. */
  | { readonly id: number; readonly progress: unknown };

export interface RequestContext {
  /** Aborted when the caller gave up. */
  readonly signal: AbortSignal;
  readonly progress: (value: unknown) => void;
}

/**
 * Answers requests with the handler of their type. Both ends are our own code of the same version, so payloads
 * are trusted; what files and models contain is parsed by the handlers.
 */
export function serveRequests(
  port: ProcessPort,
  handlers: Readonly<Record<string, (payload: never, context: RequestContext) => Promise<unknown>>>,
): void {
  const running = new Map<number, AbortController>();
  const post = (reply: WorkerReply): void => {
    port.post(reply);
  };
  port.onMessage((raw) => {
    const message = raw as WorkerMessage;
    if ('cancel' in message) {
      running.get(message.cancel)?.abort();
      return;
    }
    const { id, type, payload } = message;
    const handler = handlers[type];
    const controller = new AbortController();
    running.set(id, controller);
    const context: RequestContext = {
      signal: controller.signal,
      progress: (value) => {
        post({ id, progress: value });
      },
    };
    const answer =
      handler === undefined
        ? Promise.reject(new AppError('internal', `A worker was asked for an unknown "${type}".`))
        : Promise.resolve().then(() => handler(payload as never, context));
    answer.then(
      (result) => {
        running.delete(id);
        post({ id, ok: true, result });
      },
      (thrown: unknown) => {
        running.delete(id);
        post({ id, ok: false, error: AppError.from(thrown).toShape() });
      },
    );
  });
}
