/** Captions, questions and reasons in the page, over a made-up library: what a person does, by mouse and by keys. */
/// <reference lib="dom" />
import assert from 'node:assert/strict';
import test from 'node:test';
import { AxeBuilder } from '@axe-core/playwright';
import type { Page } from 'playwright-core';
import { fakePages, type FakePageOptions } from './fake-pages.ts';
import type { FakeServer, FakeServerOptions } from './fake-server.ts';

const openPage = fakePages();

const open = (
  t: Parameters<typeof openPage>[0],
  { address = '', ...options }: Partial<FakeServerOptions> & { address?: string } = {},
  context: FakePageOptions['context'] = {},
): ReturnType<typeof openPage> => openPage(t, { server: { photos: 400, ...options }, address, context });

const viewer = (page: Page): ReturnType<Page['locator']> => page.getByRole('dialog', { name: /^Photo DSC_/ });

/** Opens a photo of a search, so that there is something to have matched. */
async function openHit(page: Page, query: string, at = 0): Promise<void> {
  await page.locator('#search-input').fill(query);
  await page.getByText(/\d ms$|nearest are below/).waitFor();
  await page.locator(`#photo-${at}`).click();
  await page.locator('img.full.loaded').waitFor();
}

async function assertAccessible(page: Page): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).analyze();
  const said = violations.map(
    ({ id, nodes }) =>
      `${id}: ${nodes.map(({ target, failureSummary }) => `${target.join(' ')} ${failureSummary ?? ''}`).join('\n')}`,
  );
  assert.deepEqual(said, []);
}

/** Photos whose made-up caption is sure, or not. */
function photoThat(fake: FakeServer, is: 'sure' | 'doubtful'): number {
  const ids = fake.library.timeline().ids;
  return ids.findIndex((id) => fake.describe.isDoubtful(id) === (is === 'doubtful'));
}

test('a photo is described word by word, edited by hand, and the change taken back', async (t) => {
  const { page, fake } = await open(t);
  await page.locator(`#photo-${photoThat(fake, 'sure')}`).click();
  await page.keyboard.press('i');
  const photo = viewer(page);
  await photo.getByText('No caption yet.').waitFor();
  let release = (): void => undefined;
  fake.describe.held = new Promise((resolve) => (release = resolve));
  await photo.getByRole('button', { name: 'Describe this photo' }).click();
  await photo.getByRole('button', { name: 'Stop' }).waitFor();
  await page.waitForFunction(() => /^\S+$/.test(document.querySelector('.text')?.textContent.trim() ?? ''));
  release();
  await photo.getByText(/^by Starter captions · .*sure, \d+%$/).waitFor();
  const byModel = await photo.locator('.text').textContent();

  await photo.getByRole('button', { name: 'Edit the caption' }).click();
  await photo.getByRole('textbox', { name: 'Caption, in your words' }).fill('Grandma’s zeppelin');
  await page.keyboard.press('Enter');
  await photo.getByText('written by you').waitFor();
  assert.equal(await photo.locator('.text').textContent(), 'Grandma’s zeppelin');
  await page.keyboard.press('ArrowRight');
  await page.getByText(/^DSC_\S+ Photo 2 of|DSC_\S+ Photo \d+ of/).waitFor({ state: 'attached' });
  await page.keyboard.press('ArrowLeft');
  await photo.getByText('Grandma’s zeppelin').first().waitFor();
  assert.ok(byModel !== null && byModel !== '');

  await photo.getByRole('button', { name: 'Edit the caption' }).click();
  await photo.getByRole('textbox', { name: 'Caption, in your words' }).fill('Something else');
  await photo.getByRole('button', { name: 'Save' }).click();
  await photo.getByRole('button', { name: 'Undo' }).click();
  await photo.getByText('Grandma’s zeppelin').first().waitFor();
  assert.equal(fake.count('captions.set'), 3);
});

test('Escape leaves a caption as it was, and moving on keeps what was written', async (t) => {
  const { page, fake } = await open(t);
  await page.locator('#photo-0').click();
  await page.keyboard.press('i');
  await page.getByRole('button', { name: 'Write a caption' }).click();
  await page.keyboard.type('not this');
  await page.keyboard.press('Escape');
  await page.getByRole('button', { name: 'Write a caption' }).waitFor();
  assert.equal(fake.count('captions.set'), 0);
  await viewer(page).waitFor();
  await page.getByRole('button', { name: 'Write a caption' }).click();
  await page.keyboard.type('but this');
  await page.getByRole('button', { name: 'Next photo' }).click();
  await page.getByRole('button', { name: 'Previous photo' }).click();
  await page.getByText('but this').first().waitFor();
  assert.equal(fake.count('captions.set'), 1);
});

test('a description is stopped at once, and the photo has none', async (t) => {
  const { page, fake } = await open(t);
  await page.locator('#photo-0').click();
  await page.keyboard.press('i');
  fake.describe.held = new Promise(() => undefined);
  await page.getByRole('button', { name: 'Describe this photo' }).click();
  await page.getByRole('button', { name: 'Stop' }).click();
  await page.getByText('No caption yet.').waitFor();
  assert.equal(fake.describe.captions.size, 0);
  await until(() => fake.cancelled.includes('captions.make'));
});

test('a model that is not sure says so instead of making something up', async (t) => {
  const { page, fake } = await open(t);
  await page.locator(`#photo-${photoThat(fake, 'doubtful')}`).click();
  await page.keyboard.press('i');
  await page.getByRole('button', { name: 'Describe this photo' }).click();
  await viewer(page).locator('.text', { hasText: 'not sure enough to say what this is' }).waitFor();
  await page.getByRole('button', { name: 'Edit the caption' }).waitFor();
});

test('a description that fails says why and what to do', async (t) => {
  const { page, fake } = await open(t);
  await page.locator('#photo-0').click();
  await page.keyboard.press('i');
  fake.failing.set('captions.make', 'image-broken');
  await page.getByRole('button', { name: 'Describe this photo' }).click();
  await page.getByRole('alert').getByText('The file is damaged or cut short.').waitFor();
  fake.failing.clear();
  await page.getByRole('button', { name: 'Describe this photo' }).click();
  await page.getByRole('alert').waitFor({ state: 'detached' });
});

test('a photo is found by a word that is only in its caption, and its label says the caption', async (t) => {
  const { page } = await open(t);
  await page.locator('#photo-7').click();
  await page.keyboard.press('i');
  await page.getByRole('button', { name: 'Write a caption' }).click();
  await page.keyboard.type('Grandma’s zeppelin over Lake Constance');
  await page.keyboard.press('Enter');
  await page.getByText('written by you').waitFor();
  await page.keyboard.press('Escape');
  await viewer(page).waitFor({ state: 'detached' });
  await page.locator('#search-input').fill('zeppelin');
  const first = page.locator('#photo-0');
  await page
    .getByRole('option', { name: /^Grandma’s zeppelin over Lake Constance, .*found by its words/ })
    .waitFor();
  await first.hover();
  await page.locator('#photo-0 .caption', { hasText: 'found by its words' }).waitFor();
  await first.click();
  await viewer(page).locator('mark', { hasText: 'zeppelin' }).waitFor();
  await page.getByText('in the caption').waitFor();
});

test('a tag leads to the other photos that carry it', async (t) => {
  const { page, fake } = await open(t);
  const at = fake.library
    .timeline()
    .ids.findIndex((id) => fake.describe.tagsOf(id)[0]?.name === 'golden hour');
  await page.locator(`#photo-${at}`).scrollIntoViewIfNeeded();
  await page.locator(`#photo-${at}`).click();
  await page.keyboard.press('i');
  await page.getByRole('button', { name: /^golden hour \d+%$/ }).click();
  await viewer(page).waitFor({ state: 'detached' });
  await page.waitForFunction(
    () => document.querySelector<HTMLInputElement>('#search-input')?.value === 'tag:"golden hour"',
  );
});

test('why it matched: its place among all photos, and where in the photo the search is', async (t) => {
  const { page, fake } = await open(t);
  await openHit(page, 'sun over hills', 2);
  await page.keyboard.press('i');
  await page.getByRole('img', { name: /^How all your photos compare/ }).waitFor();
  await page.getByText(/^Closer to the search than \d+% of your photos\.$/).waitFor();
  await page.keyboard.press('w');
  const canvas = page.locator('canvas');
  await canvas.waitFor();
  await page.getByText('The photo shows where the search is in it.').waitFor({ state: 'attached' });

  // The hottest place of the map lies on the sun that the made-up picture has.
  const off = await page.evaluate(() => {
    const map = document.querySelector('canvas');
    const photo = document.querySelector<HTMLImageElement>('img.full');
    const pixels = map?.getContext('2d')?.getImageData(0, 0, map.width, map.height).data;
    if (map === null || photo === null || pixels === undefined) return null;
    let [best, at] = [-1, 0];
    for (let i = 0; i < pixels.length; i += 4) {
      const light = (pixels[i] ?? 0) + (pixels[i + 1] ?? 0) + (pixels[i + 2] ?? 0);
      if (light > best) [best, at] = [light, i / 4];
    }
    const box = map.getBoundingClientRect();
    const stage = photo.getBoundingClientRect();
    const fit = Math.min(stage.width / photo.naturalWidth, stage.height / photo.naturalHeight);
    const [w, h] = [photo.naturalWidth * fit, photo.naturalHeight * fit];
    return {
      x:
        (box.left + (((at % map.width) + 0.5) / map.width) * box.width - stage.left - (stage.width - w) / 2) /
        w,
      y:
        (box.top +
          ((Math.floor(at / map.width) + 0.5) / map.height) * box.height -
          stage.top -
          (stage.height - h) / 2) /
        h,
    };
  });
  const id = fake.heard.flatMap(({ name, input }) =>
    name === 'search.why' ? [(input as { photoId: number }).photoId] : [],
  )[0];
  assert.ok(off !== null && id !== undefined);
  const sun = fake.describe.sunOf(id);
  assert.ok(Math.abs(off.x - sun.x) < 0.09 && Math.abs(off.y - sun.y) < 0.09, JSON.stringify({ off, sun }));

  await page.keyboard.press('w');
  await canvas.waitFor({ state: 'detached' });
  await page.keyboard.press('w');
  await canvas.waitFor();
  await page.keyboard.press('ArrowRight');
  await until(() => fake.count('search.why') === 2);
  await canvas.waitFor();
});

test('a photo that shows nothing of the search has no map, and says so', async (t) => {
  const { page } = await open(t);
  await openHit(page, 'submarine');
  await page.keyboard.press('w');
  await page.getByText('No part of the photo stands out for this search.').waitFor();
  assert.equal(await page.locator('canvas').count(), 0);
});

test('without a search there is nothing to have matched', async (t) => {
  const { page, fake } = await open(t);
  await page.locator('#photo-0').click();
  await page.keyboard.press('i');
  await page.getByText('FUJIFILM X-T5').waitFor();
  await page.keyboard.press('w');
  assert.equal(await page.getByRole('heading', { name: 'Why it matched' }).count(), 0);
  assert.equal(await page.getByRole('button', { name: 'Show where' }).count(), 0);
  assert.equal(fake.count('search.why'), 0);
});

test('a question is asked by keys alone; other photos have conversations of their own', async (t) => {
  const { page, fake } = await open(t);
  await page.locator('#photo-0').click();
  await page.keyboard.press('a');
  await page.getByText('Ask what is in the photo').waitFor();
  await page.waitForFunction(() => document.activeElement?.tagName === 'TEXTAREA');
  await page.keyboard.type('Is it outdoors?');
  await page.keyboard.press('Enter');
  const chat = page.getByRole('list', { name: 'Questions and answers' });
  await chat
    .getByText(/^(yes|no|Not sure\.)$/)
    .first()
    .waitFor();
  assert.deepEqual(
    fake.heard
      .filter(({ name }) => name === 'ask.photo')
      .map(({ input }) => (input as { turns: unknown[] }).turns),
    [[]],
  );
  // Out of the field, then arrows move again.
  await page.keyboard.press('Escape');
  await page.keyboard.press('ArrowRight');
  await page.getByText('Ask what is in the photo').waitFor();
  await page.keyboard.press('ArrowLeft');
  await chat.getByText('Is it outdoors?').waitFor();
  assert.equal(fake.count('ask.history'), 2, 'what was asked is kept, not fetched again');
  await page.keyboard.press('Escape');
  await viewer(page).waitFor({ state: 'detached' });
});

test('an answer says how sure it is, and what else was considered when asked', async (t) => {
  const { page } = await open(t);
  await page.locator('#photo-0').click();
  await page.keyboard.press('a');
  await page.keyboard.type('What colour is it?');
  await page.keyboard.press('Enter');
  const more = page.getByRole('button', { name: '4 other answers' });
  await more.waitFor();
  await page.getByText(/^(very|fairly|not very) sure, \d+%/).waitFor();
  await more.click();
  await page.getByText(/^Starter answers, /).waitFor();
  await page.getByLabel('Ask about this photo').last().fill('Who is the person on the left?');
  await page.keyboard.press('Enter');
  await page.getByText('Not sure.', { exact: true }).last().waitFor();
  await page.getByText('It considered').waitFor();
});

test('an answer is stopped; one asked elsewhere takes its place; leaving the photo ends it', async (t) => {
  const { page, fake } = await open(t);
  fake.describe.held = new Promise(() => undefined);
  await page.locator('#photo-0').click();
  await page.keyboard.press('a');
  await page.keyboard.type('What is this?');
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: 'Stop' }).click();
  await page.getByText('Stopped.').waitFor();
  await until(() => fake.cancelled.length === 1);

  await page.getByRole('button', { name: 'Ask again' }).click();
  await page.getByRole('button', { name: 'Stop' }).waitFor();
  await page.getByRole('button', { name: 'Next photo' }).click();
  await page.keyboard.press('a');
  await page.keyboard.type('And this?');
  assert.equal(fake.cancelled.length, 1, 'moving on alone stops nothing');
  await page.keyboard.press('Enter');
  await until(() => fake.cancelled.length === 2);

  await page.keyboard.press('Escape');
  await page.keyboard.press('Escape');
  await viewer(page).waitFor({ state: 'detached' });
  await until(() => fake.cancelled.length === 3);
  assert.deepEqual(new Set(fake.cancelled), new Set(['ask.photo']));
});

test('answers are there again later, and are forgotten when asked to be', async (t) => {
  const { page, fake } = await open(t);
  await page.locator('#photo-0').click();
  await page.keyboard.press('a');
  await page.getByRole('button', { name: 'What is this?' }).click();
  await page.getByText(/sure, \d+%|It considered/).waitFor();
  await page.reload();
  await page.locator('#photo-0').click();
  await page.keyboard.press('a');
  await page.getByText('What is this?').waitFor();
  await page.getByRole('button', { name: 'Forget these answers' }).click();
  await page
    .getByRole('dialog', { name: 'Forget what was asked' })
    .getByRole('button', { name: 'Forget' })
    .click();
  await page.getByText('Ask what is in the photo').waitFor();
  assert.equal(fake.describe.answers.size, 0);
  await viewer(page).waitFor();
});

test('a question that fails can be asked again from where it stands', async (t) => {
  const { page, fake } = await open(t);
  await page.locator('#photo-0').click();
  await page.keyboard.press('a');
  fake.failing.set('ask.photo', 'worker-died');
  await page.keyboard.type('What is this?');
  await page.keyboard.press('Enter');
  await page.getByRole('alert').getByText('It has been started again. Try once more.').waitFor();
  fake.failing.clear();
  await page.getByRole('alert').getByRole('button', { name: 'Try again' }).click();
  await page.getByText(/sure, \d+%|It considered/).waitFor();
  assert.equal(await page.getByRole('alert').count(), 0);
});

test('a question that is too long says how much the model reads', async (t) => {
  const { page } = await open(t, { language: 'zh-CN' });
  await page.locator('#photo-0').click();
  await page.keyboard.press('a');
  await page.getByRole('textbox', { name: '就这张照片提问' }).fill('Is there a dog? '.repeat(200));
  await page.keyboard.press('Enter');
  await page.getByRole('alert').getByText('问题有 3,199 个字符，这个模型大约只读前 240 个。').waitFor();
});

test('without models for it, the page says what is missing and leads there', async (t) => {
  const { page } = await open(t, { writing: false });
  await page.locator('#photo-0').click();
  await page.keyboard.press('i');
  await page.getByText('No model that describes photos is installed.').waitFor();
  await page.keyboard.press('a');
  await page.getByText('No model that answers questions is installed.').waitFor();
  await page.getByRole('button', { name: 'Choose a model' }).click();
  await page.getByRole('heading', { name: 'Model', level: 1 }).waitFor();
  await viewer(page).waitFor({ state: 'detached' });
  assert.equal(new URL(page.url()).hash, '#/settings/model');
});

test('a question goes to the results of a search: early answers, then the photos for and against', async (t) => {
  const { page, fake } = await open(t);
  await page.locator('#search-input').fill('dog');
  await page.getByRole('button', { name: 'Ask these photos' }).click();
  await page.getByText('Search: dog').waitFor();
  await page.waitForFunction(() => document.activeElement?.id === 'ask-question');
  let release = (): void => undefined;
  fake.describe.held = new Promise((resolve) => (release = resolve));
  await page.keyboard.type('Is there a dog on a lead?');
  await page.keyboard.press('Enter');
  await page.getByText('Finding the photos…').waitFor();
  release();
  await page.getByText(/\d+ of 60 asked/).waitFor();
  const sentence = page.getByRole('heading', { level: 2, name: /^\d+ of \d+ photos\.$/ });
  await sentence.waitFor();
  await page.getByText(/of 60 asked/).waitFor({ state: 'detached' });
  await page.getByRole('heading', { name: /^Yes \d+/ }).waitFor();
  await page.getByRole('heading', { name: /^No \d+/ }).waitFor();
  await page.getByRole('heading', { name: /could not be asked/ }).waitFor();
  assert.equal(fake.count('ask.results'), 1);

  const yes = page.getByRole('group', { name: /^Yes/ });
  await yes.getByRole('button').first().focus();
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('Enter');
  await viewer(page).waitFor();
  await page.getByText(/Photo 2 of \d+$/).waitFor({ state: 'attached' });
  await page.keyboard.press('w');
  await page.locator('canvas').waitFor();
  await page.keyboard.press('Escape');
  await viewer(page).waitFor({ state: 'detached' });
  await page.waitForFunction(() => document.activeElement?.closest('[role=group]') !== null);
  await sentence.waitFor();
});

test('asking many photos is stopped, and what was answered by then stays', async (t) => {
  const { page, fake } = await open(t, { address: '#/ask' });
  fake.describe.paceMs = 25;
  await page.getByRole('button', { name: 'What colour is the car?' }).click();
  await page.getByText(/([5-9]|\d\d) of 60 asked/).waitFor();
  await page.getByRole('button', { name: 'Stop' }).click();
  await page.getByText(/Stopped after \d+ of 60 photos\./).waitFor();
  assert.ok((await page.locator('.rows button').count()) > 0);
  await until(() => fake.cancelled.includes('ask.results'));
});

test('a question goes to the photos that are selected', async (t) => {
  const { page, fake } = await open(t);
  await page.locator('[data-grid]').focus();
  await page.keyboard.press('Space');
  await page.keyboard.press('Shift+ArrowRight');
  await page.keyboard.press('Shift+ArrowRight');
  await page.getByRole('button', { name: 'Ask about these' }).click();
  await page.getByText('3 photos selected').waitFor();
  await page.getByRole('button', { name: 'How many people are there?' }).click();
  await page.locator('h2.sentence, .failed').first().waitFor();
  const asked = fake.heard.find(({ name }) => name === 'ask.results')?.input as { photoIds: number[] };
  assert.deepEqual(asked.photoIds, fake.library.timeline().ids.slice(0, 3));
});

async function until(met: () => boolean): Promise<void> {
  const deadline = Date.now() + 5_000;
  while (!met()) {
    assert.ok(Date.now() < deadline, met.toString());
    await new Promise((resolve) => setImmediate(resolve));
  }
}

const looks: readonly (readonly [string, (page: Page, fake: FakeServer) => Promise<unknown>])[] = [
  [
    'why and caption beside a photo, with the map over it',
    async (page, fake) => {
      await openHit(page, 'sun over hills');
      await page.keyboard.press('i');
      await page.getByRole('button', { name: 'Describe this photo' }).click();
      await until(() => fake.describe.captions.size === 1);
      await page.getByRole('button', { name: 'Edit the caption' }).waitFor();
      await page.keyboard.press('w');
      await page.locator('canvas').waitFor();
    },
  ],
  [
    'a caption being written',
    async (page) => {
      await page.locator('#photo-0').click();
      await page.keyboard.press('i');
      await page.getByRole('button', { name: 'Write a caption' }).click();
    },
  ],
  [
    'questions and answers',
    async (page) => {
      await page.locator('#photo-0').click();
      await page.keyboard.press('a');
      await page.keyboard.type('What colour is it?');
      await page.keyboard.press('Enter');
      await page.getByRole('button', { name: '4 other answers' }).click();
    },
  ],
  [
    'the answers of many photos',
    async (page) => {
      await page.getByRole('button', { name: 'Ask', exact: true }).click();
      await page.getByRole('button', { name: 'What colour is the car?' }).click();
      await page.getByRole('heading', { name: /could not be asked/ }).waitFor();
      await page.getByText(/of 60 asked/).waitFor({ state: 'detached' });
    },
  ],
];

for (const theme of ['light', 'dark'] as const) {
  for (const [name, act] of looks) {
    test(`${name} passes axe in the ${theme} theme`, async (t) => {
      const { page, fake } = await open(t, { theme }, { reducedMotion: 'reduce' });
      await page.waitForFunction((wanted) => document.documentElement.dataset['theme'] === wanted, theme);
      await act(page, fake);
      await assertAccessible(page);
    });
  }
}
