/**
 * The Electron shell's own preload, IPC and engine wiring over a real engine, with doubles where Electron's
 * processes would be: utility processes are Node's, given the parent port that Electron gives them.
 */
import { fork } from 'node:child_process';
import { EventEmitter } from 'node:events';
import type { Client } from '../../main/contract.ts';
import { silentLog } from '../../main/engine/log.ts';
import { AppError } from '../../main/errors.ts';
import type { EngineArguments } from '../../main/host/engine-arguments.ts';
import { createDispatch } from '../../main/shell/dispatch.ts';
import { desktopHandlers } from '../../main/shell/electron/desktop-handlers.ts';
import { startEngine, type ForkUtility } from '../../main/shell/electron/engine.ts';
import { forwardEvents, setupIpc } from '../../main/shell/electron/ipc.ts';
import { createGrantBook } from '../../main/shell/grant-book.ts';
import { ContentsDouble, IpcDouble } from '../unit/shell/electron-double.ts';
import { loadPreload, type Bridge } from '../unit/shell/load-preload.ts';
import type { OpenAdapter } from './suite.ts';
import { open, type Answer } from './wire-client.ts';

const shim = new URL('parent-port-shim.ts', import.meta.url).href;

/** As utilityProcess.fork: what the child posts arrives bare here, what is posted to it arrives as an event's data. */
export const forkAsUtility: ForkUtility = (modulePath, args) => {
  const child = fork(modulePath, args, {
    execArgv: ['--import', shim],
    serialization: 'advanced',
    stdio: ['ignore', 2, 2, 'ipc'],
  });
  const double = Object.assign(new EventEmitter(), {
    postMessage: (message: unknown) => void child.send(message as object, () => undefined),
    kill: () => child.kill('SIGKILL'),
  });
  child.on('message', (message) => double.emit('message', message));
  child.once('exit', (code) => double.emit('exit', code ?? 1));
  return double as unknown as ReturnType<ForkUtility>;
};

export async function openElectronShell(options: EngineArguments): Promise<OpenAdapter> {
  const engine = await startEngine(forkAsUtility, options, { log: silentLog, now: Date.now });
  const page = new ContentsDouble();
  const ipc = new IpcDouble();
  const grants = createGrantBook();
  const noDesktop = (): never => {
    throw new AppError('not-supported', 'There is no desktop in this test.');
  };
  const handlers = desktopHandlers(
    {
      dialog: { showOpenDialog: noDesktop },
      shell: { openPath: noDesktop, showItemInFolder: noDesktop },
      window: () => undefined,
    },
    engine,
    grants,
    '0',
  );
  setupIpc(ipc.real, createDispatch(engine, handlers, grants), grants);
  const stop = forwardEvents(engine, page.real);
  const bridge = bridgeOf(page, ipc);
  return {
    client: {
      ...connectBridge(bridge),
      async close() {
        stop();
        await engine.close();
      },
    },
    grant: async (path) => (await bridge.grantDropped({ path })) ?? '',
  };
}

function bridgeOf(page: ContentsDouble, ipc: IpcDouble): Bridge {
  const renderer = Object.assign(new EventEmitter(), {
    invoke: (_channel: string, message: unknown) => ipc.invoke(page, message),
  });
  page.on('sent', ({ channel, value }: { channel: string; value: unknown }) =>
    renderer.emit(channel, {}, value),
  );
  const bridge = loadPreload(renderer).get('afterimage');
  if (bridge === undefined) throw new Error('the preload exposed nothing');
  return bridge;
}

function connectBridge(bridge: Bridge): Omit<Client, 'close'> {
  let calls = 0;
  return {
    async call(name, input, options = {}) {
      const callId = `test-${++calls}`;
      const cancel = (): void => bridge.cancel(callId);
      if (options.signal?.aborted === true) throw new AppError('cancelled', `${name} was cancelled.`);
      options.signal?.addEventListener('abort', cancel, { once: true });
      const onProgress = options.onProgress as ((value: unknown) => void) | undefined;
      try {
        return open((await bridge.call(callId, name, input, onProgress)) as Answer) as never;
      } finally {
        options.signal?.removeEventListener('abort', cancel);
      }
    },
    on: (name, listener) => bridge.on(name, (payload) => listener(payload as never)),
  };
}
