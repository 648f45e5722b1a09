/** Entry of the desktop app: what it is made of, in the order in which it comes to life. */
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import {
  app,
  BrowserWindow,
  dialog,
  ipcMain,
  Menu,
  nativeTheme,
  protocol,
  screen,
  session,
  shell,
  utilityProcess,
} from 'electron';
import { createLog } from '../../engine/log.ts';
import { AppError } from '../../errors.ts';
import { appDirectory, appVersion, libraryDirectory } from '../app-paths.ts';
import { createDispatch } from '../dispatch.ts';
import { createGrantBook } from '../grant-book.ts';
import { contentSecurityPolicy, listRendererFiles } from '../renderer-files.ts';
import { desktopHandlers } from './desktop-handlers.ts';
import { startEngine } from './engine.ts';
import { forwardEvents, setupIpc } from './ipc.ts';
import { setupQuit, setupSingleInstance } from './lifecycle.ts';
import { setupMenu } from './menu.ts';
import { privilegedSchemes, setupProtocols } from './protocols.ts';
import { setupSecurity } from './security.ts';
import { openWindow } from './window.ts';

const { values: flags } = parseArgs({
  args: process.argv.slice(1),
  options: { library: { type: 'string' }, verbose: { type: 'boolean', default: false } },
  strict: false,
});
const verbose = flags['verbose'] === true;
const now = (): number => Date.now();
const log = createLog((line) => process.stderr.write(`${line}\n`), { verbose, now });
const devTools = !app.isPackaged;
let window: BrowserWindow | undefined;

const showWindow = (): void => {
  if (window?.isMinimized() === true) window.restore();
  window?.show();
  window?.focus();
};

async function start(): Promise<void> {
  setupSecurity(app, session.defaultSession);
  setupMenu(Menu, { mac: process.platform === 'darwin', devTools, page: () => window?.webContents });
  const files = await listRendererFiles(
    join(appDirectory(), 'renderer', 'dist'),
    contentSecurityPolicy('photo:'),
  );
  const engine = await startEngine(
    (modulePath, args, options) => utilityProcess.fork(modulePath, args, options),
    {
      directory: libraryDirectory(
        typeof flags['library'] === 'string' ? flags['library'] : undefined,
        process.env,
      ),
      modelsDirectory: join(app.isPackaged ? process.resourcesPath : appDirectory(), 'models'),
      verbose,
    },
    { log, now },
  );
  setupQuit(app, () => engine.close(), log);
  const grants = createGrantBook();
  const handlers = desktopHandlers({ dialog, shell, window: () => window }, engine, grants, appVersion());
  setupProtocols(protocol, files, engine);
  setupIpc(ipcMain, createDispatch(engine, handlers, grants), grants);
  nativeTheme.themeSource = (await engine.call('settings.get', {})).theme;
  window = await openWindow({
    create: (options) => {
      const created = new BrowserWindow(options);
      window = created;
      forwardEvents(engine, created.webContents);
      return created;
    },
    preloadPath: fileURLToPath(new URL('preload.cjs', import.meta.url)),
    stateFile: join(app.getPath('userData'), 'window.json'),
    workAreas: screen.getAllDisplays().map((display) => display.workArea),
    dark: nativeTheme.shouldUseDarkColors,
    devTools,
    log,
  });
}

protocol.registerSchemesAsPrivileged(privilegedSchemes);
app.enableSandbox();
if (setupSingleInstance(app, showWindow)) {
  // Not awaited: Electron becomes ready only once this module has been evaluated.
  app
    .whenReady()
    .then(start)
    .catch((error: unknown) => {
      const { message } = AppError.from(error, 'Starting Afterimage');
      log.error('the app could not start', { reason: message });
      dialog.showErrorBox('Afterimage', message);
      app.exit(1);
    });
} else {
  app.quit();
}
