/** The window: confined to its page, hidden until it can be shown whole, where it was the last time. */
import type { BrowserWindow, BrowserWindowConstructorOptions, Rectangle } from 'electron';
import type { Log } from '../../engine/log.ts';
import { pageUrl } from './origin.ts';
import { readWindowState, writeWindowState } from './window-state.ts';

export interface WindowOptions {
  readonly create: (options: BrowserWindowConstructorOptions) => BrowserWindow;
  readonly preloadPath: string;
  readonly stateFile: string;
  readonly workAreas: readonly Rectangle[];
  readonly dark: boolean;
  /** Developer tools, in an unpackaged run only. */
  readonly devTools: boolean;
  readonly log: Log;
}

/** The page's own grounds, so that nothing flashes while it loads. */
const ground = { light: '#ffffff', dark: '#131313' };

export async function openWindow(options: WindowOptions): Promise<BrowserWindow> {
  const { stateFile, log } = options;
  const state = readWindowState(stateFile, options.workAreas);
  const place = state ?? { width: 1280, height: 860 };
  const window = options.create({
    width: place.width,
    height: place.height,
    ...(state === undefined ? {} : { x: state.x, y: state.y }),
    minWidth: 480,
    minHeight: 360,
    show: false,
    title: 'Afterimage',
    backgroundColor: options.dark ? ground.dark : ground.light,
    webPreferences: {
      preload: options.preloadPath,
      contextIsolation: true,
      sandbox: true,
      nodeIntegration: false,
      nodeIntegrationInWorker: false,
      nodeIntegrationInSubFrames: false,
      webSecurity: true,
      allowRunningInsecureContent: false,
      webviewTag: false,
      navigateOnDragDrop: false,
      // Its dictionaries are downloads, and nothing leaves or enters this machine unasked.
      spellcheck: false,
      devTools: options.devTools,
    },
  });
  window.once('ready-to-show', () => {
    if (state?.maximized === true) window.maximize();
    window.show();
  });
  window.on('close', () => {
    const { x, y, width, height } = window.getNormalBounds();
    writeWindowState(stateFile, { x, y, width, height, maximized: window.isMaximized() }, log);
  });
  window.webContents.on('render-process-gone', (_event, details) => {
    log.error('the page ended and is loaded again', { reason: details.reason });
    if (details.reason !== 'clean-exit' && !window.isDestroyed()) window.webContents.reload();
  });
  await window.loadURL(pageUrl);
  return window;
}
