/** Taught names, and the photos that carry them by their bytes. */
import type { Database } from 'better-sqlite3';
import { AppError } from '../../errors.ts';
import type { NameRow, NameTable } from './learning-types.ts';
import { queryKey } from './query-key.ts';
import type { WordWriter } from './word-writer.ts';

export function createNameTable(db: Database, words: WordWriter): NameTable {
  const columns = `n.id, n.name, n.kind, n.created_at AS createdAt, (
      SELECT count(*) FROM name_photos c WHERE c.name_id = n.id AND c.inside = 1 AND EXISTS (
        SELECT 1 FROM photos p WHERE p.described_hash = c.hash AND p.width IS NOT NULL)) AS photos`;
  const list = db.prepare<[], NameRow>(`SELECT ${columns} FROM names n ORDER BY n.folded_name`);
  const get = db.prepare<[number], NameRow>(`SELECT ${columns} FROM names n WHERE n.id = ?`);
  const find = db.prepare<[string], NameRow>(`SELECT ${columns} FROM names n WHERE n.folded_name = ?`);
  const insert = db.prepare('INSERT INTO names (name, folded_name, kind, created_at) VALUES (?, ?, ?, ?)');
  const rename = db.prepare('UPDATE names SET name = ?, folded_name = ? WHERE id = ?');
  const setKind = db.prepare('UPDATE names SET kind = ? WHERE id = ?');
  const remove = db.prepare('DELETE FROM names WHERE id = ?');
  const say = db.prepare(
    `INSERT INTO name_photos (name_id, hash, inside, said)
     SELECT @name, coalesce(p.described_hash, p.hash), @inside, s.words_generation FROM photos p, state s
     WHERE p.id = @photo AND coalesce(p.described_hash, p.hash) IS NOT NULL
     ON CONFLICT (name_id, hash) DO UPDATE SET inside = excluded.inside, said = excluded.said`,
  );
  const photos = db
    .prepare<[number], number>(
      `SELECT min(p.id) AS id FROM name_photos c JOIN photos p ON p.described_hash = c.hash
       WHERE c.name_id = ? AND c.inside = 1 AND p.width IS NOT NULL GROUP BY c.hash ORDER BY id`,
    )
    .pluck();
  const ofPhoto = db.prepare<[number], NameRow>(
    `SELECT ${columns} FROM names n WHERE n.id IN (
       SELECT c.name_id FROM photos p JOIN name_photos c ON c.hash = coalesce(p.described_hash, p.hash)
       WHERE p.id = ? AND c.inside = 1)
     ORDER BY n.folded_name`,
  );

  const read = (id: number): NameRow => {
    const row = get.get(id);
    if (row === undefined)
      throw new AppError('not-found', 'The name is not there any more.', { details: { nameId: id } });
    return row;
  };
  const mustBeFree = (name: string, besides?: number): void => {
    const taken = find.get(queryKey(name));
    if (taken !== undefined && taken.id !== besides)
      throw new AppError(
        'input-invalid',
        `${taken.name} is already taught. Add the photos to it, or choose another name.`,
        { details: { name: taken.name, nameId: taken.id } },
      );
  };
  const sayAll = (id: number, photoIds: readonly number[], inside: 0 | 1): void => {
    db.transaction(() => {
      read(id);
      words.bump();
      for (const photo of photoIds) say.run({ name: id, photo, inside });
    })();
  };

  return {
    list: () => list.all(),
    get: (id) => get.get(id),
    find: (name) => find.get(queryKey(name)),
    add: ({ name, kind, createdAt }) =>
      db.transaction(() => {
        mustBeFree(name);
        words.bump();
        return read(Number(insert.run(name.trim(), queryKey(name), kind, createdAt).lastInsertRowid));
      })(),
    update: (id, { name, kind }) =>
      db.transaction(() => {
        read(id);
        if (name !== undefined) {
          mustBeFree(name, id);
          rename.run(name.trim(), queryKey(name), id);
        }
        if (kind !== undefined) setKind.run(kind, id);
        words.bump();
        return read(id);
      })(),
    remove(id) {
      db.transaction(() => {
        if (remove.run(id).changes > 0) words.bump();
      })();
    },
    put(id, photoIds) {
      sayAll(id, photoIds, 1);
    },
    take(id, photoIds) {
      sayAll(id, photoIds, 0);
    },
    photos: (id) => photos.all(id),
    ofPhoto: (photoId) => ofPhoto.all(photoId),
  };
}
