/** Ids of the photos that pass a filter. */
import type { Database } from 'better-sqlite3';
import { foldText } from './fold-text.ts';
import type { PhotoFilter } from './types.ts';

/** Members of every album of a folded name: put in, or found and not taken out. */
const albumsNamed = `SELECT f.photo_id FROM albums a JOIN album_found f ON f.album_id = a.id
    WHERE a.folded_name = ? AND NOT EXISTS (
      SELECT 1 FROM album_places o WHERE o.album_id = a.id AND o.photo_id = f.photo_id AND o.inside = 0)
  UNION SELECT i.photo_id FROM albums a JOIN album_places i ON i.album_id = a.id
    WHERE a.folded_name = ? AND i.inside = 1 AND i.photo_id IS NOT NULL`;
/** As the model in use sees them. */
const tagNamed = `SELECT pt.photo_id FROM tags t JOIN photo_tags pt ON pt.tag_id = t.id
  WHERE t.folded_name = ? AND pt.model_id = (SELECT active_model FROM state)`;
/** Has a caption to read: by hand, or of the newest model that was sure. */
const captioned = `(EXISTS (SELECT 1 FROM hand_captions h
    WHERE h.hash = coalesce(p.described_hash, p.hash) AND h.text <> '')
  OR (SELECT m.text FROM model_captions m WHERE m.hash = p.hash ORDER BY m.at DESC, m.fingerprint LIMIT 1) <> '')`;

/** What people type against what decoders call the format. */
const formatNames: Readonly<Record<string, readonly string[]>> = {
  jpg: ['jpeg'],
  tif: ['tiff'],
  heic: ['heic', 'heif'],
  heif: ['heic', 'heif'],
};

/** @param phrase photos in whose caption, tags or names it stands. @returns ids of photos that pass, ascending. */
export function createPhotoFilter(
  db: Database,
  phrase: (phrase: string) => number[],
): (filter: PhotoFilter) => number[] {
  const cameras = db
    .prepare<[], string>('SELECT DISTINCT camera FROM photos WHERE camera IS NOT NULL')
    .pluck();
  return (filter) => {
    const where = ['p.width IS NOT NULL'];
    const values: (string | number)[] = [];
    const add = (condition: string, ...bound: (string | number)[]): void => {
      where.push(condition);
      values.push(...bound);
    };
    for (const part of filter.in ?? [])
      add(`instr(r.folded_path || '/' || p.folded_path, ?) > 0`, foldText(part));
    if (filter.rootIds !== undefined)
      add('p.root_id IN (SELECT value FROM json_each(?))', JSON.stringify(filter.rootIds));
    if (filter.after !== undefined) add('p.shown_at >= ?', filter.after);
    if (filter.before !== undefined) add('p.shown_at < ?', filter.before);
    if (filter.camera !== undefined) {
      // A library has few cameras: they are folded and matched here, and the photos found through the index.
      const wanted = filter.camera.map(foldText);
      const matching = cameras.all().filter((camera) => {
        const folded = foldText(camera);
        return wanted.some((part) => folded.includes(part));
      });
      add('p.camera IN (SELECT value FROM json_each(?))', JSON.stringify(matching));
    }
    if (filter.formats !== undefined) {
      const formats = filter.formats.flatMap(
        (name) => formatNames[name.toLowerCase()] ?? [name.toLowerCase()],
      );
      add('p.format IN (SELECT value FROM json_each(?))', JSON.stringify(formats));
    }
    for (const words of filter.phrases ?? [])
      add('p.id IN (SELECT value FROM json_each(?))', JSON.stringify(phrase(words)));
    for (const name of filter.albums ?? [])
      add(`p.id IN (${albumsNamed})`, foldText(name.trim()), foldText(name.trim()));
    for (const name of filter.tags ?? []) add(`p.id IN (${tagNamed})`, foldText(name.trim()));
    if (filter.captioned !== undefined) add(`coalesce(${captioned}, 0) = ?`, filter.captioned ? 1 : 0);
    if (filter.offline !== undefined) add('r.online = ?', filter.offline ? 0 : 1);
    const statement = db
      .prepare<(string | number)[], number>(
        `SELECT p.id FROM photos p JOIN roots r ON r.id = p.root_id WHERE ${where.join(' AND ')} ORDER BY p.id`,
      )
      .pluck();
    return statement.all(...values);
  };
}
