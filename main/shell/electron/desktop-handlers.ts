/** The calls that need a desktop: the folder dialog, opening a photo, showing it in its folder. By id only. */
import { basename, extname } from 'node:path';
import type { BrowserWindow, Dialog, Shell } from 'electron';
import { AppError } from '../../errors.ts';
import type { ShellHandlers } from '../dispatch.ts';
import type { EngineAccess } from '../engine-access.ts';
import type { GrantBook } from '../grant-book.ts';

/** A file that opens in a viewer. Anything else could be a program under a picture's bytes. */
const pictureNames = /^\.(jpe?g|jpe|jfif|png|webp|gif|tiff?|avif|hei[cf]s?|hif|bmp|jxl|jp2|ppm|pgm)$/i;

export interface DesktopParts {
  readonly dialog: Pick<Dialog, 'showOpenDialog'>;
  readonly shell: Pick<Shell, 'openPath' | 'showItemInFolder'>;
  /** The window that dialogs belong to. */
  readonly window: () => BrowserWindow | undefined;
}

export function desktopHandlers(
  { dialog, shell, window }: DesktopParts,
  access: Pick<EngineAccess, 'call' | 'photoFile'>,
  grants: GrantBook,
  version: string,
): ShellHandlers {
  return {
    'app.info': async () => ({
      version,
      platform: process.platform,
      shell: 'electron',
      can: { pickFolder: true, browseFolders: false, reveal: true, openFile: true },
      libraryPath: (await access.call('library.status', {})).path,
    }),
    'folders.pick': async () => {
      const properties: ('openDirectory' | 'multiSelections')[] = ['openDirectory', 'multiSelections'];
      const owner = window();
      const { canceled, filePaths } = await (owner === undefined
        ? dialog.showOpenDialog({ properties })
        : dialog.showOpenDialog(owner, { properties }));
      const chosen = canceled ? [] : filePaths;
      return {
        folders: chosen.map((path) => ({ grant: grants.issue(path), name: basename(path) || path, path })),
      };
    },
    'folders.browse': () =>
      Promise.reject(
        new AppError('not-supported', 'The desktop app chooses folders with the system dialog.'),
      ),
    'photos.openFile': async ({ photoId }) => {
      const { path } = await access.photoFile(photoId);
      if (!pictureNames.test(extname(path)))
        throw new AppError(
          'not-supported',
          `${basename(path)} does not have a picture's name. Show it in its folder instead.`,
        );
      const problem = await shell.openPath(path);
      if (problem !== '')
        throw new AppError('io-failed', `The system could not open ${basename(path)}: ${problem}`);
      return {};
    },
    'photos.reveal': async ({ photoId }) => {
      shell.showItemInFolder((await access.photoFile(photoId)).path);
      return {};
    },
  };
}
