/** Turns what SQLite throws into AppErrors that say what to do. */
import Database from 'better-sqlite3';
import { AppError } from '../../errors.ts';

/** @param path the database file that the error is about. */
export function fromSqlite(thrown: unknown, path: string): AppError {
  if (thrown instanceof AppError) return thrown;
  if (!(thrown instanceof Database.SqliteError)) return AppError.from(thrown, `The library ${path}`);
  const options = { cause: thrown, details: { path } };
  // Extended codes (SQLITE_IOERR_WRITE, ...) carry their family in the first two words.
  const family = thrown.code.split('_').slice(0, 2).join('_');
  switch (family) {
    case 'SQLITE_FULL':
      return new AppError(
        'disk-full',
        `The library ${path} cannot grow: the disk is full. Free some space and try again; nothing that was saved is lost.`,
        options,
      );
    case 'SQLITE_CORRUPT':
    case 'SQLITE_NOTADB':
    case 'SQLITE_FORMAT':
      return damaged(path, thrown.message, thrown);
    case 'SQLITE_READONLY':
      return new AppError(
        'library-locked',
        `The library ${path} is open for reading only here. Close the other window or program that uses it, then open it again to change it.`,
        options,
      );
    case 'SQLITE_BUSY':
    case 'SQLITE_LOCKED':
      return new AppError(
        'library-locked',
        `The library ${path} is in use by another process. Close that one and try again.`,
        options,
      );
    case 'SQLITE_PERM':
    case 'SQLITE_CANTOPEN':
    case 'SQLITE_AUTH':
      return new AppError(
        'permission-denied',
        `The library ${path} cannot be opened (${thrown.message}). Check that you may read and write its folder.`,
        options,
      );
    case 'SQLITE_IOERR':
      return new AppError(
        'io-failed',
        `Reading or writing the library ${path} failed (${thrown.code}). Check the drive and try again.`,
        options,
      );
    default:
      return new AppError('internal', `The library ${path} refused a statement: ${thrown.message}`, options);
  }
}

/** @param reason what was found, without its full stop. */
export function damaged(path: string, reason: string, cause?: unknown): AppError {
  return new AppError(
    'library-damaged',
    `${path} is not an intact Afterimage library (${reason}). It was left as it is: ` +
      'move it away or restore a copy from the backups folder beside it, then start again. Your photos are not affected.',
    { cause, details: { path } },
  );
}

/** Wraps every function of a table so that only AppErrors leave the store. */
export function withAppErrors<T extends object>(table: T, path: string): T {
  const wrapped = Object.fromEntries(
    Object.entries(table).map(([name, member]: [string, unknown]) => [
      name,
      typeof member !== 'function'
        ? member
        : (...args: unknown[]): unknown => {
            try {
              return (member as (...args: unknown[]) => unknown)(...args);
            } catch (thrown) {
              throw fromSqlite(thrown, path);
            }
          },
    ]),
  );
  return wrapped as T;
}
