/** Keeps one worker process: starts it when needed, matches replies to requests, and outlives its death. */
import { setTimeout as delay } from 'node:timers/promises';
import { AppError } from '../../errors.ts';
import type { Log } from '../log.ts';
import type { SpawnWorker, WorkerName, WorkerProcess } from './types.ts';
import type { WorkerMessage, WorkerReply } from './worker-messages.ts';

export interface Supervisor {
  /**
   * @param timeoutMs after which the worker is killed; the request rejects with `onTimeout()`, others in flight
   *   with worker-died whose details say `culprit: 'other'`.
   * @param signal tells the worker to stop; the request settles when it has, which is when the worker is free again.
   * @param onProgress hears what the worker says before its answer.
   * @throws AppError worker-died when the process ends first, engine-stopped after close(), or what the worker threw.
   */
  request(type: string, payload: unknown, options?: RequestOptions): Promise<unknown>;
  /** Requests sent and not answered. */
  readonly inFlight: number;
  /** Ends the process now; the next request starts a fresh one (this is how a worker's memory is given back). */
  stop(): void;
  /** Ends the process for good and waits until it is gone. */
  close(): Promise<void>;
}

interface RequestOptions {
  readonly timeoutMs?: number;
  readonly onTimeout?: () => AppError;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((value: unknown) => void) | undefined;
}

interface Pending {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: AppError) => void;
  readonly onProgress: ((value: unknown) => void) | undefined;
  /** Stops the clock and listening for a cancel. */
  readonly settle: () => void;
}

interface Life {
  readonly worker: WorkerProcess;
  readonly pending: Map<number, Pending>;
  /** Set when we ended it ourselves: 'stop', 'close', or the id of the request that ran out of time. */
  endedBy: 'stop' | 'close' | number | undefined;
}

/** A worker that dies again within this time of its last death is started again only after a pause. */
const calmMs = 60_000;
const firstPauseMs = 100;
const longestPauseMs = 5_000;

/**
 * @param setup sent to every fresh process before anything else, e.g. the model to load; when it fails, the
 *   requests waiting for the process reject with its error.
 */
export function supervise(options: {
  readonly name: WorkerName;
  readonly spawn: SpawnWorker;
  readonly log: Log;
  readonly setup?: { readonly type: string; readonly payload: unknown } | undefined;
}): Supervisor {
  const { name, spawn, log, setup } = options;
  interface Slot {
    starting: Promise<Life>;
    current: Life | undefined;
    /** Ended while it was still waiting to start. */
    abandoned: boolean;
  }
  let life: Slot | undefined;
  let nextId = 1;
  let closed = false;
  const deaths: number[] = [];
  const ended = new Set<Promise<void>>();

  const send = (to: Life, type: string, payload: unknown, requestOptions: RequestOptions): Promise<unknown> =>
    new Promise((resolve, reject) => {
      const id = nextId++;
      const { timeoutMs, onTimeout, signal, onProgress } = requestOptions;
      const post = (message: WorkerMessage): void => {
        to.worker.post(message);
      };
      const cancel = (): void => {
        post({ cancel: id });
      };
      const timer =
        timeoutMs === undefined
          ? undefined
          : setTimeout(() => {
              to.pending.delete(id);
              settle();
              to.endedBy ??= id;
              reject(onTimeout?.() ?? timedOut(name, timeoutMs));
              to.worker.kill();
            }, timeoutMs);
      const settle = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', cancel);
      };
      to.pending.set(id, { resolve, reject, onProgress, settle });
      post({ id, type, payload });
      signal?.addEventListener('abort', cancel, { once: true });
      if (signal?.aborted === true) cancel();
    });

  const bury = (dead: Life, code: number | null, signal: string | null): void => {
    if (life?.current === dead) life = undefined;
    const wanted = dead.endedBy === 'stop' || dead.endedBy === 'close';
    if (!wanted) {
      deaths.push(performance.now());
      log.warn(`the ${name} process ended`, { code, signal, inFlight: dead.pending.size });
    }
    const error = wanted
      ? new AppError('engine-stopped', `The ${name} process was stopped before it answered.`)
      : died(name, code, signal, typeof dead.endedBy === 'number' ? 'other' : 'unknown', dead.pending.size);
    for (const waiting of dead.pending.values()) {
      waiting.settle();
      waiting.reject(error);
    }
    dead.pending.clear();
  };

  const start = async (slot: Pick<Slot, 'current' | 'abandoned'>): Promise<Life> => {
    const recent = deaths.filter((at) => performance.now() - at < calmMs).length;
    if (recent > 1) await delay(Math.min(longestPauseMs, firstPauseMs * 2 ** (recent - 2)));
    if (closed || slot.abandoned) throw stopped(name);
    const worker = spawn(name);
    const born: Life = { worker, pending: new Map(), endedBy: undefined };
    const gone = new Promise<void>((resolve) => {
      worker.onExit((code, signal) => {
        bury(born, code, signal);
        resolve();
      });
    });
    ended.add(gone);
    void gone.then(() => ended.delete(gone));
    worker.onMessage((message) => {
      const reply = message as WorkerReply;
      const waiting = born.pending.get(reply.id);
      if (waiting === undefined) return;
      if ('progress' in reply) {
        waiting.onProgress?.(reply.progress);
        return;
      }
      born.pending.delete(reply.id);
      waiting.settle();
      if (reply.ok) waiting.resolve(reply.result);
      else waiting.reject(AppError.fromShape(reply.error));
    });
    slot.current = born;
    if (setup !== undefined) {
      try {
        await send(born, setup.type, setup.payload, {});
      } catch (thrown) {
        born.endedBy ??= 'stop';
        worker.kill();
        throw thrown;
      }
    }
    return born;
  };

  const running = (): Promise<Life> => {
    if (life === undefined) {
      const slot: Pick<Slot, 'current' | 'abandoned'> = { current: undefined, abandoned: false };
      const fresh: Slot = Object.assign(slot, { starting: Promise.resolve().then(() => start(slot)) });
      life = fresh;
      // A start that failed is not kept: the next request tries again.
      fresh.starting.catch(() => {
        if (life === fresh) life = undefined;
      });
    }
    return life.starting;
  };

  const end = (by: 'stop' | 'close'): void => {
    const slot = life;
    life = undefined;
    if (slot === undefined) return;
    slot.abandoned = true;
    const current = slot.current;
    if (current === undefined) return;
    current.endedBy ??= by;
    current.worker.kill();
  };

  return {
    async request(type, payload, requestOptions = {}) {
      if (closed) throw stopped(name);
      const to = await running();
      return send(to, type, payload, requestOptions);
    },
    get inFlight() {
      return life?.current?.pending.size ?? 0;
    },
    stop() {
      end('stop');
    },
    async close() {
      closed = true;
      const starting = life?.starting;
      end('close');
      await starting?.catch(() => undefined);
      await Promise.all(ended);
    },
  };
}

function died(
  name: WorkerName,
  code: number | null,
  signal: string | null,
  culprit: string,
  inFlight: number,
): AppError {
  const how = signal === null ? `code ${String(code)}` : `signal ${signal}`;
  return new AppError(
    'worker-died',
    `The ${name} process ended unexpectedly (${how}) and is started again; what it was working on is retried.`,
    { details: { worker: name, culprit, inFlight } },
  );
}

function timedOut(name: WorkerName, timeoutMs: number): AppError {
  return new AppError(
    'worker-died',
    `The ${name} process did not answer within ${String(timeoutMs / 1000)} s and was ended. Try again.`,
    { details: { worker: name, culprit: 'self', inFlight: 1 } },
  );
}

function stopped(name: WorkerName): AppError {
  return new AppError('engine-stopped', `The ${name} process has been closed.`);
}
