/** An engine in this very process, behind the same client: for the command line, which ends with its call. */
import { MessageChannel } from 'node:worker_threads';
import { createEngine } from '../engine/engine.ts';
import { createNodeSpawner } from '../engine/workers.ts';
import type { Log } from '../engine/log.ts';
import type { Engine } from '../engine/types.ts';
import { AppError } from '../errors.ts';
import { openConnection, type HostClient } from './connect-host.ts';
import { portOfMessagePort } from './port.ts';
import { serveEngine } from './serve-engine.ts';

export interface OpenLibraryOptions {
  readonly directory: string;
  readonly modelsDirectory: string;
  /** False opens for reading only where that will do, beside whoever has the library open. */
  readonly writes: boolean;
  readonly log: Log;
  readonly now: () => number;
}

/** @throws AppError library-locked, library-newer, library-damaged, ... */
export async function openLibrary(options: OpenLibraryOptions): Promise<HostClient> {
  const { directory, modelsDirectory, log, now } = options;
  const open = (readOnly: boolean): Promise<Engine> =>
    createEngine({
      directory,
      modelsDirectory,
      readOnly,
      watch: false,
      log,
      now,
      spawn: createNodeSpawner({ log }),
    });
  const engine = options.writes ? await open(false) : await open(true).catch(openAnew);
  return connectInProcess(engine, { now });

  function openAnew(thrown: unknown): Promise<Engine> {
    const error = AppError.from(thrown, 'Opening the library');
    // There is none yet, or an older version's that has to be brought up to date first.
    if (error.code === 'not-found' || error.code === 'not-supported') return open(false);
    throw error;
  }
}

/** Puts an engine behind a message channel of this process. Closing the client closes the engine. */
export async function connectInProcess(
  engine: Engine,
  options: { readonly now: () => number },
): Promise<HostClient> {
  const { port1, port2 } = new MessageChannel();
  const connection = openConnection(portOfMessagePort(port1));
  void serveEngine(engine, portOfMessagePort(port2), options).then(() => port2.close());
  await connection.ready;
  return connection.client;
}
