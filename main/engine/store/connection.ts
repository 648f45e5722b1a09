/** Opens library.db: is it ours, is it whole, is it of this version? */
import { closeSync, existsSync, openSync, readSync, statSync } from 'node:fs';
import Database from 'better-sqlite3';
import { AppError } from '../../errors.ts';
import {
  applicationId,
  libraryVersion,
  migrate,
  migrations,
  newer,
  type Migration,
} from './migrations/migrate.ts';
import { damaged, fromSqlite } from './sqlite-errors.ts';

export interface ConnectionOptions {
  readonly path: string;
  readonly readOnly: boolean;
  readonly now: () => number;
  /** All steps from an empty file; the app's own by default. */
  readonly migrations?: readonly Migration[];
}

/**
 * @returns the open library at the newest version, and the backup that was made if it had to be migrated.
 * @throws AppError library-damaged, library-newer, not-found, not-supported, permission-denied, disk-full
 */
export function openConnection(options: ConnectionOptions): {
  db: Database.Database;
  backup: string | undefined;
} {
  const { path, readOnly } = options;
  const steps = options.migrations ?? migrations;
  checkHeader(path, readOnly);
  let db: Database.Database | undefined;
  try {
    db = new Database(path, { readonly: readOnly, fileMustExist: readOnly });
    // Only a new file takes a page size, and only before WAL. 16 KiB pages hold seven vectors of 512 and
    // insert twice as fast as 4 KiB ones at half the file (measured, 100,000 blobs of 2 KiB).
    if (!readOnly) db.pragma('page_size = 16384');
    checkIdentity(db, path, steps.length);
    configure(db, readOnly);
    if (readOnly && libraryVersion(db) < steps.length) throw needsWriter(path);
    const { backup } = readOnly ? { backup: undefined } : migrate(db, path, options.now, steps);
    checkSmallTables(db, path);
    return { db, backup };
  } catch (thrown) {
    db?.close();
    throw fromSqlite(thrown, path);
  }
}

function configure(db: Database.Database, readOnly: boolean): void {
  if (!readOnly) {
    db.pragma('journal_mode = WAL');
    // Keeps a burst of writes from leaving a huge -wal file behind.
    db.pragma(`journal_size_limit = ${64 * 2 ** 20}`);
    // In WAL mode NORMAL leaves out the fsync at each commit. A commit is in the operating system's cache by
    // then, which outlives our process: kill -9 loses nothing. Only a power cut can lose the last commits
    // (never corrupt the file), and those photos are simply indexed again.
    db.pragma('synchronous = NORMAL');
  }
  db.pragma('foreign_keys = ON');
  db.pragma('busy_timeout = 5000');
  db.pragma('cache_size = -32768');
  db.pragma('temp_store = MEMORY');
}

/** Looks at the bytes before SQLite does, so that no other program's file is ever touched. */
function checkHeader(path: string, readOnly: boolean): void {
  if (!existsSync(path)) {
    if (!readOnly) return;
    throw new AppError('not-found', `There is no library at ${path}. Index a folder first.`, {
      details: { path },
    });
  }
  if (!statSync(path).isFile()) throw damaged(path, 'it is not a file');
  const header = Buffer.alloc(100);
  let length = 0;
  try {
    const file = openSync(path, 'r');
    try {
      length = readSync(file, header, 0, header.length, 0);
    } finally {
      closeSync(file);
    }
  } catch (thrown) {
    throw AppError.from(thrown, `Opening the library ${path}`);
  }
  // An empty file is what a crash leaves between creating it and writing its first page.
  if (length === 0) return;
  if (length < 100 || header.toString('latin1', 0, 16) !== 'SQLite format 3\0')
    throw damaged(path, 'it is not an SQLite file');
}

/** Cheap enough for every start: identity, version and length. */
function checkIdentity(db: Database.Database, path: string, known: number): void {
  const tables = db.prepare<[], { n: number }>('SELECT count(*) AS n FROM sqlite_schema').get()?.n ?? 0;
  const id = db.pragma('application_id', { simple: true });
  if (tables === 0 && id === 0) return;
  if (id !== applicationId) throw damaged(path, 'it is another program’s database');
  const version = libraryVersion(db);
  if (version > known) throw newer(path, version, known);
  if (version < 1) throw damaged(path, 'it has no version');
}

/**
 * A full integrity check reads every page (seconds at 100,000 photos), so a start checks the small tables whole
 * and that the big ones can be entered. Deeper damage shows when a page is read: every error there becomes
 * library-damaged, vectors are checked for their length, and graph chunks carry checksums.
 */
function checkSmallTables(db: Database.Database, path: string): void {
  const version = libraryVersion(db);
  const small = ['state', 'roots', 'models', 'settings', 'snapshots'];
  if (version >= 2) small.push('tags', 'albums');
  if (version >= 3) small.push('names', 'runs', 'past_queries');
  for (const table of small) {
    const found = db.pragma(`quick_check('${table}')`, { simple: true });
    if (found !== 'ok') throw damaged(path, String(found));
  }
  const big = ['photos', 'embeddings', 'removals', 'snapshot_chunks'];
  if (version >= 2) big.push('hand_captions', 'model_captions', 'photo_tags', 'words_data', 'phrases_data');
  if (version >= 3) big.push('feedback', 'name_photos', 'heads', 'run_checkpoints');
  for (const table of big) db.prepare(`SELECT * FROM ${table} LIMIT 1`).get();
}

function needsWriter(path: string): AppError {
  return new AppError(
    'not-supported',
    `The library ${path} is of an older version and has to be brought up to date first. Open it once for writing.`,
    { details: { path } },
  );
}
