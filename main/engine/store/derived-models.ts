/** Models whose vectors a head made from another model's, and which model is in use. */
import type { Database } from 'better-sqlite3';
import { AppError } from '../../errors.ts';
import type { Log } from '../log.ts';
import type { VectorRow } from './embeddings.ts';
import type { EmbeddingTable, Vectors } from './types.ts';

interface Row {
  readonly id: number;
  readonly fingerprint: string;
  readonly packId: string;
  readonly dims: number;
  readonly baseId: number | null;
  readonly runId: number | null;
}

/** Keys are of a model and a photo, 32 bits each. */
const lastPhotoId = 2 ** 32 - 1;

interface Parts {
  /** Copies rows into one buffer. @throws AppError library-damaged */
  readonly collect: (rows: Iterable<VectorRow>, total: number, dims: number) => Vectors;
  readonly log: Log;
}

export function createDerivedModels(
  db: Database,
  { collect, log }: Parts,
): Pick<EmbeddingTable, 'activeModel' | 'derivedModel' | 'underived'> {
  const columns = `m.id, m.fingerprint, m.pack_id AS packId, m.dims, m.base_model_id AS baseId, m.run_id AS runId`;
  const active = db.prepare<[], Row>(
    `SELECT ${columns} FROM models m WHERE m.id = (SELECT active_model FROM state)`,
  );
  const byId = db.prepare<[number], Row>(`SELECT ${columns} FROM models m WHERE m.id = ?`);
  const byFingerprint = db.prepare<[string], number>('SELECT id FROM models WHERE fingerprint = ?').pluck();
  const insert = db.prepare(
    'INSERT INTO models (fingerprint, pack_id, dims, base_model_id, run_id) VALUES (?, ?, ?, ?, ?)',
  );
  const hasHead = db.prepare<[number], number>('SELECT 1 FROM heads WHERE run_id = ?').pluck();
  const hasRun = db.prepare<[number], number>('SELECT 1 FROM runs WHERE id = ?').pluck();
  // Two walks side by side along the clustered keys, from where the caller is.
  const missing = db.prepare<
    { model: number; base: number; after: number; upTo: number; limit: number },
    VectorRow
  >(
    `SELECT b.photo_id AS id, b.vector FROM embeddings b
     LEFT JOIN embeddings d ON d.key = @model * 4294967296 + b.photo_id
     WHERE b.key > @base * 4294967296 + @after AND b.key <= @base * 4294967296 + @upTo
       AND (d.key IS NULL OR d.generation < b.generation)
     ORDER BY b.key LIMIT @limit`,
  );

  const found = (id: number): Row => {
    const row = byId.get(id);
    if (row === undefined) throw new AppError('not-found', `The library knows no model ${id}.`);
    return row;
  };
  let complained = false;
  const fallBack = (row: Row, base: Row | undefined): void => {
    if (complained) return;
    complained = true;
    log.warn('library: what the model in use was made from is gone', {
      model: row.id,
      run: row.runId,
      instead: base?.id ?? null,
    });
  };

  return {
    activeModel() {
      const row = active.get();
      if (row === undefined) return undefined;
      if (row.baseId === null && row.runId === null) return toActive(row, null);
      const base = row.baseId === null ? undefined : byId.get(row.baseId);
      if (base === undefined || row.runId === null || hasHead.get(row.runId) === undefined) {
        fallBack(row, base);
        return base === undefined ? undefined : toActive(base, null);
      }
      return toActive(row, { modelId: base.id, fingerprint: base.fingerprint, runId: row.runId });
    },
    derivedModel: (baseId, runId, headHash) =>
      db.transaction(() => {
        const base = found(baseId);
        if (base.baseId !== null)
          throw new AppError(
            'internal',
            `Model ${baseId} was itself made by a head; heads start from a pack.`,
          );
        if (hasRun.get(runId) === undefined)
          throw new AppError('not-found', `The library knows no run ${runId}.`, { details: { runId } });
        // The run is part of it: the same head, taught twice, is used and undone as two.
        const fingerprint = `${base.fingerprint}+${runId}.${headHash}`;
        const known = byFingerprint.get(fingerprint);
        if (known !== undefined) return known;
        const { lastInsertRowid } = insert.run(fingerprint, base.packId, base.dims, baseId, runId);
        return Number(lastInsertRowid);
      })(),
    underived(modelId, baseId, { limit, afterId = 0, upTo = lastPhotoId }) {
      const { dims } = found(baseId);
      const rows = missing.all({ model: modelId, base: baseId, after: afterId, upTo, limit });
      return collect(rows, rows.length, dims);
    },
  };
}

function toActive(
  { id, fingerprint, packId, dims }: Row,
  base: NonNullable<ReturnType<EmbeddingTable['activeModel']>>['base'],
): ReturnType<EmbeddingTable['activeModel']> {
  return { modelId: id, fingerprint, packId, dims, base };
}
