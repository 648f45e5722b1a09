import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { connect } from 'node:net';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import test, { after, before } from 'node:test';
import { silentLog } from '../../../main/engine/log.ts';
import { AppError } from '../../../main/errors.ts';
import { serveWeb, type WebShell } from '../../../main/shell/web/server.ts';
import { emptyStatus, type FakeEngine } from './fake-engine.ts';
import { makePhotoFolder, type PhotoFolder } from './photo-folder.ts';

let folder: PhotoFolder;
let engine: FakeEngine;
let shell: WebShell;
let rendererDir: string;

before(async () => {
  folder = await makePhotoFolder();
  ({ engine } = folder);
  rendererDir = join(folder.top, 'page');
  mkdirSync(join(rendererDir, 'assets'), { recursive: true });
  writeFileSync(join(rendererDir, 'index.html'), '<!doctype html><title>Afterimage</title>');
  writeFileSync(join(rendererDir, 'assets', 'index-1a2b.js'), 'export {};');
  writeFileSync(join(rendererDir, 'notes.txt'), 'not part of the page');
  shell = await serveWeb({ access: engine, rendererDir, version: '1.2.3', log: silentLog, port: 0 });
});
after(async () => {
  await shell.close();
  folder.remove();
});

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  readonly code: string | undefined;
}
interface Question {
  method?: string;
  headers?: Record<string, string>;
  body?: string;
}

/** As a client that writes the path and headers exactly as given; fetch would tidy both. */
function raw(path: string, { method = 'GET', headers = {}, body }: Question = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port: shell.port, path, method, headers };
    const request = httpRequest(options, (response) => {
      buffer(response).then((bytes) => {
        const text = bytes.toString();
        const code = /^\{"error":\{"code":"([\w-]+)"/.exec(text)?.[1];
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text, code });
      }, reject);
    });
    request.on('error', reject);
    request.end(body);
  });
}
const ask = (path: string, question: Question = {}): Promise<Answer> =>
  raw(path, { ...question, headers: { authorization: `Bearer ${shell.token}`, ...question.headers } });
const call = (name: string, input: unknown, headers: Record<string, string> = {}): Promise<Answer> =>
  ask(`/api/call/${name}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(input),
  });

test('the link sets a cookie that scripts and other sites cannot use, and leaves the address bar', async () => {
  const answer = await raw(new URL(shell.url).pathname + new URL(shell.url).search);
  assert.equal(answer.status, 303);
  assert.equal(answer.headers.location, '/');
  const cookie = answer.headers['set-cookie']?.[0] ?? '';
  assert.match(cookie, /; HttpOnly/);
  assert.match(cookie, /; SameSite=Strict/);
  const page = await raw('/', { headers: { cookie: cookie.split(';')[0] ?? '' } });
  assert.equal(page.status, 200);
  assert.match(page.text, /<title>Afterimage/);
});

test('without the token nothing is served but words on how to get in', async () => {
  for (const path of [
    '/',
    '/assets/index-1a2b.js',
    '/photo/1/full',
    '/photo/1/thumb',
    '/api/events',
    '/nowhere',
  ]) {
    const answer = await raw(path);
    assert.equal(answer.status, 403, path);
    assert.equal(answer.code, 'permission-denied', path);
  }
  const page = await raw('/', { headers: { accept: 'text/html' } });
  assert.equal(page.status, 403);
  assert.match(page.text, /Open the link that the terminal printed/);
  assert.match(String(page.headers['content-security-policy']), /default-src 'none'/);
});

test('a wrong token opens nothing, however near it is', async () => {
  const near = `${shell.token.slice(0, -1)}${shell.token.endsWith('A') ? 'B' : 'A'}`;
  assert.equal((await raw(`/?token=${near}`)).status, 403);
  assert.equal((await raw('/?token=')).status, 403);
  for (const carried of [near, shell.token.slice(0, -1), `${shell.token}x`, ''])
    assert.equal(
      (await raw('/photo/1/full', { headers: { authorization: `Bearer ${carried}` } })).status,
      403,
    );
  assert.equal(
    (await raw('/photo/1/full', { headers: { cookie: `afterimage-${shell.port}=${near}` } })).status,
    403,
  );
  assert.equal(
    (await raw('/photo/1/full', { headers: { cookie: `afterimage=${shell.token}` } })).status,
    403,
  );
});

test('a name rebound to this machine is refused by its Host, token or not', async () => {
  const { port } = shell;
  for (const host of [
    'evil.example',
    `evil.example:${port}`,
    '127.0.0.1',
    `127.0.0.1:${port + 1}`,
    `127.0.0.1.:${port}`,
  ])
    assert.equal((await ask('/', { headers: { host } })).status, 403, host);
  assert.equal(
    (await ask(`/?token=${shell.token}`, { headers: { host: `evil.example:${port}` } })).status,
    403,
  );
  for (const host of [`127.0.0.1:${port}`, `localhost:${port}`])
    assert.equal((await ask('/', { headers: { host } })).status, 200, host);
});

test('another origin is refused, also one of this machine', async () => {
  const { port } = shell;
  for (const origin of [
    'https://evil.example',
    'null',
    `http://127.0.0.1:${port + 1}`,
    `http://localhost:${port}`,
    `https://127.0.0.1:${port}`,
  ])
    assert.equal((await call('roots.list', {}, { origin })).status, 403, origin);
  for (const site of ['cross-site', 'same-site'])
    assert.equal((await ask('/photo/1/full', { headers: { 'sec-fetch-site': site } })).status, 403, site);
  engine.scripts.set('roots.list', () => ({ roots: [] }));
  const own = await call(
    'roots.list',
    {},
    { origin: `http://127.0.0.1:${port}`, 'sec-fetch-site': 'same-origin' },
  );
  assert.deepEqual(JSON.parse(own.text), { output: { roots: [] } });
});

test('nobody outside this machine can connect', async (t) => {
  const outward = Object.values(networkInterfaces())
    .flat()
    .find((each) => each !== undefined && !each.internal && each.family === 'IPv4');
  if (outward === undefined) {
    t.skip('this machine has no outward address');
    return;
  }
  await assert.rejects(
    new Promise<void>((resolve, reject) => {
      const socket = connect({ host: outward.address, port: shell.port, timeout: 2_000 });
      socket.once('connect', () => {
        socket.destroy();
        resolve();
      });
      socket.once('error', reject);
      socket.once('timeout', () => {
        socket.destroy();
        reject(new Error('no answer'));
      });
    }),
  );
});

test('the page comes with a policy that lets nothing in from elsewhere', async () => {
  const page = await ask('/');
  const policy = String(page.headers['content-security-policy']);
  for (const part of [
    "default-src 'none'",
    "script-src 'self'",
    "connect-src 'self'",
    "frame-ancestors 'none'",
  ])
    assert.ok(policy.includes(part), part);
  assert.doesNotMatch(policy, /unsafe|\*|https?:/);
  assert.equal(page.headers['x-content-type-options'], 'nosniff');
  assert.equal(page.headers['referrer-policy'], 'no-referrer');
  assert.equal(page.headers['cross-origin-opener-policy'], 'same-origin');
  assert.equal(page.headers['cross-origin-resource-policy'], 'same-origin');
  assert.equal(page.headers['access-control-allow-origin'], undefined);
  const script = await ask('/assets/index-1a2b.js');
  assert.equal(script.headers['content-type'], 'text/javascript; charset=utf-8');
  assert.match(String(script.headers['cache-control']), /immutable/);
});

test('no path leads out of the page and the photos', async () => {
  const ways = [
    '/photo/../secret.jpg',
    '/photo/..%2fsecret.jpg/full',
    '/photo/%2e%2e/full',
    '/photo/1/../../secret.jpg',
    '/photo/1%2ffull',
    '/photo/1/full/',
    '/assets/../../secret.jpg',
    '/assets/%2e%2e/%2e%2e/secret.jpg',
    '/..\\secret.jpg',
    '//etc/passwd',
    '/notes.txt',
    '/index.html/',
    '/%00',
    '/?/../../secret.jpg&token=x/../..',
  ];
  for (const way of ways) {
    const answer = await ask(way);
    assert.notEqual(answer.status, 200, way);
    assert.ok(!answer.text.includes('JFIF'), way);
  }
});

test('photos come by id, with ranges, to GET and HEAD alone', async () => {
  const whole = await ask('/photo/1/full');
  assert.equal(whole.status, 200);
  assert.equal(whole.headers['content-type'], 'image/jpeg');
  assert.equal(whole.headers['cross-origin-resource-policy'], 'same-origin');
  assert.equal((await ask('/photo/1/full', { headers: { range: 'bytes=0-9' } })).status, 206);
  const head = await ask('/photo/1/full', { method: 'HEAD' });
  assert.equal(head.headers['content-length'], String(folder.jpeg.length));
  assert.equal(head.text, '');
  assert.equal((await ask('/photo/1/full', { method: 'POST' })).status, 405);
  assert.equal((await ask('/photo/999/full')).code, 'not-found');
});

test('a call answers with its output, and with an error and its status', async () => {
  engine.scripts.set('search.parse', (input) => ({ chips: [], heard: input }));
  const good = await call('search.parse', { text: 'red car' });
  assert.equal(good.status, 200);
  assert.equal(good.headers['cache-control'], 'no-store');
  assert.deepEqual(JSON.parse(good.text), { output: { chips: [], heard: { text: 'red car' } } });
  engine.scripts.set('photos.get', () => {
    throw new AppError('not-found', 'Photo 7 is not there.', { details: { photoId: 7 } });
  });
  const missing = await call('photos.get', { photoId: 7 });
  assert.equal(missing.status, 404);
  assert.deepEqual(JSON.parse(missing.text), {
    error: { code: 'not-found', message: 'Photo 7 is not there.', details: { photoId: 7 } },
  });
  engine.scripts.set('photos.get', () => {
    throw new TypeError('a fault');
  });
  assert.equal((await call('photos.get', { photoId: 7 })).status, 500);
});

test('what does not fit the contract never reaches the engine', async () => {
  const before = engine.heard.length;
  assert.equal((await call('photos.get', { photoId: '../1' })).code, 'input-invalid');
  assert.equal((await call('photos.get', { photoId: 1, path: '/etc/passwd' })).code, 'input-invalid');
  assert.equal((await call('constructor', {})).status, 400);
  assert.equal((await call('__proto__', {})).status, 400);
  assert.equal((await call('nothing.here', {})).code, 'input-invalid');
  assert.equal((await ask('/api/call/roots.list', { method: 'GET' })).status, 405);
  const form = { method: 'POST', headers: { 'content-type': 'text/plain' }, body: '{}' };
  assert.equal((await ask('/api/call/roots.list', form)).code, 'input-invalid');
  const broken = { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{' };
  assert.equal((await ask('/api/call/roots.list', broken)).code, 'input-invalid');
  assert.equal(engine.heard.length, before);
});

test('a body beyond the limit is refused before it is read', async () => {
  const headers = { 'content-type': 'application/json', 'content-length': String(71 * 2 ** 20) };
  const status = await new Promise<number>((resolve, reject) => {
    const options = {
      host: '127.0.0.1',
      port: shell.port,
      path: '/api/call/search.addExample',
      method: 'POST',
    };
    const request = httpRequest(
      { ...options, headers: { ...headers, authorization: `Bearer ${shell.token}` } },
      (response) => {
        resolve(response.statusCode ?? 0);
        request.destroy();
      },
    );
    request.on('error', reject);
    request.flushHeaders();
  });
  assert.equal(status, 413);
});

test('a long call streams its progress, then its output or its error', async () => {
  engine.scripts.set('packs.install', (_input, { onProgress }) => {
    onProgress?.({ packId: 'p', stage: 'download', done: 1, total: 2, bytesPerSecond: null } as never);
    return { pack: 'p' };
  });
  const good = await call('packs.install', { packId: 'p' }, { accept: 'application/x-ndjson' });
  assert.equal(good.headers['content-type'], 'application/x-ndjson');
  const lines = good.text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  assert.deepEqual(Object.keys(lines[0]!), ['progress']);
  assert.deepEqual(lines[1], { output: { pack: 'p' } });
  engine.scripts.set('packs.install', () => {
    throw new AppError('download-failed', 'The server broke off. Try again.');
  });
  const bad = await call('packs.install', { packId: 'p' }, { accept: 'application/x-ndjson' });
  assert.deepEqual(JSON.parse(bad.text), {
    error: { code: 'download-failed', message: 'The server broke off. Try again.' },
  });
});

test('leaving cancels the call', async () => {
  const started = Promise.withResolvers<undefined>();
  const aborted = Promise.withResolvers<undefined>();
  engine.scripts.set('search.query', (_input, { signal }) => {
    started.resolve(undefined);
    return new Promise((_resolve, reject) => {
      signal?.addEventListener('abort', () => {
        aborted.resolve(undefined);
        reject(new DOMException('gone', 'AbortError'));
      });
    });
  });
  const leaving = new AbortController();
  const answer = fetch(`http://127.0.0.1:${shell.port}/api/call/search.query`, {
    method: 'POST',
    headers: { authorization: `Bearer ${shell.token}`, 'content-type': 'application/json' },
    body: '{"text":"sea"}',
    signal: leaving.signal,
  });
  await started.promise;
  leaving.abort();
  await assert.rejects(answer, { name: 'AbortError' });
  await aborted.promise;
});

test('events reach every page that listens, and none that left', async () => {
  const open = async (): Promise<{ next: () => Promise<string>; leave: () => void }> => {
    const leaving = new AbortController();
    const response = await fetch(`http://127.0.0.1:${shell.port}/api/events`, {
      headers: { authorization: `Bearer ${shell.token}` },
      signal: leaving.signal,
    });
    assert.equal(response.headers.get('content-type'), 'text/event-stream; charset=utf-8');
    const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
    let text = '';
    return {
      async next() {
        for (;;) {
          const event = /event: .*\ndata: .*\n\n/.exec(text)?.[0];
          if (event !== undefined) {
            text = text.slice(text.indexOf(event) + event.length);
            return event;
          }
          const { value, done } = await reader.read();
          if (done) return '';
          text += value;
        }
      },
      leave: () => leaving.abort(),
    };
  };
  const [first, second] = await Promise.all([open(), open()]);
  engine.emit('library', { generation: 4, photos: 9 });
  const expected = 'event: library\ndata: {"generation":4,"photos":9}\n\n';
  assert.equal(await first.next(), expected);
  assert.equal(await second.next(), expected);
  first.leave();
  engine.emit('library', { generation: 5, photos: 9 });
  assert.match(await second.next(), /"generation":5/);
  second.leave();
});

test('a page that does not read its events is dropped, and the others go on', async () => {
  const listeners = engine.listening;
  const asleep = connect({ host: '127.0.0.1', port: shell.port });
  const dropped = new Promise<void>((resolve) => asleep.once('close', () => resolve()));
  asleep.on('error', () => asleep.destroy());
  asleep.pause();
  asleep.write(
    `GET /api/events HTTP/1.1\r\nHost: 127.0.0.1:${shell.port}\r\nAuthorization: Bearer ${shell.token}\r\n\r\n`,
  );
  await new Promise<void>((resolve) => asleep.once('readable', () => resolve()));
  // More than the kernel's buffers of a loopback connection hold.
  const message = 'x'.repeat(2 ** 20);
  for (let count = 0; count < 64; count++) {
    engine.emit('notice', { level: 'info', key: 'test', code: 'internal', message });
    await new Promise((resolve) => setImmediate(resolve));
  }
  asleep.resume();
  await dropped;
  assert.equal(engine.listening, listeners);
  assert.equal((await ask('/')).status, 200);
});

test('folders are browsed by grant from the places of this machine, and a grant becomes a root', async () => {
  const places = JSON.parse((await call('folders.browse', { grant: null })).text) as {
    output: { current: null; children: { grant: string; path: string; name: string }[] };
  };
  assert.equal(places.output.current, null);
  const top = places.output.children.at(-1)!;
  const inside = await call('folders.browse', { grant: top.grant });
  assert.equal(inside.status, 200);
  assert.equal((await call('folders.browse', { grant: folder.root })).code, 'not-found');
  engine.scripts.set('roots.add', (input) => input);
  const added = await call('roots.add', { grant: top.grant });
  assert.deepEqual(JSON.parse(added.text), { output: { grant: `engine:${top.path}` } });
  const foreign = await call('roots.add', { grant: '/etc' });
  assert.deepEqual(JSON.parse(foreign.text), { output: { grant: '/etc' } }, 'the engine judges what it is');
});

test('the page learns what a browser can and cannot do', async () => {
  engine.scripts.set('library.status', () => emptyStatus('/data/library'));
  const info = JSON.parse((await call('app.info', {})).text) as { output: Record<string, unknown> };
  assert.equal(info.output['shell'], 'web');
  assert.equal(info.output['version'], '1.2.3');
  assert.equal(info.output['libraryPath'], '/data/library');
  assert.equal((await call('photos.reveal', { photoId: 1 })).status, 501);
  assert.equal((await call('folders.pick', {})).code, 'not-supported');
});

test('a taken port is refused with a remedy, and the usual one gives way', async () => {
  const options = { access: engine, rendererDir, version: '1', log: silentLog };
  await assert.rejects(serveWeb({ ...options, port: shell.port }), {
    code: 'io-failed',
    message: `Port ${shell.port} cannot be used: another program uses it. Choose another with --port.`,
  });
  const [one, other] = [await serveWeb(options), await serveWeb(options)];
  assert.notEqual(one.port, other.port);
  await Promise.all([one.close(), other.close()]);
});

test('closing ends open event streams and stops listening to the engine', async () => {
  const listening = engine.listening;
  const brief = await serveWeb({ access: engine, rendererDir, version: '1', log: silentLog, port: 0 });
  assert.ok(engine.listening > listening);
  const events = await fetch(`http://127.0.0.1:${brief.port}/api/events`, {
    headers: { authorization: `Bearer ${brief.token}` },
  });
  const ended = events.text().catch(() => 'ended');
  await brief.close();
  await ended;
  assert.equal(engine.listening, listening);
});

test('a page that was not built is refused with the command that builds it', async () => {
  const options = { access: engine, version: '1', log: silentLog, port: 0 };
  await assert.rejects(serveWeb({ ...options, rendererDir: join(folder.top, 'nothing') }), /npm run build/);
});
