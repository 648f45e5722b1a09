/** Opens the real desktop app where Electron's program is there, and says loudly where it is not. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { _electron } from 'playwright-core';

const top = fileURLToPath(new URL('../..', import.meta.url));
const electron = join(top, 'node_modules', 'electron');
const note = join(electron, 'path.txt');
const program = existsSync(note) ? join(electron, 'dist', readFileSync(note, 'utf8').trim()) : undefined;
const built =
  existsSync(join(top, 'dist/main/shell/electron/main.js')) &&
  existsSync(join(top, 'renderer/dist/index.html'));

function whyNot(): string | false {
  if (program === undefined || !existsSync(program))
    return 'NOT TESTED: Electron has no program here (npx install-electron)';
  if (!built) return 'NOT TESTED: the app is not built (npm run build)';
  if (process.platform === 'linux' && !process.env['DISPLAY'])
    return 'NOT TESTED: there is no display (xvfb-run)';
  return false;
}

test(
  'the desktop app opens its window, confined, with the engine behind it',
  { skip: whyNot() },
  async (t) => {
    const library = mkdtempSync(join(tmpdir(), 'afterimage-electron-'));
    const app = await _electron.launch({
      executablePath: program ?? '',
      args: [top, '--library', library, `--user-data-dir=${join(library, 'profile')}`],
    });
    t.after(async () => {
      await app.close();
      rmSync(library, { recursive: true, force: true });
    });
    const page = await app.firstWindow();
    assert.equal(page.url(), 'app://afterimage/');
    const seen = await page.evaluate(`(async () => ({
    node: typeof require + typeof process,
    bridge: Object.keys(window.afterimage).sort(),
    status: await window.afterimage.call('smoke', 'library.status', {}),
    remote: await fetch('https://example.com/').then(() => 'let through', () => 'denied'),
    popup: window.open('https://example.com/') === null,
    noPhoto: await fetch('photo://full/999').then((answer) => answer.status, () => 'denied'),
  }))()`);
    assert.deepEqual(seen, {
      node: 'undefinedundefined',
      bridge: ['call', 'cancel', 'grantDropped', 'on'],
      status: (seen as { status: unknown }).status,
      remote: 'denied',
      popup: true,
      noPhoto: 404,
    });
    assert.equal((seen as { status: { output: { photos: number } } }).status.output.photos, 0);
    const preferences = await app.evaluate(({ BrowserWindow }) =>
      BrowserWindow.getAllWindows().map((window) => window.isVisible()),
    );
    assert.deepEqual(preferences, [true]);
  },
);
