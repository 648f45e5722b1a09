/** Brings a library from any older version to this one, a backup first. */
import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Database } from 'better-sqlite3';
import { AppError } from '../../../errors.ts';
import { firstTables } from './0001-first-tables.ts';
import { descriptions } from './0002-descriptions.ts';
import { learning } from './0003-learning.ts';

/** Marks the file as ours in its header ("AfIm"). */
export const applicationId = 0x4166496d;

/** Takes a library of the version before to the next; runs inside a transaction. */
export type Migration = (db: Database) => void;

/** In order: the first one makes version 1 of an empty file. Released ones are never edited. */
export const migrations: readonly Migration[] = [firstTables, descriptions, learning];

export function libraryVersion(db: Database): number {
  return db.pragma('user_version', { simple: true }) as number;
}

/**
 * Runs what is missing, each step in a transaction with its version number, so that a crash leaves a whole
 * version behind.
 * @returns where the older library was saved, if it was one.
 * @throws AppError library-newer
 */
export function migrate(
  db: Database,
  path: string,
  now: () => number,
  steps: readonly Migration[] = migrations,
): { backup: string | undefined } {
  const from = libraryVersion(db);
  if (from > steps.length) throw newer(path, from, steps.length);
  if (from === steps.length) return { backup: undefined };
  const backup = from === 0 ? undefined : backUp(db, path, from, now());
  for (const [index, step] of steps.entries()) {
    if (index < from) continue;
    db.transaction(() => {
      step(db);
      db.pragma(`application_id = ${applicationId}`);
      db.pragma(`user_version = ${index + 1}`);
    }).immediate();
  }
  return { backup };
}

export function newer(path: string, version: number, known: number): AppError {
  return new AppError(
    'library-newer',
    `The library ${path} was written by a newer Afterimage (version ${version} of its format; this one knows ${known}). Update Afterimage, or choose another library folder.`,
    { details: { path, version, known } },
  );
}

/** VACUUM INTO copies a consistent state, WAL included, and is smaller than the original. */
function backUp(db: Database, path: string, version: number, at: number): string {
  const directory = join(dirname(path), 'backups');
  mkdirSync(directory, { recursive: true });
  const stamp = new Date(at).toISOString().replaceAll(/[:.]/g, '-');
  const target = join(directory, `library-v${version}-${stamp}.db`);
  db.prepare('VACUUM INTO ?').run(target);
  return target;
}
