/** Pages over a made-up library: one browser and one build for all tests of a file. */
import assert from 'node:assert/strict';
import { after, before } from 'node:test';
import type { Browser } from 'playwright-core';
import { buildPage, openBrowser, visit, type Visit } from './browser.ts';
import { FakeServer, type FakeServerOptions } from './fake-server.ts';

export interface FakePageOptions {
  readonly server: Omit<FakeServerOptions, 'dist'>;
  /** What follows the server's address. */
  readonly address?: string;
  readonly context?: Parameters<typeof visit>[2];
  /** What the library knows before the page opens. */
  readonly fill?: (fake: FakeServer) => void;
}

/** Call it once at the top of a test file. The page is closed with its test, and must have complained of nothing. */
export function fakePages(): (
  t: { after(done: () => Promise<void>): void },
  options: FakePageOptions,
) => Promise<Visit & { fake: FakeServer }> {
  let browser: Browser;
  let built: Awaited<ReturnType<typeof buildPage>>;
  before(async () => {
    [browser, built] = await Promise.all([openBrowser(), buildPage()]);
  });
  after(async () => {
    await browser.close();
    await built.remove();
  });
  return async (t, { server, address = '', context = {}, fill }) => {
    const fake = new FakeServer({ dist: built.dist, ...server });
    fill?.(fake);
    const visited = await visit(browser, (await fake.listen()) + address, context);
    await fake.listening;
    t.after(async () => {
      await visited.close();
      await fake.close();
      assert.deepEqual(
        visited.complaints,
        [],
        'the page throws nothing and breaks no content security policy',
      );
    });
    return { ...visited, fake };
  };
}
