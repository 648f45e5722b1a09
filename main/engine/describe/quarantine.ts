/** Photos that ended a model's process twice: remembered by their bytes, so that no later run falls over them. */
import type { Store } from '../store/types.ts';

export interface Quarantine {
  has(fingerprint: string, hash: string | null): boolean;
  add(fingerprint: string, hash: string | null): void;
  /** A person wants it tried again, and it went well. */
  release(fingerprint: string, hash: string | null): void;
}

const settingKey = 'captions.quarantine';
/** Far more than a library has; a list that only grows is cut off at its old end. */
const mostEntries = 2_000;

export function createQuarantine(store: Pick<Store, 'settings' | 'readOnly'>): Quarantine {
  let entries: Set<string> | undefined;
  const read = (): Set<string> => {
    if (entries !== undefined) return entries;
    const stored = store.settings.get(settingKey);
    entries = new Set(
      Array.isArray(stored) ? stored.filter((entry): entry is string => typeof entry === 'string') : [],
    );
    return entries;
  };
  const write = (next: Set<string>): void => {
    entries = new Set([...next].slice(-mostEntries));
    if (!store.readOnly) store.settings.set(settingKey, [...entries]);
  };
  const name = (fingerprint: string, hash: string): string => `${fingerprint}:${hash}`;
  return {
    has: (fingerprint, hash) => hash !== null && read().has(name(fingerprint, hash)),
    add(fingerprint, hash) {
      if (hash !== null) write(new Set([...read(), name(fingerprint, hash)]));
    },
    release(fingerprint, hash) {
      const next = new Set(read());
      if (hash !== null && next.delete(name(fingerprint, hash))) write(next);
    },
  };
}
