/** The system's file events, through @parcel/watcher. */
import type { SubscribeFolder } from './types.ts';

/** Loaded when it is first needed: where its native part can't be loaded, everything but watching still works. */
export const subscribeFolder: SubscribeFolder = async (folder, ignore, listener) => {
  const { default: watcher } = await import('@parcel/watcher');
  const subscription = await watcher.subscribe(
    folder,
    (error, events) => listener(error, error === null ? events : []),
    // Hidden folders hold no photos and may be busy (.git, caches): their events stay in the kernel.
    { ignore: [...ignore, '**/.*/**', '**/node_modules/**'] },
  );
  return () => subscription.unsubscribe();
};
