/** Version 1: roots, photos, models, embeddings, removals, graph snapshots and settings. */
import type { Database } from 'better-sqlite3';

/**
 * STRICT tables keep the column types true, so rows need no further type checks when they are read.
 * Ids are AUTOINCREMENT: an id never comes back as another photo, in a cache, a graph or a page.
 */
export function firstTables(db: Database): void {
  db.exec(`
    -- One row. generation counts transactions that change what can be found; removals are complete since
    -- history_floor.
    CREATE TABLE state (
      id INTEGER PRIMARY KEY CHECK (id = 1),
      generation INTEGER NOT NULL,
      history_floor INTEGER NOT NULL,
      active_model INTEGER REFERENCES models(id) ON DELETE SET NULL
    ) STRICT;

    CREATE TABLE roots (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      path TEXT NOT NULL UNIQUE,
      folded_path TEXT NOT NULL,
      added_at REAL NOT NULL,
      online INTEGER NOT NULL DEFAULT 1 CHECK (online IN (0, 1)),
      last_scan_at REAL
    ) STRICT;

    -- A photo can be found once width is set: it was indexed once, and keeps that while a change is pending.
    CREATE TABLE photos (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      root_id INTEGER NOT NULL REFERENCES roots(id) ON DELETE CASCADE,
      rel_path TEXT NOT NULL,
      folded_path TEXT NOT NULL,
      bytes INTEGER NOT NULL,
      mtime_ms REAL NOT NULL,
      hash TEXT,
      status TEXT NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'indexed', 'failed')),
      error TEXT,
      deaths INTEGER NOT NULL DEFAULT 0,
      width INTEGER,
      height INTEGER,
      format TEXT,
      taken_at REAL,
      camera TEXT,
      lens TEXT,
      exposure_seconds REAL,
      f_number REAL,
      iso REAL,
      focal_length_mm REAL,
      latitude REAL,
      longitude REAL,
      shown_at REAL NOT NULL GENERATED ALWAYS AS (coalesce(taken_at, mtime_ms)) STORED,
      UNIQUE (root_id, rel_path),
      CHECK ((width IS NULL) = (height IS NULL) AND (width IS NULL) = (format IS NULL)),
      CHECK (status <> 'indexed' OR (width IS NOT NULL AND hash IS NOT NULL)),
      CHECK (status <> 'failed' OR error IS NOT NULL)
    ) STRICT;
    CREATE INDEX photos_by_status ON photos (root_id, status);
    CREATE INDEX photos_pending ON photos (id) WHERE status = 'pending';
    CREATE INDEX photos_failed ON photos (id) WHERE status = 'failed';
    CREATE INDEX photos_by_hash ON photos (hash) WHERE hash IS NOT NULL;
    CREATE INDEX photos_shown ON photos (shown_at DESC, id DESC, width, height) WHERE width IS NOT NULL;
    CREATE INDEX photos_by_camera ON photos (camera) WHERE camera IS NOT NULL;
    CREATE INDEX photos_by_format ON photos (format) WHERE format IS NOT NULL;

    CREATE TABLE models (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      fingerprint TEXT NOT NULL UNIQUE,
      pack_id TEXT NOT NULL,
      dims INTEGER NOT NULL CHECK (dims > 0)
    ) STRICT;

    -- key is model_id * 2^32 + photo_id: a model's vectors lie together on disk, and reading them all is one
    -- walk over neighbouring pages.
    CREATE TABLE embeddings (
      key INTEGER PRIMARY KEY,
      model_id INTEGER NOT NULL REFERENCES models(id) ON DELETE CASCADE,
      photo_id INTEGER NOT NULL REFERENCES photos(id) ON DELETE CASCADE,
      generation INTEGER NOT NULL,
      vector BLOB NOT NULL,
      CHECK (key = model_id * 4294967296 + photo_id)
    ) STRICT;
    CREATE INDEX embeddings_by_photo ON embeddings (photo_id);
    CREATE INDEX embeddings_by_generation ON embeddings (model_id, generation);

    -- Photos that lost their vectors, by the generation that took them: how a stale graph catches up.
    CREATE TABLE removals (
      generation INTEGER NOT NULL,
      photo_id INTEGER NOT NULL,
      PRIMARY KEY (generation, photo_id)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE snapshots (
      model_id INTEGER PRIMARY KEY REFERENCES models(id) ON DELETE CASCADE,
      generation INTEGER NOT NULL,
      count INTEGER NOT NULL,
      dims INTEGER NOT NULL,
      bytes INTEGER NOT NULL,
      chunks INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE snapshot_chunks (
      model_id INTEGER NOT NULL REFERENCES snapshots(model_id) ON DELETE CASCADE,
      seq INTEGER NOT NULL,
      crc32 INTEGER NOT NULL,
      bytes BLOB NOT NULL,
      UNIQUE (model_id, seq)
    ) STRICT;

    CREATE TABLE settings (
      key TEXT PRIMARY KEY,
      value TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;

    INSERT INTO state (id, generation, history_floor) VALUES (1, 0, 0);
  `);
}
