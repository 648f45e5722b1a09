import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { after, before } from 'node:test';
import type { BrowserWindow } from 'electron';
import { createDispatch } from '../../../main/shell/dispatch.ts';
import { desktopHandlers } from '../../../main/shell/electron/desktop-handlers.ts';
import { forwardEvents, setupIpc, type Ipc } from '../../../main/shell/electron/ipc.ts';
import { setupProtocols } from '../../../main/shell/electron/protocols.ts';
import { createGrantBook } from '../../../main/shell/grant-book.ts';
import { contentSecurityPolicy, listRendererFiles } from '../../../main/shell/renderer-files.ts';
import { ContentsDouble, IpcDouble, ProtocolDouble } from './electron-double.ts';
import { emptyStatus, type FakeEngine } from './fake-engine.ts';
import { makePhotoFolder, type PhotoFolder } from './photo-folder.ts';

let folder: PhotoFolder;
let engine: FakeEngine;
before(async () => {
  folder = await makePhotoFolder();
  ({ engine } = folder);
});
after(() => folder.remove());

interface Desk {
  readonly ipc: IpcDouble;
  readonly state: Ipc;
  readonly page: ContentsDouble;
  readonly opened: string[];
  chosen: string[];
  readonly call: (name: string, input: unknown, callId?: string) => Promise<unknown>;
}

let lastId = 0;
function desk(): Desk {
  const ipc = new IpcDouble();
  const page = new ContentsDouble();
  const grants = createGrantBook();
  const opened: string[] = [];
  const made: { chosen: string[] } = { chosen: [] };
  const handlers = desktopHandlers(
    {
      dialog: {
        showOpenDialog: () => Promise.resolve({ canceled: made.chosen.length === 0, filePaths: made.chosen }),
      },
      shell: {
        openPath: (path: string) => {
          opened.push(`open ${path}`);
          return Promise.resolve('');
        },
        showItemInFolder: (path: string) => void opened.push(`show ${path}`),
      },
      window: () => undefined as BrowserWindow | undefined,
    },
    engine,
    grants,
    '1.2.3',
  );
  const state = setupIpc(ipc.real, createDispatch(engine, handlers, grants), grants);
  return Object.assign(made, {
    ipc,
    state,
    page,
    opened,
    call: (name: string, input: unknown, callId = `page-${++lastId}`) =>
      ipc.invoke(page, { kind: 'call', callId, name, input }),
  });
}

const codeOf = (answer: unknown): string | undefined => (answer as { error?: { code: string } }).error?.code;

test('there is one channel, and a call over it is answered', async () => {
  const { ipc, call } = desk();
  assert.deepEqual([...ipc.handlers.keys()], ['afterimage:call']);
  engine.scripts.set('search.parse', (input) => ({ chips: [], heard: input }));
  assert.deepEqual(await call('search.parse', { text: 'sea' }), {
    output: { chips: [], heard: { text: 'sea' } },
  });
});

test('only the main frame of our own page is answered', async () => {
  const { ipc, page } = desk();
  const message = { kind: 'call', callId: 'x', name: 'roots.list', input: {} };
  const before = engine.heard.length;
  const frames = [
    null,
    { url: 'https://evil.example/', parent: null },
    { url: 'app://afterimage.evil.example/', parent: null },
    { url: 'app://other/', parent: null },
    { url: 'file:///app/index.html', parent: null },
    { url: 'about:blank', parent: null },
    { url: 'app://afterimage/', parent: {} },
  ];
  for (const frame of frames)
    assert.equal(codeOf(await ipc.invoke(page, message, frame)), 'permission-denied', JSON.stringify(frame));
  assert.equal(engine.heard.length, before);
});

test('what is not a call of the contract never reaches the engine', async () => {
  const { ipc, page, call } = desk();
  const before = engine.heard.length;
  const messages = [
    undefined,
    null,
    'call',
    {},
    { kind: 'call' },
    { kind: 'call', callId: '', name: 'roots.list' },
    { kind: 'fork', path: '/' },
  ];
  for (const message of messages) assert.equal(codeOf(await ipc.invoke(page, message)), 'input-invalid');
  assert.equal(codeOf(await call('toString', {})), 'input-invalid');
  assert.equal(codeOf(await call('photos.get', { photoId: '/etc/passwd' })), 'input-invalid');
  assert.equal(codeOf(await call('photos.get', { photoId: 1, path: '/etc/passwd' })), 'input-invalid');
  assert.equal(engine.heard.length, before);
});

test('progress comes under the id of its call', async () => {
  const { page, call } = desk();
  engine.scripts.set('packs.install', (_input, { onProgress }) => {
    onProgress?.({ done: 1 } as never);
    return {};
  });
  await call('packs.install', { packId: 'p' }, 'mine');
  assert.deepEqual(page.sent, [
    { channel: 'afterimage:message', value: { kind: 'progress', callId: 'mine', progress: { done: 1 } } },
  ]);
});

test('a call ends when the page cancels it, and when the page goes', async () => {
  const { ipc, page, call, state } = desk();
  engine.scripts.set(
    'search.query',
    (_input, { signal }) =>
      new Promise((_resolve, reject) =>
        signal?.addEventListener('abort', () => reject(new DOMException('gone', 'AbortError'))),
      ),
  );
  const cancelled = call('search.query', { text: 'a' }, 'one');
  await ipc.invoke(page, { kind: 'cancel', callId: 'one' });
  assert.equal(codeOf(await cancelled), 'cancelled');
  for (const leaving of ['destroyed', 'did-navigate']) {
    const left = call('search.query', { text: 'a' });
    await Promise.resolve();
    page.emit(leaving);
    assert.equal(codeOf(await left), 'cancelled');
  }
  assert.equal(state.running, 0);
});

test('any number of calls at once adds one listener to the page', async () => {
  const { page, call } = desk();
  engine.scripts.set('roots.list', () => ({ roots: [] }));
  await Promise.all(Array.from({ length: 50 }, () => call('roots.list', {})));
  assert.deepEqual([page.listenerCount('destroyed'), page.listenerCount('did-navigate')], [1, 1]);
  engine.scripts.set('search.query', () => new Promise(() => undefined));
  const first = call('search.query', { text: 'a' }, 'same');
  assert.equal(codeOf(await call('search.query', { text: 'a' }, 'same')), 'input-invalid');
  void first;
});

test('events reach the page until it is gone', () => {
  const page = new ContentsDouble();
  const listening = engine.listening;
  forwardEvents(engine, page.real);
  engine.emit('library', { generation: 1, photos: 2 });
  assert.deepEqual(page.sent, [
    {
      channel: 'afterimage:message',
      value: { kind: 'event', name: 'library', payload: { generation: 1, photos: 2 } },
    },
  ]);
  page.destroyed = true;
  engine.emit('library', { generation: 2, photos: 2 });
  assert.equal(page.sent.length, 1);
  page.emit('destroyed');
  assert.equal(engine.listening, listening);
});

test('a folder that is dropped becomes a grant, a file does not', async () => {
  const { ipc, page, call } = desk();
  const grant = await ipc.invoke(page, { kind: 'drop', path: folder.root });
  assert.match(String(grant), /^folder-[\da-f]{32}$/);
  engine.scripts.set('roots.add', (input) => input);
  assert.deepEqual(await call('roots.add', { grant }), { output: { grant: `engine:${folder.root}` } });
  assert.equal(await ipc.invoke(page, { kind: 'drop', path: folder.secret }), null);
  assert.equal(await ipc.invoke(page, { kind: 'drop', path: join(folder.top, 'nothing') }), null);
});

test('the dialog gives grants, and nothing when it is cancelled', async () => {
  const table = desk();
  assert.deepEqual(await table.call('folders.pick', {}), { output: { folders: [] } });
  table.chosen = [folder.root];
  const { output } = (await table.call('folders.pick', {})) as {
    output: { folders: { grant: string; name: string }[] };
  };
  assert.equal(output.folders[0]?.name, 'photos');
  assert.notEqual(output.folders[0].grant, folder.root);
});

test('photos are opened and shown by id, and only under a name that a viewer opens', async () => {
  const { call, opened } = desk();
  assert.deepEqual(await call('photos.openFile', { photoId: 1 }), { output: {} });
  assert.deepEqual(await call('photos.reveal', { photoId: 1 }), { output: {} });
  assert.deepEqual(opened, [`open ${join(folder.root, 'sea.jpg')}`, `show ${join(folder.root, 'sea.jpg')}`]);
  assert.equal(codeOf(await call('photos.openFile', { photoId: 99 })), 'not-found');
  folder.addPhoto(30, 'setup.exe', folder.jpeg, 'image/jpeg');
  assert.equal(codeOf(await call('photos.openFile', { photoId: 30 })), 'not-supported');
  assert.equal(codeOf(await call('folders.browse', { grant: null })), 'not-supported');
  assert.equal(opened.length, 2);
});

test('the page learns what the desktop can do', async () => {
  engine.scripts.set('library.status', () => emptyStatus('/data/library'));
  const { output } = (await desk().call('app.info', {})) as {
    output: { shell: string; can: { pickFolder: boolean } };
  };
  assert.equal(output.shell, 'electron');
  assert.equal(output.can.pickFolder, true);
});

async function protocols(): Promise<ProtocolDouble> {
  const page = join(folder.top, 'page');
  mkdirSync(join(page, 'assets'), { recursive: true });
  writeFileSync(join(page, 'index.html'), '<!doctype html>');
  writeFileSync(join(page, 'assets', 'a-1.js'), 'export {};');
  const protocol = new ProtocolDouble();
  setupProtocols(protocol.real, await listRendererFiles(page, contentSecurityPolicy('photo:')), engine);
  return protocol;
}

test('app:// serves the page under its policy, and no other file', async () => {
  const protocol = await protocols();
  const page = await protocol.fetch('app://afterimage/');
  assert.equal(page.status, 200);
  const policy = page.headers.get('content-security-policy') ?? '';
  assert.match(policy, /^default-src 'none'; script-src 'self'/);
  assert.match(policy, /img-src 'self' blob: data: photo:/);
  assert.doesNotMatch(policy, /unsafe|\*|https?:/);
  assert.equal((await protocol.fetch('app://afterimage/assets/a-1.js')).status, 200);
  const ways = [
    'app://afterimage/../secret.jpg',
    'app://afterimage/%2e%2e/secret.jpg',
    'app://afterimage//etc/passwd',
    'app://other/',
    'app://afterimage',
    'app://afterimage.evil/',
    'app://afterimage/assets/',
  ];
  for (const way of ways) assert.equal((await protocol.fetch(way)).status, 404, way);
  assert.equal((await protocol.fetch('app://afterimage/', { method: 'POST' })).status, 405);
});

test('photo:// serves indexed photos by id to GET, and nothing else', async () => {
  const protocol = await protocols();
  const full = await protocol.fetch('photo://full/1');
  assert.equal(full.headers.get('content-type'), 'image/jpeg');
  assert.equal(full.headers.get('x-content-type-options'), 'nosniff');
  assert.deepEqual(Buffer.from(await full.arrayBuffer()), folder.jpeg);
  assert.equal((await protocol.fetch('photo://thumb/1')).headers.get('content-type'), 'image/webp');
  assert.equal((await protocol.fetch('photo://full/1', { headers: { range: 'bytes=0-3' } })).status, 206);
  for (const method of ['HEAD', 'POST', 'PUT', 'DELETE'])
    assert.equal((await protocol.fetch('photo://full/1', { method })).status, 405, method);
  const ways = [
    'photo://full/99',
    'photo://full/../1',
    'photo://full/%31',
    'photo://full//1',
    'photo://original/1',
    'photo://full/1/',
    'photo://full/1?a',
    'photo://other/1',
    'photo://full/',
  ];
  for (const way of ways) assert.equal((await protocol.fetch(way)).status, 404, way);
});
