/** Entry of the engine's own process, under Node's fork and Electron's utilityProcess. */
import process from 'node:process';
import { createEngine } from '../engine/engine.ts';
import { createNodeSpawner } from '../engine/workers.ts';
import { createLog } from '../engine/log.ts';
import { AppError } from '../errors.ts';
import { parseEngineArguments } from './engine-arguments.ts';
import { portOfThisProcess, type ThisProcess } from './port.ts';
import { serveEngine } from './serve-engine.ts';
import { createRelaySpawner } from './worker-relay.ts';

const current = process as unknown as ThisProcess;
const now = (): number => Date.now();
const port = portOfThisProcess(current);
// Ctrl-C in a terminal reaches the whole process group; the parent decides when the engine closes.
process.on('SIGINT', () => undefined);

try {
  const options = parseEngineArguments(process.argv[2]);
  const log = createLog((line) => process.stderr.write(`${line}\n`), { verbose: options.verbose, now });
  const spawn = current.parentPort === undefined ? createNodeSpawner({ log }) : createRelaySpawner(port);
  const engine = await createEngine({
    directory: options.directory,
    modelsDirectory: options.modelsDirectory,
    readOnly: options.readOnly,
    watch: options.watch,
    spawn,
    now,
    log,
  });
  await serveEngine(engine, port, { now });
  process.exit(0);
} catch (thrown) {
  port.postMessage({ type: 'failed', error: AppError.from(thrown, 'Opening the library').toShape() });
  // The message must be on its way before the process goes; the parent ends what does not end.
  setTimeout(() => process.exit(1), 100);
}
