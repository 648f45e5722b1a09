/** Asks for a file on the Hub: each redirect's host is checked, and what is said of length and checksum must agree. */
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

export interface Expectation {
  readonly bytes: number | null;
  readonly sha256: string | null;
  /** Files that the Hub keeps in git itself are known by their git blob id. */
  readonly gitBlob: string | null;
}

const mostRedirects = 5;
/** Worth another try: the connection or the server, not what was sent. */
export class Interrupted extends Error {
  readonly retryAfterMs: number | undefined;
  constructor(message: string, retryAfterMs?: number, cause?: unknown) {
    super(message, { cause });
    this.retryAfterMs = retryAfterMs;
  }
}

export const nameOf = (file: DownloadFile): string =>
  new URL(file.url).pathname.split('/').at(-1) ?? file.url;

interface Stated {
  readonly sha256: string | null;
  readonly gitBlob: string | null;
  readonly bytes: number | null;
}

/** Follows redirects by hand: each hop's host is checked, and only the first host's word on checksums counts. */
export async function requestFile(
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
export function agree(file: DownloadFile, stated: Stated): Expectation {
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

/** Length of the whole file; null where nobody says. */
export function totalOf(
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

export function refused(file: DownloadFile, why: string): AppError {
  return new AppError(
    'download-refused',
    `${nameOf(file)} was not accepted: ${why}. Try again; if it happens again, something between you and the server changes files.`,
    { details: { file: nameOf(file) } },
  );
}
