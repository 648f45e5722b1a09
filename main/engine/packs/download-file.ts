/** Downloads one file: resumed where it stopped, from allowed hosts only, believed only when its checksum agrees. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { AppError } from '../../errors.ts';

export interface DownloadFile {
  readonly url: string;
  /** Final path; `.part` beside it holds what is there so far. */
  readonly path: string;
  /** Null where only the server knows. */
  readonly bytes: number | null;
  readonly sha256: string | null;
}

export interface DownloadRules {
  /** The only hosts that are spoken to, redirects included. */
  readonly hosts: readonly string[];
  /** Host names whose plain http is allowed: loopback in tests, none in the app. */
  readonly insecureHosts?: readonly string[];
  /** Pause before the first retry; it doubles. Default 1 s. */
  readonly retryDelayMs?: number;
  /** Retries in a row without a single new byte. Default 4. */
  readonly retries?: number;
  /** A connection that is silent for so long is given up. Default 30 s. */
  readonly stallMs?: number;
}

export interface DownloadCallbacks {
  readonly signal?: AbortSignal | undefined;
  /** Bytes of this file on disk, and its total as soon as that is known. */
  readonly onProgress?: (done: number, total: number | null) => void;
}

interface Expectation {
  readonly bytes: number | null;
  readonly sha256: string | null;
  /** Files that the Hub keeps in git itself are known by their git blob id. */
  readonly gitBlob: string | null;
}

const mostRedirects = 5;
/** What the part file belongs to: only bytes of the same version are continued. */
const partNote = z.object({ url: z.string(), etag: z.string().nullable() });

/** Worth another try: the connection or the server, not what was sent. */
class Interrupted extends Error {
  readonly retryAfterMs: number | undefined;
  constructor(message: string, retryAfterMs?: number, cause?: unknown) {
    super(message, { cause });
    this.retryAfterMs = retryAfterMs;
  }
}

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
const nameOf = (file: DownloadFile): string => new URL(file.url).pathname.split('/').at(-1) ?? file.url;

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
    const { response, stated } = await request(file, rules, { start, etag: note?.etag ?? null, signal });
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

interface Stated {
  readonly sha256: string | null;
  readonly gitBlob: string | null;
  readonly bytes: number | null;
}

/** Follows redirects by hand: each hop's host is checked, and only the first host's word on checksums counts. */
async function request(
  file: DownloadFile,
  rules: DownloadRules,
  from: { start: number; etag: string | null; signal: AbortSignal },
): Promise<{ response: Response; stated: Stated }> {
  let url = new URL(file.url);
  const trusted = url.host;
  let stated: Stated = { sha256: null, gitBlob: null, bytes: null };
  for (let hop = 0; hop <= mostRedirects; hop++) {
    allow(url, rules);
    let response: Response;
    try {
      response = await fetch(url, {
        redirect: 'manual',
        signal: from.signal,
        headers: {
          'accept-encoding': 'identity',
          ...(from.start === 0
            ? {}
            : {
                range: `bytes=${String(from.start)}-`,
                ...(from.etag === null ? {} : { 'if-range': from.etag }),
              }),
        },
      });
    } catch (thrown) {
      if (from.signal.aborted) throw thrown;
      throw new Interrupted(`${url.host} could not be reached`, undefined, thrown);
    }
    if (url.host === trusted) stated = { ...stated, ...statedBy(response.headers) };
    const location = response.headers.get('location');
    if (response.status >= 300 && response.status < 400 && location !== null) {
      await response.body?.cancel();
      url = new URL(location, url);
      continue;
    }
    if (response.status === 200 || response.status === 206 || response.status === 416) {
      return { response, stated };
    }
    await response.body?.cancel();
    throw refusal(response, url, file);
  }
  throw new AppError(
    'download-refused',
    `The download of ${nameOf(file)} was redirected more than ${String(mostRedirects)} times and given up. Try again later.`,
  );
}

function allow(url: URL, rules: DownloadRules): void {
  const secure = url.protocol === 'https:' && url.port === '' && rules.hosts.includes(url.hostname);
  const forTests = url.protocol === 'http:' && (rules.insecureHosts ?? []).includes(url.hostname);
  if ((secure || forTests) && url.username === '' && url.password === '') return;
  throw new AppError(
    'download-refused',
    `The download was redirected to ${url.protocol}//${url.host}, which is not one of the hosts that models come from. Try another network.`,
    { details: { host: url.host } },
  );
}

function refusal(response: Response, url: URL, file: DownloadFile): Error {
  const { status } = response;
  if (status === 429 || status >= 500 || status === 408) {
    const seconds = Number(response.headers.get('retry-after') ?? NaN);
    const after = Number.isFinite(seconds) ? Math.min(60, Math.max(0, seconds)) * 1_000 : undefined;
    return new Interrupted(`${url.host} answered ${String(status)}`, after);
  }
  return new AppError(
    'download-failed',
    `${url.host} has no ${nameOf(file)} for this version (it answered ${String(status)}). Update Afterimage, or choose another model.`,
    { details: { status } },
  );
}

/** The Hub states an LFS file's sha256 as X-Linked-Etag, and any other file's git blob id as ETag. */
function statedBy(headers: Headers): Partial<Stated> {
  const plain = (name: string): string =>
    (headers.get(name) ?? '').replace(/^W\//, '').replaceAll('"', '').toLowerCase();
  const linked = plain('x-linked-etag');
  const etag = plain('etag');
  const size = Number(headers.get('x-linked-size') ?? NaN);
  return {
    ...(/^[0-9a-f]{64}$/.test(linked) ? { sha256: linked } : {}),
    ...(/^[0-9a-f]{40}$/.test(linked)
      ? { gitBlob: linked }
      : /^[0-9a-f]{40}$/.test(etag)
        ? { gitBlob: etag }
        : {}),
    ...(Number.isSafeInteger(size) && size > 0 ? { bytes: size } : {}),
  };
}

/** What the manifest knows goes before what the server says, and the two may not contradict each other. */
function agree(file: DownloadFile, stated: Stated): Expectation {
  if (file.sha256 !== null && stated.sha256 !== null && stated.sha256 !== file.sha256) {
    throw refused(file, 'the server has another version of it than the one that was checked');
  }
  if (file.bytes !== null && stated.bytes !== null && stated.bytes !== file.bytes) {
    throw refused(file, `it has ${String(stated.bytes)} bytes instead of ${String(file.bytes)}`);
  }
  const expected = {
    bytes: file.bytes ?? stated.bytes,
    sha256: file.sha256 ?? stated.sha256,
    gitBlob: stated.gitBlob,
  };
  if (expected.sha256 === null && expected.gitBlob === null) {
    throw refused(file, 'neither the manifest nor the server states its checksum');
  }
  return expected;
}

function totalOf(
  response: Response,
  start: number,
  expected: number | null,
  file: DownloadFile,
): number | null {
  let total = expected;
  if (response.status === 206) {
    const range = /^bytes (\d+)-\d+\/(\d+)$/.exec(response.headers.get('content-range') ?? '');
    if (range === null || Number(range[1]) !== start) {
      throw refused(file, 'the server continued it at another place than asked');
    }
    if (expected !== null && Number(range[2]) !== expected) {
      throw refused(file, `it has ${String(range[2])} bytes instead of ${String(expected)}`);
    }
    total = Number(range[2]);
  } else {
    const header = response.headers.get('content-length');
    const length = header === null ? null : Number(header);
    if (length !== null && expected !== null && length !== expected) {
      throw refused(file, `it has ${String(length)} bytes instead of ${String(expected)}`);
    }
    total ??= length;
  }
  return total;
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

function refused(file: DownloadFile, why: string): AppError {
  return new AppError(
    'download-refused',
    `${nameOf(file)} was not accepted: ${why}. Try again; if it happens again, something between you and the server changes files.`,
    { details: { file: nameOf(file) } },
  );
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
