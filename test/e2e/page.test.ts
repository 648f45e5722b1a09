/** The page over a made-up library: what a person does, by mouse and by keys. */
/// <reference lib="dom" />
import assert from 'node:assert/strict';
import test from 'node:test';
import type { Page } from 'playwright-core';
import { fakePages, type FakePageOptions } from './fake-pages.ts';
import type { FakeServer } from './fake-server.ts';

const openPage = fakePages();

const open = (
  t: Parameters<typeof openPage>[0],
  server: FakePageOptions['server'],
  context: FakePageOptions['context'] = {},
): ReturnType<typeof openPage> => openPage(t, { server, context });

const search = (page: Page): ReturnType<Page['locator']> => page.locator('#search-input');
const scrollTop = (page: Page): Promise<number> =>
  page.locator('[data-scroller]').evaluate((grid) => grid.scrollTop);
const status = (page: Page): ReturnType<Page['locator']> => page.locator('#search-status');

test('a first run leads from one button over the folder browser to photos, with examples to try', async (t) => {
  const { page, fake } = await open(t, { photos: 0 });
  const add = page.getByRole('button', { name: 'Add a folder' });
  await add.waitFor();
  await page.waitForFunction(() => document.activeElement?.textContent === 'Add a folder');
  await page.keyboard.press('Enter');
  const dialog = page.getByRole('dialog', { name: 'Choose a folder' });
  await dialog.getByRole('button', { name: 'Pictures', exact: true }).click();
  await dialog.getByRole('button', { name: 'Add “Pictures”' }).click();
  await page.getByText('“Pictures” was added.').waitFor();

  fake.setProgress({ phase: 'indexing', done: 40, total: 400, imagesPerSecond: 38, secondsLeft: 540 });
  await page.getByText('40 of 400').waitFor();
  await page.getByText('9 min left').waitFor();
  fake.grow(40);
  await page.getByRole('option').first().waitFor();
  await page.getByRole('button', { name: 'dog on a beach' }).click();
  await page.getByText('14 strong, 26 likely').waitFor();
  assert.equal(await search(page).inputValue(), 'dog on a beach');
});

test('typing asks once after a pause, and an answer that was overtaken is dropped', async (t) => {
  const { page, fake } = await open(t, { photos: 500 });
  await page.getByRole('option').first().waitFor();
  let release = (): void => undefined;
  fake.held.set('cat', new Promise((resolve) => (release = resolve)));

  await search(page).fill('cat');
  await page.waitForFunction(() => document.querySelector('search.waiting') !== null);
  assert.ok((await page.getByRole('option').count()) > 0, 'what was there stays until there is an answer');
  await search(page).pressSequentially('fish');
  await page.getByText('14 strong, 46 likely').waitFor();
  const first = await page.getByRole('option').first().getAttribute('aria-label');
  release();
  await page.waitForTimeout(100);
  assert.equal(await page.getByRole('option').first().getAttribute('aria-label'), first);
  const texts = fake.heard
    .filter(({ name }) => name === 'search.query')
    .map(({ input }) => (input as { text: string }).text);
  assert.deepEqual(texts, ['cat', 'catfish'], 'the letters in between were not asked for');
});

test('chips are tinted where they stand, and one that means nothing says so', async (t) => {
  const { page } = await open(t, { photos: 500 });
  await search(page).fill('dog -snow after:2021');
  await page.locator('.mirror .without', { hasText: '-snow' }).waitFor({ state: 'attached' });
  assert.equal(await page.locator('.mirror .after').textContent(), 'after:2021');
  await search(page).fill('dog after:someday');
  await page.getByText('“someday” is not a date.').waitFor();
});

test('results come in bands, further pages while scrolling, and the less likely on demand', async (t) => {
  const { page } = await open(t, { photos: 2_000 });
  await search(page).fill('dog');
  await page.getByText('14 strong, 46 likely').waitFor();
  await page.getByText('Likely', { exact: true }).waitFor({ state: 'attached' });
  const grid = page.locator('[data-scroller]');
  await grid.evaluate((node) => (node.scrollTop = node.scrollHeight));
  await page.getByRole('button', { name: /^Show .* less likely$/ }).click();
  const size = (): Promise<number> =>
    page
      .getByRole('option')
      .first()
      .evaluate((node) => Number(node.getAttribute('aria-setsize')));
  await page.waitForFunction(
    () => Number(document.querySelector('[role=option]')?.getAttribute('aria-setsize')) > 100,
  );
  const before = await size();
  await grid.evaluate((node) => (node.scrollTop = node.scrollHeight));
  await page.waitForFunction(
    (held) => Number(document.querySelector('[role=option]')?.getAttribute('aria-setsize')) > held,
    before,
  );
});

test('thin results say so, and no results say what to do', async (t) => {
  const { page } = await open(t, { photos: 500 });
  await search(page).fill('submarine');
  await page.getByText('Nothing here looks like that; the nearest are below.').waitFor();
  assert.ok((await page.getByRole('option').count()) > 0);
  await search(page).fill('before:1900');
  await page.getByRole('heading', { name: 'No photo passes these filters.' }).waitFor();
  await page.getByRole('button', { name: 'Clear the search' }).last().click();
  await page.getByRole('heading', { name: 'No photo passes' }).waitFor({ state: 'detached' });
});

test('Escape leaves the viewer for the very same place, with the photo seen last in focus', async (t) => {
  const { page } = await open(t, { photos: 3_000 });
  await page.getByRole('option').first().waitFor();
  await page.locator('[data-scroller]').evaluate((grid) => (grid.scrollTop = 12_345));
  await page.waitForFunction(() => {
    const first = document.querySelector<HTMLElement>('[role=option]');
    return first !== null && Number(first.dataset['index']) > 50;
  });
  const top = await scrollTop(page);
  // A cell in view whose picture is there: pictures follow their cells, a moment later.
  const cell = await page.waitForFunction(() =>
    [...document.querySelectorAll<HTMLElement>('[role=option]')].find((candidate) => {
      const { top: y, bottom } = candidate.getBoundingClientRect();
      return y > 200 && bottom < 700 && candidate.querySelector('img') !== null;
    }),
  );
  const index = await cell.evaluate((chosen) => {
    chosen?.querySelector('img')?.click();
    return Number(chosen?.dataset['index']);
  });
  const viewer = page.getByRole('dialog', { name: /^Photo DSC_/ });
  await viewer.waitFor();
  await page.keyboard.press('ArrowRight');
  await page.getByText(`Photo ${(index + 2).toLocaleString('en')} of 3,000`).waitFor({ state: 'attached' });
  await page.keyboard.press('i');
  await page.getByText('FUJIFILM X-T5').waitFor();
  await page.getByText('45.9766° N, 9.2572° E').waitFor();
  await page.keyboard.press('Escape');
  await viewer.waitFor({ state: 'detached' });
  assert.equal(await scrollTop(page), top);
  await page.waitForFunction(() => document.activeElement?.hasAttribute('data-grid'));
  assert.equal(await page.locator('[data-grid]').getAttribute('aria-activedescendant'), `photo-${index + 1}`);
});

test('Back closes the viewer and stays on the page', async (t) => {
  const { page } = await open(t, { photos: 50 });
  await page.locator('#photo-3').click();
  await page.getByRole('dialog').waitFor();
  await page.goBack();
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  await page.locator('#photo-3').waitFor();
});

test('everything goes by keyboard: search, move, select, more like this, help', async (t) => {
  const { page, fake } = await open(t, { photos: 800 });
  await page.getByRole('option').first().waitFor();
  await page.waitForFunction(() => document.activeElement?.id === 'search-input');
  await page.keyboard.type('dog');
  await page.getByText('14 strong').waitFor();
  await page.keyboard.press('ArrowDown');
  const grid = page.locator('[data-grid]');
  const active = (): Promise<string | null> => grid.getAttribute('aria-activedescendant');
  await page.keyboard.press('ArrowRight');
  assert.equal(await active(), 'photo-1');
  await page.keyboard.press('ArrowDown');
  assert.notEqual(await active(), 'photo-1');
  await page.keyboard.press('End');
  assert.equal(await active(), 'photo-59');
  await page.keyboard.press('Home');
  assert.equal(await active(), 'photo-0');
  await page.keyboard.press('Space');
  await page.keyboard.press('Shift+ArrowRight');
  await page.keyboard.press('Shift+ArrowRight');
  await page.getByText('3 selected').waitFor();
  await page.keyboard.press('Control+a');
  await page.getByText('60 selected').waitFor();
  await page.keyboard.press('Escape');
  await page.getByText('60 selected').waitFor({ state: 'detached' });
  await page.keyboard.press('Enter');
  await page.getByRole('dialog').waitFor();
  await page.keyboard.press('s');
  await page.locator('.example').waitFor();
  assert.equal(await search(page).inputValue(), '');
  await page.keyboard.press('?');
  await page.getByRole('heading', { name: 'Keyboard' }).waitFor();
  await page.keyboard.press('Escape');
  await page.keyboard.press('/');
  await page.waitForFunction(() => document.activeElement?.id === 'search-input');
  await page.keyboard.press('Backspace');
  await page.locator('.example').waitFor({ state: 'detached' });
  const examples = fake.heard.filter(
    ({ name, input }) => name === 'search.query' && (input as { examples: unknown[] }).examples.length > 0,
  );
  assert.ok(examples.length > 0, 'the photo was searched by');
});

test('an example photo is weighed by arrow keys and steps over zero', async (t) => {
  const { page, fake } = await open(t, { photos: 100 });
  await page.locator('#photo-0').click();
  await page.getByRole('button', { name: 'More like this' }).click();
  const chip = page.getByRole('slider', { name: /^Weight of/ });
  await chip.focus();
  for (let i = 0; i < 4; i++) await page.keyboard.press('ArrowDown');
  assert.equal(await chip.getAttribute('aria-valuenow'), '-0.25');
  await page.waitForFunction(() => document.querySelector('.example.without') !== null);
  await page.getByText('14 strong').waitFor();
  await fakeHeard(
    fake,
    (input) => (input as { examples: { weight: number }[] }).examples[0]?.weight === -0.25,
  );
});

async function fakeHeard(fake: FakeServer, wanted: (input: unknown) => boolean): Promise<void> {
  const deadline = Date.now() + 5_000;
  while (!fake.heard.some(({ name, input }) => name === 'search.query' && wanted(input))) {
    assert.ok(Date.now() < deadline, 'the call was made');
    await new Promise((resolve) => setImmediate(resolve));
  }
}

test('a dropped picture becomes an example', async (t) => {
  const { page, fake } = await open(t, { photos: 100 });
  await page.getByRole('option').first().waitFor();
  await page.evaluate(() => {
    const canvas = document.createElement('canvas');
    canvas.width = canvas.height = 64;
    const [, base64 = ''] = canvas.toDataURL('image/png').split(',');
    const bytes = Uint8Array.from(atob(base64), (sign) => sign.charCodeAt(0));
    const data = new DataTransfer();
    data.items.add(new File([bytes], 'found.png', { type: 'image/png' }));
    window.dispatchEvent(new DragEvent('dragenter', { dataTransfer: data, bubbles: true, cancelable: true }));
    window.dispatchEvent(new DragEvent('drop', { dataTransfer: data, bubbles: true, cancelable: true }));
  });
  await page.locator('.example canvas').waitFor();
  await page.getByText('14 strong').waitFor();
  assert.equal(fake.count('search.addExample'), 1);
});

test('what could not be read is listed with a reason and can be tried again', async (t) => {
  const { page, fake } = await open(t, { photos: 100, failures: 6 });
  await page.getByRole('button', { name: '6 files could not be read' }).click();
  await page.getByText('The file is damaged or cut short.').waitFor();
  await page.getByText('照片 2019.jpg').waitFor();
  await page.getByRole('button', { name: 'Try again: IMG_0007.HEIC' }).click();
  await page.getByRole('heading', { name: '5 files could not be read' }).waitFor();
  await page.getByRole('button', { name: 'Try all again' }).click();
  await page.getByText('Every file could be read.').waitFor();
  assert.equal(fake.count('indexing.retry'), 2);
});

test('indexing can be paused and goes on', async (t) => {
  const { page, fake } = await open(t, { photos: 100 });
  await page.getByRole('option').first().waitFor();
  fake.setProgress({ phase: 'indexing', done: 100, total: 900, imagesPerSecond: 30, secondsLeft: 27 });
  await page.getByText('less than a minute left').waitFor();
  await page.getByRole('button', { name: 'Pause' }).click();
  await page.locator('.pill').getByText('Paused').waitFor();
  await page.getByRole('button', { name: 'Go on' }).click();
  await page.getByRole('button', { name: 'Pause' }).waitFor();
});

test('photos that come in do not move what is being looked at', async (t) => {
  const { page, fake } = await open(t, { photos: 2_000 });
  await page.getByRole('option').first().waitFor();
  await page.locator('[data-scroller]').evaluate((grid) => (grid.scrollTop = 9_000));
  await page.waitForFunction(
    () => Number(document.querySelector<HTMLElement>('[role=option]')?.dataset['index']) > 30,
  );
  await page.waitForFunction(() => document.querySelectorAll('[role=option] img').length > 10);
  const { photo, y } = await page.evaluate(() => {
    const box = document.querySelector('[data-scroller]')?.getBoundingClientRect().top ?? 0;
    const cells = [...document.querySelectorAll<HTMLElement>('[role=option]')];
    const first = cells.find((cell) => cell.getBoundingClientRect().bottom > box);
    return {
      photo: first?.querySelector('img')?.getAttribute('src') ?? '',
      y: first?.getBoundingClientRect().top ?? 0,
    };
  });
  fake.grow(2_400);
  await page.waitForFunction(
    () => document.querySelector('[role=option]')?.getAttribute('aria-setsize') === '2400',
  );
  const after = await page
    .locator(`[role=option]:has(img[src="${photo}"])`)
    .evaluate((cell) => cell.getBoundingClientRect().top);
  assert.ok(Math.abs(after - y) < 2, `the photo at the top edge moved by ${after - y} pixels`);
});

test('settings are kept at once: theme, language, size of pictures', async (t) => {
  const { page } = await open(t, { photos: 30 });
  await page.getByRole('button', { name: 'Settings' }).click();
  await page.getByRole('button', { name: 'Appearance' }).click();
  await page.getByText('Dark', { exact: true }).click();
  assert.equal(await page.locator('html').getAttribute('data-theme'), 'dark');
  await page.getByText('简体中文').click();
  await page.getByRole('heading', { name: '外观' }).waitFor();
  assert.equal(await page.locator('html').getAttribute('lang'), 'zh-CN');
  await page.reload();
  await page.getByRole('heading', { name: '外观' }).waitFor();
  await page.waitForFunction(() => document.documentElement.dataset['theme'] === 'dark');
});

test('erasing needs the word to be typed', async (t) => {
  const { page, fake } = await open(t, { photos: 30 });
  await page.getByRole('button', { name: 'Settings' }).click();
  await page.getByRole('button', { name: 'Privacy' }).click();
  await page.getByRole('button', { name: 'Forget everything…' }).click();
  const confirm = page.getByRole('dialog').getByRole('button', { name: 'Forget everything' });
  assert.ok(await confirm.isDisabled());
  await page.getByLabel('Type erase to go on.').fill('erase');
  await confirm.click();
  await page.getByRole('heading', { name: 'Find your photos by what is in them' }).waitFor();
  assert.equal(fake.count('library.erase'), 1);
});

test('a library that cannot be opened says why and can be tried again', async (t) => {
  const { page, fake } = await open(t, { photos: 30 });
  fake.failing.set('library.status', 'library-locked');
  await page.reload();
  await page.getByRole('heading', { name: 'The library could not be opened' }).waitFor();
  await page.getByText('Another Afterimage has this library open.').waitFor();
  fake.failing.clear();
  await page.getByRole('button', { name: 'Try again' }).click();
  await page.getByRole('option').first().waitFor();
});

test('a search that fails says why and keeps what was there', async (t) => {
  const { page, fake } = await open(t, { photos: 300 });
  await search(page).fill('dog');
  await page.getByText('14 strong').waitFor();
  fake.failing.set('search.query', 'pack-missing');
  await search(page).fill('dog at sea');
  await status(page).getByText('There is no model to work with.').waitFor();
  assert.ok((await page.getByRole('option').count()) > 0);
  fake.failing.clear();
  await status(page).getByRole('button', { name: 'Try again' }).click();
  await page.getByText('14 strong').waitFor();
});

test('a hundred thousand photos stay a few hundred elements, wherever one looks', async (t) => {
  const { page } = await open(t, { photos: 100_000 });
  await page.getByRole('option').first().waitFor();
  const elements = (): Promise<number> => page.evaluate(() => document.querySelectorAll('*').length);
  assert.ok((await elements()) < 1_500, `${await elements()} elements at the top`);
  await page.locator('[data-grid]').focus();
  await page.keyboard.press('End');
  await page.locator('#photo-99999').waitFor();
  assert.ok((await elements()) < 1_500, `${await elements()} elements at the end`);
  const frames = await page.evaluate(async () => {
    const grid = document.querySelector('[data-scroller]');
    const worst: number[] = [];
    let last = performance.now();
    for (let step = 0; step < 60; step++) {
      if (grid !== null) grid.scrollTop -= 400;
      await new Promise(requestAnimationFrame);
      const now = performance.now();
      worst.push(now - last);
      last = now;
    }
    return worst.sort((a, b) => a - b);
  });
  // Half of all frames keep pace even on a shared machine without a graphics card.
  assert.ok((frames[30] ?? Infinity) < 60, `median frame ${frames[30]} ms`);
});
