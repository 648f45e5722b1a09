/** The folders that a person pointed the app at. */
import type { Database } from 'better-sqlite3';
import { AppError } from '../../errors.ts';
import { foldText } from './fold-text.ts';
import type { History } from './history.ts';
import type { RootRow, RootTable } from './types.ts';
import type { WordWriter } from './word-writer.ts';

interface RawRoot extends Omit<RootRow, 'online'> {
  readonly online: number;
}
const columns = 'id, path, added_at AS addedAt, online, last_scan_at AS lastScanAt';
const toRoot = (raw: RawRoot): RootRow => ({ ...raw, online: raw.online === 1 });

/** @param onUnused hears, after the commit, the content hashes of photos that went. */
export function createRootTable(
  db: Database,
  history: History,
  words: WordWriter,
  onUnused: (hashes: readonly string[]) => void,
): RootTable {
  const list = db.prepare<[], RawRoot>(`SELECT ${columns} FROM roots ORDER BY id`);
  const get = db.prepare<[number], RawRoot>(`SELECT ${columns} FROM roots WHERE id = ?`);
  const insert = db.prepare('INSERT INTO roots (path, folded_path, added_at) VALUES (?, ?, ?)');
  const byPath = db.prepare<[string], RawRoot>(`SELECT ${columns} FROM roots WHERE path = ?`);
  const photosOf = db
    .prepare<[number], number>('SELECT id FROM photos WHERE root_id = ? ORDER BY id')
    .pluck();
  const hashesOf = db
    .prepare<[number], string>('SELECT DISTINCT hash FROM photos WHERE root_id = ? AND hash IS NOT NULL')
    .pluck();
  const deletePhotos = db.prepare('DELETE FROM photos WHERE root_id = ?');
  const deleteRoot = db.prepare('DELETE FROM roots WHERE id = ?');
  const setOnline = db.prepare('UPDATE roots SET online = @online WHERE id = @id AND online <> @online');
  const setScanned = db.prepare('UPDATE roots SET last_scan_at = ? WHERE id = ?');
  const counts = db.prepare<[], { rootId: number; photos: number; failed: number }>(
    `SELECT root_id AS rootId, count(*) AS photos, sum(status = 'failed') AS failed FROM photos GROUP BY root_id`,
  );
  // Where both roots know a file, the copy that is already indexed stays.
  const twice = db.prepare<
    { parent: number; child: number; prefix: string },
    { child: number; parent: number; keepChild: number }
  >(
    `SELECT c.id AS child, p.id AS parent, c.status = 'indexed' AND p.status <> 'indexed' AS keepChild
     FROM photos c JOIN photos p ON p.root_id = @parent AND p.rel_path = @prefix || c.rel_path
     WHERE c.root_id = @child`,
  );
  const deletePhoto = db.prepare('DELETE FROM photos WHERE id = ?');
  const adopt = db.prepare(
    `UPDATE photos SET root_id = @parent, rel_path = @prefix || rel_path, folded_path = @folded || folded_path
     WHERE root_id = @child`,
  );

  return {
    list: () => list.all().map(toRoot),
    get(id) {
      const raw = get.get(id);
      return raw === undefined ? undefined : toRoot(raw);
    },
    add(path, addedAt) {
      if (byPath.get(path) !== undefined)
        throw new AppError('root-invalid', `${path} is already in the library.`, { details: { path } });
      insert.run(path, foldText(path), addedAt);
      const raw = byPath.get(path);
      if (raw === undefined) throw new Error(`the root ${path} vanished while it was added`);
      return toRoot(raw);
    },
    remove(id) {
      const { ids, hashes } = db.transaction(() => {
        const gone = { ids: photosOf.all(id), hashes: hashesOf.all(id) };
        deletePhotos.run(id);
        deleteRoot.run(id);
        if (gone.ids.length > 0) history.recordRemovals(history.bump(), gone.ids);
        return gone;
      })();
      onUnused(hashes);
      return ids;
    },
    adopt(parentId, childId, prefix) {
      const withSlash = prefix === '' || prefix.endsWith('/') ? prefix : `${prefix}/`;
      db.transaction(() => {
        const dropped = twice
          .all({ parent: parentId, child: childId, prefix: withSlash })
          .map((pair) => (pair.keepChild === 1 ? pair.parent : pair.child));
        for (const id of dropped) deletePhoto.run(id);
        const moved = photosOf.all(childId);
        adopt.run({ parent: parentId, child: childId, prefix: withSlash, folded: foldText(withSlash) });
        words.refresh(moved);
        deleteRoot.run(childId);
        history.recordRemovals(history.bump(), dropped);
      })();
    },
    setOnline(id, online) {
      db.transaction(() => {
        // What is found says whether it is at hand, so this counts as a change; being told twice does not.
        if (setOnline.run({ id, online: online ? 1 : 0 }).changes > 0) history.bump();
      })();
    },
    setScanned(id, at) {
      setScanned.run(at, id);
    },
    counts: () =>
      new Map(counts.all().map((row) => [row.rootId, { photos: row.photos, failed: row.failed }])),
  };
}
