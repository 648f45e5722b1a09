/** Keeps an engine process alive: starts it, restarts it with growing pauses when it dies, tells the clients. */
import type { CallInput, CallName, CallOptions, EventName, EventPayload } from '../contract.ts';
import type { Log } from '../engine/log.ts';
import { AppError } from '../errors.ts';
import { openConnection, type HostClient, type HostConnection } from './connect-host.ts';
import type { Port } from './port.ts';

export interface StartHostOptions {
  /** Starts one engine process and gives the port to it. Called again after each death. */
  readonly spawnEngine: () => Port;
  readonly log: Log;
  readonly now: () => number;
  /** For tests: pauses before the n-th restart in a row, milliseconds. */
  readonly backOffMs?: (failures: number) => number;
}

/** An engine that ran this long was well: the next death is counted from one again. */
const wellAfterMs = 60_000;
const defaultBackOffMs = (failures: number): number => Math.min(30_000, 250 * 2 ** (failures - 1));

/**
 * @returns once the first engine is ready, a client that outlives engine deaths: calls in flight reject
 *   with engine-stopped, `restarted` is sent when the next engine is there, and calls made meanwhile wait for it.
 * @throws AppError why the first engine could not be opened (library-locked, library-newer, ...)
 */
export async function startHost(options: StartHostOptions): Promise<HostClient> {
  const backOffMs = options.backOffMs ?? defaultBackOffMs;
  const listeners = new Set<(name: EventName, payload: unknown) => void>();
  const emit = (name: EventName, payload: unknown): void => {
    for (const listener of listeners) listener(name, payload);
  };
  let closing = false;
  let failures = 0;
  let pause: NodeJS.Timeout | undefined;
  let wake: (() => void) | undefined;

  const open = async (): Promise<HostConnection> => {
    const connection = openConnection(options.spawnEngine());
    connection.client.onAny(emit);
    await connection.ready;
    return connection;
  };
  /** Waits, opens, and tries again for as long as it takes; gives up only when the host closes. */
  const reopen = async (reason: string): Promise<HostConnection> => {
    for (let why = reason; ;) {
      failures++;
      const ms = backOffMs(failures);
      options.log.warn('the engine ended and is restarted', { reason: why, failures, ms });
      await new Promise<void>((resolve) => {
        wake = resolve;
        pause = setTimeout(resolve, ms);
      });
      if (closing) throw new AppError('engine-stopped', 'The app is closing.');
      try {
        const connection = await open();
        emit('restarted', { reason });
        return connection;
      } catch (thrown) {
        why = AppError.from(thrown, 'Opening the library').message;
      }
    }
  };
  const first = await open();
  let current: Promise<HostConnection> = Promise.resolve(first);
  const watch = (connection: HostConnection): void => {
    const openedAt = options.now();
    void connection.gone.then((reason) => {
      if (closing) return;
      if (options.now() - openedAt >= wellAfterMs) failures = 0;
      const next = reopen(reason);
      current = next;
      next.then(watch, () => undefined);
    });
  };
  watch(first);

  const client = async (): Promise<HostClient> => (await current).client;
  const onAny = (listener: (name: EventName, payload: unknown) => void): (() => void) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  };
  return {
    call: async <K extends CallName>(name: K, input: CallInput<K>, callOptions?: CallOptions<K>) =>
      (await client()).call(name, input, callOptions),
    callUnknown: async (name, input, callOptions) => (await client()).callUnknown(name, input, callOptions),
    on: <K extends EventName>(name: K, listener: (payload: EventPayload<K>) => void) =>
      onAny((event, payload) => {
        if (event === name) listener(payload as EventPayload<K>);
      }),
    onAny,
    grant: async (path) => (await client()).grant(path),
    photoFile: async (photoId) => (await client()).photoFile(photoId),
    thumbnail: async (photoId) => (await client()).thumbnail(photoId),
    displayImage: async (photoId, maxEdge) => (await client()).displayImage(photoId, maxEdge),
    photoAt: async (path) => (await client()).photoAt(path),
    async close() {
      closing = true;
      clearTimeout(pause);
      wake?.();
      const connection = await current.catch(() => undefined);
      await connection?.client.close();
      listeners.clear();
    },
  };
}
