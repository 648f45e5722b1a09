/** The engine in a utility process, and its workers in more of them, which only the main process may start. */
import type { ForkOptions, UtilityProcess } from 'electron';
import type { Log } from '../../engine/log.ts';
import type { HostClient } from '../../host/connect-host.ts';
import { engineCommand, type EngineArguments } from '../../host/engine-arguments.ts';
import type { Port } from '../../host/port.ts';
import { startHost } from '../../host/start-host.ts';
import { relayWorkers } from '../../host/worker-relay.ts';

/** `utilityProcess.fork`, as far as it is used here. */
export type ForkUtility = (
  modulePath: string,
  args: string[],
  options: ForkOptions,
) => Pick<UtilityProcess, 'postMessage' | 'on' | 'once' | 'kill'>;

/** @throws AppError why the library could not be opened. */
export function startEngine(
  fork: ForkUtility,
  options: EngineArguments,
  parts: { readonly log: Log; readonly now: () => number },
): Promise<HostClient> {
  const spawnEngine = (): Port => {
    const { modulePath, args } = engineCommand(options);
    const port = portOfUtility(
      fork(modulePath, args, { serviceName: 'Afterimage engine', stdio: 'inherit' }),
    );
    const endWorkers = relayWorkers(port, (workerPath, name) =>
      fork(workerPath, [], { serviceName: `Afterimage ${name}`, stdio: 'inherit' }),
    );
    port.on('close', endWorkers);
    return port;
  };
  return startHost({ spawnEngine, log: parts.log, now: parts.now });
}

/** The main process's end of the channel to a utility process. Closing ends the process. */
function portOfUtility(child: ReturnType<ForkUtility>): Port {
  return {
    postMessage: (message) => child.postMessage(message),
    on(event: 'message' | 'close', listener: (value: never) => void) {
      if (event === 'message') child.on('message', (message: unknown) => listener(message as never));
      else child.once('exit', (code) => listener(`it ended with ${code}` as never));
    },
    close: () => void child.kill(),
  };
}
