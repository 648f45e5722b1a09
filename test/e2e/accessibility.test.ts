/** Every main page under axe's rules, light and dark. */
/// <reference lib="dom" />
import assert from 'node:assert/strict';
import test, { after, before } from 'node:test';
import { AxeBuilder } from '@axe-core/playwright';
import type { Browser, Page } from 'playwright-core';
import { buildPage, openBrowser, visit } from './browser.ts';
import { FakeServer, type FakeServerOptions } from './fake-server.ts';

let browser: Browser;
let built: Awaited<ReturnType<typeof buildPage>>;

before(async () => {
  [browser, built] = await Promise.all([openBrowser(), buildPage()]);
});
after(async () => {
  await browser.close();
  await built.remove();
});

interface Look {
  readonly name: string;
  readonly options: Partial<FakeServerOptions>;
  readonly address?: string;
  readonly act: (page: Page, fake: FakeServer) => Promise<unknown>;
}

const looks: readonly Look[] = [
  { name: 'first run', options: { photos: 0 }, act: (page) => page.getByText('Add a folder').waitFor() },
  {
    name: 'folder browser',
    options: { photos: 0 },
    act: async (page) => {
      await page.getByText('Add a folder').click();
      await page.getByRole('dialog').getByText('Pictures').click();
      await page.getByText('2023 Iceland').waitFor();
    },
  },
  {
    name: 'timeline while indexing',
    options: { failures: 2 },
    act: async (page, fake) => {
      await page.getByRole('option').first().waitFor();
      fake.setProgress({ phase: 'indexing', done: 40, total: 400, imagesPerSecond: 38, secondsLeft: 540 });
      await page.getByText('40 of 400').click();
      await page.getByText('damaged').waitFor();
    },
  },
  {
    name: 'results',
    options: { offline: true },
    act: async (page) => {
      await page.locator('#search-input').fill('dog -snow after:never');
      await page.getByText('is not a date').waitFor();
    },
  },
  {
    name: 'viewer with its panel',
    options: {},
    act: async (page) => {
      await page.locator('#photo-1').click();
      await page.keyboard.press('i');
      await page.getByText('FUJIFILM').waitFor();
    },
  },
  {
    name: 'duplicates',
    options: { duplicates: 5 },
    address: '#/duplicates',
    act: (page) => page.getByText('2 files').first().waitFor(),
  },
  ...(['folders', 'model', 'appearance', 'privacy', 'about'] as const).map((section) => ({
    name: `settings: ${section}`,
    options: { offline: true, failures: 2 },
    address: `#/settings/${section}`,
    act: (page: Page) => page.getByRole('heading', { level: 1 }).waitFor(),
  })),
];

for (const theme of ['light', 'dark'] as const) {
  for (const look of looks) {
    test(`${look.name} passes axe in the ${theme} theme`, async (t) => {
      const fake = new FakeServer({ dist: built.dist, photos: 200, theme, ...look.options });
      const url = await fake.listen();
      const { page, close } = await visit(browser, url + (look.address ?? ''), { reducedMotion: 'reduce' });
      t.after(async () => {
        await close();
        await fake.close();
      });
      await page.waitForFunction((wanted) => document.documentElement.dataset['theme'] === wanted, theme);
      await look.act(page, fake);
      const { violations } = await new AxeBuilder({ page }).analyze();
      const said = violations.map(
        ({ id, nodes }) =>
          `${id}: ${nodes.map(({ target, failureSummary }) => `${target.join(' ')} ${failureSummary ?? ''}`).join('\n')}`,
      );
      assert.deepEqual(said, []);
    });
  }
}
