/** The settings of a library: stored as one JSON value, parsed when read, with a default for each. */
import { settings, type Settings } from '../contract.ts';
import type { Store } from './store/types.ts';

const defaults: Settings = {
  language: 'system',
  theme: 'system',
  provider: 'auto',
  rowHeight: 180,
  // Some 20 KB a thumbnail: 100,000 photos.
  thumbnailsMaxBytes: 2 * 2 ** 30,
  watchFolders: true,
  captionInBackground: false,
};

const key = 'app';

/** Each setting by itself: one that a newer version wrote differently costs only itself. */
export function readSettings(store: Store): Settings {
  const stored = store.settings.get(key);
  if (typeof stored !== 'object' || stored === null) return defaults;
  const parts = Object.entries(stored as Record<string, unknown>).filter(
    ([name, value]) =>
      settings
        .partial()
        .strict()
        .safeParse({ [name]: value }).success,
  );
  return { ...defaults, ...(Object.fromEntries(parts) as Partial<Settings>) };
}

/** @returns all settings after the change. */
export function writeSettings(
  store: Store,
  change: { [K in keyof Settings]?: Settings[K] | undefined },
): Settings {
  const given = Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined));
  const next = { ...readSettings(store), ...given };
  store.settings.set(key, next);
  return next;
}
