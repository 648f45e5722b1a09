/** Tuning runs with their checkpoints, and which one's head is in use. */
import type { Database } from 'better-sqlite3';
import { z } from 'zod';
import { tuneRun } from '../../contract-tuning.ts';
import { AppError } from '../../errors.ts';
import { createHeadRows } from './head-rows.ts';
import type { History } from './history.ts';
import type { RunRecord, RunRow, RunTable } from './learning-types.ts';
import { damaged } from './sqlite-errors.ts';

interface RawRun {
  readonly id: number;
  readonly fingerprint: string;
  readonly record: string;
}
const record = tuneRun.omit({ id: true });

/** @param path the library's, for messages. */
export function createRunTable(db: Database, path: string, history: History): RunTable {
  const list = db.prepare<[], RawRun>('SELECT id, fingerprint, record FROM runs ORDER BY id DESC');
  const get = db.prepare<[number], RawRun>('SELECT id, fingerprint, record FROM runs WHERE id = ?');
  const insert = db.prepare('INSERT INTO runs (fingerprint, record) VALUES (?, ?)');
  const write = db.prepare('UPDATE runs SET record = ? WHERE id = ?');
  const remove = db.prepare('DELETE FROM runs WHERE id = ?');
  const removeModels = db.prepare('DELETE FROM models WHERE run_id = ?');
  const inUse = db
    .prepare<{ run: number }, number>(
      `SELECT 1 FROM state s LEFT JOIN models m ON m.id = s.active_model
       WHERE m.run_id = @run OR s.ordering_run = @run`,
    )
    .pluck();
  const putCheckpoint = db.prepare(
    `INSERT INTO run_checkpoints (run_id, bytes) SELECT id, @bytes FROM runs WHERE id = @id
     ON CONFLICT (run_id) DO UPDATE SET bytes = excluded.bytes`,
  );
  const dropCheckpoint = db.prepare('DELETE FROM run_checkpoints WHERE run_id = ?');
  const checkpoint = db
    .prepare<[number], Buffer>('SELECT bytes FROM run_checkpoints WHERE run_id = ?')
    .pluck();
  const ordering = db.prepare<[], number | null>('SELECT ordering_run FROM state').pluck();
  const setOrdering = db.prepare('UPDATE state SET ordering_run = ?');
  const hasHead = db.prepare<[number], number>('SELECT 1 FROM heads WHERE run_id = ?').pluck();

  const toRow = ({ id, fingerprint, record: json }: RawRun): RunRow => ({
    ...parseRecord(json, path),
    id,
    fingerprint,
  });
  const read = (id: number): RunRow => {
    const raw = get.get(id);
    if (raw === undefined) throw unknown(id);
    return toRow(raw);
  };
  const change = (id: number, part: Partial<RunRecord>): RunRow => {
    const before = read(id);
    write.run(toJson({ ...before, ...part }), id);
    return read(id);
  };

  return {
    ...createHeadRows(db, path),
    list: () => list.all().map(toRow),
    get(id) {
      const raw = get.get(id);
      return raw === undefined ? undefined : toRow(raw);
    },
    add: (fingerprint, run) =>
      db.transaction(() => read(Number(insert.run(fingerprint, toJson(run)).lastInsertRowid)))(),
    update: (id, part) => db.transaction(() => change(id, part))(),
    remove(id) {
      db.transaction(() => {
        if (inUse.get({ run: id }) !== undefined)
          throw new AppError(
            'input-invalid',
            'What this run learnt is in use. Undo it first, then remove it.',
            { details: { runId: id } },
          );
        if (removeModels.run(id).changes > 0) history.bump();
        remove.run(id);
      })();
    },
    setCheckpoint(id, bytes) {
      if (bytes === null) dropCheckpoint.run(id);
      else {
        const blob = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
        if (putCheckpoint.run({ id, bytes: blob }).changes === 0) throw unknown(id);
      }
    },
    checkpoint: (id) => checkpoint.get(id),
    ordering: () => ordering.get() ?? null,
    setOrdering(id) {
      db.transaction(() => {
        if (id !== null && hasHead.get(id) === undefined)
          throw new AppError('not-found', `Run ${id} has no head, or was removed.`, {
            details: { runId: id },
          });
        if ((ordering.get() ?? null) === id) return;
        setOrdering.run(id);
        // What is found comes in another order from now on.
        history.bump();
      })();
    },
    interruptRunning: (error, at) =>
      db.transaction(() => {
        const running = list
          .all()
          .map(toRow)
          .filter(({ state }) => state === 'running');
        for (const { id } of running) change(id, { state: 'interrupted', error, endedAt: at });
        return running.length;
      })(),
  };
}

function unknown(id: number): AppError {
  return new AppError('not-found', `There is no run ${id}, or it was removed.`, {
    details: { runId: id },
  });
}

/** Numbers that JSON would turn into null are found here, not when the library is opened again. */
function toJson(run: RunRecord): string {
  const parsed = record.safeParse(run);
  if (!parsed.success)
    throw new AppError('internal', `A run that cannot be kept: ${z.prettifyError(parsed.error)}`);
  return JSON.stringify(parsed.data);
}

function parseRecord(json: string, path: string): RunRecord {
  try {
    return record.parse(JSON.parse(json));
  } catch (thrown) {
    if (thrown instanceof SyntaxError || thrown instanceof z.ZodError)
      throw damaged(path, 'what is kept of a run cannot be read', thrown);
    throw thrown;
  }
}
