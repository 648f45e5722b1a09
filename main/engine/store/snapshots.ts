/** Bytes of the graph, in checksummed chunks, one snapshot per model. */
import { crc32 } from 'node:zlib';
import type { Database } from 'better-sqlite3';
import { AppError } from '../../errors.ts';
import { fromSqlite } from './sqlite-errors.ts';
import type { SnapshotInfo, SnapshotTable } from './types.ts';

interface InfoRow extends SnapshotInfo {
  readonly chunks: number;
}
interface ChunkRow {
  readonly crc32: number;
  readonly bytes: Buffer;
}

export function createSnapshotTable(db: Database, path: string): SnapshotTable {
  const info = db.prepare<[number], InfoRow>(
    'SELECT generation, count, dims, bytes, chunks FROM snapshots WHERE model_id = ?',
  );
  const remove = db.prepare('DELETE FROM snapshots WHERE model_id = ?');
  const insert = db.prepare(
    `INSERT INTO snapshots (model_id, generation, count, dims, bytes, chunks)
     VALUES (@modelId, @generation, @count, @dims, 0, 0)`,
  );
  const finish = db.prepare('UPDATE snapshots SET bytes = ?, chunks = ? WHERE model_id = ?');
  const insertChunk = db.prepare(
    'INSERT INTO snapshot_chunks (model_id, seq, crc32, bytes) VALUES (?, ?, ?, ?)',
  );
  const chunk = db.prepare<[number, number], ChunkRow>(
    'SELECT crc32, bytes FROM snapshot_chunks WHERE model_id = ? AND seq = ?',
  );

  /** Runs while the caller iterates, out of reach of what turns the other calls' errors into ours. */
  const readChunk = (modelId: number, seq: number): ChunkRow | undefined => {
    try {
      return chunk.get(modelId, seq);
    } catch (thrown) {
      throw fromSqlite(thrown, path);
    }
  };

  return {
    info(modelId) {
      const row = info.get(modelId);
      if (row === undefined) return undefined;
      const { generation, count, dims, bytes } = row;
      return { generation, count, dims, bytes };
    },
    write(modelId, { generation, count, dims }, chunks) {
      db.transaction(() => {
        remove.run(modelId);
        insert.run({ modelId, generation, count, dims });
        let seq = 0;
        let total = 0;
        for (const bytes of chunks) {
          insertChunk.run(modelId, seq, checksum(modelId, seq, bytes), bytes);
          seq += 1;
          total += bytes.length;
        }
        finish.run(total, seq, modelId);
      }).immediate();
    },
    *read(modelId) {
      const row = info.get(modelId);
      if (row === undefined) throw torn(path, 'it is missing');
      let total = 0;
      for (let seq = 0; seq < row.chunks; seq += 1) {
        const stored = readChunk(modelId, seq);
        if (stored === undefined) throw torn(path, `chunk ${seq} is missing`);
        if (checksum(modelId, seq, stored.bytes) !== stored.crc32)
          throw torn(path, `chunk ${seq} fails its checksum`);
        total += stored.bytes.length;
        yield stored.bytes;
      }
      if (total !== row.bytes) throw torn(path, `it has ${total} bytes instead of ${row.bytes}`);
    },
  };
}

/** Seeded with its place, so that a chunk of another snapshot or position is not taken for this one. */
function checksum(modelId: number, seq: number, bytes: Uint8Array): number {
  return crc32(bytes, crc32(`${modelId}:${seq}`));
}

function torn(path: string, reason: string): AppError {
  return new AppError(
    'library-damaged',
    `The search graph stored in ${path} is damaged: ${reason}. It is rebuilt from the stored vectors by itself.`,
    { details: { path } },
  );
}
