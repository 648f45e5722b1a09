/** Serves indexed photos by id and nothing else: GET, image types, inside a granted root when it is opened. */
import { createHash } from 'node:crypto';
import { constants, type BigIntStats } from 'node:fs';
import { open, realpath, stat, type FileHandle } from 'node:fs/promises';
import { basename, relative, isAbsolute, sep } from 'node:path';
import { AppError } from '../errors.ts';
import type { PhotoFile, PhotoSource } from './engine-access.ts';
import { imageType, sniffLength } from './image-type.ts';
import { parseRange } from './byte-range.ts';
import { wrongMethod } from './renderer-files.ts';
import { commonHeaders, errorReply, type Reply } from './reply.ts';

export interface PhotoRequest {
  readonly method: string;
  readonly range?: string | undefined;
  readonly ifRange?: string | undefined;
  readonly ifNoneMatch?: string | undefined;
}

/** Formats that every browser we run in shows; others are transcoded by the engine. */
const displayable = new Set(['image/jpeg', 'image/png', 'image/webp', 'image/gif', 'image/avif']);
/** A transcoded picture is for looking at on a screen: 4K and a little zoom. */
const displayEdge = 4_096;
/** Long enough to scroll a grid up and down without asking again, short enough for an edited photo to show. */
const cacheControl = 'private, max-age=60';

/** @param photoId as it stands in the URL; anything but a plain number is answered with 404. */
export async function photoReply(
  access: PhotoSource,
  photoId: string,
  kind: string,
  request: PhotoRequest,
): Promise<Reply> {
  try {
    if (request.method !== 'GET' && request.method !== 'HEAD') return wrongMethod('GET, HEAD');
    if (!/^(0|[1-9]\d{0,14})$/.test(photoId)) throw new AppError('not-found', 'There is no such photo.');
    const id = Number(photoId);
    const reply = await replyOfKind(access, id, kind, request);
    if (request.method !== 'HEAD') return reply;
    if (reply.body !== null && 'destroy' in reply.body) reply.body.destroy();
    return { ...reply, body: null };
  } catch (error) {
    return errorReply(error, 'Showing the photo');
  }
}

function replyOfKind(access: PhotoSource, id: number, kind: string, request: PhotoRequest): Promise<Reply> {
  switch (kind) {
    case 'thumb':
      return thumbReply(access, id, request);
    case 'full':
    case 'original':
      return fileReply(access, id, kind, request);
    default:
      throw new AppError('not-found', 'A photo is served as thumb, full or original.');
  }
}

async function thumbReply(access: PhotoSource, id: number, request: PhotoRequest): Promise<Reply> {
  const webp = await access.thumbnail(id);
  const tag = `"${createHash('sha1').update(webp).digest('base64url')}"`;
  return bytesReply(webp, 'image/webp', tag, request);
}

function bytesReply(bytes: Uint8Array, type: string, tag: string, request: PhotoRequest): Reply {
  const headers = photoHeaders(type, tag);
  if (matches(request.ifNoneMatch, tag)) return { status: 304, headers, body: null };
  return { status: 200, headers: { ...headers, 'Content-Length': String(bytes.byteLength) }, body: bytes };
}

async function fileReply(
  access: PhotoSource,
  id: number,
  kind: 'full' | 'original',
  request: PhotoRequest,
): Promise<Reply> {
  const photo = await access.photoFile(id);
  const { handle, info } = await openInside(photo);
  let handedOver = false;
  try {
    const head = Buffer.alloc(sniffLength);
    const { bytesRead } = await handle.read(head, 0, head.length, 0);
    const type = imageType(head.subarray(0, bytesRead), photo.mime);
    if (type === undefined)
      throw new AppError(
        'image-unsupported',
        `${basename(photo.path)} is not a picture any more. Index again.`,
      );
    const tag = `"${info.ino.toString(36)}-${info.size.toString(36)}-${info.mtimeNs.toString(36)}"`;
    if (kind === 'full' && !displayable.has(type)) {
      const headers = photoHeaders('image/jpeg', tag);
      if (matches(request.ifNoneMatch, tag)) return { status: 304, headers, body: null };
      const jpeg = await access.displayImage(id, displayEdge);
      return bytesReply(jpeg, 'image/jpeg', tag, request);
    }
    const headers = {
      ...photoHeaders(type, tag),
      'Accept-Ranges': 'bytes',
      ...(kind === 'original' ? { 'Content-Disposition': attachment(basename(photo.path)) } : {}),
    };
    if (matches(request.ifNoneMatch, tag)) return { status: 304, headers, body: null };
    const size = Number(info.size);
    const wanted = request.ifRange === undefined || request.ifRange === tag ? request.range : undefined;
    const range = parseRange(wanted, size);
    if (range === 'unsatisfiable')
      return { status: 416, headers: { ...headers, 'Content-Range': `bytes */${size}` }, body: null };
    const { start, end } = range ?? { start: 0, end: size - 1 };
    handedOver = true;
    return {
      status: range === undefined ? 200 : 206,
      headers: {
        ...headers,
        'Content-Length': String(end - start + 1),
        ...(range === undefined ? {} : { 'Content-Range': `bytes ${start}-${end}/${size}` }),
      },
      body: handle.createReadStream({ start, end, autoClose: true }),
    };
  } finally {
    if (!handedOver) await handle.close();
  }
}

/**
 * Opens a photo's file and proves that what is open lies inside its granted root: the path is resolved after
 * opening and must name the very file (device and inode) that was opened, so that swapping a folder for a
 * link between check and use changes nothing.
 * @throws AppError root-offline, not-found, permission-denied
 */
async function openInside(photo: PhotoFile): Promise<{ handle: FileHandle; info: BigIntStats }> {
  const rootPath = await realpath(photo.rootPath).catch((error: unknown) => {
    throw new AppError(
      'root-offline',
      `${photo.rootPath} is not mounted. Connect the drive to see this photo.`,
      {
        cause: error,
      },
    );
  });
  // A pipe or device in place of the photo must not block the open; the flag does not exist on Windows.
  const nonBlocking = (constants as { O_NONBLOCK?: number }).O_NONBLOCK ?? 0;
  const handle = await open(photo.path, constants.O_RDONLY | nonBlocking).catch((error: unknown) => {
    throw AppError.from(error, `Opening ${basename(photo.path)}`);
  });
  try {
    const info = await handle.stat({ bigint: true });
    const truePath = await realpath(photo.path);
    const named = await stat(truePath, { bigint: true });
    const same = named.ino === info.ino && named.dev === info.dev;
    if (!info.isFile() || info.size === 0n || !same || !isInside(rootPath, truePath))
      throw new AppError(
        'not-found',
        `${basename(photo.path)} is not a photo in its folder any more. Index again.`,
      );
    return { handle, info };
  } catch (error) {
    await handle.close();
    throw AppError.from(error, `Opening ${basename(photo.path)}`);
  }
}

function isInside(rootPath: string, path: string): boolean {
  const way = relative(rootPath, path);
  return way !== '' && way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way);
}

function photoHeaders(type: string, tag: string): Record<string, string> {
  return { ...commonHeaders, 'Content-Type': type, ETag: tag, 'Cache-Control': cacheControl };
}

function matches(ifNoneMatch: string | undefined, tag: string): boolean {
  if (ifNoneMatch === undefined) return false;
  return ifNoneMatch.split(',').some((each) => [tag, `W/${tag}`, '*'].includes(each.trim()));
}

/** RFC 6266: an ASCII name for old readers and the true one in UTF-8. */
function attachment(name: string): string {
  const plain = name.replace(/[^\x20-\x7e]|["\\%]/g, '_');
  const exact = encodeURIComponent(name).replace(/['()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16)}`);
  return `attachment; filename="${plain}"; filename*=UTF-8''${exact}`;
}
