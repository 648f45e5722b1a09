/** The one shape of a message channel here, and what makes it of a child process, its parent or a MessagePort. */
import type { ChildProcess } from 'node:child_process';
import type { MessagePort } from 'node:worker_threads';

/** Carries structured-cloneable messages, in order. */
export interface Port {
  postMessage(message: unknown): void;
  on(event: 'message', listener: (message: unknown) => void): void;
  /** Called once, when the other side is gone. */
  on(event: 'close', listener: (reason: string) => void): void;
  close(): void;
}

/** A port over Node's MessagePort. */
export function portOfMessagePort(port: MessagePort): Port {
  return {
    postMessage: (message) => port.postMessage(message),
    on(event: 'message' | 'close', listener: (value: never) => void) {
      if (event === 'message') port.on('message', (value: unknown) => listener(value as never));
      else port.on('close', () => listener('the channel was closed' as never));
    },
    close: () => port.close(),
  };
}

/** The parent's end of a child forked with `serialization: 'advanced'`. Closing ends the child. */
export function portOfChild(child: ChildProcess): Port {
  return {
    // Errors of a pipe that just broke arrive as the child's exit; there is nobody else to tell.
    postMessage: (message) => void child.send(message as object, () => undefined),
    on(event: 'message' | 'close', listener: (value: never) => void) {
      if (event === 'message') child.on('message', (value) => listener(value as never));
      else child.once('exit', (code, signal) => listener(`it ended with ${signal ?? String(code)}` as never));
    },
    close: () => child.kill('SIGKILL'),
  };
}

/** Electron's `process.parentPort` inside a utility process: messages come wrapped in events. */
interface ParentPort {
  postMessage(message: unknown): void;
  on(event: 'message', listener: (event: { data: unknown; ports: unknown[] }) => void): void;
}

/** Electron's types say that every process has a parent port; only a utility process does. */
export type ThisProcess = Omit<NodeJS.Process, 'parentPort'> & { readonly parentPort?: ParentPort };

/** The engine's end of the channel to whoever started this process: fork's IPC or Electron's parent port. */
export function portOfThisProcess(current: ThisProcess): Port {
  const { parentPort } = current;
  if (parentPort !== undefined) {
    return {
      postMessage: (message) => parentPort.postMessage(message),
      on(event: 'message' | 'close', listener: (value: never) => void) {
        // A utility process ends with its parent, so there is no close to listen for.
        if (event === 'message') parentPort.on('message', ({ data }) => listener(data as never));
      },
      close: () => current.exit(0),
    };
  }
  return {
    postMessage: (message) => void current.send?.(message, undefined, undefined, () => undefined),
    on(event: 'message' | 'close', listener: (value: never) => void) {
      if (event === 'message') current.on('message', (value) => listener(value as never));
      else current.once('disconnect', () => listener('the parent is gone' as never));
    },
    close: () => current.disconnect(),
  };
}
