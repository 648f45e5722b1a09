/** The generation counter, and who lost their vectors in which generation. */
import type { Database } from 'better-sqlite3';

/** Enough for any graph worth catching up; beyond it a rebuild is quicker than the book-keeping. */
const keptRemovals = 50_000;

export interface History {
  generation(): number;
  /** Counts one up; call it inside the transaction that changes something. */
  bump(): number;
  recordRemovals(generation: number, photoIds: readonly number[]): void;
  /** Photos that lost their vectors after a generation; undefined when that is no longer known. */
  removedSince(generation: number): number[] | undefined;
}

export function createHistory(db: Database, limit = keptRemovals): History {
  const read = db.prepare<[], { generation: number; floor: number }>(
    'SELECT generation, history_floor AS floor FROM state',
  );
  const increase = db
    .prepare<[], number>('UPDATE state SET generation = generation + 1 RETURNING generation')
    .pluck();
  const insert = db.prepare('INSERT OR IGNORE INTO removals (generation, photo_id) VALUES (?, ?)');
  const count = db.prepare<[], number>('SELECT count(*) FROM removals').pluck();
  const cut = db
    .prepare<[number], number>('SELECT generation FROM removals ORDER BY generation DESC LIMIT 1 OFFSET ?')
    .pluck();
  const prune = db.prepare('DELETE FROM removals WHERE generation <= ?');
  const setFloor = db.prepare('UPDATE state SET history_floor = max(history_floor, ?)');
  const since = db
    .prepare<[number], number>('SELECT DISTINCT photo_id FROM removals WHERE generation > ?')
    .pluck();

  const state = (): { generation: number; floor: number } => {
    const row = read.get();
    if (row === undefined) throw new Error('the state row is missing');
    return row;
  };

  return {
    generation: () => state().generation,
    bump() {
      const generation = increase.get();
      if (generation === undefined) throw new Error('the state row is missing');
      return generation;
    },
    recordRemovals(generation, photoIds) {
      for (const id of photoIds) insert.run(generation, id);
      if ((count.get() ?? 0) <= limit) return;
      const oldest = cut.get(limit);
      if (oldest === undefined) return;
      prune.run(oldest);
      setFloor.run(oldest);
    },
    removedSince(generation) {
      const { floor, generation: current } = state();
      // A generation from the future belongs to a library that has since been restored from a backup.
      if (generation < floor || generation > current) return undefined;
      return since.all(generation);
    },
  };
}
