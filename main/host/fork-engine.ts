/** Starts the engine in a child process of plain Node, for the web shell and tests. */
import { fork } from 'node:child_process';
import { engineCommand, type EngineArguments } from './engine-arguments.ts';
import { portOfChild, type Port } from './port.ts';

/** One engine process; hand this to `startHost` as `spawnEngine`. Its log goes to this process's stderr. */
export function forkEngine(options: EngineArguments): Port {
  const { modulePath, args } = engineCommand(options);
  return portOfChild(fork(modulePath, args, { serialization: 'advanced', stdio: ['ignore', 2, 2, 'ipc'] }));
}
