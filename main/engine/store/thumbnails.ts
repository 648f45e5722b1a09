/** Thumbnails: a bounded cache in a file of its own, so that the truth stays small and its backup quick. */
import { existsSync, rmSync } from 'node:fs';
import Database from 'better-sqlite3';
import type { Log } from '../log.ts';
import { fromSqlite } from './sqlite-errors.ts';
import type { ThumbnailTable } from './types.ts';

const applicationId = 0x4166546e; // "AfTn"
const version = 1;

export interface ThumbnailFile extends ThumbnailTable {
  /** Forgets the thumbnails of those bytes that no photo has any more. */
  dropUnused(hashes: readonly string[]): void;
  close(): void;
}

export interface ThumbnailOptions {
  readonly path: string;
  readonly readOnly: boolean;
  readonly log: Log;
  /** The content hash a photo's thumbnail is kept under. */
  readonly hashOf: (photoId: number) => string | null | undefined;
  readonly hashInUse: (hash: string) => boolean;
}

/**
 * Kept by content hash: copies share one, a move needs nothing, and ids that a restored backup gives to other
 * photos cannot show a wrong picture. Losing the file, or finding it damaged, loses nothing but time.
 */
export function openThumbnails(options: ThumbnailOptions): ThumbnailFile {
  const db = openCache(options);
  if (db === undefined) return absent;
  const get = db.prepare<[string], Buffer>('SELECT webp FROM thumbnails WHERE hash = ?').pluck();
  const put = db.prepare(
    `INSERT INTO thumbnails (hash, bytes, used, webp) VALUES (?, ?, ?, ?)
     ON CONFLICT (hash) DO UPDATE SET bytes = excluded.bytes, used = excluded.used, webp = excluded.webp`,
  );
  const maxUsed = db.prepare<[], number | null>('SELECT max(used) FROM thumbnails').pluck();
  const setUsed = db.prepare('UPDATE thumbnails SET used = ? WHERE hash = ?');
  const sum = db.prepare<[], number | null>('SELECT sum(bytes) FROM thumbnails').pluck();
  const oldest = db.prepare<[], { hash: string; bytes: number }>(
    'SELECT hash, bytes FROM thumbnails ORDER BY used',
  );
  const remove = db.prepare('DELETE FROM thumbnails WHERE hash = ?');
  // Order of use, not time. Reads are remembered here and written with the next write: looking at a page of
  // photos costs no transaction.
  let clock = (maxUsed.get() ?? 0) + 1;
  const touched = new Map<string, number>();
  const flushTouched = (): void => {
    for (const [hash, used] of touched) setUsed.run(used, hash);
    touched.clear();
  };

  /** A cache that cannot be written must not fail the batch whose truth is already committed. */
  const attempt = (what: string, write: () => void): void => {
    if (options.readOnly) return;
    try {
      db.transaction(write)();
    } catch (thrown) {
      options.log.warn(`thumbnails: ${what} failed`, { error: fromSqlite(thrown, options.path).toShape() });
    }
  };

  return {
    get(photoId) {
      const hash = options.hashOf(photoId);
      if (hash === undefined || hash === null) return undefined;
      const webp = get.get(hash);
      if (webp !== undefined) touched.set(hash, clock++);
      return webp;
    },
    put(rows) {
      attempt('writing', () => {
        for (const { photoId, webp } of rows) {
          const hash = options.hashOf(photoId);
          if (hash !== undefined && hash !== null) put.run(hash, webp.length, clock++, webp);
        }
        flushTouched();
      });
    },
    trim(maxBytes) {
      attempt('trimming', () => {
        flushTouched();
        let total = sum.get() ?? 0;
        if (total <= maxBytes) return;
        for (const { hash, bytes } of oldest.all()) {
          if (total <= maxBytes) break;
          remove.run(hash);
          total -= bytes;
        }
      });
      if (!options.readOnly) db.exec('PRAGMA incremental_vacuum');
    },
    dropUnused(hashes) {
      if (hashes.length === 0) return;
      attempt('forgetting', () => {
        for (const hash of hashes) if (!options.hashInUse(hash)) remove.run(hash);
      });
    },
    close() {
      if (touched.size > 0) attempt('closing', flushTouched);
      db.close();
    },
  };
}

/** What a reader beside an owner sees when there is no thumbnail file yet. */
const absent: ThumbnailFile = {
  get: () => undefined,
  put() {},
  trim() {},
  dropUnused() {},
  close() {},
};

function openCache(options: ThumbnailOptions): Database.Database | undefined {
  const { path, readOnly, log } = options;
  if (readOnly && !existsSync(path)) return undefined;
  try {
    return open(path, readOnly);
  } catch (thrown) {
    const error = fromSqlite(thrown, path);
    if (readOnly || error.code === 'disk-full' || error.code === 'permission-denied') throw error;
    log.warn('thumbnails: the cache could not be read and is started afresh', { error: error.toShape() });
    for (const suffix of ['', '-wal', '-shm']) rmSync(path + suffix, { force: true });
    return open(path, readOnly);
  }
}

function open(path: string, readOnly: boolean): Database.Database {
  const db = new Database(path, { readonly: readOnly, fileMustExist: readOnly });
  try {
    db.pragma('busy_timeout = 5000');
    if (readOnly) {
      db.prepare('SELECT hash, webp FROM thumbnails LIMIT 1').get();
      return db;
    }
    db.pragma('page_size = 16384');
    // Trimming gives the pages back to the disk.
    db.pragma('auto_vacuum = INCREMENTAL');
    db.pragma('journal_mode = WAL');
    db.pragma(`journal_size_limit = ${64 * 2 ** 20}`);
    db.pragma('synchronous = NORMAL');
    if (
      db.pragma('application_id', { simple: true }) !== applicationId ||
      db.pragma('user_version', { simple: true }) !== version
    )
      db.transaction(() => {
        db.exec(`
          DROP TABLE IF EXISTS thumbnails;
          CREATE TABLE thumbnails (
            hash TEXT PRIMARY KEY, bytes INTEGER NOT NULL, used INTEGER NOT NULL, webp BLOB NOT NULL
          ) STRICT;
          CREATE INDEX thumbnails_by_use ON thumbnails (used, hash, bytes);
        `);
        db.pragma(`application_id = ${applicationId}`);
        db.pragma(`user_version = ${version}`);
      })();
    db.prepare('SELECT hash, webp FROM thumbnails LIMIT 1').get();
    return db;
  } catch (thrown) {
    db.close();
    throw thrown;
  }
}
