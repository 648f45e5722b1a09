/** The page over the real web shell, engine and shipped packs, on a library in a folder of its own. */
import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { silentLog } from '../../main/engine/log.ts';
import { forkEngine } from '../../main/host/fork-engine.ts';
import { startHost } from '../../main/host/start-host.ts';
import { serveWeb } from '../../main/shell/web/server.ts';
import { buildPage, openBrowser, top, visit } from './browser.ts';

export interface RealApp {
  readonly page: Page;
  readonly complaints: string[];
  readonly engine: Awaited<ReturnType<typeof startHost>>;
  readonly close: () => Promise<void>;
}

/** @param fill writes photos into a folder, which is then indexed. */
export async function startRealApp(fill: (folder: string) => Promise<void>): Promise<RealApp> {
  const place = await realpath(await mkdtemp(join(tmpdir(), 'afterimage-real-')));
  const photos = join(place, 'Pictures');
  await fill(photos);
  const [built, browser] = await Promise.all([buildPage(), openBrowser()]);
  const engine = await startHost({
    spawnEngine: () =>
      forkEngine({ directory: join(place, 'library'), modelsDirectory: join(top, 'models') }),
    log: silentLog,
    now: Date.now,
  });
  const { root } = await engine.call('roots.add', { grant: await engine.grant(photos) });
  await engine.call('indexing.run', { rootIds: [root.id] });
  const shell = await serveWeb({
    access: engine,
    rendererDir: built.dist,
    version: '0',
    log: silentLog,
    port: 0,
  });
  const { page, complaints } = await visit(browser, shell.url, { locale: 'en-GB' });
  page.setDefaultTimeout(60_000);
  return {
    page,
    complaints,
    engine,
    async close() {
      await browser.close();
      await shell.close();
      await engine.close();
      await built.remove();
      await rm(place, { recursive: true, force: true });
    },
  };
}
