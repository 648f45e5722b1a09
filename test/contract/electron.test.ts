/** The contract over the Electron shell: preload, IPC and the relay of workers, with a real engine behind. */
import { openElectronShell } from './electron-client.ts';
import { contractSuite } from './suite.ts';

contractSuite("Electron's IPC", ({ directory, modelsDirectory }) =>
  openElectronShell({ directory, modelsDirectory, watch: false }),
);
