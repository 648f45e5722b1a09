/** The worker's end of the line to its parent, the same under Node's fork and Electron's utilityProcess. */

export interface ProcessPort {
  post(message: unknown): void;
  onMessage(listener: (message: unknown) => void): void;
}

/** What Electron puts on `process` in a utility process; declared here so that nothing imports electron. */
interface ElectronParentPort {
  postMessage(message: unknown): void;
  on(event: 'message', listener: (event: { data: unknown }) => void): void;
}

/**
 * Opens the line and ties the worker's life to it: when the parent goes, the worker exits, so that none is
 * left behind even if the parent was killed.
 */
export function openProcessPort(): ProcessPort {
  const electronPort = (process as { parentPort?: ElectronParentPort | null }).parentPort;
  if (electronPort !== undefined && electronPort !== null) {
    return {
      post: (message) => {
        electronPort.postMessage(message);
      },
      onMessage: (listener) => {
        electronPort.on('message', (event) => {
          listener(event.data);
        });
      },
    };
  }
  if (process.send === undefined) throw new Error('A worker entry was started without a parent to talk to.');
  process.on('disconnect', () => process.exit(0));
  // Ctrl-C in a terminal reaches the whole process group; the parent decides when workers stop.
  process.on('SIGINT', () => undefined);
  return {
    post: (message) => {
      // A parent that went away mid-reply ends this process through 'disconnect'; the failed write says nothing new.
      if (process.connected) process.send?.(message, undefined, undefined, () => undefined);
    },
    onMessage: (listener) => {
      process.on('message', listener);
    },
  };
}
