/** The calls that a browser page has instead of a desktop's: it browses folders, and opens nothing. */
import { AppError } from '../../errors.ts';
import type { ShellHandlers } from '../dispatch.ts';
import type { EngineAccess } from '../engine-access.ts';
import { browseFolders } from '../folder-browser.ts';
import type { GrantBook } from '../grant-book.ts';

export function webHandlers(
  access: Pick<EngineAccess, 'call'>,
  grants: GrantBook,
  version: string,
): ShellHandlers {
  const desktopOnly = (): Promise<never> =>
    Promise.reject(
      new AppError(
        'not-supported',
        'A browser cannot do this. Use the desktop app, or download the original.',
      ),
    );
  return {
    'app.info': async () => ({
      version,
      platform: process.platform,
      shell: 'web',
      can: { pickFolder: false, browseFolders: true, reveal: false, openFile: false },
      libraryPath: (await access.call('library.status', {})).path,
    }),
    'folders.browse': ({ grant }) => browseFolders(grants, grant),
    'folders.pick': desktopOnly,
    'photos.openFile': desktopOnly,
    'photos.reveal': desktopOnly,
  };
}
