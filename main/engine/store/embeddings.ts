/** Vectors: one row per photo and model, and which model is in use. */
import type { Database } from 'better-sqlite3';
import { AppError } from '../../errors.ts';
import type { Log } from '../log.ts';
import { createDerivedModels } from './derived-models.ts';
import type { History } from './history.ts';
import type { EmbeddingTable, Vectors } from './types.ts';

/** The clustered key of a vector; see the table's comment. */
const embeddingKey = (modelId: number, photoId: number): number => modelId * 2 ** 32 + photoId;

function vectorToBlob(vector: Float32Array): Buffer {
  return Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength);
}

export interface VectorRow {
  readonly id: number;
  readonly vector: Buffer;
}
interface ModelRow {
  readonly id: number;
  readonly fingerprint: string;
  readonly packId: string;
  readonly dims: number;
}

export interface VectorWriter {
  /** Checks and writes one vector; call it inside a transaction. @throws AppError internal on wrong dims */
  write(modelId: number, photoId: number, vector: Float32Array, generation: number): void;
}

export function createVectorWriter(db: Database): VectorWriter {
  const dims = db.prepare<[number], number>('SELECT dims FROM models WHERE id = ?').pluck();
  const upsert = db.prepare(
    `INSERT INTO embeddings (key, model_id, photo_id, generation, vector) VALUES (?, ?, ?, ?, ?)
     ON CONFLICT (key) DO UPDATE SET generation = excluded.generation, vector = excluded.vector`,
  );
  return {
    write(modelId, photoId, vector, generation) {
      const expected = dims.get(modelId);
      if (vector.length !== expected)
        throw new AppError(
          'internal',
          `A vector of ${vector.length} dimensions was offered to a model of ${expected ?? 'unknown'}.`,
        );
      for (const value of vector)
        if (!Number.isFinite(value))
          throw new AppError('internal', 'A vector with a value that is no number was offered.');
      upsert.run(embeddingKey(modelId, photoId), modelId, photoId, generation, vectorToBlob(vector));
    },
  };
}

export function createEmbeddingTable(
  db: Database,
  path: string,
  history: History,
  writer: VectorWriter,
  log: Log,
): EmbeddingTable {
  const modelColumns = 'id, fingerprint, pack_id AS packId, dims';
  const byFingerprint = db.prepare<[string], ModelRow>(
    `SELECT ${modelColumns} FROM models WHERE fingerprint = ?`,
  );
  const byId = db.prepare<[number], ModelRow>(`SELECT ${modelColumns} FROM models WHERE id = ?`);
  const insertModel = db.prepare('INSERT INTO models (fingerprint, pack_id, dims) VALUES (?, ?, ?)');
  const active = db.prepare<[], number | null>('SELECT active_model FROM state').pluck();
  const setActive = db.prepare('UPDATE state SET active_model = ?');
  const range = 'key BETWEEN @model * 4294967296 AND @model * 4294967296 + 4294967295';
  // By the index, which is a hundredth of the rows: 3 ms for 100,000 instead of 300.
  const count = db
    .prepare<{ model: number }, number>('SELECT count(*) FROM embeddings WHERE model_id = @model')
    .pluck();
  const all = db.prepare<{ model: number }, VectorRow>(
    `SELECT photo_id AS id, vector FROM embeddings WHERE ${range} ORDER BY key`,
  );
  const some = db.prepare<{ model: number; after: number; limit: number }, VectorRow>(
    `SELECT photo_id AS id, vector FROM embeddings
     WHERE key > @model * 4294967296 + @after AND key <= @model * 4294967296 + 4294967295
     ORDER BY key LIMIT @limit`,
  );
  const one = db.prepare<[number], Buffer>('SELECT vector FROM embeddings WHERE key = ?').pluck();
  const since = db.prepare<[number, number], VectorRow>(
    'SELECT photo_id AS id, vector FROM embeddings WHERE model_id = ? AND generation > ? ORDER BY key',
  );
  const countSince = db
    .prepare<[number, number], number>(
      'SELECT count(*) FROM embeddings WHERE model_id = ? AND generation > ?',
    )
    .pluck();
  const exists = db.prepare<[number], number>('SELECT 1 FROM embeddings WHERE key = ?').pluck();
  const photoExists = db.prepare<[number], number>('SELECT 1 FROM photos WHERE id = ?').pluck();
  const deleteModel = db.prepare('DELETE FROM models WHERE id = ?');

  const dimsOf = (modelId: number): number => {
    const model = byId.get(modelId);
    if (model === undefined) throw new AppError('not-found', `The library knows no model ${modelId}.`);
    return model.dims;
  };
  const collect = (rows: Iterable<VectorRow>, total: number, dims: number): Vectors => {
    const ids = new Float64Array(total);
    const data = new Float32Array(total * dims);
    const bytes = Buffer.from(data.buffer);
    let row = 0;
    for (const { id, vector } of rows) {
      checkLength(path, id, vector, dims);
      ids[row] = id;
      vector.copy(bytes, row * dims * 4);
      row += 1;
    }
    return { ids, data, dims };
  };

  return {
    ...createDerivedModels(db, { collect, log }),
    model(fingerprint, packId, dims) {
      const known = byFingerprint.get(fingerprint);
      if (known === undefined) return Number(insertModel.run(fingerprint, packId, dims).lastInsertRowid);
      if (known.dims !== dims)
        throw new AppError(
          'pack-invalid',
          `The pack ${packId} gives ${dims} dimensions, but the library holds ${known.dims} for the same fingerprint. Install the pack again.`,
          { details: { packId } },
        );
      return known.id;
    },
    find: (fingerprint) => byFingerprint.get(fingerprint)?.id,
    setActiveModel(modelId) {
      db.transaction(() => {
        dimsOf(modelId);
        if (active.get() === modelId) return;
        setActive.run(modelId);
        history.bump();
      })();
    },
    generation: () => history.generation(),
    count: (modelId) => count.get({ model: modelId }) ?? 0,
    all(modelId) {
      const dims = dimsOf(modelId);
      // One transaction, so that a read-only opener beside a writer counts and reads the same rows.
      return db.transaction(() =>
        collect(all.iterate({ model: modelId }), count.get({ model: modelId }) ?? 0, dims),
      )();
    },
    page(modelId, { limit, afterId = 0 }) {
      const rows = some.all({ model: modelId, after: afterId, limit });
      return collect(rows, rows.length, dimsOf(modelId));
    },
    get(modelId, photoId) {
      const blob = one.get(embeddingKey(modelId, photoId));
      if (blob === undefined) return undefined;
      const dims = dimsOf(modelId);
      checkLength(path, photoId, blob, dims);
      return collect([{ id: photoId, vector: blob }], 1, dims).data;
    },
    changesSince(modelId, generation) {
      const dims = dimsOf(modelId);
      return db.transaction(() => {
        const gone = history.removedSince(generation);
        if (gone === undefined) return undefined;
        const upserted = collect(
          since.iterate(modelId, generation),
          countSince.get(modelId, generation) ?? 0,
          dims,
        );
        // A photo that failed and was then indexed again is not gone.
        const removed = gone.filter((id) => exists.get(embeddingKey(modelId, id)) === undefined);
        return { upserted, removed };
      })();
    },
    put(modelId, rows) {
      return db.transaction(() => {
        const generation = history.bump();
        // A photo removed while it was being embedded is left out.
        for (const { photoId, vector } of rows)
          if (photoExists.get(photoId) !== undefined) writer.write(modelId, photoId, vector, generation);
        return generation;
      })();
    },
    drop(modelId) {
      db.transaction(() => {
        if (deleteModel.run(modelId).changes > 0) history.bump();
      })();
    },
  };
}

function checkLength(path: string, photoId: number, blob: Buffer, dims: number): void {
  if (blob.length === dims * 4) return;
  throw new AppError(
    'library-damaged',
    `The vector of photo ${photoId} in ${path} has ${blob.length} bytes instead of ${dims * 4}. Restore a copy from the backups folder, or erase the library and index again.`,
    { details: { path } },
  );
}
