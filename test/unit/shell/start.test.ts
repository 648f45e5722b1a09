import assert from 'node:assert/strict';
import type { ChildProcess, spawn } from 'node:child_process';
import { EventEmitter } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { libraryDirectory } from '../../../main/shell/app-paths.ts';
import { findElectron, hasDesktop } from '../../../main/shell/electron-binary.ts';
import { buildIfStale, type BuildStep } from '../../../main/shell/fresh-build.ts';
import { openInBrowser } from '../../../main/shell/open-in-browser.ts';
import { untilStopped } from '../../../main/shell/run-web.ts';

function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'afterimage-start-'));
  t.after(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

function stepIn(top: string): BuildStep {
  mkdirSync(join(top, 'src'));
  writeFileSync(join(top, 'src', 'a.ts'), '');
  writeFileSync(
    join(top, 'build.mjs'),
    `import { writeFileSync } from 'node:fs'; writeFileSync('built', ''); process.exit(Number(process.argv[2] ?? 0));`,
  );
  return {
    what: 'the page',
    sources: [join(top, 'src')],
    product: join(top, 'built'),
    command: [join(top, 'build.mjs')],
  };
}

test('what is missing or older than its sources is built, and what is fresh is not', async (t) => {
  const top = folder(t);
  const step = stepIn(top);
  const said: string[] = [];
  const build = (): Promise<void> => buildIfStale(step, top, (line) => said.push(line));
  await build();
  assert.ok(existsSync(step.product));
  await build();
  assert.deepEqual(said, ['Building the page ...']);
  const later = Date.now() / 1000 + 10;
  utimesSync(join(top, 'src', 'a.ts'), later, later);
  await build();
  assert.equal(said.length, 2);
});

test('a build that fails is said to', async (t) => {
  const top = folder(t);
  const step = stepIn(top);
  await assert.rejects(
    buildIfStale({ ...step, command: [join(top, 'build.mjs'), '3'] }, top, () => undefined),
    /Building the page failed/,
  );
});

test('an install without the tools runs what it has, or says what is missing', async (t) => {
  const top = folder(t);
  const step = { ...stepIn(top), command: [join(top, 'no-vite.js')] as const };
  await assert.rejects(
    buildIfStale(step, top, () => undefined),
    /Run npm install/,
  );
  writeFileSync(step.product, '');
  utimesSync(step.product, 1, 1);
  await buildIfStale(step, top, () => undefined);
});

const desktop = {
  env: { DISPLAY: ':0', HTTPS_PROXY: 'http://127.0.0.1:9' },
  platform: 'linux' as const,
  root: false,
};

test('the installed Electron is found without being asked to run', async (t) => {
  const top = folder(t);
  const electron = join(top, 'node_modules', 'electron');
  mkdirSync(join(electron, 'dist'), { recursive: true });
  writeFileSync(join(electron, 'path.txt'), 'electron');
  writeFileSync(join(electron, 'dist', 'electron'), '');
  const search = { ...desktop, top, say: () => assert.fail('nothing is fetched') };
  assert.deepEqual(await findElectron(search), { path: join(electron, 'dist', 'electron') });
  const why = async (change: object): Promise<unknown> => findElectron({ ...search, ...change });
  assert.deepEqual(await why({ env: {} }), { because: 'there is no desktop here' });
  assert.deepEqual(await why({ root: true }), { because: 'a desktop window should not run as root' });
});

test('Electron is fetched once by its own installer, and a failure is a reason, not an end', async (t) => {
  const top = folder(t);
  const electron = join(top, 'node_modules', 'electron');
  assert.deepEqual(await findElectron({ ...desktop, top, say: () => undefined }), {
    because: 'Electron is not installed',
  });
  mkdirSync(electron, { recursive: true });
  writeFileSync(join(electron, 'package.json'), '{"type":"commonjs"}');
  const installer = join(electron, 'install.js');
  writeFileSync(installer, 'process.exit(1)');
  assert.deepEqual(await findElectron({ ...desktop, top, say: () => undefined }), {
    because: 'Electron could not be downloaded',
  });
  writeFileSync(
    installer,
    `const { mkdirSync, writeFileSync } = require('node:fs'); mkdirSync(__dirname + '/dist');
     writeFileSync(__dirname + '/dist/electron', ''); writeFileSync(__dirname + '/path.txt', 'electron');`,
  );
  const said: string[] = [];
  assert.deepEqual(await findElectron({ ...desktop, top, say: (line) => said.push(line) }), {
    path: join(electron, 'dist', 'electron'),
  });
  assert.deepEqual(said, ['Fetching Electron, once ...']);
});

test('a desktop is where a person sits', () => {
  assert.equal(hasDesktop({ env: {}, platform: 'linux' }), false);
  assert.equal(hasDesktop({ env: { WAYLAND_DISPLAY: 'wayland-0' }, platform: 'linux' }), true);
  assert.equal(hasDesktop({ env: {}, platform: 'darwin' }), true);
  assert.equal(hasDesktop({ env: { SSH_CONNECTION: 'x' }, platform: 'darwin' }), false);
});

test('the browser is opened by the program of each system', () => {
  const started: string[] = [];
  const start = ((program: string, args: string[]) => {
    started.push([program, ...args].join(' '));
    return Object.assign(new EventEmitter(), { unref() {} }) as unknown as ChildProcess;
  }) as unknown as typeof spawn;
  for (const platform of ['darwin', 'win32', 'linux'] as const)
    assert.equal(openInBrowser('http://127.0.0.1/?token=a', platform, start), true);
  assert.equal(openInBrowser('http://127.0.0.1/', 'sunos', start), false);
  assert.deepEqual(
    started.map((each) => each.split(' ')[0]),
    ['open', 'rundll32', 'xdg-open'],
  );
});

test('the first Ctrl-C stops tidily, the second at once', async () => {
  const signals = new EventEmitter();
  let ended = 0;
  const stopping = Promise.withResolvers<undefined>();
  const over = untilStopped(
    signals,
    () => stopping.promise,
    () => ended++,
  );
  signals.emit('SIGINT');
  await Promise.resolve();
  signals.emit('SIGINT');
  assert.equal(ended, 1);
  stopping.resolve(undefined);
  await over;
});

test('the flag wins over the variable, and both over the folder of the system', () => {
  assert.match(libraryDirectory('here', { AFTERIMAGE_LIBRARY: '/there' }), /here$/);
  assert.equal(libraryDirectory(undefined, { AFTERIMAGE_LIBRARY: '/there' }), join('/there'));
  assert.match(libraryDirectory(undefined, {}), /Afterimage/);
});
