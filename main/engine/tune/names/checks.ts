/** Whether a name's photos find each other: each is looked for with what the others look like. */
import { AppError } from '../../../errors.ts';
import { meanDirection } from '../../inference/unit-vectors.ts';
import type { Log } from '../../log.ts';
import type { NamedSpace, PhotoVectors } from './types.ts';

interface Check {
  readonly found: number;
  readonly of: number;
}

interface Checked {
  readonly id: number;
  readonly name: string;
  readonly photoIds: readonly number[];
}

export interface Checks {
  /** What is known now; begins looking where that is nothing. */
  of(name: Checked, space: NamedSpace): Check | null;
  /** Resolves when the check is known. */
  settled(name: Checked, space: NamedSpace): Promise<void>;
  /** Resolves when nothing is being looked at any more. */
  close(): Promise<void>;
}

interface Entry {
  readonly key: string;
  value: Check | null;
  done: Promise<void>;
}

/** Photos of a name that are looked for: more tell the same. */
const mostLookedFor = 12;
/** Among so many of the library's nearest a photo must be to count as found. */
const nearest = 10;
const mostLookedThrough = 500;

export function createChecks({ onChecked, log }: { onChecked: () => void; log: Log }): Checks {
  const entries = new Map<number, Entry>();
  /** One after the other, a breath between two: names are many, and nobody waits for all of them. */
  let queue = Promise.resolve();
  let waiting = 0;
  const stop = new AbortController();
  const isClosed = (): boolean => stop.signal.aborted;

  const enter = (name: Checked, space: NamedSpace): Entry => {
    const { index } = space;
    // A tenth more photos in the library may hide some; fewer are no reason to look again.
    const key = JSON.stringify([
      name.photoIds,
      space.embedder.fingerprint,
      Math.ceil(Math.log(index.size + 1) * 10),
    ]);
    const before = entries.get(name.id);
    if (before?.key === key) return before;
    const entry: Entry = { key, value: null, done: Promise.resolve() };
    entries.set(name.id, entry);
    if (name.photoIds.filter((id) => index.has(id)).length < 2 || isClosed()) return entry;
    waiting += 1;
    entry.done = queue.then(async () => {
      waiting -= 1;
      if (isClosed() || entries.get(name.id) !== entry) return;
      try {
        entry.value = await lookForEach(name.photoIds, index);
      } catch (thrown) {
        // The index was closed meanwhile: the next one is looked at anew.
        log.info('a name could not be checked', { name: name.id, error: AppError.from(thrown).toShape() });
      }
      if (waiting === 0 && !isClosed()) onChecked();
    });
    queue = entry.done;
    return entry;
  };

  return {
    of: (name, space) => enter(name, space).value,
    settled: (name, space) => enter(name, space).done,
    async close() {
      stop.abort();
      await queue;
    },
  };
}

async function lookForEach(photoIds: readonly number[], index: PhotoVectors): Promise<Check> {
  const ids = photoIds.filter((id) => index.has(id));
  const step = Math.max(1, ids.length / mostLookedFor);
  const wanted = Array.from(
    { length: Math.min(ids.length, mostLookedFor) },
    (_, i) => ids[Math.floor(i * step)] ?? 0,
  );
  // Of a name with thousands of photos some stand for all: their mean is as good.
  const standing = Array.from(
    { length: Math.min(ids.length, 64) },
    (_, i) => ids[Math.floor((i * ids.length) / Math.min(ids.length, 64))] ?? 0,
  );
  let found = 0;
  for (const id of wanted) {
    const others = standing.filter((other) => other !== id);
    const query = meanDirection(others.flatMap((other) => index.vector(other) ?? []));
    const known = new Set(ids);
    known.delete(id);
    const k = Math.min(index.size, nearest + Math.min(known.size, mostLookedThrough));
    const left = index.search(query, { k }).neighbours.filter((neighbour) => !known.has(neighbour.id));
    // Where hundreds of its own kind are nearer than any other photo, nothing else comes between.
    if (left.length < nearest || left.slice(0, nearest).some((neighbour) => neighbour.id === id)) found += 1;
    await new Promise(setImmediate);
  }
  return { found, of: wanted.length };
}
