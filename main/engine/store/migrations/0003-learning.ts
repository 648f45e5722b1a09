/** Version 3: thumbs, past queries, taught names, tuning runs, their heads, and models that a head made of another. */
import type { Database } from 'better-sqlite3';

/**
 * What a person says of a photo belongs to its bytes, as captions by hand do: rows wait while no photo has the hash,
 * and an edit copies them to the new one. What was taken back stays as a row, so that an edit and its undoing don't
 * bring it back.
 */
export function learning(db: Database): void {
  db.exec(`
    -- key is the text folded, with its spaces put together. vote 0 was taken back.
    CREATE TABLE feedback (
      hash TEXT NOT NULL,
      key TEXT NOT NULL,
      text TEXT NOT NULL,
      vote INTEGER NOT NULL CHECK (vote IN (-1, 0, 1)),
      at REAL NOT NULL,
      PRIMARY KEY (hash, key)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE past_queries (
      key TEXT PRIMARY KEY,
      text TEXT NOT NULL,
      at REAL NOT NULL,
      times INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX past_queries_by_time ON past_queries (at);

    CREATE TABLE names (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      name TEXT NOT NULL,
      folded_name TEXT NOT NULL UNIQUE,
      kind TEXT,
      created_at REAL NOT NULL
    ) STRICT;
    -- said is the words_generation of the change: of two hashes that meet in an edit, what was said last counts.
    CREATE TABLE name_photos (
      name_id INTEGER NOT NULL REFERENCES names(id) ON DELETE CASCADE,
      hash TEXT NOT NULL,
      inside INTEGER NOT NULL CHECK (inside IN (0, 1)),
      said INTEGER NOT NULL,
      PRIMARY KEY (name_id, hash)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX name_photos_by_hash ON name_photos (hash);

    CREATE TABLE runs (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      fingerprint TEXT NOT NULL,
      -- JSON of the contract's run without its id.
      record TEXT NOT NULL
    ) STRICT;
    CREATE TABLE run_checkpoints (
      run_id INTEGER PRIMARY KEY REFERENCES runs(id) ON DELETE CASCADE,
      bytes BLOB NOT NULL
    ) STRICT;
    -- parameters is the JSON list of [name, shape]; bytes are their float32 values, little-endian, one after another.
    CREATE TABLE heads (
      run_id INTEGER PRIMARY KEY REFERENCES runs(id) ON DELETE CASCADE,
      head TEXT NOT NULL,
      fingerprint TEXT NOT NULL,
      dims INTEGER NOT NULL CHECK (dims > 0),
      hash TEXT NOT NULL,
      parameters TEXT NOT NULL,
      bytes BLOB NOT NULL
    ) STRICT;

    -- For vectors that a head made: the model of the vectors that they were made from, and the head's run.
    ALTER TABLE models ADD COLUMN base_model_id INTEGER REFERENCES models(id) ON DELETE CASCADE;
    ALTER TABLE models ADD COLUMN run_id INTEGER REFERENCES runs(id) ON DELETE CASCADE;
    CREATE INDEX models_by_base ON models (base_model_id) WHERE base_model_id IS NOT NULL;
    CREATE INDEX models_by_run ON models (run_id) WHERE run_id IS NOT NULL;
    -- The run whose head orders what is found.
    ALTER TABLE state ADD COLUMN ordering_run INTEGER REFERENCES runs(id) ON DELETE SET NULL;
  `);
}
