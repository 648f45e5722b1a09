/** What tuning remembers between starts besides its runs: what was in use before, and captions files of runs. */
import { z } from 'zod';
import type { Store } from './store/types.ts';

const memory = z.object({
  /** What was in use before the head in use, the latest last; null for none. */
  before: z.array(z.int().nonnegative().nullable()),
  /** By run: the captions file or folder that a person chose for it, which resuming reads again. */
  files: z.record(z.string(), z.string()),
});
type Memory = z.output<typeof memory>;

export interface TuneMemory {
  /** Heads that were in use before the one in use, the latest last. */
  before(): readonly (number | null)[];
  setBefore(runs: readonly (number | null)[]): void;
  file(runId: number): string | null;
  setFile(runId: number, path: string | null): void;
  /** Nothing that points to this run stays. */
  forget(runId: number): void;
  clear(): void;
}

const key = 'tune';
/** Nobody goes back further. */
const mostBefore = 50;
const nothing: Memory = { before: [], files: {} };

export function createTuneMemory({ settings }: Pick<Store, 'settings'>): TuneMemory {
  const read = (): Memory => memory.safeParse(settings.get(key)).data ?? nothing;
  const write = (change: Partial<Memory>): void => settings.set(key, { ...read(), ...change });
  const setFile = (runId: number, path: string | null): void => {
    const files = Object.entries(read().files).filter(([id]) => id !== String(runId));
    if (path !== null) files.push([String(runId), path]);
    write({ files: Object.fromEntries(files) });
  };
  return {
    before: () => read().before,
    setBefore: (runs) => write({ before: runs.slice(-mostBefore) }),
    file: (runId) => read().files[String(runId)] ?? null,
    setFile,
    forget(runId) {
      if (read().files[String(runId)] !== undefined) setFile(runId, null);
      const { before } = read();
      if (before.includes(runId)) write({ before: before.filter((run) => run !== runId) });
    },
    clear: () => settings.set(key, nothing),
  };
}
