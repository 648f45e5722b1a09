import assert from 'node:assert/strict';
import { appendFileSync, chmodSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import test from 'node:test';
import { AppError } from '../../../main/errors.ts';
import { createHarness, setTime, until, writePhoto, type Harness } from './harness.ts';
import { unprivileged } from './unprivileged.ts';

async function fill(h: Harness, count: number): Promise<number> {
  for (let i = 0; i < count; i++) await writePhoto(h.at(`${String(i).padStart(2, '0')}.png`), i);
  return h.add();
}
const died = (): AppError => new AppError('worker-died', 'The worker process ended.');

/** Dies over the photos named, and with it everything that is being decoded at that moment. */
function killer(h: Harness, isKiller: (name: string) => boolean): { deaths: () => number } {
  let deaths = 0;
  const company = new Set<(error: AppError) => void>();
  h.decoder.before = async (name) => {
    let fall: (error: AppError) => void = () => undefined;
    const fallen = new Promise<never>((_, reject) => (fall = reject));
    company.add(fall);
    try {
      const turns = new Promise<void>((resolve) => setImmediate(() => setImmediate(resolve)));
      await Promise.race([turns, fallen]);
      if (!isKiller(name)) return;
      deaths += 1;
      for (const other of company) other(died());
      await fallen;
    } finally {
      company.delete(fall);
    }
  };
  return { deaths: () => deaths };
}

test('a damaged photo is recorded with its reason, and retrying it once it is mended indexes it', async (t) => {
  const h = createHarness(t);
  const rootId = await fill(h, 4);
  writeFileSync(h.at('02.png'), 'not a picture');
  const report = await h.library.run();
  assert.equal(report.indexed, 3);
  assert.deepEqual(
    report.failed.map(({ path, code }) => [path, code]),
    [[h.at('02.png'), 'image-broken']],
  );
  const { total, failures } = h.library.failures({ offset: 0, limit: 10 });
  assert.equal(total, 1);
  assert.match(failures[0]?.message ?? '', /02\.png.*damaged/);
  assert.equal(h.library.roots()[0]?.failed, 1);
  assert.deepEqual((await h.library.run()).failed, [], 'an unchanged failure is not tried again by itself');

  assert.deepEqual(h.library.retry(), { queued: 1 });
  assert.equal((await h.library.run()).failed.length, 1);
  await writePhoto(h.at('02.png'), 2);
  assert.equal((await h.library.run()).indexed, 1);
  assert.equal(
    h.store.photos.files(rootId).every(({ status }) => status === 'indexed'),
    true,
  );
});

test('a photo that was found before and broke since can be found no more', async (t) => {
  const h = createHarness(t);
  await fill(h, 2);
  await h.library.run();
  writeFileSync(h.at('00.png'), 'broken now');
  assert.equal((await h.library.run()).failed.length, 1);
  assert.equal(h.index.size, 1);
});

test('of photos in flight when a decoder died, only the one that kills it twice is left alone', async (t) => {
  const h = createHarness(t);
  await fill(h, 30);
  const { deaths } = killer(h, (name) => name.endsWith('13.png'));
  const report = await h.library.run();
  assert.equal(report.indexed, 29);
  assert.deepEqual(
    report.failed.map(({ path, code }) => [basename(path), code]),
    [['13.png', 'photo-quarantined']],
  );
  assert.match(report.failed[0]?.message ?? '', /Retry it from the list of failures/);
  assert.ok(deaths() <= 3, `${deaths()} deaths`);
  h.decoder.before = () => undefined;
  h.library.retry();
  assert.equal((await h.library.run()).indexed, 1);
});

test('a photo that kills the vision worker is found among its batch', async (t) => {
  const h = createHarness(t);
  await fill(h, 30);
  let culprit: string | undefined;
  h.embedder.before = (pixels) => {
    culprit ??= String(pixels[3]);
    if (pixels.some((one) => String(one) === culprit)) throw died();
  };
  const report = await h.library.run();
  assert.equal(report.indexed, 29);
  assert.deepEqual(
    report.failed.map(({ code }) => code),
    ['photo-quarantined'],
  );
});

test('a vision worker that dies over everything ends the run and blames no photo', async (t) => {
  const h = createHarness(t);
  await fill(h, 12);
  h.embedder.before = () => {
    throw died();
  };
  await assert.rejects(h.library.run(), { code: 'worker-died' });
  assert.deepEqual(h.store.photos.counts(), { total: 12, indexed: 0, failed: 0, pending: 12 });
  h.embedder.before = () => undefined;
  assert.equal((await h.library.run()).indexed, 12);
});

test('a decoder that dies over everything ends the run and blames no photo', async (t) => {
  const h = createHarness(t);
  await fill(h, 12);
  killer(h, () => true);
  await assert.rejects(h.library.run(), { code: 'worker-died' });
  assert.equal(h.store.photos.counts().pending, 12);
  h.decoder.before = () => undefined;
  assert.equal((await h.library.run()).indexed, 12);
});

test('a photo blamed for a death in an earlier run is tried by itself', async (t) => {
  const h = createHarness(t);
  const rootId = await fill(h, 20);
  h.library.pause();
  const running = h.library.run();
  await until(() => h.store.photos.counts().pending === 20, 'the scan');
  const suspect = h.store.photos.files(rootId).find(({ relPath }) => relPath === '10.png')?.id ?? 0;
  h.store.photos.addDeath(suspect);
  let company = -1;
  h.decoder.before = (name) => {
    if (name.endsWith('10.png')) company = h.decoder.inFlight - 1;
  };
  h.library.resume();
  assert.equal((await running).indexed, 20);
  assert.equal(company, 0);
});

test('a file that changes while it is read is read once more, and then waits for the next run', async (t) => {
  const h = createHarness(t);
  await fill(h, 3);
  let changes = 0;
  h.decoder.before = async (name) => {
    if (!name.endsWith('01.png')) return;
    changes += 1;
    await setTime(name, changes);
  };
  const report = await h.library.run();
  assert.equal(changes, 2);
  assert.deepEqual(
    report.failed.map(({ code }) => code),
    ['file-changed'],
  );
  h.decoder.before = async (name) => {
    if (name.endsWith('01.png') && changes === 2) {
      changes += 1;
      await writePhoto(name, 77);
      await setTime(name, changes);
    }
  };
  assert.deepEqual((await h.library.run()).failed, []);
  assert.equal(changes, 3);
  assert.deepEqual((await h.library.run()).unchanged, 3);
});

test('a file that is still being written is taken up when it is whole', async (t) => {
  const h = createHarness(t);
  await fill(h, 2);
  writeFileSync(h.at('slow.png'), Buffer.alloc(10));
  await h.library.run();
  await writePhoto(h.at('slow.png'), 9);
  assert.equal((await h.library.run()).indexed, 1);
});

test('a file that vanishes during the run leaves it; one that was renamed meanwhile is followed', async (t) => {
  const h = createHarness(t);
  const rootId = await fill(h, 10);
  h.decoder.before = (name) => {
    if (name.endsWith('04.png')) rmSync(h.at('04.png'), { force: true });
    if (name.endsWith('07.png')) renameSync(h.at('07.png'), h.at('renamed.png'));
  };
  const report = await h.library.run();
  assert.deepEqual([report.photos, report.indexed, report.failed], [9, 9, []]);
  const names = h.store.photos.files(rootId).map(({ relPath }) => relPath);
  assert.ok(names.includes('renamed.png') && !names.includes('04.png') && !names.includes('07.png'));
});

test('a root that goes during the run is offline, and its photos wait for it', async (t) => {
  const h = createHarness(t);
  for (let i = 0; i < 20; i++) await writePhoto(h.at('usb', `${i}.png`), i);
  for (let i = 0; i < 20; i++) await writePhoto(h.at('home', `${i}.png`), 100 + i);
  const usb = await h.add(h.at('usb'));
  await h.add(h.at('home'));
  h.decoder.before = () => {
    if (h.decoder.decoded.length === 6) renameSync(h.at('usb'), join(h.folder, 'unplugged'));
  };
  const report = await h.library.run();
  assert.deepEqual(report.failed, []);
  assert.equal(h.store.roots.get(usb)?.online, false);
  assert.equal(h.roots.find(({ id }) => id === usb)?.state, 'offline');
  const { indexed, pending, total } = h.store.photos.counts();
  assert.deepEqual([total, indexed + pending], [40, 40]);
  assert.ok(pending > 0);
  renameSync(join(h.folder, 'unplugged'), h.at('usb'));
  assert.equal((await h.library.run()).indexed, pending);
  assert.equal(h.store.roots.get(usb)?.online, true);
});

test('a full disk ends the run with nothing half-written, and the next one goes on', async (t) => {
  const h = createHarness(t);
  const rootId = await fill(h, 30);
  const commit = h.store.photos.commit.bind(h.store.photos);
  let commits = 0;
  h.store.photos.commit = (...batch) => {
    commits += 1;
    if (commits === 2) throw new AppError('disk-full', 'The library cannot grow: the disk is full.');
    return commit(...batch);
  };
  await assert.rejects(h.library.run(), { code: 'disk-full' });
  const { indexed, pending, failed } = h.store.photos.counts();
  assert.deepEqual([indexed + pending, failed], [30, 0]);
  assert.equal(h.index.size, indexed);
  for (const { id, status } of h.store.photos.files(rootId))
    assert.equal(h.store.embeddings.get(h.modelId, id) !== undefined, status === 'indexed');
  assert.equal((await h.library.run()).indexed, pending);
});

test(
  'a photo that may not be read is reported, and is tried again by the next run',
  { skip: process.platform === 'win32' },
  async (t) => {
    const h = createHarness(t);
    await fill(h, 3);
    chmodSync(h.at('01.png'), 0o000);
    const report = await unprivileged([h.folder, h.at()], () => h.library.run());
    assert.deepEqual(
      report.failed.map(({ path, code }) => [basename(path), code]),
      [['01.png', 'permission-denied']],
    );
    chmodSync(h.at('01.png'), 0o644);
    assert.equal((await h.library.run()).indexed, 1);
  },
);

test(
  'photos in a folder that cannot be read are not taken for deleted',
  { skip: process.platform === 'win32' },
  async (t) => {
    const h = createHarness(t);
    await writePhoto(h.at('a.png'), 1);
    await writePhoto(h.at('closed', 'b.png'), 2);
    await h.add();
    await h.library.run();
    chmodSync(h.at('closed'), 0o000);
    const report = await unprivileged([h.folder, h.at()], () => h.library.run());
    chmodSync(h.at('closed'), 0o755);
    assert.deepEqual([report.photos, report.removed], [2, 0]);
    assert.deepEqual(
      report.failed.map(({ path, code }) => [path, code]),
      [[h.at('closed'), 'permission-denied']],
    );
  },
);

test('forgetting a folder in the middle of its run leaves nothing of it behind', async (t) => {
  const h = createHarness(t);
  const rootId = await fill(h, 30);
  h.decoder.before = () => {
    if (h.decoder.decoded.length === 12 && h.store.roots.get(rootId) !== undefined)
      h.library.removeRoot(rootId);
  };
  const report = await h.library.run();
  assert.deepEqual([report.photos, report.failed], [0, []]);
  assert.equal(h.store.photos.counts().total, 0);
  assert.equal(h.index.size, 0);
});

test('a file appended to after the scan is indexed as it is now', async (t) => {
  const h = createHarness(t);
  await fill(h, 3);
  h.library.pause();
  const running = h.library.run();
  await until(() => h.store.photos.counts().pending === 3, 'the scan');
  appendFileSync(h.at('01.png'), 'trailing bytes');
  h.library.resume();
  assert.equal((await running).indexed, 3);
  assert.equal((await h.library.run()).unchanged, 3);
});

test('a folder in the place of the root that is not the root is offline, not an empty library', async (t) => {
  const h = createHarness(t);
  const rootId = await fill(h, 3);
  await h.library.run();
  renameSync(h.at(), join(h.folder, 'unmounted'));
  mkdirSync(h.at());
  const report = await h.library.run();
  assert.deepEqual([report.photos, report.removed], [3, 0]);
  assert.equal(h.store.roots.get(rootId)?.online, false);
  writeFileSync(h.at('README.txt'), 'the mount point of a drive');
  assert.equal((await h.library.run()).removed, 0);
  rmSync(h.at(), { recursive: true });
  renameSync(join(h.folder, 'unmounted'), h.at());
  assert.equal((await h.library.run()).unchanged, 3);
  assert.equal(h.store.roots.get(rootId)?.online, true);
});

test('a folder that a person emptied is empty, not offline', async (t) => {
  const h = createHarness(t);
  const rootId = await fill(h, 3);
  await h.library.run();
  for (const name of ['00.png', '01.png', '02.png']) rmSync(h.at(name));
  assert.equal((await h.library.run()).removed, 3);
  assert.equal(h.store.roots.get(rootId)?.online, true);
  assert.equal(h.index.size, 0);
});
