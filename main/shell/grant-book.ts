/** Opaque names for folders that a person was shown or chose: the renderer never sends a path. */
import { randomBytes } from 'node:crypto';

export interface GrantBook {
  /** The same folder gets the same token for as long as the book lives. */
  issue(path: string): string;
  resolve(token: string): string | undefined;
}

export function createGrantBook(): GrantBook {
  const tokens = new Map<string, string>();
  const paths = new Map<string, string>();
  return {
    issue(path) {
      const known = tokens.get(path);
      if (known !== undefined) return known;
      const token = `folder-${randomBytes(16).toString('hex')}`;
      tokens.set(path, token);
      paths.set(token, path);
      return token;
    },
    resolve: (token) => paths.get(token),
  };
}
