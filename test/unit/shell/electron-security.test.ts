import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { silentLog } from '../../../main/engine/log.ts';
import { setupMenu } from '../../../main/shell/electron/menu.ts';
import { setupSecurity } from '../../../main/shell/electron/security.ts';
import { openWindow } from '../../../main/shell/electron/window.ts';
import { setupQuit, setupSingleInstance } from '../../../main/shell/electron/lifecycle.ts';
import {
  AppDouble,
  ContentsDouble,
  MenuDouble,
  SessionDouble,
  stoppable,
  WindowDouble,
} from './electron-double.ts';

function confined(): { session: SessionDouble; contents: ContentsDouble } {
  const app = new AppDouble();
  const session = new SessionDouble();
  setupSecurity(app.real, session.real);
  const contents = new ContentsDouble();
  app.emit('web-contents-created', {}, contents);
  return { session, contents };
}

const elsewhere = [
  'https://evil.example/',
  'http://127.0.0.1:43110/',
  'file:///etc/passwd',
  'app://afterimage.evil.example/',
  'app://other/',
  'photo://full/1',
  'javascript:alert(1)',
  'data:text/html,hello',
];

test('the page goes nowhere but to itself', () => {
  const { contents } = confined();
  for (const name of ['will-navigate', 'will-redirect']) {
    for (const url of elsewhere) {
      const event = stoppable({ url });
      contents.emit(name, event);
      assert.equal(event.prevented, true, `${name} ${url}`);
    }
    const home = stoppable({ url: 'app://afterimage/' });
    contents.emit(name, home);
    assert.equal(home.prevented, false);
  }
  const frame = stoppable({ url: 'app://afterimage/', isMainFrame: false });
  contents.emit('will-frame-navigate', frame);
  assert.equal(frame.prevented, true, 'no frame is opened in the page');
});

test('no window is opened and no webview attached', () => {
  const { contents } = confined();
  for (const url of [...elsewhere, 'app://afterimage/'])
    assert.deepEqual(contents.openHandler?.({ url }), { action: 'deny' });
  const event = stoppable();
  contents.emit('will-attach-webview', event);
  assert.equal(event.prevented, true);
});

test('no permission is given but writing the clipboard, to our own page', () => {
  const { session, contents } = confined();
  const answers = (permission: string, url: string, isMainFrame = true): boolean[] => {
    contents.url = url;
    let requested = true;
    session.ask('permissionRequest', contents, permission, (given: boolean) => (requested = given), {
      isMainFrame,
    });
    return [requested, session.ask('permissionCheck', contents, permission, '', { isMainFrame }) as boolean];
  };
  const names = [
    'media',
    'geolocation',
    'notifications',
    'midi',
    'pointerLock',
    'fullscreen',
    'openExternal',
  ];
  for (const name of [...names, 'clipboard-read', 'fileSystem', 'hid', 'serial', 'usb', 'unknown'])
    assert.deepEqual(answers(name, 'app://afterimage/'), [false, false], name);
  assert.deepEqual(answers('clipboard-sanitized-write', 'app://afterimage/'), [true, true]);
  assert.deepEqual(answers('clipboard-sanitized-write', 'https://evil.example/'), [false, false]);
  assert.deepEqual(answers('clipboard-sanitized-write', 'app://afterimage/', false), [false, false]);
  assert.equal(session.ask('devicePermission', {}), false);
  let streams: unknown;
  session.ask('displayMedia', {}, (given: unknown) => (streams = given));
  assert.deepEqual(streams, {});
});

test('every remote request is cancelled, and no download begins', () => {
  const { session } = confined();
  const cancelled = (url: string): boolean => {
    let answer = { cancel: true };
    session.ask('onBeforeRequest', { url }, (given: { cancel: boolean }) => (answer = given));
    return answer.cancel;
  };
  for (const url of [
    'https://a.example/',
    'http://127.0.0.1/',
    'ws://a.example/',
    'wss://a/',
    'ftp://a/',
    'file:///a',
    'chrome://gpu',
    'HTTPS://A',
    '',
  ])
    assert.equal(cancelled(url), true, url);
  for (const url of [
    'app://afterimage/',
    'photo://thumb/1',
    'blob:app://afterimage/1',
    'data:image/png;base64,',
  ])
    assert.equal(cancelled(url), false, url);
  const download = stoppable();
  session.emit('will-download', download);
  assert.equal(download.prevented, true);
});

function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'afterimage-window-'));
  t.after(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

const screen = { x: 0, y: 0, width: 1920, height: 1080 };

async function open(stateFile: string, dark = false): Promise<WindowDouble> {
  let made: WindowDouble | undefined;
  await openWindow({
    create: (options) => (made = new WindowDouble(options)).real,
    preloadPath: '/app/preload.cjs',
    stateFile,
    workAreas: [screen],
    dark,
    devTools: false,
    log: silentLog,
  });
  assert.ok(made);
  return made;
}

test('the window gives its page no Node, and is shown only when it is whole', async (t) => {
  const window = await open(join(folder(t), 'window.json'), true);
  const { webPreferences: preferences = {}, show, backgroundColor } = window.options;
  assert.equal(preferences.contextIsolation, true);
  assert.equal(preferences.sandbox, true);
  assert.equal(preferences.nodeIntegration, false);
  assert.equal(preferences.nodeIntegrationInWorker, false);
  assert.equal(preferences.nodeIntegrationInSubFrames, false);
  assert.equal(preferences.webSecurity, true);
  assert.equal(preferences.webviewTag, false);
  assert.equal(preferences.spellcheck, false);
  assert.equal(preferences.devTools, false);
  assert.equal(show, false);
  assert.equal(backgroundColor, '#131313');
  assert.deepEqual(window.did, ['load app://afterimage/']);
  window.emit('ready-to-show');
  assert.deepEqual(window.did, ['load app://afterimage/', 'show']);
});

test('the window comes back where it was, unless that screen is gone', async (t) => {
  const file = join(folder(t), 'window.json');
  const first = await open(file);
  first.bounds = { x: 100, y: 50, width: 900, height: 700 };
  first.maximized = true;
  first.emit('close');
  const second = await open(file);
  assert.deepEqual([second.options.x, second.options.y, second.options.width], [100, 50, 900]);
  second.emit('ready-to-show');
  assert.ok(second.did.includes('maximize'));
  const kept = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
  writeFileSync(file, JSON.stringify({ ...kept, x: 5_000 }));
  assert.equal((await open(file)).options.x, undefined);
  writeFileSync(file, '{"x":1');
  assert.equal((await open(file)).options.width, 1280);
});

test('a page that crashes is loaded again', async (t) => {
  const window = await open(join(folder(t), 'window.json'));
  window.webContents.emit('render-process-gone', {}, { reason: 'crashed' });
  assert.equal(window.webContents.reloads, 1);
});

test('a second start shows the first window and goes', () => {
  const first = new AppDouble();
  let shown = 0;
  assert.equal(
    setupSingleInstance(first.real, () => shown++),
    true,
  );
  first.emit('second-instance');
  assert.equal(shown, 1);
  assert.equal(
    setupSingleInstance(new AppDouble(false).real, () => shown++),
    false,
  );
});

test('quitting closes the engine once and then goes through', async () => {
  const app = new AppDouble();
  const closing = Promise.withResolvers<undefined>();
  let closes = 0;
  setupQuit(
    app.real,
    async () => {
      closes++;
      await closing.promise;
    },
    silentLog,
  );
  const [first, second, third] = [stoppable(), stoppable(), stoppable()];
  app.emit('will-quit', first);
  app.emit('will-quit', second);
  assert.deepEqual([first.prevented, second.prevented, closes, app.quits], [true, true, 1, 0]);
  closing.resolve(undefined);
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(app.quits, 1);
  app.emit('will-quit', third);
  assert.equal(third.prevented, false);
});

test('an engine that does not end holds nobody up', async () => {
  const app = new AppDouble();
  setupQuit(app.real, () => new Promise(() => undefined), silentLog, 1);
  const quit = Promise.withResolvers<undefined>();
  app.quit = () => quit.resolve(undefined);
  app.emit('will-quit', stoppable());
  await quit.promise;
});

test('the menu finds by pressing the key that the page answers to', () => {
  const menu = new MenuDouble();
  const page = new ContentsDouble();
  setupMenu(menu, { mac: false, devTools: false, page: () => page.real });
  const items = menu.template.flatMap((each) => (Array.isArray(each.submenu) ? each.submenu : []));
  const find = items.find(({ label }) => label === 'Find');
  (find?.click as unknown as () => void)();
  assert.deepEqual(page.keys[0], { type: 'keyDown', keyCode: 'K', modifiers: ['control'] });
  assert.ok(!JSON.stringify(menu.template).includes('toggleDevTools'));
});
