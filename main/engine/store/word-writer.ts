/** Keeps the word index in step with captions and file names; each call belongs into the transaction of the change. */
import type { Database } from 'better-sqlite3';
import { baseName, boundary, indexText, nameWords, splitName, withoutExtension } from './word-text.ts';

export interface WordWriter {
  /** Writes the words of these photos anew. Photos that cannot be found (never indexed, or failed) have none. */
  refresh(photoIds: readonly number[]): void;
  /** The same for every photo with these bytes. */
  refreshCopies(hash: string): void;
  refreshAll(): void;
  setTag(tagId: number, name: string): void;
  /** Counts a change of what is said of photos; call it once in a transaction. */
  bump(): void;
}

interface Source {
  readonly id: number;
  readonly relPath: string;
  readonly findable: number;
  readonly hand: string | null;
  readonly model: string | null;
}

export function createWordWriter(db: Database): WordWriter {
  // The caption that is shown: by hand, else the newest of a model. One that was not sure has no text.
  const sources = `SELECT p.id, p.rel_path AS relPath, p.width IS NOT NULL AS findable,
      (SELECT h.text FROM hand_captions h WHERE h.hash = coalesce(p.described_hash, p.hash) AND h.text <> '') AS hand,
      (SELECT m.text FROM model_captions m WHERE m.hash = p.hash ORDER BY m.at DESC, m.fingerprint LIMIT 1) AS model
    FROM photos p`;
  const one = db.prepare<[number], Source>(`${sources} WHERE p.id = ?`);
  const copies = db.prepare<[string, string], Source>(`${sources} WHERE p.hash = ? OR p.described_hash = ?`);
  const some = db.prepare<[number], Source>(`${sources} WHERE p.id > ? ORDER BY p.id LIMIT 2000`);
  const write = db.prepare('INSERT OR REPLACE INTO words (rowid, hand, model, name) VALUES (?, ?, ?, ?)');
  const writePhrases = db.prepare('INSERT OR REPLACE INTO phrases (rowid, caption, path) VALUES (?, ?, ?)');
  const forget = db.prepare('DELETE FROM words WHERE rowid = ?');
  const forgetPhrases = db.prepare('DELETE FROM phrases WHERE rowid = ?');
  const writeTag = db.prepare('INSERT OR REPLACE INTO tag_words (rowid, name) VALUES (?, ?)');
  const bump = db.prepare('UPDATE state SET words_generation = words_generation + 1');

  const put = ({ id, relPath, findable, hand, model }: Source): void => {
    if (findable === 0) {
      forget.run(id);
      forgetPhrases.run(id);
      return;
    }
    const caption = indexText(hand ?? model ?? '');
    const name = indexText(nameWords(baseName(relPath)));
    write.run(id, hand === null ? '' : caption, hand === null ? caption : '', name);
    writePhrases.run(id, caption, pathText(relPath));
  };

  return {
    refresh(photoIds) {
      for (const id of photoIds) {
        const source = one.get(id);
        if (source !== undefined) put(source);
      }
    },
    refreshCopies(hash) {
      for (const source of copies.all(hash, hash)) put(source);
    },
    refreshAll() {
      for (let rows = some.all(0); rows.length > 0; rows = some.all(rows.at(-1)?.id ?? Infinity))
        for (const source of rows) put(source);
    },
    setTag(tagId, name) {
      writeTag.run(tagId, indexText(name));
    },
    bump() {
      bump.run();
    },
  };
}

/** Folders and file as spelt, and the file's name cut into words: a phrase may be of any, but not span two. */
function pathText(relPath: string): string {
  const name = baseName(relPath);
  const cut = splitName(withoutExtension(name));
  return [...relPath.split('/'), cut].map(indexText).join(` ${boundary} `);
}
