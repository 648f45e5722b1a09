import assert from 'node:assert/strict';
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import type { SubscribeFolder, WatchEvent } from '../../../main/engine/library/types.ts';
import { createHarness, until, writePhoto, type Harness } from './harness.ts';

interface Watched extends Harness {
  /** Folders that are watched, and how to tell their listeners of paths. */
  readonly watched: Map<string, (paths: readonly string[], error?: Error) => void>;
  refusal: Error | null;
}

async function watching(t: TestContext, prepare: (h: Harness) => Promise<void>): Promise<Watched> {
  const watched: Watched['watched'] = new Map();
  const subscribe: SubscribeFolder = (folder, _ignore, listener) => {
    if (state.refusal !== null) return Promise.reject(state.refusal);
    watched.set(folder, (paths, error) =>
      listener(
        error ?? null,
        paths.map((path): WatchEvent => ({ path })),
      ),
    );
    return Promise.resolve(() => {
      watched.delete(folder);
      return Promise.resolve();
    });
  };
  const h = createHarness(t, { subscribe });
  const state: Watched = Object.assign(h, { watched, refusal: null });
  await prepare(h);
  return state;
}

/** Watching begins with a scan of what happened before; this waits until that is over. */
async function start(h: Watched): Promise<void> {
  const before = h.progress.length;
  await h.library.setWatching(true);
  await until(() => h.watched.has(h.at()), 'the watch');
  h.timers.pass(500);
  await until(() => h.progress.slice(before).some(({ phase }) => phase === 'idle'), 'the first scan');
}

async function indexed(h: Harness): Promise<void> {
  await writePhoto(h.at('a', '1.png'), 1);
  await writePhoto(h.at('b', '2.png'), 2);
  await h.add();
  await h.library.run();
}
const settled = (h: Harness, count: number): Promise<void> =>
  until(() => h.index.size === count && h.library.state().phase === 'idle', `${count} photos`);

test('a burst of changes is scanned once it is quiet, and only where they were', async (t) => {
  const h = await watching(t, indexed);
  await start(h);
  await writePhoto(h.at('a', '3.png'), 3);
  await writePhoto(h.at('b', 'unseen.png'), 4);
  const tell = h.watched.get(h.at());
  tell?.([h.at('a', '3.png')]);
  h.timers.pass(400);
  tell?.([h.at('a', '3.png')]);
  h.timers.pass(400);
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(h.index.size, 2, 'not before it is quiet');
  h.timers.pass(100);
  await settled(h, 3);
  assert.ok(!Object.keys(h.photos()).includes(h.at('b', 'unseen.png')));
});

test('a burst that never ends is scanned every few seconds', async (t) => {
  const h = await watching(t, indexed);
  await start(h);
  await writePhoto(h.at('a', '3.png'), 3);
  for (let ms = 0; ms < 5_000; ms += 250) {
    h.watched.get(h.at())?.([h.at('a', '3.png')]);
    h.timers.pass(250);
  }
  await settled(h, 3);
});

test('deleted files and folders, renamed folders and new folders are followed', async (t) => {
  const h = await watching(t, indexed);
  await start(h);
  const tell = h.watched.get(h.at());
  h.embedder.inferences = 0;
  renameSync(h.at('a'), h.at('renamed'));
  tell?.([h.at('a'), h.at('renamed')]);
  h.timers.pass(500);
  await until(() => h.photos()[h.at('renamed', '1.png')] === 'indexed', 'the new path');
  assert.equal(h.embedder.inferences, 0);
  await until(() => h.library.state().phase === 'idle', 'the end');
  rmSync(h.at('b'), { recursive: true });
  tell?.([h.at('b')]);
  h.timers.pass(500);
  await settled(h, 1);
});

test('sidecars, hidden files and our own folder set nothing going', async (t) => {
  const h = await watching(t, indexed);
  await start(h);
  const before = h.progress.length;
  writeFileSync(h.at('a', '1.xmp'), '');
  h.watched.get(h.at())?.([h.at('a', '1.xmp'), h.at('.cache', 'x.png'), join(h.folder, 'library', 'y.png')]);
  h.timers.pass(10_000);
  for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
  assert.equal(h.progress.length, before);
});

test('what changed before the watch was set is found by a scan', async (t) => {
  const h = await watching(t, indexed);
  await writePhoto(h.at('a', '3.png'), 3);
  await start(h);
  await settled(h, 3);
});

test('a drive that goes and comes back is noticed, watched again and scanned', async (t) => {
  const h = await watching(t, indexed);
  await start(h);
  renameSync(h.at(), join(h.folder, 'unplugged'));
  h.timers.pass(5_000);
  await until(() => h.roots[0]?.state === 'offline', 'offline');
  assert.equal(h.watched.size, 0);
  assert.equal(h.index.size, 2);
  await writePhoto(join(h.folder, 'unplugged', '5.png'), 5);
  renameSync(join(h.folder, 'unplugged'), h.at());
  h.timers.pass(5_000);
  await until(() => h.roots[0]?.state === 'online' && h.index.size === 3, 'online and scanned');
  await until(() => {
    h.timers.pass(5_000);
    return h.watched.has(h.at());
  }, 'the new watch');
});

test('an empty mount point is looked at once, not over and over', async (t) => {
  const h = await watching(t, indexed);
  await start(h);
  renameSync(h.at(), join(h.folder, 'unplugged'));
  mkdirSync(h.at());
  writeFileSync(h.at('README.txt'), 'a drive belongs here');
  const scans = (): number => h.progress.filter(({ phase }) => phase === 'scanning').length;
  const before = scans();
  for (let i = 0; i < 10; i++) {
    h.timers.pass(5_000);
    await until(() => h.library.state().phase === 'idle', 'rest');
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
  }
  assert.equal(h.roots[0]?.state, 'offline');
  assert.equal(h.index.size, 2);
  assert.ok(scans() - before <= 2, `${scans() - before} scans`);
});

test('where the system refuses to watch, a notice says so and the folder is scanned from time to time', async (t) => {
  const h = await watching(t, indexed);
  h.refusal = new Error('inotify_add_watch on /photos failed: No space left on device');
  await h.library.setWatching(true);
  await until(() => h.notices.length > 0, 'the notice');
  assert.equal(h.notices[0]?.level, 'warning');
  assert.match(h.notices[0].message, /every ten minutes.*max_user_watches/);
  await writePhoto(h.at('new.png'), 3);
  h.timers.pass(10 * 60_000 + 1_000);
  await settled(h, 3);
});

test('events that the system lost are made up for by a scan', async (t) => {
  const h = await watching(t, indexed);
  await start(h);
  await writePhoto(h.at('new.png'), 3);
  h.watched.get(h.at())?.([], new Error('Events were dropped'));
  h.timers.pass(500);
  await settled(h, 3);
});

test('a root added while watching is watched; a forgotten one and a stopped watch are not', async (t) => {
  const h = await watching(t, () => Promise.resolve());
  await h.library.setWatching(true);
  mkdirSync(h.at('one'));
  mkdirSync(h.at('two'));
  const one = await h.add(h.at('one'));
  await h.add(h.at('two'));
  await until(() => h.watched.size === 2, 'two watches');
  h.library.removeRoot(one);
  await until(() => h.watched.size === 1, 'one watch');
  await h.library.setWatching(false);
  assert.equal(h.watched.size, 0);
});

test('the system itself reports a new photo and a deleted one', async (t) => {
  const h = createHarness(t, {
    timers: {
      after(delayMs, run) {
        const timer = setTimeout(run, Math.min(delayMs, 100));
        return () => clearTimeout(timer);
      },
    },
  });
  await indexed(h);
  const before = h.progress.length;
  await h.library.setWatching(true);
  await until(() => h.progress.slice(before).some(({ phase }) => phase === 'idle'), 'the first scan');
  await writePhoto(h.at('a', 'new.png'), 3);
  await until(() => h.index.size === 3, 'the new photo');
  rmSync(h.at('a', 'new.png'));
  await until(() => h.index.size === 2, 'its end');
});
