/** The page over the real web shell and engine: real files, the pack that ships, a real index, a real search. */
/// <reference lib="dom" />
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, sep } from 'node:path';
import test from 'node:test';
import sharp from 'sharp';
import { silentLog } from '../../main/engine/log.ts';
import { forkEngine } from '../../main/host/fork-engine.ts';
import { startHost } from '../../main/host/start-host.ts';
import { serveWeb } from '../../main/shell/web/server.ts';
import { buildPage, openBrowser, top, visit } from './browser.ts';

const colours = ['red', 'green', 'blue', 'yellow', 'white', 'black', 'orange', 'purple'] as const;

async function makePhotos(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const [index, colour] of colours.entries()) {
    const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="800" height="600"><rect width="800" height="600" fill="${colour}"/><circle cx="${200 + index * 40}" cy="300" r="90" fill="${colour}" stroke="#888" stroke-width="6"/></svg>`;
    const exif = {
      IFD0: { Model: 'Testcam 3' },
      IFD2: { DateTimeOriginal: `20${10 + index}:05:03 12:00:00` },
    };
    await sharp(Buffer.from(svg))
      .jpeg({ quality: 85 })
      .withExif(exif)
      .toFile(join(folder, `${colour}.jpg`));
  }
  await writeFile(join(folder, 'broken.jpg'), Buffer.from('ffd8ffe000104a464946000101', 'hex'));
}

test('a folder chosen in the page is indexed by the real engine, found by words, looked at, and its broken file explained', async (t) => {
  const place = await realpath(await mkdtemp(join(tmpdir(), 'afterimage-e2e-')));
  const photos = join(place, 'Colours');
  await makePhotos(photos);
  const [built, browser] = await Promise.all([buildPage(), openBrowser()]);
  const engine = await startHost({
    spawnEngine: () =>
      forkEngine({ directory: join(place, 'library'), modelsDirectory: join(top, 'models') }),
    log: silentLog,
    now: Date.now,
  });
  const shell = await serveWeb({
    access: engine,
    rendererDir: built.dist,
    version: '0',
    log: silentLog,
    port: 0,
  });
  t.after(async () => {
    await browser.close();
    await shell.close();
    await engine.close();
    await built.remove();
    await rm(place, { recursive: true, force: true });
  });

  const { page, complaints } = await visit(browser, shell.url, { locale: 'en-GB' });
  page.setDefaultTimeout(60_000);
  assert.ok(!page.url().includes('token'), 'the token left the address bar');
  await page.getByRole('button', { name: 'Add a folder' }).click();
  const dialog = page.getByRole('dialog', { name: 'Choose a folder' });
  const parts = photos.split(sep).slice(1);
  for (let depth = 0; depth <= parts.length; depth++) {
    await dialog.locator(`button[title="/${parts.slice(0, depth).join('/')}"]`).click();
  }
  await dialog.getByRole('button', { name: 'Add “Colours”' }).click();

  await page.waitForFunction(
    (count) => document.querySelector('[role=option]')?.getAttribute('aria-setsize') === String(count),
    colours.length,
  );
  await page.locator('#photo-0 img[data-in]').waitFor();

  await page.locator('#search-input').fill('red');
  await page.waitForFunction(() =>
    /\d ms|nearest/.test(document.querySelector('#search-status')?.textContent ?? ''),
  );
  await page.getByRole('option', { name: /red\.jpg/ }).waitFor();
  await page.locator('#search-input').fill('red after:2012');
  await page.locator('.mirror .after').waitFor({ state: 'attached' });
  await page.getByRole('option', { name: /red\.jpg/ }).waitFor({ state: 'detached' });

  await page.locator('#photo-0').click();
  const viewer = page.getByRole('dialog');
  await page.waitForFunction(
    () => (document.querySelector<HTMLImageElement>('img.full.loaded')?.naturalWidth ?? 0) === 800,
  );
  await page.keyboard.press('i');
  await viewer.getByText('Testcam 3').waitFor();
  await viewer.getByText('800 × 600').waitFor();
  await page.keyboard.press('Escape');
  await viewer.waitFor({ state: 'detached' });

  await page.getByRole('button', { name: '1 file could not be read' }).click();
  await page.getByText('broken.jpg').first().waitFor();
  await page.getByRole('button', { name: 'Settings' }).click();
  await page.getByRole('button', { name: 'Model', exact: true }).click();
  await page.getByText('In use').first().waitFor();
  assert.deepEqual(complaints, []);
});
