/** The web shell: the page, the calls, the events and the photos over loopback HTTP, behind a token. */
import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pipeline } from 'node:stream/promises';
import type { Log } from '../../engine/log.ts';
import { AppError } from '../../errors.ts';
import { createDispatch, type Dispatch } from '../dispatch.ts';
import type { EngineAccess } from '../engine-access.ts';
import { createGrantBook } from '../grant-book.ts';
import { photoReply } from '../photo-response.ts';
import {
  contentSecurityPolicy,
  listRendererFiles,
  wrongMethod,
  type RendererFiles,
} from '../renderer-files.ts';
import { commonHeaders, errorReply, type Reply } from '../reply.ts';
import { answerCall } from './call-route.ts';
import { createEventStream, type EventStream } from './event-stream.ts';
import { createGate, type Admission, type Gate } from './gate.ts';
import { webHandlers } from './web-handlers.ts';
import { welcomeReply } from './welcome-page.ts';

/** Tried first, so that the page keeps its origin, and with it its localStorage, from day to day. */
const usualPort = 43_110;

export interface WebOptions {
  readonly access: EngineAccess;
  /** Folder of the built page: index.html and what it names. */
  readonly rendererDir: string;
  /** Shown by the page. */
  readonly version: string;
  readonly log: Log;
  /** Without one: the usual port if it is free, otherwise any. */
  readonly port?: number | undefined;
  readonly heartbeatMs?: number;
}

export interface WebShell {
  /** With the token: whoever has it sees the photos. */
  readonly url: string;
  readonly port: number;
  readonly token: string;
  close(): Promise<void>;
}

interface Rooms {
  readonly access: EngineAccess;
  readonly gate: Gate;
  readonly dispatch: Dispatch;
  readonly events: EventStream;
  readonly files: RendererFiles;
  readonly log: Log;
}

/** @throws AppError io-failed when the port is taken, file-vanished when the page is not built. */
export async function serveWeb(options: WebOptions): Promise<WebShell> {
  const { access, log } = options;
  const files = await listRendererFiles(options.rendererDir, contentSecurityPolicy());
  const server = createServer();
  const port = await listen(server, options.port);
  const token = randomBytes(24).toString('base64url');
  const grants = createGrantBook();
  const rooms: Rooms = {
    access,
    gate: createGate(token, port),
    dispatch: createDispatch(access, webHandlers(access, grants, options.version), grants),
    events: createEventStream(access, options.heartbeatMs ?? 15_000),
    files,
    log,
  };
  server.on('request', (request, response) => void serve(rooms, request, response));
  log.info('serving', { port });
  return {
    url: `http://127.0.0.1:${port}/?token=${token}`,
    port,
    token,
    async close() {
      rooms.events.close();
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    },
  };
}

async function serve(rooms: Rooms, request: IncomingMessage, response: ServerResponse): Promise<void> {
  // A connection that breaks is the client's leave-taking: pipeline and close listeners see to the rest.
  response.on('error', (error) => rooms.log.debug('connection broke', { reason: error.message }));
  try {
    const reply = await route(rooms, request, response);
    if (reply === null) return;
    response.writeHead(reply.status, { ...reply.headers });
    if (reply.body === null || reply.body instanceof Uint8Array) response.end(reply.body);
    else await pipeline(reply.body, response);
  } catch (error) {
    if (response.destroyed) return;
    rooms.log.error('a request failed', { reason: String(error) });
    if (response.headersSent) response.destroy();
    else {
      const reply = errorReply(error, 'The request');
      response.writeHead(reply.status, { ...reply.headers }).end(reply.body);
    }
  }
}

/** The raw path is matched, never decoded: an encoded slash or dot names nothing here. */
async function route(
  rooms: Rooms,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<Reply | null> {
  const target = request.url ?? '/';
  const [path = '/', query = ''] = target.split('?', 2);
  const method = request.method ?? 'GET';

  const admission = rooms.gate.admit(request.headers, path);
  const tokenInLink = path === '/' && method === 'GET' ? new URLSearchParams(query).get('token') : null;
  if (tokenInLink !== null && (admission === 'admitted' || admission === 'no-token'))
    return rooms.gate.isToken(tokenInLink) ? letIn(rooms.gate) : welcomeReply();
  if (admission !== 'admitted') {
    rooms.log.debug('refused', { method, path, admission });
    return admission === 'no-token' && wantsPage(request) ? welcomeReply() : refusal(admission);
  }

  const call = /^\/api\/call\/([^/]+)$/.exec(path)?.[1];
  if (call !== undefined) return answerCall(rooms.dispatch, call, request, response);
  if (path === '/api/events') {
    if (method !== 'GET') return wrongMethod('GET');
    rooms.events.add(request, response);
    return null;
  }
  const [, photoId, kind] = /^\/photo\/([^/]+)\/(\w+)$/.exec(path) ?? [];
  if (photoId !== undefined && kind !== undefined) return servePhoto(rooms, photoId, kind, request);
  return rooms.files.reply(method, path);
}

async function servePhoto(
  rooms: Rooms,
  photoId: string,
  kind: string,
  request: IncomingMessage,
): Promise<Reply> {
  const { range, 'if-range': ifRange, 'if-none-match': ifNoneMatch } = request.headers;
  const reply = await photoReply(rooms.access, photoId, kind, {
    method: request.method ?? 'GET',
    range,
    ifRange: typeof ifRange === 'string' ? ifRange : undefined,
    ifNoneMatch,
  });
  return { ...reply, headers: { ...reply.headers, 'Cross-Origin-Resource-Policy': 'same-origin' } };
}

/** Moves the token from the address bar, where screenshots and histories see it, into a cookie. */
function letIn(gate: Gate): Reply {
  return {
    status: 303,
    headers: { ...commonHeaders, Location: '/', 'Set-Cookie': gate.cookie, 'Cache-Control': 'no-store' },
    body: null,
  };
}

function wantsPage(request: IncomingMessage): boolean {
  return request.method === 'GET' && (request.headers.accept ?? '').includes('text/html');
}

function refusal(admission: Admission): Reply {
  const message =
    admission === 'no-token'
      ? 'This needs the token of the link that the terminal printed. Open that link.'
      : 'Afterimage answers its own page on this machine only. Open the link that the terminal printed.';
  return errorReply(new AppError('permission-denied', message), 'The request', 403);
}

async function listen(server: Server, wanted: number | undefined): Promise<number> {
  const tries = wanted === undefined ? [usualPort, 0] : [wanted];
  for (const [index, port] of tries.entries()) {
    try {
      await listenOn(server, port);
      return (server.address() as AddressInfo).port;
    } catch (error) {
      if (index === tries.length - 1)
        throw new AppError(
          'io-failed',
          `Port ${port} cannot be used: ${reason(error)}. Choose another with --port.`,
          {
            cause: error,
          },
        );
    }
  }
  throw new AppError('internal', 'No port was tried.');
}

/** Loopback only, IPv4: nothing outside this machine can connect. */
function listenOn(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host: '127.0.0.1', port }, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

function reason(error: unknown): string {
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'EADDRINUSE') return 'another program uses it';
  if (code === 'EACCES') return 'the system keeps it for itself';
  return String(error);
}
