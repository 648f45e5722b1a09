/** Albums, describing many photos, tags and models in the page, by mouse and by keys, over a made-up library. */
/// <reference lib="dom" />
import assert from 'node:assert/strict';
import test from 'node:test';
import { AxeBuilder } from '@axe-core/playwright';
import type { Page } from 'playwright-core';
import type { CallInput, CallName } from '../../main/contract.ts';
import { fakePages, type FakePageOptions } from './fake-pages.ts';
import type { FakeServer } from './fake-server.ts';

const openPage = fakePages();

const open = (
  t: Parameters<typeof openPage>[0],
  server: FakePageOptions['server'],
  address = '',
  context: FakePageOptions['context'] = {},
): ReturnType<typeof openPage> => openPage(t, { server, address, context });

const cover = (page: Page, name: RegExp): ReturnType<Page['getByRole']> => page.getByRole('button', { name });
const place = (page: Page, name: string): Promise<void> =>
  page.getByRole('navigation', { name: 'Places' }).getByRole('button', { name }).click();

function last<K extends CallName>(fake: FakeServer, name: K): CallInput<K> {
  const found = fake.heard.findLast((call) => call.name === name);
  assert.ok(found !== undefined, `${name} was called`);
  return found.input as CallInput<K>;
}

/** Selects the first photos of the grid by keys. */
async function select(page: Page, count: number): Promise<void> {
  await page.getByRole('option').first().waitFor();
  await page.locator('[data-grid]').focus();
  await page.keyboard.press('Home');
  await page.keyboard.press('Space');
  for (let more = 1; more < count; more++) await page.keyboard.press('Shift+ArrowRight');
  await page.getByText(`${count} selected`).waitFor();
}

test('a search becomes an album that grows when photos arrive, with its search shown and changed', async (t) => {
  const { page, fake } = await open(t, { photos: 20 });
  await page.locator('#search-input').fill('dog on a beach -snow');
  await page.getByText('14 strong, 6 likely').waitFor();
  await page.getByRole('button', { name: 'Save as album' }).click();
  const dialog = page.getByRole('dialog', { name: 'Save this search as an album' });
  assert.equal(await dialog.getByLabel('Name').inputValue(), 'Dog on a beach');
  await dialog.getByText('20 photos fit now.').waitFor();
  await dialog.getByText('strong matches only').click();
  await dialog.getByText('14 photos fit now.').waitFor();
  await dialog.getByText('strong and likely matches').click();
  await dialog.getByRole('button', { name: 'Make album' }).click();
  await page.getByText('“Dog on a beach” holds 20 photos.').waitFor();
  assert.deepEqual(last(fake, 'albums.create'), {
    name: 'Dog on a beach',
    query: { text: 'dog on a beach -snow', examples: [], band: 'likely' },
  });

  await page.getByRole('button', { name: 'Open', exact: true }).click();
  await page.locator('.chip.without', { hasText: '-snow' }).waitFor();
  await page.locator('.chip.text', { hasText: 'beach' }).waitFor();
  const size = (count: number): Promise<unknown> =>
    page.waitForFunction(
      (wanted) => document.querySelector('[role=option]')?.getAttribute('aria-setsize') === wanted,
      String(count),
    );
  await size(20);
  fake.grow(40);
  fake.places.changed();
  await size(40);

  await page.getByRole('button', { name: 'Change' }).click();
  const change = page.getByRole('dialog', { name: 'What this album looks for' });
  await change.getByLabel('Search').fill('dog');
  await change.getByText('strong matches only').click();
  await change.getByText('14 photos fit now.').waitFor();
  await change.getByRole('button', { name: 'Save' }).click();
  await page.locator('main').getByText('strong matches only').waitFor();
  await size(14);
});

test('photos of a selection go into an album by name, and undo takes them out again', async (t) => {
  const { page, fake } = await open(t, { photos: 60 });
  fake.places.make('Summer by the lake', { photoIds: [1, 2] });
  fake.places.changed();
  await select(page, 3);
  await page.getByRole('button', { name: 'Add to album' }).click();
  const dialog = page.getByRole('dialog', { name: 'Add 3 photos to an album' });
  await page.waitForFunction(() => document.activeElement?.id === 'album-find');
  await page.keyboard.type('summ');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await dialog.waitFor({ state: 'detached' });
  await page.getByText(/^\d photos? added to “Summer by the lake”\.$/).waitFor();
  const { photoIds } = last(fake, 'albums.add');
  await page.getByRole('button', { name: 'Undo' }).click();
  await page.getByRole('button', { name: 'Undo' }).waitFor({ state: 'detached' });
  await place(page, 'Albums');
  await cover(page, /^Summer by the lake, 2 photos/).waitFor();
  assert.deepEqual(
    last(fake, 'albums.take').photoIds,
    photoIds,
    'what was added, and nothing that was there',
  );

  await place(page, 'Photos');
  await select(page, 2);
  await page.getByRole('button', { name: 'Add to album' }).click();
  await page.keyboard.type('Winter');
  await page.keyboard.press('Enter');
  await page.getByText('“Winter” holds 2 photos.').waitFor();
  assert.equal(last(fake, 'albums.create').name, 'Winter');
});

test('an album is renamed in place, loses photos with a way back, gets a cover, and goes without its photos', async (t) => {
  const { page, fake } = await open(t, { photos: 60 });
  fake.places.make('Lake', { photoIds: [1, 2, 3, 4, 5] });
  fake.places.make('Snow', { photoIds: [] });
  fake.places.changed();
  await place(page, 'Albums');
  await cover(page, /^Lake, 5 photos/).click();
  const name = page.getByLabel('Name of the album');
  await name.fill('snow');
  await page.keyboard.press('Enter');
  await page.getByText('There is an album of this name already.').waitFor();
  await name.focus();
  await page.keyboard.press('Escape');
  assert.equal(await name.inputValue(), 'Lake');
  await name.fill('Summer by the lake');
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'Summer by the lake', level: 1 }).waitFor({ state: 'attached' });

  await select(page, 1);
  await page.getByRole('button', { name: 'Use as cover' }).click();
  await page.getByText('“Summer by the lake” has a new cover.').waitFor();
  await page.locator('[data-grid]').focus();
  await page.keyboard.press('Delete');
  await page.getByText('1 photo taken out of “Summer by the lake”').waitFor();
  await page.getByText('4 photos', { exact: true }).waitFor();
  await page.getByRole('button', { name: 'Undo' }).click();
  await page.getByText('5 photos', { exact: true }).waitFor();

  await page.getByRole('button', { name: 'Remove album' }).click();
  const confirm = page.getByRole('dialog', { name: 'Remove the album “Summer by the lake”?' });
  await confirm.getByText('Its 5 photos stay in Afterimage and on the disk.').waitFor();
  await confirm.getByRole('button', { name: 'Remove album' }).click();
  await page.getByText('“Summer by the lake” was removed. Its photos stay.').waitFor();
  await cover(page, /^Snow/).waitFor();
  assert.equal(await cover(page, /^Summer by the lake/).count(), 0);
});

test('an album that cannot look any more says why, and an address of one that is gone says so', async (t) => {
  const { page, fake } = await open(t, { photos: 60 }, '#/albums');
  const album = fake.places.make('Like that', {
    query: { text: '', examples: [{ photoId: 9_999, weight: 1 }], band: 'likely' },
  });
  album.problem = { code: 'not-found', message: 'Photo 9999 is not there.' };
  fake.places.changed();
  await cover(page, /needs your attention/).click();
  await page.getByText('A photo or album that it looks for is gone. Change what it looks for.').waitFor();
  await page.goto(`${page.url().split('#')[0] ?? ''}#/albums/777`);
  await page.getByText('This album is not there any more.').waitFor();
});

test('names of albums and tags are completed by keys in the search bar', async (t) => {
  const { page, fake } = await open(t, { photos: 60 });
  fake.places.make('Summer by the lake', { photoIds: [1] });
  fake.places.make('Snow', { photoIds: [2] });
  fake.places.changed();
  await page.getByRole('option').first().waitFor();
  const input = page.locator('#search-input');
  await input.focus();
  await page.keyboard.type('boat album:s');
  await page.getByRole('listbox', { name: 'Albums' }).waitFor();
  assert.equal(await input.getAttribute('aria-activedescendant'), 'search-completions-0');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  assert.equal(await input.inputValue(), 'boat album:"Summer by the lake" ');
  await page.keyboard.type('tag:su');
  await page.getByRole('listbox', { name: 'Tags' }).getByText('sunset').click();
  assert.equal(await input.inputValue(), 'boat album:"Summer by the lake" tag:sunset ');
  await page.locator('.mirror .album').waitFor({ state: 'attached' });
  await page.keyboard.type('album:sn');
  await page.getByRole('listbox', { name: 'Albums' }).waitFor();
  await page.keyboard.press('Escape');
  await page.getByRole('listbox', { name: 'Albums' }).waitFor({ state: 'detached' });
  assert.equal(
    await input.inputValue(),
    'boat album:"Summer by the lake" tag:sunset album:sn',
    'nothing is lost',
  );
});

test('a selection is described with progress, paused, resumed, and what failed is listed and tried again', async (t) => {
  const { page, fake } = await open(t, { photos: 60 });
  let goOn = (): void => undefined;
  const gate = new Promise<void>((resolve) => (goOn = resolve));
  fake.places.gate = (done) => (done < 2 ? Promise.resolve() : gate);
  fake.setProgress({ phase: 'indexing', done: 40, total: 900, imagesPerSecond: 38, secondsLeft: 540 });
  await select(page, 5);
  const ids = await page
    .locator('[role=option][aria-selected=true] img')
    .evaluateAll((pictures) => pictures.map((picture) => Number((picture as HTMLElement).dataset['id'])));
  fake.places.undescribable.add(ids[0] ?? 0);
  await page.getByRole('button', { name: 'Describe', exact: true }).click();
  await page.getByText('2 of 5').waitFor();
  await page.getByText('40 of 900').waitFor();
  await page.getByText('96 a minute').waitFor();
  await page.getByRole('button', { name: 'Pause describing' }).click();
  await page.locator('.pill', { hasText: '2 of 5' }).getByText('Paused').waitFor();
  goOn();
  await page.getByRole('button', { name: 'Go on describing' }).click();
  await page.getByRole('button', { name: '1 photo could not be described' }).click();
  const sheet = page.getByRole('dialog', { name: 'Describing photos' });
  await sheet.getByText('The file is damaged or cut short.').waitFor();
  assert.deepEqual(last(fake, 'captions.run').photoIds?.length, 5);
  fake.places.undescribable.clear();
  await sheet.getByRole('button', { name: /^Try again: DSC_/ }).click();
  await sheet.waitFor({ state: 'detached' });
  assert.deepEqual(last(fake, 'captions.run').photoIds, [ids[0]]);
});

test('all photos are described from the settings, and stopping keeps what was written', async (t) => {
  const { page, fake } = await open(t, { photos: 30 }, '#/settings/captions');
  fake.places.gate = (done) =>
    done < 4 ? Promise.resolve() : new Promise((resolve) => setTimeout(resolve, 20));
  await page.getByText('Describe new photos in the background').click();
  assert.equal(await page.getByRole('switch').isChecked(), true);
  await page.getByRole('button', { name: 'Describe all photos' }).click();
  await page.getByRole('button', { name: 'Stop' }).click();
  await page.getByText(/photos? described/).waitFor();
  assert.equal(last(fake, 'captions.run').photoIds, undefined);
  assert.equal(last(fake, 'settings.set').captionInBackground, true);
});

test('captions are saved beside the photos or as a table, and what was left out is told', async (t) => {
  const { page, fake } = await open(t, { photos: 30 }, '#/settings/captions');
  fake.places.foreign = 2;
  await page.getByRole('button', { name: 'Save captions…' }).click();
  const dialog = page.getByRole('dialog', { name: 'Save all captions and tags' });
  await dialog.getByRole('button', { name: 'Save', exact: true }).click();
  await dialog.getByText('28 files saved.').waitFor();
  await dialog.getByText('2 photos left out').waitFor();
  await dialog.getByText('it was left alone').first().waitFor();
  assert.deepEqual(last(fake, 'captions.export'), { format: 'xmp', grant: null });
  await dialog.getByRole('button', { name: 'Done' }).click();

  await place(page, 'Photos');
  await select(page, 2);
  await page.getByRole('button', { name: 'Save captions' }).click();
  const two = page.getByRole('dialog', { name: 'Save captions and tags of 2 photos' });
  await two.getByText('As one table').click();
  await two.getByRole('button', { name: 'Choose a folder' }).click();
  const folders = page.getByRole('dialog', { name: 'Choose a folder' });
  await folders.getByText('ada', { exact: true }).click();
  await folders.getByRole('button', { name: 'Save in “ada”' }).click();
  await two.getByRole('button', { name: 'Save', exact: true }).click();
  await two.getByText('/home/ada/captions.csv').waitFor();
  assert.equal(last(fake, 'captions.export').format, 'csv');
  assert.equal(last(fake, 'captions.export').photoIds?.length, 2);
});

test('tags are added, changed, removed with a way back, and restored', async (t) => {
  const { page, fake } = await open(t, { photos: 100 }, '#/settings/tags');
  await page.getByText('9 tags').waitFor();
  await page.getByRole('button', { name: 'Add a tag' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Tag', { exact: true }).fill('Beach');
  await dialog.getByText('There is a tag of this name already.').waitFor();
  await dialog.getByLabel('Tag', { exact: true }).fill('kite');
  await dialog.getByLabel('What it looks like').fill('a red kite in the sky\n\n  a kite on a beach ');
  await dialog.getByRole('button', { name: 'Save' }).click();
  await page.getByText('10 tags').waitFor();
  assert.deepEqual(last(fake, 'tags.set'), {
    name: 'kite',
    prompts: ['a red kite in the sky', 'a kite on a beach'],
  });
  await page.getByRole('button', { name: 'Change beach' }).click();
  assert.match(await dialog.getByLabel('What it looks like').inputValue(), /^a sandy beach\n/);
  await dialog.getByLabel('What it looks like').fill('a sandy beach');
  await dialog.getByRole('button', { name: 'Save' }).click();
  assert.deepEqual(last(fake, 'tags.set').tagId, 1);
  await page.getByRole('button', { name: 'Remove dog' }).click();
  await page.getByText('The tag “dog” was removed.').waitFor();
  await page.getByRole('button', { name: 'Undo' }).click();
  await page.getByText('10 tags').waitFor();
  await page.getByRole('button', { name: 'Remove snow' }).click();
  await page.getByText('9 tags').waitFor();
  await page.getByRole('button', { name: 'Bring back removed tags' }).click();
  await page.getByText('1 tag is back.').waitFor();
  await page.getByRole('searchbox', { name: 'Find a tag' }).fill('sun');
  await page.getByText('1 tag', { exact: true }).waitFor();
  await page.getByRole('button', { name: /^Show \d+ photos tagged sunset$/ }).click();
  assert.equal(await page.locator('#search-input').inputValue(), 'tag:sunset');
});

test('models stand under what they do, and one that writes is used at once', async (t) => {
  const { page, fake } = await open(t, { photos: 30 }, '#/settings/model');
  fake.packs = fake.packs.map((pack) =>
    pack.id === 'starter-captioner'
      ? { ...pack, active: [], quality: [{ metric: 'CIDEr', dataset: 'COCO', value: 140 }] }
      : pack,
  );
  await page.reload();
  const captions = page.getByRole('region', { name: 'Captions' });
  await captions.getByText('CIDEr 140.0 on COCO').waitFor();
  await page.getByRole('region', { name: 'Search', exact: true }).getByText('In use').waitFor();
  await captions.getByRole('button', { name: 'Use' }).click();
  await captions.getByText('In use').waitFor();
  assert.equal(last(fake, 'packs.use').packId, 'starter-captioner');
});

interface Look {
  readonly name: string;
  readonly address: string;
  readonly act: (page: Page, fake: FakeServer) => Promise<unknown>;
}

const looks: readonly Look[] = [
  { name: 'no albums', address: '#/albums', act: (page) => page.locator('.none').waitFor() },
  {
    name: 'albums',
    address: '#/albums',
    act(page, fake) {
      fake.places.make('Empty', { photoIds: [] });
      fake.places.make('Dogs', { query: { text: 'dog', examples: [], band: 'likely' } });
      fake.places.changed();
      return cover(page, /^Dogs/).waitFor();
    },
  },
  {
    name: 'a smart album with a problem and a selection',
    address: '#/albums',
    async act(page, fake) {
      const album = fake.places.make('Dogs', {
        query: { text: 'dog -cat', examples: [{ photoId: 3, weight: 1 }], band: 'strong' },
      });
      album.problem = { code: 'pack-missing', message: 'There is no pack.' };
      fake.places.changed();
      await cover(page, /^Dogs/).click();
      await page.locator('.problem').waitFor();
      await page.getByRole('option').first().waitFor();
      await page.locator('[data-grid]').focus();
      await page.keyboard.press('Space');
    },
  },
  {
    name: 'adding to an album',
    address: '',
    async act(page, fake) {
      fake.places.make('Dogs', { photoIds: [1] });
      fake.places.changed();
      await page.getByRole('option').first().waitFor();
      await page.locator('[data-grid]').focus();
      await page.keyboard.press('Space');
      await page.locator('[role=toolbar] button').first().click();
      await page.getByRole('dialog').getByText('Dogs').waitFor();
    },
  },
  {
    name: 'describing while indexing',
    address: '',
    async act(page, fake) {
      await page.getByRole('option').first().waitFor();
      fake.setProgress({ phase: 'indexing', done: 40, total: 900, imagesPerSecond: 38, secondsLeft: 540 });
      fake.emit('captions', {
        phase: 'captioning',
        done: 3,
        total: 500,
        failed: 1,
        photosPerMinute: 90,
        secondsLeft: 330,
        current: 'DSC_0001.JPG',
      });
      await page.locator('.pill .main', { hasText: '500' }).click();
      await page.locator('.sheet').waitFor();
    },
  },
  {
    name: 'saving captions',
    address: '#/settings/captions',
    async act(page) {
      await page.locator('section .button').last().click();
      await page.getByRole('dialog').locator('input').last().check();
    },
  },
  { name: 'tags', address: '#/settings/tags', act: (page) => page.locator('.tools').first().waitFor() },
];

for (const look of looks) {
  for (const [theme, language, width] of [
    ['light', 'en', 1_280],
    ['dark', 'zh-CN', 480],
  ] as const) {
    test(`${look.name}: axe finds nothing at ${width} pixels, ${theme}, ${language}`, async (t) => {
      const { page, fake } = await open(t, { photos: 60, theme, language, failures: 1 }, look.address, {
        reducedMotion: 'reduce',
        viewport: { width, height: 800 },
      });
      await page.waitForFunction((wanted) => document.documentElement.dataset['theme'] === wanted, theme);
      await look.act(page, fake);
      const { violations } = await new AxeBuilder({ page }).analyze();
      const said = violations.map(
        ({ id, nodes }) =>
          `${id}: ${nodes.map(({ target, failureSummary }) => `${target.join(' ')} ${failureSummary ?? ''}`).join('\n')}`,
      );
      assert.deepEqual(said, []);
      const overflow = await page.evaluate(
        () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
      );
      assert.equal(overflow, 0, 'nothing is wider than the window');
    });
  }
}
