import assert from 'node:assert/strict';
import {
  copyFileSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import type { IndexProgress } from '../../../main/contract.ts';
import { createHarness, fakeEmbedder, setTime, until, vectorOf, writePhoto } from './harness.ts';

test('a first run indexes every photo and puts its vector, metadata and thumbnail in the store', async (t) => {
  const h = createHarness(t);
  for (let i = 0; i < 20; i++) await writePhoto(h.at(`${i % 3}`, `${i}.png`), i);
  const rootId = await h.add();
  const report = await h.library.run();
  assert.deepEqual(
    [report.photos, report.indexed, report.unchanged, report.moved, report.removed, report.failed],
    [20, 20, 0, 0, 0, []],
  );
  assert.ok(report.seconds >= 0 && report.imagesPerSecond > 0);
  assert.equal(h.embedder.inferences, 20);
  assert.equal(h.index.size, 20);
  const [row] = h.store.photos.pending({ limit: 1 });
  assert.equal(row, undefined);
  for (const { id } of h.store.photos.files(rootId)) {
    assert.deepEqual(h.store.embeddings.get(h.modelId, id), h.index.get(id));
    assert.equal(h.store.photos.get(id)?.metadata?.format, 'png');
    assert.ok((h.store.thumbnails.get(id)?.length ?? 0) > 0);
  }
  assert.ok(Math.max(...h.embedder.batches) === 8, 'photos travel in whole batches');
});

test('each photo gets the vector of its own pixels', async (t) => {
  const h = createHarness(t);
  for (let i = 0; i < 30; i++) await writePhoto(h.at(`${i}.png`), i);
  const rootId = await h.add();
  await h.library.run();
  for (const { id, relPath } of h.store.photos.files(rootId)) {
    const { pixels } = await h.decoder.decode(
      { path: h.at(relPath) },
      { spec: h.embedder.imageSpec, thumbnail: false },
    );
    assert.deepEqual(h.index.get(id), vectorOf(pixels), relPath);
  }
});

test('a second run over unchanged photos reads none of them', async (t) => {
  const h = createHarness(t);
  for (let i = 0; i < 5; i++) await writePhoto(h.at(`${i}.png`), i);
  await h.add();
  await h.library.run();
  h.decoder.decoded = [];
  const report = await h.library.run();
  assert.deepEqual([report.indexed, report.unchanged], [0, 5]);
  assert.deepEqual(h.decoder.decoded, []);
});

test('renamed, moved, touched, swapped and copied files cost no inference and keep their photos', async (t) => {
  const h = createHarness(t);
  for (const [i, name] of ['a', 'b', 'c', 'd', 'e'].entries()) {
    await writePhoto(h.at(`${name}.png`), i);
    await setTime(h.at(`${name}.png`), i);
  }
  const rootId = await h.add();
  await h.library.run();
  const id = (relPath: string): number | undefined =>
    h.store.photos.files(rootId).find((file) => file.relPath === relPath)?.id;
  const before = { a: id('a.png'), b: id('b.png'), c: id('c.png'), d: id('d.png') };
  h.embedder.inferences = 0;

  mkdirSync(h.at('sub'));
  renameSync(h.at('a.png'), h.at('sub', 'renamed.png'));
  await setTime(h.at('b.png'), 100);
  renameSync(h.at('c.png'), h.at('tmp'));
  renameSync(h.at('d.png'), h.at('c.png'));
  renameSync(h.at('tmp'), h.at('d.png'));
  copyFileSync(h.at('e.png'), h.at('copy.png'));
  const report = await h.library.run();
  assert.deepEqual(
    [report.photos, report.indexed, report.unchanged, report.moved, report.removed],
    [6, 1, 2, 3, 0],
  );
  assert.equal(h.embedder.inferences, 0);
  assert.deepEqual({ a: id('sub/renamed.png'), b: id('b.png'), c: id('d.png'), d: id('c.png') }, before);
  const [e, copy] = [id('e.png') ?? 0, id('copy.png') ?? 0];
  assert.deepEqual(h.index.get(copy), h.index.get(e));
  assert.deepEqual(await h.library.run().then(({ unchanged, moved }) => [unchanged, moved]), [6, 0]);
});

test('an edited photo is embedded afresh under its id; a deleted one leaves', async (t) => {
  const h = createHarness(t);
  await writePhoto(h.at('a.png'), 1);
  await writePhoto(h.at('b.png'), 2);
  const rootId = await h.add();
  await h.library.run();
  const old = new Map(h.index);
  await writePhoto(h.at('a.png'), 3);
  await setTime(h.at('a.png'), 50);
  rmSync(h.at('b.png'));
  const report = await h.library.run();
  assert.deepEqual([report.photos, report.indexed, report.removed], [1, 1, 1]);
  const [only] = h.store.photos.files(rootId);
  assert.ok(only !== undefined && old.has(only.id));
  assert.notDeepEqual(h.index.get(only.id), old.get(only.id));
  assert.equal(h.index.size, 1);
});

test('a photo moved between two roots keeps its id, whichever of them is scanned', async (t) => {
  const h = createHarness(t);
  await writePhoto(h.at('one', 'a.png'), 1);
  mkdirSync(h.at('two'));
  const one = await h.add(h.at('one'));
  const two = await h.add(h.at('two'));
  await h.library.run();
  const [before] = h.store.photos.files(one);
  h.embedder.inferences = 0;
  renameSync(h.at('one', 'a.png'), h.at('two', 'a.png'));
  const report = await h.library.run({ rootIds: [two] });
  assert.deepEqual([report.photos, report.moved, report.indexed], [1, 1, 0]);
  assert.equal(h.store.photos.files(two)[0]?.id, before?.id);
  assert.deepEqual(h.store.photos.files(one), []);
  renameSync(h.at('two', 'a.png'), h.at('one', 'b.png'));
  await h.library.run();
  assert.equal(h.store.photos.files(one)[0]?.id, before?.id);
  assert.equal(h.embedder.inferences, 0);
  assert.equal(h.index.size, 1);
});

test('the same bytes found twice in one run go through inference once', async (t) => {
  const h = createHarness(t);
  await writePhoto(h.at('a.png'), 1);
  for (let i = 0; i < 50; i++) copyFileSync(h.at('a.png'), h.at(`copy${i}.png`));
  await h.add();
  const report = await h.library.run();
  assert.deepEqual([report.indexed, h.embedder.inferences, h.index.size], [51, 1, 51]);
});

test('never more photos are decoded ahead than the look-ahead allows', async (t) => {
  const h = createHarness(t);
  for (let i = 0; i < 120; i++) await writePhoto(h.at(`${i}.png`), i);
  let held = 0;
  let most = 0;
  h.decoder.before = () => {
    held += 1;
    most = Math.max(most, held);
  };
  h.embedder.before = async (pixels) => {
    // A slow model: decoding could run far ahead.
    for (let turn = 0; turn < 200; turn++) await new Promise((resolve) => setImmediate(resolve));
    held -= pixels.length;
  };
  await h.add();
  await h.library.run();
  assert.ok(most <= 32, `${most} photos were held at once`);
  assert.ok(most > 16, `only ${most} were: decoding does not run ahead`);
});

test('pause lets the photos in flight finish, and resume goes on to the end', async (t) => {
  const h = createHarness(t);
  for (let i = 0; i < 100; i++) await writePhoto(h.at(`${i}.png`), i);
  await h.add();
  h.decoder.before = () => {
    if (h.decoder.decoded.length === 10) h.library.pause();
  };
  const running = h.library.run();
  await until(() => h.library.state().phase === 'paused' && h.decoder.inFlight === 0, 'the pause');
  await until(() => h.store.photos.counts().indexed === h.decoder.decoded.length, 'what was in flight');
  const { indexed } = h.store.photos.counts();
  assert.ok(indexed >= 10 && indexed <= 60, `${indexed} were finished`);
  assert.equal(h.library.state().secondsLeft, null);
  h.decoder.before = () => undefined;
  h.library.resume();
  assert.equal((await running).indexed, 100);
  assert.equal(h.library.state().phase, 'idle');
});

test('a run without work ends even while paused', async (t) => {
  const h = createHarness(t);
  await h.add();
  h.library.pause();
  assert.equal((await h.library.run()).photos, 0);
});

test('progress counts up to a total, with a rate and the time left', async (t) => {
  let clock = 0;
  const h = createHarness(t, { now: () => (clock += 40) });
  for (let i = 0; i < 40; i++) await writePhoto(h.at(`${i}.png`), i);
  writeFileSync(h.at('broken.png'), 'not a picture');
  const seen: IndexProgress[] = [];
  await h.add();
  const report = await h.library.run({ onProgress: (progress) => seen.push(progress) });
  const phases = seen.map(({ phase }) => phase).filter((phase, i, all) => phase !== all[i - 1]);
  assert.deepEqual(phases.slice(0, 3), ['scanning', 'indexing', 'finishing']);
  const indexing = seen.filter(({ phase }) => phase === 'indexing');
  assert.ok(indexing.length > 3);
  assert.ok(indexing.every(({ total }) => total === 41));
  assert.ok(indexing.slice(1).every(({ done }, i) => done >= (indexing[i]?.done ?? 0)));
  const last = indexing.at(-1);
  assert.ok(last !== undefined && last.imagesPerSecond > 0 && last.secondsLeft !== null);
  // The damaged file may be told of only after the last step of `indexing` that was not thinned out.
  assert.equal(seen.findLast(({ phase }) => phase === 'finishing')?.failed, 1);
  assert.equal(report.failed.length, 1);
  await until(() => h.progress.at(-1)?.phase === 'idle', 'the end');
});

test('an aborted run stops after what is in flight, and the next one finishes the job', async (t) => {
  const h = createHarness(t);
  for (let i = 0; i < 60; i++) await writePhoto(h.at(`${i}.png`), i);
  await h.add();
  const controller = new AbortController();
  h.decoder.before = () => {
    if (h.decoder.decoded.length === 20) controller.abort();
  };
  await assert.rejects(h.library.run({ signal: controller.signal }), { code: 'cancelled' });
  const { indexed, pending, failed } = h.store.photos.counts();
  assert.ok(indexed < 60);
  assert.deepEqual([indexed + pending, failed], [60, 0]);
  h.decoder.before = () => undefined;
  const report = await h.library.run();
  assert.equal(report.indexed, 60 - indexed);
  assert.equal(h.index.size, 60);
});

test('who asks during a run joins it: further roots become part of it, and all get one report', async (t) => {
  const h = createHarness(t);
  for (let i = 0; i < 30; i++) await writePhoto(h.at('one', `${i}.png`), i);
  for (let i = 0; i < 10; i++) await writePhoto(h.at('two', `${i}.png`), 100 + i);
  const one = await h.add(h.at('one'));
  let second: Promise<unknown> | undefined;
  h.decoder.before = async () => {
    if (second !== undefined || h.decoder.decoded.length < 5) return;
    second = h.library.addRoot(h.at('two')).then(({ root }) => h.library.run({ rootIds: [root.id] }));
    await Promise.resolve();
  };
  const report = await h.library.run({ rootIds: [one] });
  assert.deepEqual([report.photos, report.indexed], [40, 40]);
  assert.equal(await second, report);
});

test('one of two callers may leave without stopping the run for the other', async (t) => {
  const h = createHarness(t);
  for (let i = 0; i < 40; i++) await writePhoto(h.at(`${i}.png`), i);
  await h.add();
  const controller = new AbortController();
  const leaving = h.library.run({ signal: controller.signal });
  const staying = h.library.run();
  h.decoder.before = () => {
    if (h.decoder.decoded.length === 5) controller.abort();
  };
  await assert.rejects(leaving, { code: 'cancelled' });
  assert.equal((await staying).indexed, 40);
});

test('closing ends a run with engine-stopped and leaves the rest pending', async (t) => {
  const h = createHarness(t);
  for (let i = 0; i < 60; i++) await writePhoto(h.at(`${i}.png`), i);
  await h.add();
  const running = assert.rejects(h.library.run(), { code: 'engine-stopped' });
  await until(() => h.decoder.decoded.length > 3, 'some photos');
  await h.library.close();
  await running;
  const { indexed, pending } = h.store.photos.counts();
  assert.equal(indexed + pending, 60);
  await assert.rejects(h.library.run(), { code: 'engine-stopped' });
});

test('without a pack the photos are found, and the run says what is missing', async (t) => {
  const h = createHarness(t, { model: () => undefined });
  await writePhoto(h.at('a.png'), 1);
  await h.add();
  await assert.rejects(h.library.run(), { code: 'pack-missing' });
  assert.equal(h.store.photos.counts().pending, 1);
});

test('an empty folder is a run of nothing', async (t) => {
  const h = createHarness(t);
  await h.add();
  const report = await h.library.run();
  assert.deepEqual([report.photos, report.indexed, report.imagesPerSecond], [0, 0, 0]);
});

test('another pack embeds beside the first, takes up where it left off, and leaves the first alone', async (t) => {
  const h = createHarness(t);
  for (let i = 0; i < 30; i++) await writePhoto(h.at(`${i}.png`), i);
  copyFileSync(h.at('0.png'), h.at('copy.png'));
  await h.add();
  await h.library.run();
  const other = fakeEmbedder('other');
  const modelId = h.store.embeddings.model('other', 'other', other.dims);
  const controller = new AbortController();
  other.before = () => {
    if (other.inferences >= 8) controller.abort();
  };
  const model = { modelId, embedder: other };
  await assert.rejects(h.library.embedMissing({ model, signal: controller.signal }), { code: 'cancelled' });
  const done = h.store.embeddings.count(modelId);
  assert.ok(done >= 8 && done < 31);
  other.before = () => undefined;
  rmSync(h.at('29.png'));
  const seen: number[] = [];
  const report = await h.library.embedMissing({ model, onProgress: ({ done: n }) => seen.push(n) });
  assert.equal(report.embedded, 30 - done);
  assert.deepEqual(
    report.failed.map(({ path, code }) => [path, code]),
    [[h.at('29.png'), 'file-vanished']],
  );
  assert.ok(other.inferences <= 31);
  assert.equal(h.store.embeddings.activeModel()?.modelId, h.modelId);
  assert.equal(h.store.photos.counts().indexed, 31);
  assert.equal(seen.at(-1), 31 - done);
});

test('an evicted thumbnail is made again from the photo, once for all who ask', async (t) => {
  const h = createHarness(t);
  await writePhoto(h.at('a.png'), 1);
  const rootId = await h.add();
  await h.library.run();
  const id = h.store.photos.files(rootId)[0]?.id ?? 0;
  const first = await h.library.thumbnail(id);
  h.store.thumbnails.trim(0);
  assert.equal(h.store.thumbnails.get(id), undefined);
  h.decoder.decoded = [];
  const [one, two] = await Promise.all([h.library.thumbnail(id), h.library.thumbnail(id)]);
  assert.deepEqual([Buffer.from(one), Buffer.from(two)], [Buffer.from(first), Buffer.from(first)]);
  assert.deepEqual(h.decoder.decoded, [h.at('a.png')]);
  assert.ok(h.store.thumbnails.get(id));
  h.store.thumbnails.trim(0);
  renameSync(h.at('a.png'), h.at('b.png'));
  await assert.rejects(h.library.thumbnail(id), { code: 'file-vanished' });
  renameSync(h.at(), join(h.folder, 'elsewhere'));
  await assert.rejects(h.library.thumbnail(id), { code: 'root-offline' });
  await assert.rejects(h.library.thumbnail(9_999), { code: 'not-found' });
});

test('a run trims the thumbnails to the size that is set', async (t) => {
  const h = createHarness(t, { thumbnailsMaxBytes: () => 0 });
  await writePhoto(h.at('a.png'), 1);
  const rootId = await h.add();
  await h.library.run();
  assert.equal(h.store.thumbnails.get(h.store.photos.files(rootId)[0]?.id ?? 0), undefined);
});

test('a photo is located inside its root only', async (t) => {
  const h = createHarness(t);
  await writePhoto(h.at('a.png'), 1);
  await writePhoto(join(h.folder, 'outside.png'), 2);
  const rootId = await h.add();
  await h.library.run();
  const id = h.store.photos.files(rootId)[0]?.id ?? 0;
  assert.equal((await h.library.locate(id)).path, h.at('a.png'));
  rmSync(h.at('a.png'));
  symlinkSync(join(h.folder, 'outside.png'), h.at('a.png'));
  await assert.rejects(h.library.locate(id), { code: 'permission-denied' });
  assert.ok(readFileSync(join(h.folder, 'outside.png')).length > 0);
});
