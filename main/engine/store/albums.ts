/** Albums: what was put in or taken out by hand, and what a smart album's query found. */
import type { Database } from 'better-sqlite3';
import { AppError } from '../../errors.ts';
import { foldText } from './fold-text.ts';
import { damaged } from './sqlite-errors.ts';
import type { AlbumRow, AlbumTable } from './types.ts';
import type { WordWriter } from './word-writer.ts';

interface RawAlbum {
  readonly id: number;
  readonly name: string;
  readonly query: string | null;
  readonly cover: number | null;
  readonly photos: number;
  readonly createdAt: number;
}

/** Photos in the album `@album`: found and not taken out, or put in. */
const albumMembers = `SELECT photo_id FROM album_found WHERE album_id = @album AND photo_id NOT IN (
    SELECT photo_id FROM album_places WHERE album_id = @album AND inside = 0 AND photo_id IS NOT NULL)
  UNION SELECT photo_id FROM album_places WHERE album_id = @album AND inside = 1 AND photo_id IS NOT NULL`;

/** @param path the library's, for messages. */
export function createAlbumTable(db: Database, path: string, words: WordWriter): AlbumTable {
  const members = `(${albumMembers.replaceAll('@album', 'a.id')})`;
  const columns = `SELECT a.id, a.name, a.query, a.cover, a.created_at AS createdAt,
      (SELECT count(*) FROM photos p WHERE p.id IN ${members} AND p.width IS NOT NULL) AS photos FROM albums a`;
  const list = db.prepare<[], RawAlbum>(`${columns} ORDER BY a.folded_name, a.id`);
  const get = db.prepare<[number], RawAlbum>(`${columns} WHERE a.id = ?`);
  const insert = db.prepare('INSERT INTO albums (name, folded_name, query, created_at) VALUES (?, ?, ?, ?)');
  const rename = db.prepare('UPDATE albums SET name = ?, folded_name = ? WHERE id = ?');
  const setQuery = db.prepare('UPDATE albums SET query = ? WHERE id = ?');
  const setCover = db.prepare('UPDATE albums SET cover = (SELECT id FROM photos WHERE id = ?) WHERE id = ?');
  const remove = db.prepare('DELETE FROM albums WHERE id = ?');
  const named = db.prepare<[string], number>('SELECT 1 FROM albums WHERE folded_name = ?').pluck();
  const exists = db.prepare<[number], number>('SELECT 1 FROM albums WHERE id = ?').pluck();
  const found = db
    .prepare<[number], number>('SELECT photo_id FROM album_found WHERE album_id = ? ORDER BY photo_id')
    .pluck();
  const addFound = db.prepare(
    'INSERT OR IGNORE INTO album_found (album_id, photo_id) SELECT ?, id FROM photos WHERE id = ?',
  );
  const dropFound = db.prepare('DELETE FROM album_found WHERE album_id = ? AND photo_id = ?');
  const place = db.prepare(
    `INSERT INTO album_places (album_id, photo_id, hash, inside)
     SELECT @album, id, coalesce(described_hash, hash), @inside FROM photos WHERE id = @photo
     ON CONFLICT (album_id, photo_id) DO UPDATE SET inside = excluded.inside WHERE inside <> excluded.inside`,
  );
  const unplace = db.prepare('DELETE FROM album_places WHERE album_id = ? AND photo_id = ?');
  const photos = db
    .prepare<{ album: number }, number>(
      `SELECT id FROM photos WHERE id IN (${albumMembers}) AND width IS NOT NULL
       ORDER BY shown_at DESC, id DESC`,
    )
    .pluck();
  const ofPhoto = db.prepare<{ photo: number }, { id: number; name: string }>(
    `SELECT a.id, a.name FROM albums a WHERE a.id IN (
       SELECT album_id FROM album_found WHERE photo_id = @photo AND album_id NOT IN (
         SELECT album_id FROM album_places WHERE photo_id = @photo AND inside = 0)
       UNION SELECT album_id FROM album_places WHERE photo_id = @photo AND inside = 1)
     ORDER BY a.folded_name, a.id`,
  );

  const toRow = (raw: RawAlbum): AlbumRow => ({
    ...raw,
    kind: raw.query === null ? 'plain' : 'smart',
    query: raw.query === null ? null : parseQuery(raw.query, path),
  });
  const mustExist = (id: number): void => {
    if (exists.get(id) === undefined)
      throw new AppError('not-found', 'The album is not there any more.', { details: { albumId: id } });
  };
  const read = (id: number): AlbumRow => {
    mustExist(id);
    const raw = get.get(id);
    if (raw === undefined) throw new Error(`the album ${id} vanished while it was read`);
    return toRow(raw);
  };

  return {
    list: () => list.all().map(toRow),
    has: (name) => named.get(foldText(name.trim())) !== undefined,
    get(id) {
      const raw = get.get(id);
      return raw === undefined ? undefined : toRow(raw);
    },
    add: ({ name, query, createdAt }) =>
      db.transaction(() => {
        const json = query === null || query === undefined ? null : JSON.stringify(query);
        const { lastInsertRowid } = insert.run(name, foldText(name.trim()), json, createdAt);
        words.bump();
        return read(Number(lastInsertRowid));
      })(),
    update: (id, change) =>
      db.transaction(() => {
        mustExist(id);
        if (change.name !== undefined) rename.run(change.name, foldText(change.name.trim()), id);
        if (change.query !== undefined)
          setQuery.run(change.query === null ? null : JSON.stringify(change.query), id);
        if (change.cover !== undefined) setCover.run(change.cover, id);
        words.bump();
        return read(id);
      })(),
    remove(id) {
      db.transaction(() => {
        if (remove.run(id).changes > 0) words.bump();
      })();
    },
    setFound: (id, photoIds) =>
      db.transaction(() => {
        mustExist(id);
        const wanted = new Set(photoIds);
        const before = new Set(found.all(id));
        let changes = 0;
        for (const photoId of before) if (!wanted.has(photoId)) changes += dropFound.run(id, photoId).changes;
        for (const photoId of wanted) if (!before.has(photoId)) changes += addFound.run(id, photoId).changes;
        if (changes > 0) words.bump();
        return changes > 0;
      })(),
    put(id, photoIds) {
      db.transaction(() => {
        mustExist(id);
        for (const photo of photoIds) place.run({ album: id, photo, inside: 1 });
        words.bump();
      })();
    },
    take(id, photoIds) {
      db.transaction(() => {
        const { kind } = read(id);
        for (const photo of photoIds)
          // A plain album need not remember what is not in it.
          if (kind === 'plain') unplace.run(id, photo);
          else place.run({ album: id, photo, inside: 0 });
        words.bump();
      })();
    },
    photos: (id) => photos.all({ album: id }),
    ofPhoto: (photoId) => ofPhoto.all({ photo: photoId }),
  };
}

function parseQuery(json: string, path: string): unknown {
  try {
    return JSON.parse(json);
  } catch (thrown) {
    throw damaged(path, 'the query of an album is not JSON', thrown);
  }
}
