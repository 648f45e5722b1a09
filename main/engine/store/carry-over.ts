/** What becomes of captions, thumbs, names, albums and tags when a photo's bytes change, fail, or come back. */
import type { Database } from 'better-sqlite3';
import type { WordWriter } from './word-writer.ts';

/** Each call belongs into the transaction of the change. */
export interface CarryOver {
  /** The bytes that carry what is said of a photo: those last indexed, else those last seen. */
  before(photoId: number): string | null;
  /** The photo's row has its new hash by now. @param before what `before` said ahead of the change */
  indexed(photoId: number, before: string | null, hash: string): void;
  /** The photo cannot be found for now: its words and tags go, captions by hand, thumbs, names and albums wait. */
  failed(photoId: number): void;
}

export function createCarryOver(db: Database, words: WordWriter): CarryOver {
  const before = db
    .prepare<[number], string | null>('SELECT coalesce(described_hash, hash) FROM photos WHERE id = ?')
    .pluck();
  // What was written last goes: an older caption of the new bytes may be what an undone edit brings back.
  const carryHand = db.prepare(
    `INSERT INTO hand_captions (hash, text, at) SELECT @hash, text, at FROM hand_captions WHERE hash = @before
     ON CONFLICT (hash) DO UPDATE SET text = excluded.text, at = excluded.at WHERE excluded.at > hand_captions.at`,
  );
  const carryThumbs = db.prepare(
    `INSERT INTO feedback (hash, key, text, vote, at)
     SELECT @hash, key, text, vote, at FROM feedback WHERE hash = @before
     ON CONFLICT (hash, key) DO UPDATE SET text = excluded.text, vote = excluded.vote, at = excluded.at
       WHERE excluded.at > feedback.at`,
  );
  const carryNames = db.prepare(
    `INSERT INTO name_photos (name_id, hash, inside, said)
     SELECT name_id, @hash, inside, said FROM name_photos WHERE hash = @before
     ON CONFLICT (name_id, hash) DO UPDATE SET inside = excluded.inside, said = excluded.said
       WHERE excluded.said > name_photos.said`,
  );
  const carryPlaces = db.prepare('UPDATE album_places SET hash = @hash WHERE photo_id = @photoId');
  const takePlaces = db.prepare(
    `UPDATE album_places SET photo_id = @photoId WHERE id IN (
       SELECT min(id) FROM album_places
       WHERE photo_id IS NULL AND hash = @hash
         AND album_id NOT IN (SELECT album_id FROM album_places WHERE photo_id = @photoId)
       GROUP BY album_id)`,
  );
  const dropTags = db.prepare('DELETE FROM photo_tags WHERE photo_id = ?');
  const dropTagged = db.prepare('DELETE FROM tagged WHERE photo_id = ?');
  return {
    before: (photoId) => before.get(photoId) ?? null,
    indexed(photoId, from, hash) {
      const changed = from !== hash;
      if (changed && from !== null) {
        carryPlaces.run({ hash, photoId });
        carryThumbs.run({ hash, before: from });
        carryNames.run({ hash, before: from });
      }
      if (changed) takePlaces.run({ hash, photoId });
      if (changed && from !== null && carryHand.run({ hash, before: from }).changes > 0)
        words.refreshCopies(hash);
      else words.refresh([photoId]);
    },
    failed(photoId) {
      words.refresh([photoId]);
      dropTags.run(photoId);
      dropTagged.run(photoId);
    },
  };
}
