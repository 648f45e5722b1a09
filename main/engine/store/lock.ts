/** One writer per library: a lock that the operating system drops when its process ends, however it ends. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { AppError } from '../../errors.ts';
import { fromSqlite } from './sqlite-errors.ts';

export interface LibraryLock {
  release(): void;
}

/**
 * Holds `BEGIN EXCLUSIVE` on the otherwise empty lock.db: a file lock by SQLite's own portable code, which
 * kill -9 releases and which no stale file can fake. The holder's pid lies in lock.json, for the message only.
 * Readers don't come here, so an owner never blocks them.
 * @throws AppError library-locked with the holder's pid
 */
export function takeLock(directory: string, now: () => number): LibraryLock {
  const path = join(directory, 'lock.db');
  const holder = join(directory, 'lock.json');
  let db: Database.Database | undefined;
  try {
    db = new Database(path, { timeout: 0 });
    db.exec('BEGIN EXCLUSIVE');
    writeFileSync(holder, JSON.stringify({ pid: process.pid, since: now() }));
  } catch (thrown) {
    db?.close();
    if (thrown instanceof Database.SqliteError && thrown.code.startsWith('SQLITE_BUSY'))
      throw lockedBy(directory, readHolder(holder), thrown);
    throw fromSqlite(thrown, path);
  }
  const held = db;
  return {
    release() {
      rmSync(holder, { force: true });
      held.close();
    },
  };
}

function lockedBy(directory: string, pid: number | undefined, cause: unknown): AppError {
  const who = pid === undefined ? 'another process' : `process ${pid}`;
  return new AppError(
    'library-locked',
    `The library in ${directory} is already open in ${who}. Close that one, or open this one for reading only.`,
    { cause, details: { path: directory, ...(pid === undefined ? {} : { pid }) } },
  );
}

/** Undefined while the owner is still writing it, or where it cannot be read: the message does without. */
function readHolder(path: string): number | undefined {
  try {
    const parsed: unknown = JSON.parse(readFileSync(path, 'utf8'));
    if (typeof parsed === 'object' && parsed !== null && 'pid' in parsed && typeof parsed.pid === 'number')
      return parsed.pid;
  } catch {
    return undefined;
  }
  return undefined;
}
