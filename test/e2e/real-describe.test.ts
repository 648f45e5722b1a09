/** The page over the real engine and the packs that ship: described, asked about, asked many, shown where, found. */
/// <reference lib="dom" />
import assert from 'node:assert/strict';
import test from 'node:test';
import { drawScenes } from './drawn-scenes.ts';
import { startRealApp } from './real-app.ts';

test('photos are described, asked about, shown where a search is in them, and found by a caption typed by hand', async (t) => {
  const { page, engine, complaints, close } = await startRealApp((folder) => drawScenes(folder, 18));
  t.after(close);
  await page.locator('#search-input').fill('mountains under a blue sky');
  await page.locator('#photo-0 img[data-in]').waitFor();
  await page
    .getByText(/\d ms|nearest/)
    .first()
    .waitFor();
  await page.locator('#photo-0').click();
  const viewer = page.getByRole('dialog', { name: /^Photo / });
  await page.locator('img.full.loaded').waitFor();

  await page.keyboard.press('i');
  await viewer.getByRole('img', { name: /^How all your photos compare/ }).waitFor();
  await viewer.getByRole('button', { name: 'Describe this photo' }).click();
  // Sure or not, it says which.
  await viewer.getByText(/^by Afterimage Captioner/).waitFor();
  const said = (await viewer.locator('.text').textContent()) ?? '';
  assert.match(said, /\w+ \w+/);
  await page.keyboard.press('w');
  await viewer.locator('canvas').or(viewer.getByText('No part of the photo stands out')).waitFor();
  await page.keyboard.press('w');

  await viewer.getByRole('button', { name: 'Edit the caption' }).click();
  await viewer.getByRole('textbox', { name: 'Caption, in your words' }).fill('Grandma’s zeppelin');
  await page.keyboard.press('Enter');
  await viewer.getByText('written by you').waitFor();
  const name = (await viewer.locator('.title .name').textContent()) ?? '';

  await page.keyboard.press('a');
  await page.keyboard.type('Is it outdoors?');
  await page.keyboard.press('Enter');
  const answer = viewer.locator('.exchange .small').first();
  await answer.waitFor();
  assert.match((await answer.textContent()) ?? '', /sure, \d+%|a guess, \d+%|considered/);
  await page.keyboard.press('Escape');
  await page.keyboard.press('Escape');
  await viewer.waitFor({ state: 'detached' });

  await page.locator('#search-input').fill('zeppelin');
  const first = page.getByRole('option', { name: /^Grandma’s zeppelin, / });
  await first.waitFor();
  assert.equal(await first.getAttribute('id'), 'photo-0');
  assert.ok((await first.getAttribute('aria-label'))?.includes(name));

  await page.locator('#search-input').fill('sea');
  await page.getByRole('button', { name: 'Ask these photos' }).click();
  await page.keyboard.type('Is it outdoors?');
  await page.keyboard.press('Enter');
  await page.locator('h2.sentence').waitFor();
  await page.waitForFunction(() => document.querySelector('.outcome')?.getAttribute('aria-busy') === 'false');
  const { photos } = await engine.call('library.status', {});
  const asked = await page.locator('.outcome .rows button').count();
  assert.ok(asked > 0 && asked <= photos, `${asked} photos were asked`);
  await page.locator('.outcome .rows button').first().click();
  await viewer.waitFor();
  assert.deepEqual(complaints, []);
});
