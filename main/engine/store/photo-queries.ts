/** Questions about photos: the timeline, filters, duplicates, counts. Nothing here writes. */
import type { Database } from 'better-sqlite3';
import { createPhotoFilter } from './photo-filter.ts';
import { photoColumns, toPhotoRow, type RawPhoto } from './photo-rows.ts';
import type { KnownFile, PhotoRow, PhotoStatus, PhotoTable } from './types.ts';

type PhotoQueries = Pick<
  PhotoTable,
  | 'get'
  | 'getMany'
  | 'counts'
  | 'files'
  | 'pending'
  | 'withoutVector'
  | 'failures'
  | 'byHash'
  | 'timeline'
  | 'filter'
  | 'duplicates'
>;

/** @param phrase photos in whose caption, tags or names it stands */
export function createPhotoQueries(
  db: Database,
  path: string,
  phrase: (phrase: string) => number[],
): PhotoQueries {
  const toRow = (raw: RawPhoto): PhotoRow => toPhotoRow(raw, path);
  const from = `SELECT ${photoColumns} FROM photos p`;
  const get = db.prepare<[number], RawPhoto>(`${from} WHERE p.id = ?`);
  const counts = db.prepare<[], { status: PhotoStatus; n: number }>(
    'SELECT status, count(*) AS n FROM photos GROUP BY status',
  );
  const files = db.prepare<[number], KnownFile>(
    `SELECT id, rel_path AS relPath, bytes, mtime_ms AS mtimeMs, hash, status FROM photos WHERE root_id = ?`,
  );
  // json_each takes any number of ids through one bound value.
  const pending = db.prepare<{ after: number; limit: number; roots: string | null }, RawPhoto>(
    `${from} JOIN roots r ON r.id = p.root_id
     WHERE p.status = 'pending' AND p.id > @after AND r.online = 1
       AND (@roots IS NULL OR p.root_id IN (SELECT value FROM json_each(@roots)))
     ORDER BY p.id LIMIT @limit`,
  );
  const withoutVector = db.prepare<{ model: number; after: number; limit: number }, RawPhoto>(
    `${from} WHERE p.status = 'indexed' AND p.id > @after
       AND NOT EXISTS (SELECT 1 FROM embeddings e WHERE e.key = @model * 4294967296 + p.id)
     ORDER BY p.id LIMIT @limit`,
  );
  const failures = db.prepare<{ offset: number; limit: number }, RawPhoto>(
    `${from} WHERE p.status = 'failed' ORDER BY p.id LIMIT @limit OFFSET @offset`,
  );
  const countFailures = db.prepare<[], number>(`SELECT count(*) FROM photos WHERE status = 'failed'`).pluck();
  const byHash = db.prepare<[string], RawPhoto>(`${from} WHERE p.hash = ? ORDER BY p.id`);
  const timeline = db
    .prepare<[], [number, number, number, number]>(
      `SELECT id, width, height, shown_at FROM photos WHERE width IS NOT NULL ORDER BY shown_at DESC, id DESC`,
    )
    .raw();
  const countDuplicates = db
    .prepare<[], number>(
      `SELECT count(*) FROM (SELECT 1 FROM photos WHERE hash IS NOT NULL AND status = 'indexed'
       GROUP BY hash HAVING count(*) > 1)`,
    )
    .pluck();
  const duplicates = db
    .prepare<{ offset: number; limit: number }, string>(
      `SELECT hash FROM photos WHERE hash IS NOT NULL AND status = 'indexed'
       GROUP BY hash HAVING count(*) > 1 ORDER BY min(id) LIMIT @limit OFFSET @offset`,
    )
    .pluck();
  const filter = createPhotoFilter(db, phrase);

  return {
    get(id) {
      const raw = get.get(id);
      return raw === undefined ? undefined : toRow(raw);
    },
    getMany(ids) {
      const rows: PhotoRow[] = [];
      for (const id of ids) {
        const raw = get.get(id);
        if (raw !== undefined) rows.push(toRow(raw));
      }
      return rows;
    },
    counts() {
      const by = new Map(counts.all().map((row) => [row.status, row.n]));
      const of = (status: PhotoStatus): number => by.get(status) ?? 0;
      const [indexed, failed, waiting] = [of('indexed'), of('failed'), of('pending')];
      return { total: indexed + failed + waiting, indexed, failed, pending: waiting };
    },
    files: (rootId) => files.all(rootId),
    pending: ({ limit, afterId = 0, rootIds }) =>
      pending
        .all({ after: afterId, limit, roots: rootIds === undefined ? null : JSON.stringify(rootIds) })
        .map(toRow),
    withoutVector: (modelId, { limit, afterId = 0 }) =>
      withoutVector.all({ model: modelId, after: afterId, limit }).map(toRow),
    failures: (page) => ({ total: countFailures.get() ?? 0, rows: failures.all(page).map(toRow) }),
    byHash: (hash) => byHash.all(hash).map(toRow),
    timeline() {
      const rows = timeline.all();
      return {
        ids: rows.map((row) => row[0]),
        widths: rows.map((row) => row[1]),
        heights: rows.map((row) => row[2]),
        takenAt: rows.map((row) => row[3]),
      };
    },
    filter,
    duplicates: (page) => ({
      total: countDuplicates.get() ?? 0,
      groups: duplicates.all(page).map((hash) =>
        byHash
          .all(hash)
          .filter((raw) => raw.status === 'indexed')
          .map(toRow),
      ),
    }),
  };
}
