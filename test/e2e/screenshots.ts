/**
 * Takes README's screenshots: the real page over the real engine and the pack that ships, on drawn landscapes.
 * Run: npm run screenshots
 */
/// <reference lib="dom" />
import { mkdir, mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLog } from '../../main/engine/log.ts';
import { forkEngine } from '../../main/host/fork-engine.ts';
import { startHost } from '../../main/host/start-host.ts';
import { serveWeb } from '../../main/shell/web/server.ts';
import { buildPage, openBrowser, top, visit } from './browser.ts';
import { drawScenes } from './drawn-scenes.ts';
import { shootLearning } from './screenshots-learn.ts';

const out = join(top, 'docs', 'screenshots');
const place = await realpath(await mkdtemp(join(tmpdir(), 'afterimage-shots-')));
const photos = join(place, 'Pictures');
await mkdir(out, { recursive: true });
await drawScenes(photos, 96);
const built = await buildPage();
const browser = await openBrowser();
const engine = await startHost({
  spawnEngine: () => forkEngine({ directory: join(place, 'library'), modelsDirectory: join(top, 'models') }),
  log: silentLog,
  now: Date.now,
});
const shell = await serveWeb({
  access: engine,
  rendererDir: built.dist,
  version: '0.1.0',
  log: silentLog,
  port: 0,
});
try {
  const { page } = await visit(browser, shell.url, {
    locale: 'en-GB',
    viewport: { width: 1280, height: 800 },
  });
  page.setDefaultTimeout(120_000);
  const shot = (name: string): Promise<Buffer> => page.screenshot({ path: join(out, `${name}.png`) });
  /** Every thumbnail on the page is there and has faded in. */
  const settled = (): Promise<unknown> =>
    page.waitForFunction(
      () =>
        [...document.querySelectorAll('[role=option] img')].every((img) => img.hasAttribute('data-in')) &&
        document.getAnimations().every((animation) => animation.playState !== 'running'),
    );
  const search = async (query: string): Promise<void> => {
    const answer = page.waitForResponse(
      (response) =>
        response.url().endsWith('/api/call/search.query') &&
        (response.request().postData() ?? '').includes(JSON.stringify(query)),
    );
    await page.locator('#search-input').fill(query);
    await answer;
    await page.mouse.move(900, 760);
    await page.evaluate(
      () => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))),
    );
    await settled();
  };
  await page.getByRole('button', { name: 'Add a folder' }).waitFor();
  await shot('first-run');
  const { root } = await engine.call('roots.add', { grant: await engine.grant(photos) });
  await engine.call('indexing.run', { rootIds: [root.id] });
  await page.locator('#photo-0 img[data-in]').waitFor();
  await page.reload();
  await page.locator('#photo-0 img[data-in]').waitFor();
  await settled();
  await shot('timeline');
  await search(process.argv[2] ?? 'sunset over the sea');
  await shot('search');
  await page.locator('#photo-0').click();
  await page.locator('img.full.loaded').waitFor();
  await page.keyboard.press('i');
  await page.getByText('X-T5').waitFor();
  await page.getByRole('button', { name: 'Describe this photo' }).click();
  await page.getByRole('button', { name: 'Edit the caption' }).waitFor();
  await page.getByRole('img', { name: 'How all your photos compare' }).waitFor();
  await settled();
  await shot('viewer');
  await page.keyboard.press('w');
  await page.locator('.legend').waitFor();
  await settled();
  await shot('where');
  await page.keyboard.press('w');
  await page.keyboard.press('a');
  for (const question of ['What is this?', 'Is it outdoors?', 'What is the weather like?']) {
    await page.keyboard.type(question);
    await page.keyboard.press('Enter');
    await page.locator('.question', { hasText: question }).waitFor();
    await page.locator('.exchange [aria-busy]').waitFor({ state: 'detached' });
  }
  await settled();
  await shot('ask');
  await page.keyboard.press('Escape');
  await page.keyboard.press('Escape');
  await page.getByRole('button', { name: 'Ask these photos' }).click();
  await page.keyboard.type('Is there water?');
  await page.keyboard.press('Enter');
  await page.locator('.outcome[aria-busy=false] .rows img').first().waitFor();
  await page.waitForLoadState('networkidle');
  await shot('ask-photos');
  await shootLearning({ page, engine, shot, settled, search });
  const { ids } = await engine.call('photos.timeline', {});
  for (const text of ['a field of flowers', 'city at night', 'sunset over the sea']) {
    const name = text.replace(/^./, (first) => first.toUpperCase());
    await engine.call('albums.create', { name, query: { text, examples: [], band: 'likely' } });
  }
  await engine.call('albums.create', { name: 'For the wall', photoIds: ids.slice(0, 9) });
  await page.getByRole('button', { name: 'Albums' }).click();
  await page.getByRole('button', { name: /^For the wall/ }).waitFor();
  await page.mouse.move(900, 760);
  await page.waitForFunction(() =>
    [...document.querySelectorAll('.picture img')].every((img) => img.hasAttribute('data-in')),
  );
  await shot('albums');
  await page.getByRole('button', { name: /^A field of flowers/ }).click();
  await page.locator('#photo-0 img[data-in]').waitFor();
  await settled();
  await shot('album');
  await page.emulateMedia({ colorScheme: 'dark' });
  await search('mountains');
  await shot('search-dark');
} finally {
  await browser.close();
  await shell.close();
  await engine.close();
  await built.remove();
  await rm(place, { recursive: true, force: true });
}
