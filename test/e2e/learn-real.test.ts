/** Teaching over the real engine and the pack that ships: thumbs, a name, captions, a run, its verdict, use and undo. */
/// <reference lib="dom" />
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import type { Page } from 'playwright-core';
import type { TuneRun } from '../../main/contract.ts';
import { encodeHeadFile } from '../../main/engine/tune-head-file.ts';
import { drawCaptionedShapes, type DrawnShape } from './captioned-shapes.ts';
import { startRealApp, type RealApp } from './real-app.ts';

/** A head that turns vectors by little, as another library's would, with the proof that it came with. */
async function otherHead(
  { engine }: RealApp,
  run: TuneRun,
): Promise<{ grant: string; remove: () => Promise<void> }> {
  const { packs } = await engine.call('packs.list', {});
  const fingerprint = packs.find(({ id }) => id === run.packId)?.fingerprint ?? '';
  const { dims } = run;
  const values = Float32Array.from({ length: dims * dims }, (_, at) => {
    const [row, column] = [Math.floor(at / dims), at % dims];
    return row === column ? 1 : column === row + 1 ? 0.2 : column === row - 1 ? -0.2 : 0;
  });
  const proof = { r1: 0.4, r5: 0.7, r10: 0.8, mrr: 0.5 };
  const better = { before: { ...proof, r10: 0.6 }, after: proof, gain: { low: 0.1, high: 0.3 } };
  const settings = { ...run.settings, head: 'residual' as const };
  const bytes = encodeHeadFile(
    { ...run, ...better, settings, accepted: true, state: 'offered', fingerprint },
    {
      runId: run.id,
      head: 'residual',
      fingerprint,
      dims,
      hash: '',
      parameters: { delta: { shape: [dims, dims], values } },
    },
  );
  const folder = await mkdtemp(join(tmpdir(), 'afterimage-head-'));
  await writeFile(join(folder, 'other.afterimage-head'), bytes);
  return { grant: await engine.grant(folder), remove: () => rm(folder, { recursive: true, force: true }) };
}

async function search(page: Page, text: string): Promise<void> {
  const answer = page.waitForResponse(
    (response) =>
      response.url().endsWith('/api/call/search.query') &&
      (response.request().postData() ?? '').includes(JSON.stringify(text)),
  );
  await page.locator('#search-input').fill(text);
  await answer;
  await page.locator('#photo-0 img[data-in]').waitFor();
}

test('thumbs, a name and captions are learned from; the verdict is told; what is used can be undone', async (t) => {
  let shapes: readonly DrawnShape[] = [];
  const app = await startRealApp(async (folder) => {
    shapes = await drawCaptionedShapes(folder, 72);
  });
  const { page, engine, complaints } = app;
  t.after(() => app.close());
  await search(page, 'a red circle');
  await page.locator('[data-grid]').focus();
  await page.keyboard.press('Home');
  await page.keyboard.press('+');
  await page.getByText('Noted: this fits “a red circle”.').waitFor();
  await page.locator('#photo-1').hover();
  await page.locator('#photo-1 [data-vote=down]').click();
  await page.getByText('Noted: this does not fit “a red circle”.').waitFor();
  const thumbs = await engine.call('feedback.list', {});
  assert.deepEqual([thumbs.up, thumbs.down], [1, 1]);
  assert.equal(thumbs.entries[0]?.text, 'a red circle');

  // Three photos get a name, which is found at once.
  await search(page, 'green');
  await page.locator('[data-grid]').focus();
  await page.keyboard.press('Home');
  await page.keyboard.press('Space');
  await page.keyboard.press('Shift+ArrowRight');
  await page.keyboard.press('Shift+ArrowRight');
  await page.getByRole('button', { name: 'This is…' }).click();
  await page.keyboard.type('Zorba');
  await page.getByLabel('What is it? (optional)').fill('a green thing');
  await page.keyboard.press('Enter');
  await page.getByText('Zorba: 3 photos.').waitFor();
  await search(page, 'Zorba');
  await page.locator('#photo-0').click();
  const viewer = page.getByRole('dialog', { name: /^Photo / });
  await page.keyboard.press('i');
  await viewer.getByRole('button', { name: 'Zorba', exact: true }).waitFor();
  await page.keyboard.press('Escape');
  await viewer.waitFor({ state: 'detached' });

  const { ids } = await engine.call('photos.timeline', {});
  for (const photoId of ids) {
    const { name } = await engine.call('photos.get', { photoId });
    const text = shapes.find((shape) => shape.name === name)?.caption ?? '';
    await engine.call('captions.set', { photoId, text });
  }
  await page.getByRole('navigation', { name: 'Places' }).getByRole('button', { name: 'Teach' }).click();
  await page.getByText(/^\d+ different photos: enough/).waitFor();
  await page.getByRole('heading', { name: 'Zorba' }).waitFor();
  await page.getByText(/^finds \d of its 3$/).waitFor();
  await page.getByRole('button', { name: 'Learn now' }).click();
  const [better, refused] = ['Better at finding your photos', 'Not used: it did not prove better'].map(
    (name) => page.getByRole('heading', { name }),
  );
  assert.ok(better !== undefined && refused !== undefined);
  await better.or(refused).waitFor();
  const [run] = (await engine.call('tune.runs', {})).runs;
  assert.ok(run !== undefined);
  assert.equal(run.state, (await better.isVisible()) ? 'offered' : 'refused');
  assert.deepEqual(run.bySource.map(({ source }) => source).sort(), ['captions', 'names', 'thumbs']);
  await page.getByText(/^Found among the first ten: \d+ → \d+ of 100/).waitFor();
  await page.getByText(/^General search: \d+ → \d+$/).waitFor();
  if (run.state === 'refused') {
    await page.getByText(/^What helps: /).waitFor();
    // So few photos seldom prove anything: a head from elsewhere takes the same way from here on.
    const { grant, remove } = await otherHead(app, run);
    await engine.call('tune.import', { grant });
    await remove();
  }

  await page.getByRole('list', { name: 'Zorba: After' }).getByRole('img').first().waitFor();
  await page.getByRole('button', { name: 'Use it' }).click();
  await page.getByText('Your search uses what was learned.').waitFor();
  await page.getByText('In use. Learned on').waitFor();
  const { activeRun } = await engine.call('library.status', {});
  const { runs, active } = await engine.call('tune.runs', {});
  assert.equal(runs.find(({ state }) => state === 'active')?.id, active);
  assert.equal(activeRun, active);

  await search(page, 'a blue square');
  await page.getByRole('navigation', { name: 'Places' }).getByRole('button', { name: 'Teach' }).click();
  await page.locator('main').getByRole('button', { name: 'Undo' }).click();
  await page.getByText('Your search is as it was before.').waitFor();
  assert.equal((await engine.call('tune.runs', {})).active, null);
  await page.getByRole('row', { name: /was in use/ }).waitFor();
  assert.deepEqual(complaints, []);
});
