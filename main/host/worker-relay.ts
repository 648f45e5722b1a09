/**
 * Worker processes for an engine that lives in an Electron utility process: only Electron's main process may
 * start utility processes, so it starts them on the engine's word and passes their messages on.
 */
import { z } from 'zod';
import { workerEntry, type SpawnWorker, type WorkerProcess } from '../engine/workers.ts';
import type { Port } from './port.ts';

const workerId = z.int().nonnegative();
const toMain = z.discriminatedUnion('type', [
  z.object({ type: z.literal('worker-start'), id: workerId, modulePath: z.string(), name: z.string() }),
  z.object({ type: z.literal('worker-post'), id: workerId, message: z.unknown() }),
  z.object({ type: z.literal('worker-kill'), id: workerId }),
]);
const toEngine = z.discriminatedUnion('type', [
  z.object({ type: z.literal('worker-message'), id: workerId, message: z.unknown() }),
  z.object({ type: z.literal('worker-exit'), id: workerId, code: z.int().nullable() }),
]);
type ToMain = z.output<typeof toMain>;
type ToEngine = z.output<typeof toEngine>;

/** Of Electron's UtilityProcess, what the relay uses. */
export interface RelayedProcess {
  postMessage(message: unknown): void;
  on(event: 'message', listener: (message: unknown) => void): unknown;
  on(event: 'exit', listener: (code: number) => void): unknown;
  kill(): unknown;
}

/** The engine's side: workers by message to the main process. */
export function createRelaySpawner(port: Port): SpawnWorker {
  const workers = new Map<
    number,
    { onMessage: ((message: unknown) => void)[]; onExit: ((code: number | null) => void)[] }
  >();
  let nextId = 1;
  const post = (message: ToMain): void => port.postMessage(message);
  port.on('message', (raw) => {
    const parsed = toEngine.safeParse(raw);
    if (!parsed.success) return;
    const worker = workers.get(parsed.data.id);
    if (parsed.data.type === 'worker-message') {
      const { message } = parsed.data;
      worker?.onMessage.forEach((listener) => listener(message));
      return;
    }
    const { code, id } = parsed.data;
    workers.delete(id);
    worker?.onExit.forEach((listener) => listener(code));
  });
  return (name): WorkerProcess => {
    const id = nextId++;
    const worker = {
      onMessage: [] as ((message: unknown) => void)[],
      onExit: [] as ((code: number | null) => void)[],
    };
    workers.set(id, worker);
    post({ type: 'worker-start', id, modulePath: workerEntry(name), name });
    return {
      post: (message) => post({ type: 'worker-post', id, message }),
      onMessage: (listener) => void worker.onMessage.push(listener),
      onExit: (listener) => void worker.onExit.push((code) => listener(code, null)),
      kill: () => post({ type: 'worker-kill', id }),
    };
  };
}

/**
 * The main process's side, one per engine process.
 * @param fork starts a utility process; only paths of our own worker entries are ever passed to it.
 * @returns ends the workers; called when the engine process is gone.
 */
export function relayWorkers(
  engine: Port,
  fork: (modulePath: string, name: string) => RelayedProcess,
): () => void {
  const workers = new Map<number, RelayedProcess>();
  const post = (message: ToEngine): void => engine.postMessage(message);
  const allowed = new Set((['decoder', 'vision', 'text', 'language', 'tune'] as const).map(workerEntry));
  engine.on('message', (raw) => {
    const parsed = toMain.safeParse(raw);
    if (!parsed.success) return;
    const message = parsed.data;
    if (message.type === 'worker-post') workers.get(message.id)?.postMessage(message.message);
    else if (message.type === 'worker-kill') workers.get(message.id)?.kill();
    else if (allowed.has(message.modulePath)) {
      const { id } = message;
      const child = fork(message.modulePath, message.name);
      workers.set(id, child);
      child.on('message', (reply) => post({ type: 'worker-message', id, message: reply }));
      child.on('exit', (code) => {
        workers.delete(id);
        post({ type: 'worker-exit', id, code });
      });
    }
  });
  return () => {
    for (const worker of workers.values()) worker.kill();
    workers.clear();
  };
}
