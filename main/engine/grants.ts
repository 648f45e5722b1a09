/** Folders that a person chose, behind opaque strings: calls never carry a path. */
import { randomUUID } from 'node:crypto';
import { AppError } from '../errors.ts';

export interface Grants {
  /** @param path absolute; the shell vouches that a person chose it. */
  issue(path: string): string;
  /** @throws AppError not-found */
  path(grant: string): string;
}

/** A folder browser issues one for each folder it lists; the oldest are forgotten. */
const mostGrants = 20_000;

export function createGrants(): Grants {
  const paths = new Map<string, string>();
  return {
    issue(path) {
      const grant = randomUUID();
      paths.set(grant, path);
      const [oldest] = paths.keys();
      if (paths.size > mostGrants && oldest !== undefined) paths.delete(oldest);
      return grant;
    },
    path(grant) {
      const path = paths.get(grant);
      if (path !== undefined) return path;
      throw new AppError(
        'not-found',
        'That choice of folder is not valid any more. Choose the folder again.',
      );
    },
  };
}
