/**
 * Takes pictures of every state of teaching over a made-up library, for looking at: wide and narrow, dark, Chinese.
 * Run: node test/e2e/screenshots-teach-states.ts [folder]
 */
/// <reference lib="dom" />
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import type { Page } from 'playwright-core';
import { buildPage, openBrowser, top, visit } from './browser.ts';
import type { FakeLearning } from './fake-learn.ts';
import { FakeServer, type FakeServerOptions } from './fake-server.ts';

interface State {
  readonly name: string;
  readonly before?: (learn: FakeLearning) => void;
  readonly act?: (page: Page) => Promise<unknown>;
  /** What is there once the state is. */
  readonly sign: string;
  readonly photos?: number;
}

const never = new Promise<void>(() => undefined);
function known(learn: FakeLearning): void {
  learn.captions = 112;
  learn.queries = ['dog on a beach', 'red car', 'snow'].map((text) => ({ text, at: Date.now(), times: 1 }));
  learn.teach('Rex', [3, 4, 5, 6, 7, 8], 'a dog');
}

const states: readonly State[] = [
  { name: 'no-photos', photos: 0, sign: '.none' },
  { name: 'empty', sign: '.loop' },
  { name: 'too-few', before: (learn) => learn.teach('Rex', [3, 4, 5, 6, 7, 8]), sign: '#enough' },
  { name: 'ready', before: known, sign: '.start .muted' },
  {
    name: 'running',
    before(learn) {
      known(learn);
      learn.gate = (epoch) => (epoch === 12 ? never : Promise.resolve());
    },
    act: (page) => page.locator('.start .primary').click(),
    sign: '.live svg path.main',
  },
  {
    name: 'offered',
    before(learn) {
      known(learn);
      learn.past('offered');
    },
    sign: '.sides img',
  },
  {
    name: 'swapping',
    before(learn) {
      known(learn);
      learn.past('offered');
      learn.swapGate = (stage) => (stage === 'index' ? never : Promise.resolve());
    },
    act: (page) => page.locator('.choice .primary').click(),
    sign: '.swap',
  },
  {
    name: 'in-use',
    before(learn) {
      known(learn);
      learn.past('active');
    },
    sign: '.use',
  },
  ...(['refused', 'stopped', 'failed'] as const).map((state) => ({
    name: state,
    before(learn: FakeLearning): void {
      known(learn);
      learn.past(state);
    },
    sign: '.ended',
  })),
  {
    name: 'lab',
    async act(page) {
      await page.locator('summary').last().click();
      await page.locator('.go').click();
      await page.locator('.lab table').scrollIntoViewIfNeeded();
    },
    sign: '.lab table',
  },
];

const ways: readonly {
  readonly name: string;
  readonly viewport: { width: number; height: number };
  readonly options: Partial<FakeServerOptions>;
}[] = [
  { name: 'wide', viewport: { width: 1280, height: 1000 }, options: {} },
  { name: 'narrow', viewport: { width: 480, height: 900 }, options: {} },
  { name: 'dark', viewport: { width: 1280, height: 1000 }, options: { theme: 'dark' } },
  { name: 'chinese', viewport: { width: 1280, height: 1000 }, options: { language: 'zh-CN' } },
];

const out = process.argv[2] ?? join(top, 'test', '.cache', 'teach-states');
await mkdir(out, { recursive: true });
const [browser, built] = await Promise.all([openBrowser(), buildPage()]);
try {
  for (const { name: way, viewport, options } of ways) {
    for (const { name, before, act, sign, photos = 200 } of states) {
      const fake = new FakeServer({ dist: built.dist, photos, ...options });
      before?.(fake.learn);
      const { page, close } = await visit(browser, `${await fake.listen()}#/teach`, { viewport });
      await act?.(page);
      await page.locator(sign).first().waitFor();
      await page.waitForLoadState('networkidle', { timeout: 3_000 }).catch(() => undefined);
      await page.screenshot({ path: join(out, `${name}-${way}.png`) });
      await close();
      await fake.close();
    }
  }
} finally {
  await browser.close();
  await built.remove();
}
