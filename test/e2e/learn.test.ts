/** Thumbs, taught names and learning in the page, by mouse and by keys, over a made-up library. */
/// <reference lib="dom" />
import assert from 'node:assert/strict';
import test from 'node:test';
import { AxeBuilder } from '@axe-core/playwright';
import type { Page } from 'playwright-core';
import type { CallInput, CallName } from '../../main/contract.ts';
import { fakePages, type FakePageOptions } from './fake-pages.ts';
import type { FakeServer, FakeServerOptions } from './fake-server.ts';

const openPage = fakePages();

/** @param fill what the library knows before a page opens. */
const open = (
  t: Parameters<typeof openPage>[0],
  address: string,
  fill: (fake: FakeServer) => void = () => undefined,
  options: Partial<FakeServerOptions> = {},
  context: FakePageOptions['context'] = {},
): ReturnType<typeof openPage> =>
  openPage(t, { server: { photos: 200, ...options }, address, fill, context });

function last<K extends CallName>(fake: FakeServer, name: K): CallInput<K> {
  const found = fake.heard.findLast((call) => call.name === name);
  assert.ok(found !== undefined, `${name} was called`);
  return found.input as CallInput<K>;
}

async function search(page: Page, text: string): Promise<void> {
  await page.locator('#search-input').fill(text);
  await page.getByText('14 strong, 46 likely').waitFor();
}

async function passesAxe(page: Page): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).analyze();
  assert.deepEqual(
    violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target.join(' ')).join('\n')}`),
    [],
  );
}

const enough = (fake: FakeServer): void => {
  fake.learn.captions = 112;
};
const pastQueries = (fake: FakeServer): void => {
  fake.learn.queries = ['dog on a beach', 'red car'].map((text) => ({ text, at: Date.now(), times: 1 }));
};

test('a thumb on a result by mouse and by keys is kept, shown again, toggled and undone', async (t) => {
  const { page, fake } = await open(t, '');
  await search(page, 'dog on a beach');
  const tile = page.locator('#photo-2');
  await tile.hover();
  await tile.locator('[data-vote=up]').click();
  await page.getByText('Noted: this fits “dog on a beach”.').waitFor();
  const { photoId } = last(fake, 'feedback.set');
  assert.deepEqual(last(fake, 'feedback.set'), { photoId, text: 'dog on a beach', vote: 'up' });
  assert.equal(fake.count('queries.remember'), 1, 'the query is noted');
  assert.match((await tile.getAttribute('aria-label')) ?? '', /you said it fits/);
  assert.equal(await page.getByRole('dialog').count(), 0, 'the photo stays closed');

  await page.getByRole('button', { name: 'Undo' }).click();
  await page.locator('#photo-2 .pressed').waitFor({ state: 'detached' });
  assert.equal(last(fake, 'feedback.set').vote, null);

  await page.locator('[data-grid]').focus();
  await page.keyboard.press('Home');
  await page.keyboard.press('-');
  await page.locator('#photo-0 .down.pressed').waitFor();
  await page.keyboard.press('+');
  await page.locator('#photo-0 .up.pressed').waitFor();
  await page.keyboard.press('+');
  await page.getByText('The thumb was taken back.').waitFor();
  assert.equal(await page.locator('#photo-0 .pressed').count(), 0);
  await page.keyboard.press('-');
  await page.locator('#photo-0 .down.pressed').waitFor();

  // Another spelling of the same query finds the thumb; another query has none.
  await page.locator('#search-input').fill('a red car');
  await page.locator('#photo-0 .down.pressed').waitFor({ state: 'detached' });
  await page.locator('#search-input').fill('Dog on a  beach');
  await page.locator('.pressed').waitFor();
  await page.getByRole('button', { name: 'Clear the search' }).click();
  await page.locator('[data-scroller]').waitFor();
  await page.getByText('June 2026').first().waitFor();
  assert.equal(await page.locator('[data-vote]').count(), 0, 'the timeline has no thumbs');
});

test('the viewer shows the search with its thumbs, keys press them, and a thumb made elsewhere arrives', async (t) => {
  const { page, fake } = await open(t, '');
  await search(page, 'dog on a beach');
  const noted = page.waitForResponse(/queries\.remember$/);
  await page.locator('#photo-3').click();
  await noted;
  const group = page.getByRole('group', { name: 'Does this fit “dog on a beach”?' });
  await group.waitFor();
  assert.equal(fake.count('queries.remember'), 1);
  const up = group.getByRole('button', { name: 'Fits', exact: true });
  await page.keyboard.press('+');
  await page.waitForFunction(
    () => document.querySelector('[role=group] .up')?.getAttribute('aria-pressed') === 'true',
  );
  await group.getByRole('button', { name: 'Does not fit' }).click();
  await page.getByText('Noted: this does not fit').waitFor();
  assert.equal(await up.getAttribute('aria-pressed'), 'false');
  assert.equal(fake.count('queries.remember'), 1, 'once per query');

  const { photoId } = last(fake, 'feedback.set');
  fake.learn.votes.clear();
  fake.learn.votes.set(`${photoId} dog on a beach`, { photoId, text: 'dog on a beach', vote: 'up', at: 1 });
  fake.learn.changed();
  await page.waitForFunction(
    () => document.querySelector('[role=group] .up')?.getAttribute('aria-pressed') === 'true',
  );
  await page.keyboard.press('?');
  await page.getByRole('dialog', { name: 'Keyboard' }).getByText('It does not fit').waitFor();
});

test('a thumb that cannot be kept is taken back and says why', async (t) => {
  const { page, fake } = await open(t, '');
  await search(page, 'dog');
  fake.failing.set('feedback.set', 'disk-full');
  await page.locator('[data-grid]').focus();
  await page.keyboard.press('+');
  await page.getByText('The disk is full.').waitFor();
  assert.equal(await page.locator('.pressed').count(), 0);
});

test('a name is taught from a selection, added to in the viewer, found by completion, and undone', async (t) => {
  const { page, fake } = await open(t, '');
  await page.getByRole('option').first().waitFor();
  await page.locator('[data-grid]').focus();
  await page.keyboard.press('Home');
  await page.keyboard.press('Space');
  await page.keyboard.press('Shift+ArrowRight');
  await page.keyboard.press('Shift+ArrowRight');
  await page.getByRole('button', { name: 'This is…' }).click();
  await page.getByRole('dialog', { name: 'Who or what is in these 3 photos?' }).waitFor();
  await page.waitForFunction(() => document.activeElement?.id === 'name-field');
  await page.keyboard.type('Rex');
  await page.getByLabel('What is it? (optional)').fill('a dog');
  await page.keyboard.press('Enter');
  await page.getByText('Rex: 3 photos. Search for “Rex on a beach”.').waitFor();
  const taught = last(fake, 'names.teach');
  assert.deepEqual([taught.name, taught.kind, taught.photoIds.length], ['Rex', 'a dog', 3]);
  await page.getByText('3 selected').waitFor({ state: 'detached' });

  // Another photo, by key, from the list of known names.
  await page.keyboard.press('Escape');
  await page.locator('#photo-5').click();
  await page.keyboard.press('i');
  await page.getByText('FUJIFILM').waitFor();
  await page.keyboard.press('n');
  await page.getByRole('dialog', { name: 'Who or what is this?' }).waitFor();
  await page.keyboard.type('r');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await page.getByText('Rex: 4 photos.').waitFor();
  await page.getByRole('button', { name: 'Rex', exact: true }).waitFor();
  await page.getByRole('button', { name: 'Undo' }).click();
  await page.getByRole('button', { name: 'Rex', exact: true }).waitFor({ state: 'detached' });
  assert.equal(last(fake, 'names.take').photoIds.length, 1);
  await page.keyboard.press('Escape');

  const input = page.locator('#search-input');
  await input.fill('');
  await input.focus();
  await page.keyboard.type('beach re');
  await page.getByRole('listbox', { name: 'Names' }).waitFor();
  assert.equal(await input.getAttribute('aria-activedescendant'), null, 'Enter still means what was typed');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  assert.equal(await input.inputValue(), 'beach Rex ');
});

test('names are looked through, changed, and forgotten with a way back', async (t) => {
  const { page, fake } = await open(t, '#/teach', (server) => {
    server.learn.teach('Rex', [3, 4, 5, 6, 7, 8], 'a dog');
    server.learn.teach('our house', [13]);
  });
  await page.getByText('finds 5 of its 6').waitFor();
  await page.getByText('two or more photos are needed').waitFor();
  await page.getByRole('button', { name: 'Photos of Rex' }).click();
  const sheet = page.getByRole('dialog', { name: 'Rex, 6 photos' });
  await sheet.locator('li button').nth(5).waitFor();
  await sheet.locator('li button').nth(1).click();
  await sheet.getByRole('button', { name: 'Take 1 photo out' }).click();
  await page.getByText('1 photo no longer is “Rex”.').waitFor();
  assert.deepEqual(last(fake, 'names.take').photoIds, [4]);
  await page.getByRole('button', { name: 'Undo' }).click();
  await page.getByText('finds 5 of its 6').waitFor();

  await page.getByRole('button', { name: 'Change Rex' }).click();
  const edit = page.getByRole('dialog', { name: 'Change this name' });
  await edit.getByLabel('Name').fill('Our House');
  await edit.getByText('There is this name already.').waitFor();
  await edit.getByLabel('Name').fill('Rexy');
  await edit.getByLabel('What is it?').fill('');
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'Rexy' }).waitFor();
  assert.equal(last(fake, 'names.update').kind, null);

  await page.getByRole('button', { name: 'Forget Rexy' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Forget', exact: true }).click();
  await page.getByText('“Rexy” was forgotten.').waitFor();
  assert.equal(await page.getByRole('heading', { name: 'Rexy' }).count(), 0);
  await page.getByRole('button', { name: 'Undo' }).click();
  await page.getByRole('heading', { name: 'Rexy' }).waitFor();
  assert.equal(last(fake, 'names.teach').photoIds.length, 6);
});

test('with nothing to learn from the loop is told; with too little, how much is missing', async (t) => {
  const { page, fake } = await open(t, '');
  await page.getByRole('navigation', { name: 'Places' }).getByRole('button', { name: 'Teach' }).click();
  await page.getByRole('heading', { name: 'Show Afterimage what you mean' }).waitFor();
  await passesAxe(page);
  await page.getByRole('button', { name: 'Start with a search' }).click();
  await page.waitForFunction(() => document.activeElement?.id === 'search-input');
  await page.getByRole('navigation', { name: 'Places' }).getByRole('button', { name: 'Teach' }).click();
  fake.learn.captions = 12;
  fake.learn.changed();
  await page.getByText('12 of 40 different photos').waitFor();
  await page.getByText('28 more different photos to go.').waitFor();
  assert.ok(await page.getByRole('button', { name: 'Learn now' }).isDisabled());
  await passesAxe(page);

  await page.getByRole('button', { name: 'Use a captions file or folder…' }).click();
  await page.getByRole('dialog').getByText('Pictures').click();
  await page.getByRole('button', { name: 'Use “Pictures”' }).click();
  await page.getByText('With captions from “Pictures”').waitFor();
  await page.getByText('1 example could not be used').click();
  await page.getByText('beach-2.jpg is not in the library.').waitFor();
  await page.getByText('Takes about 15 seconds.').waitFor();
  // Without the file there is too little again.
  await page.getByRole('checkbox', { name: 'Learn from: Captions file' }).uncheck();
  await page.getByText('12 of 40 different photos').waitFor();
});

test('a run goes round by round with its curves, waits for the person, is used, and is undone', async (t) => {
  const { page, fake } = await open(t, '#/teach', (server) => {
    enough(server);
    pastQueries(server);
  });
  const [held, half] = [Promise.withResolvers<undefined>(), Promise.withResolvers<undefined>()];
  fake.learn.gate = async (epoch) => {
    if (epoch !== 3) return;
    half.resolve(undefined);
    await held.promise;
  };
  await page.getByText('More settings').click();
  await page.getByLabel('Epochs').fill('6');
  await page.getByLabel('Seed').fill('7');
  await page.getByLabel('Way of learning (head)').selectOption('linear');
  await page.getByRole('button', { name: 'Learn now' }).click();
  await half.promise;
  await page.getByText('round 3 of 6').waitFor();
  await page
    .getByRole('img', { name: /^How wrong it is, learned from: from .+ to .+; How wrong it is, kept/ })
    .waitFor();
  await page.getByRole('img', { name: /^Found among the first ten: from 68 to / }).waitFor();
  await passesAxe(page);

  // Elsewhere a pill says so, and a message when it is done.
  await page.getByRole('navigation', { name: 'Places' }).getByRole('button', { name: 'Photos' }).click();
  await page.locator('.pill').getByText('round 3 of 6').waitFor();
  held.resolve(undefined);
  await page.getByText('Learning is done: your search got better.').waitFor();
  await page.getByRole('button', { name: 'Look', exact: true }).click();
  const { head, epochs, seed } = last(fake, 'tune.run');
  assert.deepEqual({ head, epochs, seed }, { head: 'linear', epochs: 6, seed: 7 });

  await page.getByText('Found among the first ten: 61 → 78 of 100 (between +9 and +24)').waitFor();
  await page.getByText('General search: 84 → 84').waitFor();
  await page.getByText('6 up · 2 down').first().waitFor();
  const after = page.getByRole('list', { name: 'dog on a beach: After' });
  await after.getByRole('img', { name: /place 1, was 3$/ }).waitFor();
  await after.getByRole('img', { name: /place 11, new here$/ }).waitFor();
  await page
    .getByRole('list', { name: 'dog on a beach: Before' })
    .getByRole('img', { name: /gone after/ })
    .first()
    .waitFor();
  await passesAxe(page);

  const swapping = Promise.withResolvers<undefined>();
  fake.learn.swapGate = (stage) => (stage === 'index' ? swapping.promise : Promise.resolve());
  await page.getByRole('button', { name: 'Use it' }).click();
  await page.getByText('Making them searchable…').waitFor();
  swapping.resolve(undefined);
  await page.getByText('Your search uses what was learned.').waitFor();
  await page.getByText('In use. Learned on').waitFor();
  await page.getByRole('row', { name: /in use/ }).waitFor();
  assert.equal(
    await page.getByRole('button', { name: /^Remove:/ }).count(),
    0,
    'what is in use cannot be removed',
  );

  await page.locator('main').getByRole('button', { name: 'Undo' }).click();
  await page.getByText('Your search is as it was before.').waitFor();
  await page.getByText('In use. Learned on').waitFor({ state: 'detached' });
  await page.getByRole('row', { name: /was in use/ }).waitFor();
  await page.getByRole('button', { name: /^Use again:/ }).click();
  await page.getByText('In use. Learned on').waitFor();
});

test('a run is stopped, goes on where it was, and is refused in plain words with what would help', async (t) => {
  const { page, fake } = await open(t, '#/teach', enough);
  const round = Promise.withResolvers<undefined>();
  fake.learn.gate = (epoch) => (epoch === 5 ? round.promise : Promise.resolve());
  fake.learn.outcome = 'unsure';
  await page.getByRole('button', { name: 'Learn now' }).click();
  await page.getByText('round 5 of 20').waitFor();
  await page.locator('main').getByRole('button', { name: 'Stop' }).click();
  await page.getByText('Stopping…').waitFor();
  round.resolve(undefined);
  await page.getByText('Stopped. It can go on where it was.').waitFor();
  await passesAxe(page);
  await page.getByRole('button', { name: 'Go on' }).click();
  await page.getByRole('heading', { name: 'Not used: it did not prove better' }).waitFor();
  assert.equal(typeof last(fake, 'tune.run').resume, 'number');
  await page
    .getByText('The difference on your own photos is too small to be sure of. Nothing has changed.')
    .waitFor();
  await page.getByText('(between −3 and +7)').waitFor();
  await page.getByText(/^What helps: more examples/).waitFor();
  await passesAxe(page);
  await page.getByRole('button', { name: 'Good to know' }).click();
  await page
    .getByRole('heading', { name: 'Not used: it did not prove better' })
    .waitFor({ state: 'detached' });

  fake.learn.outcome = 'forgets';
  await page.getByRole('button', { name: 'Learn now' }).click();
  await page.getByText('Everyday searches would find less than now.').waitFor();
  fake.learn.outcome = 'failed';
  await page.getByRole('button', { name: 'Learn again' }).click();
  await page.getByText('Learning did not work.').waitFor();
  await page.getByText('The disk is full. Free some space, then try again.').waitFor();
});

test('an offer is left, found in the history with its details, saved, removed and taken from a file', async (t) => {
  const { page, fake } = await open(t, '#/teach', (server) => {
    enough(server);
    server.learn.past('offered');
  });
  await page.getByText('No past searches yet.').waitFor();
  await page.getByRole('button', { name: 'Leave it' }).click();
  await page.getByText('Left as it was.').waitFor();
  await page.getByRole('button', { name: /^Details of/ }).click();
  await page.getByText('5f2b8c0d5f2b8c0d').waitFor();
  await page.getByText('Better on your pairs.').waitFor();
  await page.getByText('Every epoch').click();
  await passesAxe(page);

  await page.getByRole('button', { name: /^Save to a folder:/ }).click();
  await page.getByRole('dialog').getByText('Pictures').click();
  await page.getByRole('button', { name: 'Save in “Pictures”' }).click();
  await page.getByText('Saved as /home/ada/Pictures/').waitFor();
  await page.getByRole('button', { name: /^Remove:/ }).click();
  await page
    .getByRole('dialog', { name: 'Remove what was learned here?' })
    .getByRole('button', { name: 'Remove' })
    .click();
  await page.getByText('Nothing yet. What is learned').waitFor();

  await page.getByRole('button', { name: 'Take one from a folder…' }).click();
  await page.getByRole('dialog').getByText('Pictures').click();
  await page.getByRole('button', { name: 'Look in “Pictures”' }).click();
  await page.getByRole('heading', { name: 'Taken from a file' }).waitFor();
  assert.equal(last(fake, 'tune.import').grant, '/home/ada/Pictures');
});

test('thumbs and past searches are counted and forgotten, and Settings leads there', async (t) => {
  const { page, fake } = await open(t, '#/settings/privacy', (server) => {
    enough(server);
    pastQueries(server);
    server.learn.votes.set('1 dog', { photoId: 1, text: 'dog', vote: 'up', at: 1 });
    server.learn.votes.set('2 dog', { photoId: 2, text: 'dog', vote: 'down', at: 1 });
  });
  await page.getByRole('button', { name: 'Look at it or forget it' }).click();
  await page.getByText('1 thumb up, 1 down').waitFor();
  await page.getByText('2 past searches').waitFor();
  await page.getByText('Show past searches').click();
  await page.getByRole('button', { name: 'Forget “red car”' }).click();
  await page.getByText('1 past search', { exact: true }).waitFor();
  for (const [button, dialog] of [
    ['Forget past searches…', 'Forget all past searches?'],
    ['Forget the thumbs…', 'Forget all thumbs?'],
  ] as const) {
    await page.getByRole('button', { name: button }).click();
    await page
      .getByRole('dialog', { name: dialog })
      .getByRole('button', { name: 'Forget', exact: true })
      .click();
  }
  await page.getByText('0 past searches').waitFor();
  await page.getByText('0 thumbs up, 0 down').waitFor();
  assert.equal(fake.learn.votes.size + fake.learn.queries.length, 0);
});

test('a run that is under way, or was cut off, is there when the page opens', async (t) => {
  const { page } = await open(t, '#/teach', (server) => {
    enough(server);
    const { id, curve } = server.learn.past('running');
    server.learn.progress = { runId: id, stage: 'training', epoch: 20, epochs: 40, curve, secondsLeft: 125 };
  });
  await page.getByText('round 20 of 40 · 2 min left').waitFor();

  const other = await open(t, '#/teach', (server) => {
    enough(server);
    server.learn.past('interrupted', { curve: [] });
  });
  await other.page.getByText('Afterimage was closed while it learned.').waitFor();
  await other.page.getByRole('button', { name: 'Throw away' }).click();
  await other.page.getByText('Afterimage was closed while it learned.').waitFor({ state: 'detached' });
});

test('the lab trains chosen heads, is stopped, and shows its table, also where the window is narrow', async (t) => {
  const { page, fake } = await open(t, '#/teach', undefined, {}, { viewport: { width: 480, height: 800 } });
  await page.getByText('Alignment lab').click();
  await page.getByRole('button', { name: 'None' }).click();
  assert.ok(await page.getByRole('button', { name: 'Train and compare' }).isDisabled());
  for (const head of ['v0', 'v3']) await page.getByLabel(head, { exact: true }).check();
  await page.getByLabel('Epochs').fill('3');
  await page.getByRole('button', { name: 'Train and compare' }).click();
  const table = page.getByRole('region', { name: 'Results by head' });
  await table.getByRole('row').nth(2).waitFor();
  const { heads, epochs } = last(fake, 'lab.run');
  assert.deepEqual({ heads, epochs }, { heads: ['v0', 'v3'], epochs: 3 });
  await page.getByText('A cat sleeping on a couch').waitFor();
  const fits = await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth);
  assert.ok(fits, 'the page itself does not scroll sideways');
  await passesAxe(page);
});

test('at 200 % zoom, in Chinese and in the dark, teaching passes axe and speaks no English', async (t) => {
  const { page, fake } = await open(
    t,
    '#/teach',
    (server) => {
      enough(server);
      pastQueries(server);
      server.learn.teach('豆豆', [3, 4, 5], '狗');
      server.learn.past('active');
      server.learn.past('offered');
    },
    { language: 'zh-CN', theme: 'dark' },
    // Half of 1280 by 800 is what a person sees at 200 %.
    { viewport: { width: 640, height: 400 }, reducedMotion: 'reduce' },
  );
  await page.getByText('前十张中能找到：每 100 个 61 → 78 个（变化在 +9 到 +24 之间）').first().waitFor();
  await page.getByText('使用中，学习于').waitFor();
  await passesAxe(page);
  const english = await page.evaluate(() =>
    ((document.querySelector('main') as HTMLElement).innerText.match(/[A-Za-z]{3,}/g) ?? []).filter(
      (word) => !['Afterimage', 'dog', 'beach', 'red', 'car'].includes(word),
    ),
  );
  assert.deepEqual(english, []);
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth));
  await page.getByRole('button', { name: '使用', exact: true }).click();
  await page.getByText('您的搜索已使用学到的内容。').waitFor();
  assert.equal(fake.count('tune.accept'), 1);
});

test('a library that another program writes to is not taught here', async (t) => {
  const { page, fake } = await open(t, '#/teach', (server) => {
    enough(server);
    server.library.readOnly = true;
    server.learn.teach('Rex', [3, 4]);
  });
  await page
    .getByText('Another Afterimage is writing to this library, so nothing can be taught here.')
    .waitFor();
  assert.ok(await page.getByRole('button', { name: 'Learn now' }).isDisabled());
  assert.equal(await page.getByRole('button', { name: 'Forget Rex' }).count(), 0);
  await page.getByRole('navigation', { name: 'Places' }).getByRole('button', { name: 'Photos' }).click();
  await search(page, 'dog');
  assert.equal(await page.locator('[data-vote]').count(), 0);
  assert.equal(fake.count('feedback.of'), 0);
});
