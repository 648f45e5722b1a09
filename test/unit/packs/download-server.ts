/** A loopback server that misbehaves on demand: what the download tests run against. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';

export interface Behaviour {
  /** Sends so many bytes of the body and leaves the rest to `cut()`, this many times. */
  cutAfter?: number;
  cuts?: number;
  /** Says this length instead of the real one. */
  lieLength?: number;
  /** Sends these bytes instead. */
  instead?: Buffer;
  ignoreRange?: boolean;
  /** Answers with this status, this many times. */
  status?: number;
  times?: number;
  /** Sends the client elsewhere. */
  redirect?: string;
  etag?: string | null;
  headers?: Record<string, string>;
  /** Starts and then sends nothing more. */
  hang?: boolean;
}

export interface TestServer {
  readonly origin: string;
  readonly host: string;
  readonly requests: { url: string; range: string | undefined; ifRange: string | undefined }[];
  serve(path: string, body: Buffer, behaviour?: Behaviour): void;
  /** Breaks off every connection that waits for it. */
  cut(): void;
  close(): Promise<void>;
}

export async function startServer(): Promise<TestServer> {
  const files = new Map<string, { body: Buffer; behaviour: Behaviour }>();
  const requests: TestServer['requests'] = [];
  const waiting = new Set<ServerResponse>();
  const server: Server = createServer((request, response) => {
    const url = request.url ?? '';
    requests.push({ url, range: request.headers.range, ifRange: request.headers['if-range'] as string });
    const file = files.get(url);
    if (file === undefined) response.writeHead(404).end();
    else answer(request, response, file.body, file.behaviour, waiting);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    origin: `http://127.0.0.1:${String(port)}`,
    host: '127.0.0.1',
    requests,
    serve(path, body, behaviour = {}) {
      files.set(path, { body, behaviour });
    },
    cut() {
      for (const response of waiting) response.destroy();
      waiting.clear();
    },
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

function answer(
  request: IncomingMessage,
  response: ServerResponse,
  body: Buffer,
  how: Behaviour,
  waiting: Set<ServerResponse>,
): void {
  if (how.redirect !== undefined) {
    response.writeHead(302, { location: how.redirect, ...how.headers }).end();
    return;
  }
  if (how.status !== undefined && (how.times ?? Infinity) > 0) {
    how.times = (how.times ?? Infinity) - 1;
    response.writeHead(how.status, how.headers).end();
    return;
  }
  const content = how.instead ?? body;
  const etag = how.etag === undefined ? '"version-1"' : how.etag;
  const from = /^bytes=(\d+)-$/.exec(request.headers.range ?? '');
  const ifRange = request.headers['if-range'];
  const continues = from !== null && how.ignoreRange !== true && (ifRange === undefined || ifRange === etag);
  const start = continues ? Number(from[1]) : 0;
  if (start >= content.byteLength && continues) {
    response.writeHead(416, { 'content-range': `bytes */${String(content.byteLength)}` }).end();
    return;
  }
  const rest = content.subarray(start);
  response.writeHead(continues ? 206 : 200, {
    'content-length': how.lieLength ?? rest.byteLength,
    ...(continues
      ? {
          'content-range': `bytes ${String(start)}-${String(content.byteLength - 1)}/${String(content.byteLength)}`,
        }
      : {}),
    ...(etag === null ? {} : { etag }),
    ...how.headers,
  });
  if (how.hang === true) {
    response.write(rest.subarray(0, 10));
    return;
  }
  if (how.cutAfter !== undefined && (how.cuts ?? 1) > 0) {
    how.cuts = (how.cuts ?? 1) - 1;
    response.write(rest.subarray(0, how.cutAfter));
    waiting.add(response);
    return;
  }
  response.end(rest);
}
