/** app:// serves the built page by an exact list of files, photo:// indexed photos by id: GET and nothing else. */
import { Readable } from 'node:stream';
import type { CustomScheme, Protocol } from 'electron';
import { AppError } from '../../errors.ts';
import type { PhotoSource } from '../engine-access.ts';
import { photoReply } from '../photo-response.ts';
import { wrongMethod, type RendererFiles } from '../renderer-files.ts';
import { errorReply, type Reply } from '../reply.ts';
import { appOrigin, appScheme, photoScheme } from './origin.ts';

/** Registered before the app is ready. The photos' scheme is a CORS one, so that the page may copy a picture. */
export const privilegedSchemes: CustomScheme[] = [
  { scheme: appScheme, privileges: { standard: true, secure: true, supportFetchAPI: true } },
  {
    scheme: photoScheme,
    privileges: { standard: true, secure: true, supportFetchAPI: true, corsEnabled: true },
  },
];

export function setupProtocols(
  protocol: Pick<Protocol, 'handle'>,
  files: RendererFiles,
  photos: PhotoSource,
): void {
  protocol.handle(appScheme, async (request) => asResponse(await answerPage(files, request)));
  protocol.handle(photoScheme, async (request) => asResponse(await answerPhoto(photos, request)));
}

/** Addresses are matched as they came, never decoded or resolved. */
async function answerPage(files: RendererFiles, request: Request): Promise<Reply> {
  const path = /^app:\/\/afterimage(\/[^?#]*)/.exec(request.url)?.[1];
  if (path === undefined) return errorReply(new AppError('not-found', 'There is no such page.'), 'Loading');
  return files.reply(request.method, path);
}

async function answerPhoto(photos: PhotoSource, request: Request): Promise<Reply> {
  if (request.method !== 'GET') return wrongMethod('GET');
  const [, kind = '', photoId = ''] = /^photo:\/\/(thumb|full)\/(\d+)$/.exec(request.url) ?? [];
  const reply = await photoReply(photos, photoId, kind, {
    method: request.method,
    range: request.headers.get('range') ?? undefined,
    ifRange: request.headers.get('if-range') ?? undefined,
    ifNoneMatch: request.headers.get('if-none-match') ?? undefined,
  });
  return { ...reply, headers: { ...reply.headers, 'Access-Control-Allow-Origin': appOrigin } };
}

function asResponse({ status, headers, body }: Reply): Response {
  const content = body instanceof Readable ? (Readable.toWeb(body) as ReadableStream) : body && copyOf(body);
  return new Response(content, { status, headers: { ...headers } });
}

/** Node's types let a Response take bytes of an own buffer only, as those of a pool may be reused. */
function copyOf(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(bytes);
}
