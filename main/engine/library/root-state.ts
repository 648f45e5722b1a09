/** Whether a root is really there: a drive that is not mounted must never look like a folder that was emptied. */
import { readdir, stat } from 'node:fs/promises';
import type { Store } from '../store/types.ts';

export interface RootProbe {
  readonly online: boolean;
  /** Device and inode of the folder; null while it can't be looked at. */
  readonly identity: string | null;
}

const settingKey = 'library.rootIdentities';

/** Remembers which folder each root was when it was last scanned. */
export interface RootIdentities {
  get(rootId: number): string | undefined;
  set(rootId: number, identity: string): void;
}

export function createRootIdentities(store: Pick<Store, 'settings' | 'roots'>): RootIdentities {
  const read = (): Map<string, string> => {
    const stored = store.settings.get(settingKey);
    if (typeof stored !== 'object' || stored === null) return new Map();
    return new Map(
      Object.entries(stored).filter((pair): pair is [string, string] => typeof pair[1] === 'string'),
    );
  };
  return {
    get: (rootId) => read().get(String(rootId)),
    set(rootId, identity) {
      const all = read();
      if (all.get(String(rootId)) === identity) return;
      all.set(String(rootId), identity);
      const living = new Set(store.roots.list().map(({ id }) => String(id)));
      store.settings.set(settingKey, Object.fromEntries([...all].filter(([id]) => living.has(id))));
    },
  };
}

/**
 * A folder that can't be reached for whatever reason (gone, unplugged, server down) is offline; one that is
 * there and refuses to be read is online, and the scan reports that. An empty folder that is another one than
 * at the last scan is the mount point left behind by a drive, if the library knows photos there.
 * @param known identity at the last scan; undefined before the first.
 */
export async function probeRoot(path: string, known: string | undefined, photos: number): Promise<RootProbe> {
  try {
    const found = await stat(path, { bigint: true });
    if (!found.isDirectory()) return { online: false, identity: null };
    const identity = `${found.dev}:${found.ino}`;
    if (photos === 0 || identity === known) return { online: true, identity };
    return { online: !(await isEmpty(path)), identity };
  } catch (thrown) {
    const code = (thrown as NodeJS.ErrnoException).code;
    return { online: code === 'EACCES' || code === 'EPERM', identity: null };
  }
}

async function isEmpty(path: string): Promise<boolean> {
  try {
    return (await readdir(path)).length === 0;
  } catch {
    // Whoever can't list it can't say that it is empty; the scan says what is wrong.
    return false;
  }
}
