/** Runs the web shell over an engine of its own until it is told to stop. For `npm start` and `serve`. */
import { join } from 'node:path';
import type { Log } from '../engine/log.ts';
import { forkEngine } from '../host/fork-engine.ts';
import { startHost } from '../host/start-host.ts';
import { appDirectory, appVersion } from './app-paths.ts';
import { serveWeb } from './web/server.ts';

export interface RunWebOptions {
  /** Folder of the library. */
  readonly library: string;
  readonly port: number | undefined;
  readonly verbose: boolean;
  readonly readOnly?: boolean | undefined;
  readonly log: Log;
  readonly now: () => number;
}

export interface RunningWeb {
  readonly url: string;
  /** Closes the server, then the engine, which finishes its batch and saves its index. */
  close(): Promise<void>;
}

/** @throws AppError library-locked, library-newer, io-failed (port taken), file-vanished (page not built) */
export async function runWeb(options: RunWebOptions): Promise<RunningWeb> {
  const { log, now } = options;
  const engineOptions = {
    directory: options.library,
    modelsDirectory: join(appDirectory(), 'models'),
    readOnly: options.readOnly ?? false,
    verbose: options.verbose,
  };
  const engine = await startHost({ spawnEngine: () => forkEngine(engineOptions), log, now });
  try {
    const web = await serveWeb({
      access: engine,
      rendererDir: join(appDirectory(), 'renderer', 'dist'),
      version: appVersion(),
      log,
      port: options.port,
    });
    return {
      url: web.url,
      async close() {
        await web.close();
        await engine.close();
      },
    };
  } catch (error) {
    await engine.close();
    throw error;
  }
}

/**
 * Waits for Ctrl-C or a request to end; a second one ends at once.
 * @param stop called once; when it is done, the wait is over.
 */
export async function untilStopped(
  events: Pick<NodeJS.EventEmitter, 'once' | 'on'>,
  stop: () => Promise<void>,
  endNow: () => void,
): Promise<void> {
  await new Promise<void>((resolve) => {
    events.once('SIGINT', resolve);
    events.once('SIGTERM', resolve);
  });
  events.on('SIGINT', endNow);
  await stop();
}
