/** Who may talk to the loopback server: this machine's own page, with the token that the terminal printed. */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

export type Admission = 'admitted' | 'wrong-host' | 'wrong-origin' | 'no-token';

export interface Gate {
  /** @param path of the request's URL, without its query. */
  admit(headers: IncomingHttpHeaders, path: string): Admission;
  isToken(candidate: string): boolean;
  /** The Set-Cookie value that carries the token from then on. */
  readonly cookie: string;
}

/**
 * Host and Origin must name this server exactly: a page of another site that a rebound DNS name points here
 * carries its own. Cookies ignore ports, so the cookie's name carries the port and two servers don't mix.
 */
export function createGate(token: string, port: number): Gate {
  const hosts = new Set([`127.0.0.1:${port}`, `localhost:${port}`]);
  const cookieName = `afterimage-${port}`;
  const expected = digest(token);
  const isToken = (candidate: string): boolean => timingSafeEqual(digest(candidate), expected);

  return {
    cookie: `${cookieName}=${token}; Path=/; HttpOnly; SameSite=Strict`,
    isToken,
    admit(headers, path) {
      const host = headers.host ?? '';
      if (!hosts.has(host)) return 'wrong-host';
      if (headers.origin !== undefined && headers.origin !== `http://${host}`) return 'wrong-origin';
      // Browsers say where a request comes from even when they send no Origin; opening the page itself is fine.
      const site = headers['sec-fetch-site'];
      if (path !== '/' && site !== undefined && site !== 'same-origin' && site !== 'none')
        return 'wrong-origin';
      const carried = bearer(headers.authorization) ?? readCookie(headers.cookie, cookieName);
      return carried !== undefined && isToken(carried) ? 'admitted' : 'no-token';
    },
  };
}

/** Equal lengths for the constant-time comparison, whatever was sent. */
function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

function bearer(header: string | undefined): string | undefined {
  return header === undefined ? undefined : (/^Bearer ([\w-]+)$/.exec(header)?.[1] ?? '');
}

function readCookie(header: string | undefined, name: string): string | undefined {
  for (const part of header?.split(';') ?? []) {
    const [key, ...value] = part.trim().split('=');
    if (key === name) return value.join('=');
  }
  return undefined;
}
