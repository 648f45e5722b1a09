/** Version 2: captions, answers, tags, albums, and the words of all that a photo is called. */
import type { Database } from 'better-sqlite3';
import { createWordWriter } from '../word-writer.ts';

/**
 * What is said of a photo belongs to its bytes (the content hash), so that copies share it and it is there again when
 * a file comes back. `described_hash` is the last hash that could be indexed: it carries captions by hand and albums
 * over an edit, and over a state in between that could not be read.
 */
export function descriptions(db: Database): void {
  db.exec(`
    ALTER TABLE photos ADD COLUMN described_hash TEXT;
    UPDATE photos SET described_hash = hash WHERE width IS NOT NULL;
    CREATE INDEX photos_by_described_hash ON photos (described_hash) WHERE described_hash IS NOT NULL;
    -- Counts transactions that change captions, tags or albums; graphs and vectors don't depend on it.
    ALTER TABLE state ADD COLUMN words_generation INTEGER NOT NULL DEFAULT 0;

    -- An empty text was taken away by hand: it stays as a row, so that an edit and its undoing don't bring an older
    -- one back.
    CREATE TABLE hand_captions (
      hash TEXT PRIMARY KEY,
      text TEXT NOT NULL,
      at REAL NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE model_captions (
      hash TEXT NOT NULL,
      fingerprint TEXT NOT NULL,
      pack_id TEXT NOT NULL,
      text TEXT NOT NULL,
      sure INTEGER NOT NULL CHECK (sure IN (0, 1)),
      confidence REAL NOT NULL,
      at REAL NOT NULL,
      PRIMARY KEY (hash, fingerprint),
      CHECK (sure = 1 OR text = '')
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE answers (
      hash TEXT NOT NULL,
      fingerprint TEXT NOT NULL,
      key TEXT NOT NULL,
      question TEXT NOT NULL,
      answer TEXT NOT NULL,
      sure INTEGER NOT NULL CHECK (sure IN (0, 1)),
      confidence REAL NOT NULL,
      -- JSON of what was considered.
      answers TEXT NOT NULL,
      pack_id TEXT NOT NULL,
      at REAL NOT NULL,
      PRIMARY KEY (hash, fingerprint, key)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE tags (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      name TEXT NOT NULL,
      folded_name TEXT NOT NULL UNIQUE,
      -- JSON list of texts.
      prompts TEXT NOT NULL
    ) STRICT;
    CREATE TABLE photo_tags (
      model_id INTEGER NOT NULL REFERENCES models(id) ON DELETE CASCADE,
      photo_id INTEGER NOT NULL REFERENCES photos(id) ON DELETE CASCADE,
      tag_id INTEGER NOT NULL REFERENCES tags(id) ON DELETE CASCADE,
      probability REAL NOT NULL,
      PRIMARY KEY (model_id, photo_id, tag_id)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX photo_tags_by_tag ON photo_tags (tag_id, model_id, photo_id);
    CREATE INDEX photo_tags_by_photo ON photo_tags (photo_id);
    -- Photos whose tags were computed, with the generation of the vector that they were computed from.
    CREATE TABLE tagged (
      model_id INTEGER NOT NULL REFERENCES models(id) ON DELETE CASCADE,
      photo_id INTEGER NOT NULL REFERENCES photos(id) ON DELETE CASCADE,
      generation INTEGER NOT NULL,
      PRIMARY KEY (model_id, photo_id)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX tagged_by_photo ON tagged (photo_id);

    CREATE TABLE albums (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      name TEXT NOT NULL,
      folded_name TEXT NOT NULL,
      -- JSON; null for albums that hold what was put in.
      query TEXT,
      cover INTEGER REFERENCES photos(id) ON DELETE SET NULL,
      created_at REAL NOT NULL
    ) STRICT;
    CREATE INDEX albums_by_cover ON albums (cover) WHERE cover IS NOT NULL;
    -- By hand, in or out. A photo that goes leaves its hash behind and takes the place again when it comes back.
    CREATE TABLE album_places (
      id INTEGER PRIMARY KEY,
      album_id INTEGER NOT NULL REFERENCES albums(id) ON DELETE CASCADE,
      photo_id INTEGER REFERENCES photos(id) ON DELETE SET NULL,
      hash TEXT,
      inside INTEGER NOT NULL CHECK (inside IN (0, 1)),
      UNIQUE (album_id, photo_id)
    ) STRICT;
    CREATE INDEX album_places_by_photo ON album_places (photo_id) WHERE photo_id IS NOT NULL;
    CREATE INDEX album_places_left ON album_places (hash) WHERE photo_id IS NULL;
    CREATE TABLE album_found (
      album_id INTEGER NOT NULL REFERENCES albums(id) ON DELETE CASCADE,
      photo_id INTEGER NOT NULL REFERENCES photos(id) ON DELETE CASCADE,
      PRIMARY KEY (album_id, photo_id)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX album_found_by_photo ON album_found (photo_id);

    -- rowid is the photo's id. Texts are in the tables above; here are only their words, by stem (Porter 1980).
    CREATE VIRTUAL TABLE words USING fts5 (
      hand, model, name,
      content = '', contentless_delete = 1, tokenize = 'porter unicode61 remove_diacritics 2'
    );
    CREATE VIRTUAL TABLE tag_words USING fts5 (
      name,
      content = '', contentless_delete = 1, tokenize = 'porter unicode61 remove_diacritics 2'
    );
    -- The same as they are written, for exact phrases; path has file and folders with whatever a camera called them.
    CREATE VIRTUAL TABLE phrases USING fts5 (
      caption, path,
      content = '', contentless_delete = 1, tokenize = 'unicode61 remove_diacritics 0'
    );
    CREATE TRIGGER photos_lose_words AFTER DELETE ON photos BEGIN
      DELETE FROM words WHERE rowid = old.id;
      DELETE FROM phrases WHERE rowid = old.id;
    END;
    CREATE TRIGGER tags_lose_words AFTER DELETE ON tags BEGIN
      DELETE FROM tag_words WHERE rowid = old.id;
    END;
  `);
  createWordWriter(db).refreshAll();
}
