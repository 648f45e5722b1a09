/** Downloads one file: resumed where it stopped, from allowed hosts only, believed only when its checksum agrees. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { AppError } from '../../errors.ts';
import {
  agree,
  Interrupted,
  nameOf,
  refused,
  requestFile,
  totalOf,
  type DownloadFile,
  type DownloadRules,
  type Expectation,
} from './hub-request.ts';

export interface DownloadCallbacks {
  readonly signal?: AbortSignal | undefined;
  /** Bytes of this file on disk, and its total as soon as that is known. */
  readonly onProgress?: (done: number, total: number | null) => void;
}

/** What the part file belongs to: only bytes of the same version are continued. */
const partNote = z.object({ url: z.string(), etag: z.string().nullable() });

/**
 * @returns length and sha256 of the finished file, as verified.
 * @throws AppError download-failed (try again later), download-refused (host, length or checksum is wrong),
 *   disk-full, cancelled. The part file stays for the next attempt unless its content was wrong.
 */
export async function downloadFile(
  file: DownloadFile,
  rules: DownloadRules,
  callbacks: DownloadCallbacks = {},
): Promise<{ bytes: number; sha256: string }> {
  const { signal } = callbacks;
  const retries = rules.retries ?? 4;
  await mkdir(dirname(file.path), { recursive: true });
  let failures = 0;
  for (;;) {
    signal?.throwIfAborted();
    const before = await sizeOf(partPath(file));
    try {
      const expected = await fetchRest(file, rules, callbacks);
      return await verify(file, expected, signal);
    } catch (thrown) {
      if (signal?.aborted === true) throw AppError.from(signal.reason, `The download of ${nameOf(file)}`);
      if (!(thrown instanceof Interrupted)) throw AppError.from(thrown, `Downloading ${nameOf(file)}`);
      failures = (await sizeOf(partPath(file))) > before ? 1 : failures + 1;
      if (failures > retries) {
        throw new AppError(
          'download-failed',
          `${nameOf(file)} could not be downloaded: ${thrown.message}. Check the connection and start again; what is there already is kept.`,
          { cause: thrown, details: { file: nameOf(file) } },
        );
      }
      const pause = thrown.retryAfterMs ?? (rules.retryDelayMs ?? 1_000) * 2 ** (failures - 1);
      await delay(pause, undefined, signal === undefined ? {} : { signal }).catch(() => undefined);
    }
  }
}

const partPath = (file: DownloadFile): string => `${file.path}.part`;
const notePath = (file: DownloadFile): string => `${file.path}.part.json`;

async function sizeOf(path: string): Promise<number> {
  return stat(path).then(
    ({ size }) => size,
    () => 0,
  );
}

async function fetchRest(
  file: DownloadFile,
  rules: DownloadRules,
  callbacks: DownloadCallbacks,
): Promise<Expectation> {
  const note = await readNote(file);
  let start = note === null ? 0 : await sizeOf(partPath(file));
  if (file.bytes !== null && start > file.bytes) start = 0;
  const stall = new AbortController();
  const signals = [stall.signal, ...(callbacks.signal === undefined ? [] : [callbacks.signal])];
  const signal = AbortSignal.any(signals);
  const stallMs = rules.stallMs ?? 30_000;
  let timer = setTimeout(() => {
    stall.abort();
  }, stallMs);
  try {
    const { response, stated } = await requestFile(file, rules, { start, etag: note?.etag ?? null, signal });
    const expected = agree(file, stated);
    if (response.status === 416) {
      // The part file is complete or wrong; the checksum tells which.
      await response.body?.cancel();
      if (expected.bytes !== null && start === expected.bytes) return expected;
      await discard(file);
      throw new Interrupted('the server refused to continue the file');
    }
    const total = totalOf(response, start, expected.bytes, file);
    if (response.status === 200) start = 0;
    if (total !== null && total === start) {
      await response.body?.cancel();
      return { ...expected, bytes: total };
    }
    await writeFile(
      notePath(file),
      JSON.stringify({ url: file.url, etag: strongEtag(response.headers.get('etag')) }),
    );
    const done = await append(
      file,
      response,
      start,
      total,
      () => {
        clearTimeout(timer);
        timer = setTimeout(() => {
          stall.abort();
        }, stallMs);
      },
      callbacks.onProgress,
    );
    if (total !== null && done < total) throw new Interrupted('the connection broke off');
    return { ...expected, bytes: total ?? done };
  } catch (thrown) {
    if (stall.signal.aborted) throw new Interrupted('the server stopped sending', undefined, thrown);
    throw thrown;
  } finally {
    clearTimeout(timer);
  }
}

async function append(
  file: DownloadFile,
  response: Response,
  start: number,
  total: number | null,
  alive: () => void,
  onProgress: DownloadCallbacks['onProgress'],
): Promise<number> {
  const handle = await open(partPath(file), start === 0 ? 'w' : 'r+');
  let done = start;
  try {
    await handle.truncate(start);
    onProgress?.(done, total);
    if (response.body === null) return done;
    for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
      alive();
      if (total !== null && done + chunk.byteLength > total) {
        throw refused(file, `the server sends more than the ${String(total)} bytes it has`);
      }
      await handle.write(chunk, 0, chunk.byteLength, done);
      done += chunk.byteLength;
      onProgress?.(done, total);
    }
    return done;
  } catch (thrown) {
    if (thrown instanceof AppError) throw thrown;
    const code = (thrown as NodeJS.ErrnoException).code;
    if (code === 'ENOSPC' || code === 'EDQUOT' || code === 'EACCES' || code === 'EIO') throw thrown;
    throw new Interrupted('the connection broke off', undefined, thrown);
  } finally {
    await handle.close();
  }
}

async function verify(
  file: DownloadFile,
  expected: Expectation,
  signal: AbortSignal | undefined,
): Promise<{ bytes: number; sha256: string }> {
  const bytes = await sizeOf(partPath(file));
  const sha = createHash('sha256');
  // Git hashes a file with a header that states its length.
  const blob = createHash('sha1').update(`blob ${String(bytes)}\0`);
  await pipeline(
    createReadStream(partPath(file), { highWaterMark: 1 << 20 }),
    async (source: AsyncIterable<Buffer>) => {
      for await (const chunk of source) {
        sha.update(chunk);
        if (expected.sha256 === null) blob.update(chunk);
      }
    },
    signal === undefined ? {} : { signal },
  );
  const sha256 = sha.digest('hex');
  const right =
    expected.sha256 === null ? blob.digest('hex') === expected.gitBlob : sha256 === expected.sha256;
  if (!right || (expected.bytes !== null && bytes !== expected.bytes)) {
    await discard(file);
    throw refused(file, 'its checksum is wrong');
  }
  await rename(partPath(file), file.path);
  await rm(notePath(file), { force: true });
  return { bytes, sha256 };
}

async function readNote(file: DownloadFile): Promise<{ etag: string | null } | null> {
  try {
    const note = partNote.parse(JSON.parse(await readFile(notePath(file), 'utf8')));
    return note.url === file.url ? note : null;
  } catch {
    // No note, or a torn one: the part file can't be trusted and is written anew.
    return null;
  }
}

async function discard(file: DownloadFile): Promise<void> {
  await rm(partPath(file), { force: true });
  await rm(notePath(file), { force: true });
}

/** Weak tags don't promise equal bytes. */
function strongEtag(etag: string | null): string | null {
  return etag === null || etag.startsWith('W/') ? null : etag;
}
