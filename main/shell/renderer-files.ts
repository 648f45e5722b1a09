/** The built page: an exact list of files made once, so that no request can name anything else on the disk. */
import { readdir, readFile } from 'node:fs/promises';
import { extname, join, relative, sep } from 'node:path';
import { AppError } from '../errors.ts';
import { commonHeaders, errorReply, type Reply } from './reply.ts';

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.webp': 'image/webp',
  '.ico': 'image/x-icon',
  '.json': 'application/json; charset=utf-8',
  '.webmanifest': 'application/manifest+json; charset=utf-8',
  '.woff2': 'font/woff2',
};

/**
 * What the page may load: itself, and pictures and calls from where this shell serves them.
 * @param photos further sources of pictures, e.g. `photo:` in Electron.
 */
export function contentSecurityPolicy(photos = ''): string {
  const also = photos === '' ? '' : ` ${photos}`;
  return [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    `img-src 'self' blob: data:${also}`,
    `connect-src 'self'${also}`,
    "font-src 'self'",
    "manifest-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
}

export interface RendererFiles {
  /** @param path of a URL, percent-encoded as it came; `/` is the page. */
  reply(method: string, path: string): Promise<Reply>;
}

/** @throws AppError file-vanished when the page has not been built. */
export async function listRendererFiles(directory: string, policy: string): Promise<RendererFiles> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true }).catch(
    (error: unknown) => {
      throw new AppError(
        'file-vanished',
        `The page is not built: ${directory} is missing. Run npm run build.`,
        {
          cause: error,
        },
      );
    },
  );
  const files = new Map<string, string>();
  for (const entry of entries) {
    if (!entry.isFile() || types[extname(entry.name)] === undefined) continue;
    const file = join(entry.parentPath, entry.name);
    files.set(`/${relative(directory, file).split(sep).map(encodeURIComponent).join('/')}`, file);
  }
  const page = files.get('/index.html');
  if (page === undefined)
    throw new AppError(
      'file-vanished',
      `The page is not built: ${directory} has no index.html. Run npm run build.`,
    );
  files.set('/', page);

  return {
    async reply(method, path) {
      const file = files.get(path);
      if (file === undefined)
        return errorReply(new AppError('not-found', 'There is no such page.'), 'Loading the page');
      if (method !== 'GET' && method !== 'HEAD') return wrongMethod('GET, HEAD');
      const bytes = await readFile(file);
      return {
        status: 200,
        headers: {
          ...commonHeaders,
          'Content-Type': types[extname(file)] ?? 'application/octet-stream',
          'Content-Length': String(bytes.byteLength),
          'Content-Security-Policy': policy,
          'Cross-Origin-Resource-Policy': 'same-origin',
          'Permissions-Policy': 'camera=(), microphone=(), geolocation=()',
          // Names under assets/ carry a hash of the content.
          'Cache-Control': path.startsWith('/assets/') ? 'private, max-age=31536000, immutable' : 'no-cache',
        },
        body: method === 'HEAD' ? null : bytes,
      };
    },
  };
}

export function wrongMethod(allowed: string): Reply {
  const reply = errorReply(
    new AppError('input-invalid', `Only ${allowed} is answered here.`),
    'The request',
    405,
  );
  return { ...reply, headers: { ...reply.headers, Allow: allowed } };
}
