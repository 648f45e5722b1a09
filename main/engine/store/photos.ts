/** What changes photos: scans, moves, commits of a batch, removals. Questions are in photo-queries.ts. */
import type { Database } from 'better-sqlite3';
import { AppError } from '../../errors.ts';
import type { CarryOver } from './carry-over.ts';
import { foldText } from './fold-text.ts';
import type { VectorWriter } from './embeddings.ts';
import type { History } from './history.ts';
import { createPhotoQueries } from './photo-queries.ts';
import { metadataColumns } from './photo-rows.ts';
import type { FailedPhoto, IndexedPhoto, PhotoTable, ThumbnailTable } from './types.ts';
import type { WordWriter } from './word-writer.ts';

export interface PhotoTableOptions {
  readonly path: string;
  readonly history: History;
  readonly vectors: VectorWriter;
  readonly words: WordWriter;
  readonly carryOver: CarryOver;
  /** Photos in whose caption, tags or names the phrase stands. */
  readonly phrase: (phrase: string) => number[];
  readonly thumbnails: Pick<ThumbnailTable, 'put'>;
  /** Hears, after the commit, the content hashes of photos that went or changed their bytes. */
  readonly onUnused: (hashes: readonly string[]) => void;
}

export function createPhotoTable(db: Database, options: PhotoTableOptions): PhotoTable {
  const { history, vectors, words, carryOver } = options;
  const metadataNames = Object.keys(metadataColumns);
  const insert = db
    .prepare<[number, string, string, number, number], number>(
      `INSERT INTO photos (root_id, rel_path, folded_path, bytes, mtime_ms) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT (root_id, rel_path) DO UPDATE
         SET bytes = excluded.bytes, mtime_ms = excluded.mtime_ms, status = 'pending', error = NULL
       RETURNING id`,
    )
    .pluck();
  const markChanged = db.prepare(
    `UPDATE photos SET bytes = ?, mtime_ms = ?, status = 'pending', error = NULL, deaths = 0 WHERE id = ?`,
  );
  const move = db.prepare(
    `UPDATE photos SET root_id = ?, rel_path = ?, folded_path = ?, bytes = ?, mtime_ms = ? WHERE id = ?`,
  );
  // A photo marked as changed that proves to have its old bytes is what it was before.
  const touch = db.prepare(
    `UPDATE photos SET bytes = ?, mtime_ms = ?,
       status = CASE WHEN status = 'pending' AND width IS NOT NULL AND hash IS NOT NULL THEN 'indexed' ELSE status END
     WHERE id = ?`,
  );
  const remove = db.prepare('DELETE FROM photos WHERE id = ?');
  const requeueAll = db.prepare(
    `UPDATE photos SET status = 'pending', error = NULL, deaths = 0 WHERE status = 'failed'`,
  );
  const requeue = db.prepare(
    `UPDATE photos SET status = 'pending', error = NULL, deaths = 0 WHERE status = 'failed' AND id = ?`,
  );
  const addDeath = db
    .prepare<[number], number>('UPDATE photos SET deaths = deaths + 1 WHERE id = ? RETURNING deaths')
    .pluck();
  const setIndexed = db.prepare(
    `UPDATE photos SET status = 'indexed', error = NULL, deaths = 0, hash = @hash, described_hash = @hash,
       bytes = @bytes, mtime_ms = @mtimeMs,
       ${Object.entries(metadataColumns)
         .map(([column, key]) => `${column} = @${key}`)
         .join(', ')}
     WHERE id = @id`,
  );
  const setFailed = db.prepare(
    `UPDATE photos SET status = 'failed', error = ?, hash = ?, bytes = ?, mtime_ms = ?,
       ${metadataNames.map((column) => `${column} = NULL`).join(', ')}
     WHERE id = ?`,
  );
  const dropOtherModels = db.prepare('DELETE FROM embeddings WHERE photo_id = ? AND model_id <> ?');
  const dropVectors = db.prepare('DELETE FROM embeddings WHERE photo_id = ?');
  const hashOf = db.prepare<[number], string | null>('SELECT hash FROM photos WHERE id = ?').pluck();
  const copyRow = db.prepare(
    `UPDATE photos SET status = 'indexed', error = NULL, deaths = 0, bytes = @bytes, mtime_ms = @mtimeMs, hash = s.hash,
       described_hash = s.hash,
       ${metadataNames.map((column) => `${column} = s.${column}`).join(', ')}
     FROM (SELECT * FROM photos WHERE id = @from AND width IS NOT NULL AND hash IS NOT NULL) AS s
     WHERE photos.id = @id`,
  );
  const copyVectors = db.prepare(
    `INSERT INTO embeddings (key, model_id, photo_id, generation, vector)
     SELECT model_id * 4294967296 + @id, model_id, @id, @generation, vector FROM embeddings WHERE photo_id = @from`,
  );

  /** @returns the hash that the photo no longer has, if it changed. */
  const commitIndexed = (modelId: number, photo: IndexedPhoto, generation: number): string | null => {
    const before = hashOf.get(photo.photoId);
    // Gone while it was being worked on: its vector has nowhere to belong.
    if (before === undefined) return null;
    const described = carryOver.before(photo.photoId);
    setIndexed.run({ ...photo.metadata, ...photo.stat, hash: photo.hash, id: photo.photoId });
    carryOver.indexed(photo.photoId, described, photo.hash);
    vectors.write(modelId, photo.photoId, photo.vector, generation);
    if (before === photo.hash) return null;
    // Other models' vectors are of the old bytes; withoutVector() offers the photo to them again.
    dropOtherModels.run(photo.photoId, modelId);
    return before;
  };
  const commitFailed = (photo: FailedPhoto, generation: number): string | null => {
    const { error, hash, stat, photoId } = photo;
    const before = hashOf.get(photoId);
    if (before === undefined) return null;
    setFailed.run(JSON.stringify(error), hash, stat.bytes, stat.mtimeMs, photoId);
    carryOver.failed(photoId);
    if (dropVectors.run(photoId).changes > 0) history.recordRemovals(generation, [photoId]);
    return before === hash ? null : before;
  };

  return {
    ...createPhotoQueries(db, options.path, options.phrase),
    add: (rootId, files) =>
      db.transaction(() =>
        files.map((file) => {
          const id = insert.get(rootId, file.relPath, foldText(file.relPath), file.bytes, file.mtimeMs);
          if (id === undefined) throw new Error(`no id for ${file.relPath}`);
          return id;
        }),
      )(),
    markChanged(files) {
      db.transaction(() => {
        for (const { id, stat } of files) markChanged.run(stat.bytes, stat.mtimeMs, id);
      })();
    },
    move(photoId, { rootId, relPath, stat }) {
      db.transaction(() => {
        move.run(rootId, relPath, foldText(relPath), stat.bytes, stat.mtimeMs, photoId);
        words.refresh([photoId]);
        history.bump();
      })();
    },
    touch(photoId, stat) {
      touch.run(stat.bytes, stat.mtimeMs, photoId);
    },
    remove(ids) {
      const unused = db.transaction(() => {
        const hashes = ids.map((id) => hashOf.get(id) ?? null);
        const gone = ids.filter((id) => remove.run(id).changes > 0);
        if (gone.length > 0) history.recordRemovals(history.bump(), gone);
        return hashes;
      })();
      options.onUnused(unused.filter((hash) => hash !== null));
    },
    requeue: (ids) =>
      db.transaction(() =>
        ids === undefined
          ? requeueAll.run().changes
          : ids.reduce((total, id) => total + requeue.run(id).changes, 0),
      )(),
    addDeath: (id) => addDeath.get(id) ?? 0,
    commit(modelId, indexed, failed) {
      const { generation, unused } = db
        .transaction(() => {
          const next = history.bump();
          const hashes = [
            ...indexed.map((photo) => commitIndexed(modelId, photo, next)),
            ...failed.map((photo) => commitFailed(photo, next)),
          ];
          return { generation: next, unused: hashes.filter((hash) => hash !== null) };
        })
        .immediate();
      options.onUnused(unused);
      const thumbnails = indexed.flatMap(({ photoId, thumbnail }) =>
        thumbnail === null ? [] : [{ photoId, webp: thumbnail }],
      );
      if (thumbnails.length > 0) options.thumbnails.put(thumbnails);
      return generation;
    },
    commitCopy: (photoId, fromId, stat) =>
      db
        .transaction(() => {
          const generation = history.bump();
          const described = carryOver.before(photoId);
          if (copyRow.run({ ...stat, id: photoId, from: fromId }).changes === 0)
            throw new AppError(
              'not-found',
              `Photo ${fromId} cannot be copied to photo ${photoId}: one of them is gone or not indexed.`,
            );
          const hash = hashOf.get(photoId);
          if (typeof hash === 'string') carryOver.indexed(photoId, described, hash);
          dropVectors.run(photoId);
          copyVectors.run({ id: photoId, from: fromId, generation });
          return generation;
        })
        .immediate(),
  };
}
