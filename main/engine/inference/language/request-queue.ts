/** One request at a time: those that a person waits for before those in the background, each kind in order. */

export interface RequestQueue {
  /** Runs `work` when its turn comes. What is aborted while it waits is never run. */
  run<T>(
    work: () => Promise<T>,
    options: { background: boolean; signal?: AbortSignal | undefined },
  ): Promise<T>;
}

/** @param onIdle called whenever nothing is left to do. */
export function createRequestQueue(onIdle: () => void): RequestQueue {
  interface Waiting {
    readonly start: () => Promise<void>;
  }
  const foreground: Waiting[] = [];
  const background: Waiting[] = [];
  let running = false;

  const next = (): void => {
    if (running) return;
    const waiting = foreground.shift() ?? background.shift();
    if (waiting === undefined) {
      onIdle();
      return;
    }
    running = true;
    void waiting.start().finally(() => {
      running = false;
      next();
    });
  };

  return {
    run: (work, options) =>
      new Promise((resolve, reject) => {
        const line = options.background ? background : foreground;
        const leave = (): void => {
          const place = line.indexOf(waiting);
          if (place >= 0) line.splice(place, 1);
          reject(options.signal?.reason as Error);
        };
        const waiting: Waiting = {
          start: async () => {
            options.signal?.removeEventListener('abort', leave);
            await work().then(resolve, reject);
          },
        };
        if (options.signal?.aborted === true) {
          reject(options.signal.reason as Error);
          return;
        }
        options.signal?.addEventListener('abort', leave, { once: true });
        line.push(waiting);
        next();
      }),
  };
}
