/** Calls about settings; those that rooms act on take effect at once. */
import { readSettings, writeSettings } from './app-settings.ts';
import type { Rooms } from './rooms.ts';
import type { Handlers } from './types.ts';

export function settingsHandlers(rooms: Rooms): Pick<Handlers, 'settings.get' | 'settings.set'> {
  const { store } = rooms;
  return {
    'settings.get': () => readSettings(store),
    'settings.set': async (change) => {
      const before = readSettings(store);
      const after = writeSettings(store, change);
      if (after.watchFolders !== before.watchFolders) await rooms.applySettings();
      if (after.thumbnailsMaxBytes < before.thumbnailsMaxBytes)
        store.thumbnails.trim(after.thumbnailsMaxBytes);
      if (after.captionInBackground !== before.captionInBackground) rooms.describing.background.changed();
      if (after.provider !== before.provider) await rooms.packSwitch.reload();
      return after;
    },
  };
}
