/** The menu: the system's own roles, and the search shortcut for who looks for it there. */
import type { Menu, MenuItemConstructorOptions, WebContents } from 'electron';

/** @param page the page that has the search bar, when there is one. */
export function setupMenu(
  menu: Pick<typeof Menu, 'buildFromTemplate' | 'setApplicationMenu'>,
  options: {
    readonly mac: boolean;
    readonly devTools: boolean;
    readonly page: () => WebContents | undefined;
  },
): void {
  const separator: MenuItemConstructorOptions = { type: 'separator' };
  const find: MenuItemConstructorOptions = {
    label: 'Find',
    accelerator: 'CommandOrControl+F',
    click: () => pressFind(options.page(), options.mac),
  };
  menu.setApplicationMenu(
    menu.buildFromTemplate([
      ...(options.mac ? [{ role: 'appMenu' } as const] : []),
      { role: 'fileMenu' },
      {
        label: 'Edit',
        submenu: [
          { role: 'undo' },
          { role: 'redo' },
          separator,
          { role: 'cut' },
          { role: 'copy' },
          { role: 'paste' },
          { role: 'selectAll' },
          separator,
          find,
        ],
      },
      {
        label: 'View',
        submenu: [
          { role: 'resetZoom' },
          { role: 'zoomIn' },
          { role: 'zoomOut' },
          separator,
          { role: 'togglefullscreen' },
          ...(options.devTools
            ? [separator, { role: 'reload' } as const, { role: 'toggleDevTools' } as const]
            : []),
        ],
      },
      { role: 'windowMenu' },
    ]),
  );
}

/** The page answers Ctrl/Cmd-K already: the menu presses those keys for it. */
function pressFind(page: WebContents | undefined, mac: boolean): void {
  const key = { keyCode: 'K', modifiers: [mac ? ('meta' as const) : ('control' as const)] };
  page?.focus();
  page?.sendInputEvent({ type: 'keyDown', ...key });
  page?.sendInputEvent({ type: 'keyUp', ...key });
}
