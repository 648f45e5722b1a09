/** The client's end of a host's port: typed calls, cancelling, progress, events; nothing is left hanging. */
import type {
  CallInput,
  CallName,
  CallOptions,
  CallOutput,
  Client,
  EventName,
  EventPayload,
} from '../contract.ts';
import type { PhotoFile } from '../engine/types.ts';
import { AppError, type ErrorShape } from '../errors.ts';
import type { Port } from './port.ts';
import { toClient, type ToHost } from './protocol.ts';

/** A client that shells hold. `call` takes unknown names too: adapters pass on what they received. */
export interface HostClient extends Client {
  /** Passes a call on as it came over a wire; the engine parses it. */
  callUnknown(
    name: string,
    input: unknown,
    options?: { signal?: AbortSignal | undefined; onProgress?: ((progress: unknown) => void) | undefined },
  ): Promise<unknown>;
  onAny(listener: (name: EventName, payload: unknown) => void): () => void;
  /** As in ShellServices of the engine. */
  grant(path: string): Promise<string>;
  photoFile(photoId: number): Promise<PhotoFile>;
  thumbnail(photoId: number): Promise<Uint8Array>;
  displayImage(photoId: number, maxEdge: number): Promise<Uint8Array>;
  photoAt(path: string): Promise<number | null>;
}

interface Waiting {
  resolve(output: unknown): void;
  reject(error: AppError): void;
  onProgress: ((progress: unknown) => void) | undefined;
}

/** A host's client, and when its engine was ready or gone. */
export interface HostConnection {
  readonly client: HostClient;
  /** Rejects with the reason the engine could not be opened. */
  readonly ready: Promise<void>;
  /** Resolves with why the other side went, once it has. */
  readonly gone: Promise<string>;
}

/** @param port the client's end; whoever holds it serves the engine on the other. */
export function openConnection(port: Port): HostConnection {
  const waiting = new Map<number, Waiting>();
  const listeners = new Set<(name: EventName, payload: unknown) => void>();
  const ready = Promise.withResolvers<undefined>();
  const gone = Promise.withResolvers<string>();
  // Whoever does not ask about readiness must not be ended by an unhandled rejection.
  ready.promise.catch(() => undefined);
  let stopped: string | undefined;
  let nextId = 1;

  const stop = (reason: string): void => {
    if (stopped !== undefined) return;
    stopped = reason;
    for (const call of waiting.values()) call.reject(engineStopped(reason));
    waiting.clear();
    ready.reject(engineStopped(reason));
    gone.resolve(reason);
  };
  const fail = (error: ErrorShape): void => {
    ready.reject(AppError.fromShape(error));
    stop(error.message);
  };

  port.on('message', (raw) => {
    const parsed = toClient.safeParse(raw);
    if (!parsed.success) return;
    const message = parsed.data;
    switch (message.type) {
      case 'ready':
        ready.resolve(undefined);
        return;
      case 'failed':
        fail(message.error);
        return;
      case 'result':
        take(waiting, message.id)?.resolve(message.output);
        return;
      case 'error':
        take(waiting, message.id)?.reject(AppError.fromShape(message.error));
        return;
      case 'progress':
        waiting.get(message.id)?.onProgress?.(message.progress);
        return;
      case 'event':
        for (const listener of listeners) listener(message.name as EventName, message.payload);
        return;
      case 'closed':
        stop('it was closed');
    }
  });
  port.on('close', stop);

  const post = (message: ToHost): void => port.postMessage(message);
  const request = (
    message:
      { type: 'call'; name: string; input: unknown } | { type: 'service'; name: string; argument: unknown },
    options: {
      signal?: AbortSignal | undefined;
      onProgress?: ((progress: unknown) => void) | undefined;
    } = {},
  ): Promise<unknown> => {
    if (stopped !== undefined) return Promise.reject(engineStopped(stopped));
    const { signal } = options;
    if (signal?.aborted === true) return Promise.reject(cancelled(message.name));
    const id = nextId++;
    return new Promise((resolve, reject) => {
      const cancel = (): void => post({ type: 'cancel', id });
      const settle = <V>(settled: (value: V) => void) => {
        return (value: V): void => {
          signal?.removeEventListener('abort', cancel);
          settled(value);
        };
      };
      waiting.set(id, { resolve: settle(resolve), reject: settle(reject), onProgress: options.onProgress });
      signal?.addEventListener('abort', cancel, { once: true });
      post({ ...message, id });
    });
  };
  const service = (name: string, argument: unknown): Promise<unknown> =>
    request({ type: 'service', name, argument });
  const onAny = (listener: (name: EventName, payload: unknown) => void): (() => void) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  };

  const client: HostClient = {
    call<K extends CallName>(name: K, input: CallInput<K>, options: CallOptions<K> = {}) {
      const onProgress = options.onProgress as ((progress: unknown) => void) | undefined;
      return request({ type: 'call', name, input }, { signal: options.signal, onProgress }) as Promise<
        CallOutput<K>
      >;
    },
    callUnknown: (name, input, options) => request({ type: 'call', name, input }, options),
    on: <K extends EventName>(name: K, listener: (payload: EventPayload<K>) => void) =>
      onAny((event, payload) => {
        if (event === name) listener(payload as EventPayload<K>);
      }),
    onAny,
    grant: (path) => service('grant', path) as Promise<string>,
    photoFile: (photoId) => service('photoFile', photoId) as Promise<PhotoFile>,
    thumbnail: (photoId) => service('thumbnail', photoId) as Promise<Uint8Array>,
    displayImage: (photoId, maxEdge) => service('displayImage', { photoId, maxEdge }) as Promise<Uint8Array>,
    photoAt: (path) => service('photoAt', path) as Promise<number | null>,
    async close() {
      if (stopped === undefined) post({ type: 'close' });
      await gone.promise;
    },
  };
  return { client, ready: ready.promise, gone: gone.promise };
}

function take(waiting: Map<number, Waiting>, id: number): Waiting | undefined {
  const call = waiting.get(id);
  waiting.delete(id);
  return call;
}

function engineStopped(reason: string): AppError {
  return new AppError('engine-stopped', `The engine stopped (${reason}). Try again in a moment.`);
}

function cancelled(name: string): AppError {
  return new AppError('cancelled', `The call ${name} was cancelled.`);
}
