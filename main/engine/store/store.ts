/** Opens a library and hands out its tables; the only door to SQL. */
import { mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Database } from 'better-sqlite3';
import { AppError } from '../../errors.ts';
import { silentLog, type Log } from '../log.ts';
import { createAlbumTable } from './albums.ts';
import { createAnswerTable } from './answers.ts';
import { createCaptionTable } from './captions.ts';
import { createCarryOver } from './carry-over.ts';
import { openConnection } from './connection.ts';
import { createEmbeddingTable, createVectorWriter } from './embeddings.ts';
import { createDescriptionEraser } from './erase-descriptions.ts';
import { createLearningEraser } from './erase-learning.ts';
import { createFeedbackTable } from './feedback.ts';
import { createHistory } from './history.ts';
import { takeLock, type LibraryLock } from './lock.ts';
import { createNameTable } from './names.ts';
import { createPastQueryTable } from './past-queries.ts';
import { createPhotoTable } from './photos.ts';
import { createRootTable } from './roots.ts';
import { createRunTable } from './runs.ts';
import { createSettingTable } from './settings.ts';
import { createSnapshotTable } from './snapshots.ts';
import { fromSqlite, withAppErrors } from './sqlite-errors.ts';
import { createTagTable } from './tags.ts';
import { openThumbnails, type ThumbnailFile } from './thumbnails.ts';
import type { OpenStoreOptions, Store } from './types.ts';
import { createWordWriter } from './word-writer.ts';
import { createWordTable } from './words.ts';

/**
 * Opens the library in `directory`, making it when it is not there.
 * @throws AppError library-locked (with details.pid), library-newer, library-damaged, permission-denied,
 *   disk-full; with readOnly also not-found and not-supported (an older version that would need migrating)
 */
export function openStore(options: OpenStoreOptions): Store {
  const { directory, now, readOnly = false, log = silentLog } = options;
  const path = join(directory, 'library.db');
  let lock: LibraryLock | undefined;
  if (!readOnly) {
    makeDirectory(directory);
    lock = takeLock(directory, now);
  }
  let db: Database | undefined;
  try {
    const opened = openConnection({ path, readOnly, now });
    db = opened.db;
    if (opened.backup !== undefined) log.info('library brought up to date', { backup: opened.backup });
    return assemble({ directory, path, readOnly, log, db, lock });
  } catch (thrown) {
    db?.close();
    lock?.release();
    throw fromSqlite(thrown, path);
  }
}

interface Parts {
  readonly directory: string;
  readonly path: string;
  readonly readOnly: boolean;
  readonly log: Log;
  readonly db: Database;
  readonly lock: LibraryLock | undefined;
}

function assemble({ directory, path, readOnly, log, db, lock }: Parts): Store {
  const thumbnailPath = join(directory, 'thumbnails.db');
  const hashOf = db.prepare<[number], string | null>('SELECT hash FROM photos WHERE id = ?').pluck();
  const hashInUse = db.prepare<[string], number>('SELECT 1 FROM photos WHERE hash = ? LIMIT 1').pluck();
  const thumbnails: ThumbnailFile = openThumbnails({
    path: thumbnailPath,
    readOnly,
    log,
    hashOf: (photoId) => hashOf.get(photoId),
    hashInUse: (hash) => hashInUse.get(hash) !== undefined,
  });
  const tables = createTables(db, path, thumbnails, log);
  let open = true;
  return {
    path,
    readOnly,
    ...tables,
    thumbnails: withAppErrors<ThumbnailFile>(thumbnails, thumbnailPath),
    sizes: () => ({ library: bytesOf(path), thumbnails: bytesOf(thumbnailPath) }),
    close() {
      if (!open) return;
      open = false;
      thumbnails.close();
      try {
        if (!readOnly) db.pragma('optimize');
      } catch (thrown) {
        // Only statistics are lost; a damaged file must not keep the lock.
        log.warn('library: optimising failed', { error: fromSqlite(thrown, path).toShape() });
      }
      // The last connection folds the WAL into the file; if it cannot, the next opening does.
      db.close();
      lock?.release();
    },
  };
}

/** Every table over an open connection. */
export function createTables(
  db: Database,
  path: string,
  thumbnails: Pick<ThumbnailFile, 'put' | 'dropUnused'>,
  log: Log = silentLog,
): Omit<Store, 'path' | 'readOnly' | 'thumbnails' | 'sizes' | 'close'> {
  const history = createHistory(db);
  const vectors = createVectorWriter(db);
  const onUnused = (hashes: readonly string[]): void => thumbnails.dropUnused(hashes);
  const wordWriter = createWordWriter(db);
  const captions = createCaptionTable(db, wordWriter);
  const tags = createTagTable(db, path, wordWriter);
  const words = createWordTable(db, { caption: (photoId) => captions.get(photoId), tags });
  const photos = createPhotoTable(db, {
    path,
    history,
    vectors,
    words: wordWriter,
    carryOver: createCarryOver(db, wordWriter),
    phrase: (phrase) => words.phrase(phrase),
    thumbnails,
    onUnused,
  });
  return {
    roots: withAppErrors(createRootTable(db, history, wordWriter, onUnused), path),
    photos: withAppErrors(photos, path),
    embeddings: withAppErrors(createEmbeddingTable(db, path, history, vectors, log), path),
    snapshots: withAppErrors(createSnapshotTable(db, path), path),
    settings: withAppErrors(createSettingTable(db, path), path),
    captions: withAppErrors(captions, path),
    answers: withAppErrors(createAnswerTable(db, path), path),
    tags: withAppErrors(tags, path),
    albums: withAppErrors(createAlbumTable(db, path, wordWriter), path),
    words: withAppErrors(words, path),
    feedback: withAppErrors(createFeedbackTable(db), path),
    queries: withAppErrors(createPastQueryTable(db), path),
    names: withAppErrors(createNameTable(db, wordWriter), path),
    runs: withAppErrors(createRunTable(db, path, history), path),
    erase: withAppErrors(
      {
        ...createDescriptionEraser(db, wordWriter),
        ...createLearningEraser(db, history, wordWriter),
      },
      path,
    ),
  };
}

function makeDirectory(directory: string): void {
  try {
    mkdirSync(directory, { recursive: true });
  } catch (thrown) {
    throw AppError.from(thrown, `Making the library folder ${directory}`);
  }
}

/** The file with its WAL; a part that is not there has no bytes. */
function bytesOf(path: string): number {
  return (
    (statSync(path, { throwIfNoEntry: false })?.size ?? 0) +
    (statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0)
  );
}
