/** Albums, describing many photos and tags in the page over the real engine, on the packs that ship. */
/// <reference lib="dom" />
import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import sharp from 'sharp';
import { startRealApp } from './real-app.ts';

const colours = ['red', 'green', 'blue', 'yellow', 'white', 'black', 'orange', 'purple'] as const;

/** A photo a year from the given one on, each in a colour of its own. */
async function makePhotos(folder: string, year: number, count: number): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (let at = 0; at < count; at++) {
    const colour = colours[at % colours.length] ?? 'red';
    const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="640" height="480"><rect width="640" height="480" fill="${colour}"/><circle cx="${120 + at * 9}" cy="240" r="${60 + (at % 5) * 8}" fill="#888"/></svg>`;
    await sharp(Buffer.from(svg))
      .jpeg({ quality: 80 })
      .withExif({ IFD2: { DateTimeOriginal: `${year + at}:05:03 12:00:00` } })
      .toFile(join(folder, `${colour}-${year + at}.jpg`));
  }
}

test('an album made from a search follows the folder, a selection joins and leaves, photos are described, tags edited', async (t) => {
  let photos = '';
  const { page, complaints, engine, close } = await startRealApp(async (folder) => {
    photos = folder;
    await makePhotos(folder, 1980, 32);
  });
  t.after(close);
  const size = (count: number): Promise<unknown> =>
    page.waitForFunction(
      (wanted) => document.querySelector('[role=option]')?.getAttribute('aria-setsize') === wanted,
      String(count),
    );
  await size(32);

  // An album of a decade, and one of a colour.
  await page.locator('#search-input').fill('after:2000');
  await page.getByRole('button', { name: 'Save as album' }).click();
  const dialog = page.getByRole('dialog', { name: 'Save this search as an album' });
  await dialog.getByLabel('Name').fill('This century');
  await dialog.getByText('12 photos fit now.').waitFor();
  await dialog.getByRole('button', { name: 'Make album' }).click();
  await page.getByRole('button', { name: 'Open', exact: true }).click();
  await size(12);
  await page.locator('.chip.after', { hasText: 'after:2000' }).waitFor();
  await makePhotos(photos, 2020, 2);
  await size(14);

  // A selection of it makes an album; one more photo joins and leaves.
  await page.locator('[data-grid]').focus();
  await page.keyboard.press('Home');
  await page.keyboard.press('Space');
  await page.keyboard.press('Shift+ArrowRight');
  await page.getByRole('button', { name: 'Add to album' }).click();
  await page.getByRole('dialog', { name: 'Add 2 photos to an album' }).waitFor();
  await page.keyboard.type('Favourites');
  await page.keyboard.press('Enter');
  await page.getByText('“Favourites” holds 2 photos.').waitFor();
  await page.locator('[data-grid]').focus();
  await page.keyboard.press('End');
  await page.keyboard.press('Space');
  await page.getByRole('button', { name: 'Add to album' }).click();
  await page.keyboard.type('favourites');
  await page.keyboard.press('Enter');
  await page.getByText('1 photo added to “Favourites”.').waitFor();
  await page.getByRole('button', { name: 'Undo' }).click();
  await page.getByRole('button', { name: 'All albums' }).click();
  await page.getByRole('button', { name: /^Favourites, 2 photos$/ }).waitFor();
  await page.getByRole('button', { name: /^This century, 14 photos, gathers/ }).waitFor();
  await page.locator('#search-input').fill('album:Fav');
  await page.getByRole('listbox', { name: 'Albums' }).waitFor();
  await page.keyboard.press('Enter');
  await size(2);

  // All photos are described: held in the midst, then to the end.
  await page.getByRole('button', { name: 'Clear the search' }).click();
  await size(34);
  await page.locator('[data-grid]').focus();
  await page.keyboard.press('Control+a');
  await page.getByText('34 selected').waitFor();
  await page.getByRole('button', { name: 'Describe', exact: true }).click();
  await page.getByRole('button', { name: 'Pause describing' }).click();
  await page.locator('.pill').getByText('Paused').waitFor();
  const held = await engine.call('captions.state', {});
  assert.equal(held.phase, 'paused');
  await page.getByRole('button', { name: 'Go on describing' }).click();
  await page.getByText(/^(\d+ photos? described|Not sure about \d+)/).waitFor();
  const { captions } = await engine.call('library.status', {});
  assert.deepEqual(captions, { total: 34, captioned: 34 });

  await page.getByRole('button', { name: 'Settings' }).click();
  await page.getByRole('button', { name: 'Captions', exact: true }).click();
  await page.getByText('All 34 photos have been looked at for a caption.').waitFor();
  await page.getByRole('button', { name: 'Tags', exact: true }).click();
  await page.getByRole('button', { name: 'Add a tag' }).click();
  await page.getByLabel('Tag', { exact: true }).fill('grey disc');
  await page.getByLabel('What it looks like').fill('a grey circle on a coloured ground');
  await page.getByRole('dialog').getByRole('button', { name: 'Save' }).click();
  await page.getByText('grey disc', { exact: true }).waitFor();
  const { tags } = await engine.call('tags.list', {});
  assert.deepEqual(tags.find(({ name }) => name === 'grey disc')?.prompts, [
    'a grey circle on a coloured ground',
  ]);
  await page.getByRole('button', { name: 'Model', exact: true }).click();
  await page.getByRole('region', { name: 'Captions' }).getByText('In use').waitFor();
  assert.deepEqual(complaints, []);
});
