/** An engine in this very process, behind the same client: for the command line, which ends with its call. */
import { MessageChannel } from 'node:worker_threads';
import { createEngine } from '../engine/engine.ts';
import type { Engine, EngineOptions } from '../engine/types.ts';
import { openConnection, type HostClient } from './connect-host.ts';
import { portOfMessagePort } from './port.ts';
import { serveEngine } from './serve-engine.ts';

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

/** @throws AppError library-locked, library-newer, library-damaged, ... */
export async function openInProcess(options: EngineOptions): Promise<HostClient> {
  return connectInProcess(await createEngine(options), options);
}
