/** The part of README's screenshots that is about teaching: thumbs, a name, what there is to learn from, a run, its verdict. */
/// <reference lib="dom" />
import type { Page } from 'playwright-core';
import type { startHost } from '../../main/host/start-host.ts';
import { sceneOf } from './drawn-scenes.ts';

interface Studio {
  readonly page: Page;
  readonly engine: Awaited<ReturnType<typeof startHost>>;
  readonly shot: (name: string) => Promise<unknown>;
  readonly settled: () => Promise<unknown>;
  readonly search: (query: string) => Promise<void>;
}

/** What a person would call these places: no model knows them by these words. */
const captions: Readonly<Record<string, string>> = {
  sea: 'evening at Sandvik',
  mountains: 'the Kofel ridge',
  field: 'aunt Mina’s meadow',
  forest: 'the way to the mill',
  night: 'Harbour Street',
  flower: 'dahlia from our balcony',
};

export async function shootLearning({ page, engine, shot, settled, search }: Studio): Promise<void> {
  const teach = (): Promise<void> => page.getByRole('button', { name: 'Teach', exact: true }).click();
  await teach();
  await page.getByText('Start with a search').waitFor();
  await shot('teach-empty');

  // Thumbs, and two searches that are looked into.
  for (const query of ['the way to the mill', 'sunset over the sea']) {
    await search(query);
    await page.locator('#photo-0').click();
    await page.getByRole('dialog', { name: /^Photo / }).waitFor();
    await page.keyboard.press('Escape');
  }
  await page.locator('[data-grid]').focus();
  await page.keyboard.press('Home');
  for (const key of ['+', '+', '-']) {
    await page.keyboard.press(key);
    await page.keyboard.press('ArrowRight');
  }
  await page.locator('.down.pressed').waitFor();
  await page.getByRole('button', { name: 'Dismiss' }).click();
  await settled();
  await shot('thumbs');

  const { ids } = await engine.call('photos.timeline', {});
  const dahlias: number[] = [];
  for (const photoId of ids) {
    const { name } = await engine.call('photos.get', { photoId });
    const scene = sceneOf(name);
    if (scene === 'flower' && dahlias.length < 6) dahlias.push(photoId);
    await engine.call('captions.set', { photoId, text: captions[scene] ?? '' });
  }
  await engine.call('names.teach', { name: 'Dahlia', kind: 'a flower', photoIds: dahlias });
  await teach();
  await page.getByText(/different photos: enough/).waitFor();
  await page.getByText(/^finds \d of its 6$/).waitFor();
  await page.locator('.cover img').first().waitFor();
  await page.waitForLoadState('networkidle');
  await page.mouse.move(1_200, 760);
  await shot('teach-ready');

  // Twenty rounds over so few photos are done before anyone could look.
  await page.getByText('More settings').click();
  await page.getByLabel('Epochs').fill('60');
  await page.getByText('More settings').click();
  await page.getByRole('button', { name: 'Learn now' }).click();
  await page.waitForFunction(
    () =>
      document.querySelector('.offer, .ended') !== null ||
      (document.querySelector('path.main')?.getAttribute('d')?.match(/L/g) ?? []).length >= 5,
  );
  await shot('teach-running');
  await page.locator('.offer, .ended').waitFor();
  if (await page.locator('.offer').isVisible()) {
    await page.locator('.sides img').first().waitFor();
    await pictured(page);
    await shot('teach-verdict');
    await page.getByRole('button', { name: 'Use it' }).click();
    await page.locator('.use').waitFor();
    await page.getByRole('button', { name: 'Dismiss' }).click();
    await page.locator('.start .muted').waitFor();
    await page.mouse.move(1_200, 760);
    await shot('teach-in-use');
    // What follows is without it.
    await page.locator('main').getByRole('button', { name: 'Undo' }).click();
    await page.locator('.use').waitFor({ state: 'detached' });
  } else await shot('teach-verdict');
}

/** Every picture that is on the screen is there. */
async function pictured(page: Page): Promise<void> {
  await page.waitForFunction(() =>
    [...document.querySelectorAll<HTMLImageElement>('.sides img')]
      .filter((img) => img.getBoundingClientRect().top < window.innerHeight)
      .every((img) => img.complete && img.naturalWidth > 0),
  );
}
