/** Starts worker processes with Node's fork: the CLI, the web shell and the tests use it. */
import { fork } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Log } from '../log.ts';
import type { SpawnWorker, WorkerName, WorkerProcess } from './types.ts';
import { workerEntry } from './worker-entry.ts';

/** Variables a worker may need: the system's, and those that native libraries and drivers are found by. */
const passedOn =
  /^(PATH|HOME|LANG|LC_.*|TZ|TMPDIR|TMP|TEMP|SYSTEMROOT|WINDIR|USERPROFILE|APPDATA|LOCALAPPDATA|LD_LIBRARY_PATH|DYLD_.*|CUDA_.*|NVIDIA_.*|VK_.*|XDG_.*|OMP_NUM_THREADS)$/i;

/** @param entry where each worker's entry file lies; tests point it at their own. */
export function createNodeSpawner(options: {
  readonly log: Log;
  readonly entry?: (name: WorkerName) => string;
}): SpawnWorker {
  const entry = options.entry ?? workerEntry;
  return (name): WorkerProcess => {
    const child = fork(entry(name), [], {
      serialization: 'advanced',
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      execArgv: [],
      env: Object.fromEntries(Object.entries(process.env).filter(([key]) => passedOn.test(key))),
    });
    for (const stream of [child.stdout, child.stderr]) {
      if (stream === null) continue;
      createInterface({ input: stream }).on('line', (line) => {
        options.log.debug(`${name}: ${line}`);
      });
    }
    let gone = false;
    const listeners: ((code: number | null, signal: string | null) => void)[] = [];
    const exit = (code: number | null, signal: string | null): void => {
      if (gone) return;
      gone = true;
      for (const listener of listeners) listener(code, signal);
    };
    child.on('exit', exit);
    child.on('error', (error) => {
      options.log.warn(`the ${name} process could not be started or reached`, { message: error.message });
      if (child.pid === undefined) exit(null, 'not started');
    });
    return {
      post: (message) => {
        // A child that is already gone is reported by 'exit'; the failed write says nothing new.
        if (child.connected) child.send(message as object, () => undefined);
      },
      onMessage: (listener) => child.on('message', listener),
      onExit: (listener) => listeners.push(listener),
      // A worker holds nothing that needs saving, and onnxruntime may be deep in a native call.
      kill: () => child.kill('SIGKILL'),
    };
  };
}
