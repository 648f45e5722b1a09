import assert from 'node:assert/strict';
import test from 'node:test';
import type { PhotoFilter } from '../../../main/engine/store/types.ts';
import { dims, file, finished, hashOf, metadata, now, storeWithModel } from './temporary-library.ts';

const broken = { code: 'image-broken', message: 'a.jpg is cut short.' } as const;

test('a file that a scan adds is pending, and reads back as the disk spells it', (t) => {
  const { store, rootId } = storeWithModel(t);
  const nfd = 'e\u0301te\u0301/a.jpg';
  const [id] = store.photos.add(rootId, [{ relPath: nfd, bytes: 7, mtimeMs: 12.25 }]);
  assert.deepEqual(store.photos.get(id!), {
    id,
    rootId,
    relPath: nfd,
    bytes: 7,
    mtimeMs: 12.25,
    hash: null,
    status: 'pending',
    error: null,
    deaths: 0,
    metadata: null,
  });
  assert.deepEqual(store.photos.files(rootId), [
    { id, relPath: nfd, bytes: 7, mtimeMs: 12.25, hash: null, status: 'pending' },
  ]);
  assert.deepEqual(store.photos.counts(), { total: 1, indexed: 0, failed: 0, pending: 1 });
});

test('adding a file that is known gives its id again instead of a second photo', (t) => {
  const { store, rootId } = storeWithModel(t);
  const first = store.photos.add(rootId, [file('a.jpg'), file('b.jpg')]);
  assert.deepEqual(store.photos.add(rootId, [file('b.jpg'), file('a.jpg')]), first.toReversed());
  assert.equal(store.photos.counts().total, 2);
});

test('a commit writes metadata, vector and thumbnail of its photos and the reason of its failures', (t) => {
  const { store, rootId, modelId } = storeWithModel(t);
  const [a, b] = store.photos.add(rootId, [file('a.jpg'), file('b.jpg')]);
  const details = metadata({
    takenAt: 5_000,
    camera: 'X100',
    latitude: -33.5,
    iso: 200,
    exposureSeconds: 0.004,
  });
  const before = store.embeddings.generation();
  const generation = store.photos.commit(
    modelId,
    [finished(a!, { metadata: details, thumbnail: Uint8Array.of(1, 2, 3) })],
    [
      {
        photoId: b!,
        hash: null,
        stat: { bytes: 9, mtimeMs: 9.5 },
        error: { ...broken, details: { path: 'b.jpg' } },
      },
    ],
  );
  assert.ok(generation > before);
  assert.equal(store.embeddings.generation(), generation);
  const row = store.photos.get(a!)!;
  assert.deepEqual(row.metadata, details);
  assert.equal(row.status, 'indexed');
  assert.equal(row.hash, hashOf(a!));
  assert.deepEqual(store.embeddings.get(modelId, a!), finished(a!).vector);
  assert.deepEqual(store.thumbnails.get(a!), Buffer.of(1, 2, 3));
  const failures = store.photos.failures({ offset: 0, limit: 10 });
  assert.equal(failures.total, 1);
  assert.deepEqual(failures.rows[0]!.error, { ...broken, details: { path: 'b.jpg' } });
  assert.equal(failures.rows[0]!.mtimeMs, 9.5);
});

test('a commit with one vector of the wrong size writes nothing at all', (t) => {
  const { store, rootId, modelId } = storeWithModel(t);
  const ids = store.photos.add(rootId, [file('a.jpg'), file('b.jpg')]);
  const generation = store.embeddings.generation();
  const batch = [finished(ids[0]!), finished(ids[1]!, { vector: new Float32Array(dims + 1) })];
  assert.throws(() => store.photos.commit(modelId, batch, []), { code: 'internal' });
  assert.throws(
    () => store.photos.commit(modelId, [finished(ids[0]!, { vector: Float32Array.of(NaN, 0, 0, 0) })], []),
    { code: 'internal' },
  );
  assert.equal(store.embeddings.count(modelId), 0);
  assert.equal(store.photos.counts().pending, 2);
  assert.equal(store.embeddings.generation(), generation);
});

test('a photo that was removed while it was being worked on is left out of the commit', (t) => {
  const { store, rootId, modelId } = storeWithModel(t);
  const [a, b] = store.photos.add(rootId, [file('a.jpg'), file('b.jpg')]);
  store.photos.remove([a!]);
  const error = { photoId: a!, hash: null, stat: { bytes: 1, mtimeMs: 1 }, error: broken };
  store.photos.commit(modelId, [finished(a!), finished(b!)], [error]);
  assert.equal(store.photos.get(a!), undefined);
  assert.equal(store.embeddings.count(modelId), 1);
});

test('a changed file is pending while its old vector and place in the timeline stay', (t) => {
  const { store, rootId, modelId } = storeWithModel(t);
  const [a] = store.photos.add(rootId, [file('a.jpg')]);
  store.photos.commit(modelId, [finished(a!)], []);
  store.photos.markChanged([{ id: a!, stat: { bytes: 2, mtimeMs: 2 } }]);
  assert.equal(store.photos.get(a!)!.status, 'pending');
  assert.equal(store.embeddings.count(modelId), 1);
  assert.deepEqual(store.photos.timeline().ids, [a]);
  store.photos.touch(a!, { bytes: 2, mtimeMs: 3 });
  assert.equal(store.photos.get(a!)!.status, 'indexed', 'the bytes proved to be the old ones');
});

test('a photo that fails after a change loses vector and metadata, and comes back after a retry', (t) => {
  const { store, rootId, modelId } = storeWithModel(t);
  const [a] = store.photos.add(rootId, [file('a.jpg')]);
  const first = store.photos.commit(modelId, [finished(a!)], []);
  store.photos.commit(
    modelId,
    [],
    [{ photoId: a!, hash: hashOf(99), stat: { bytes: 3, mtimeMs: 3 }, error: broken }],
  );
  assert.equal(store.photos.get(a!)!.metadata, null);
  assert.deepEqual(store.photos.timeline().ids, []);
  assert.deepEqual(store.embeddings.changesSince(modelId, first)!.removed, [a]);
  assert.equal(store.photos.requeue(), 1);
  assert.equal(store.photos.get(a!)!.error, null);
  store.photos.commit(modelId, [finished(a!)], []);
  const changes = store.embeddings.changesSince(modelId, first)!;
  assert.deepEqual([[...changes.upserted.ids], changes.removed], [[a], []]);
});

test('new bytes take the vectors of other models along, and those models are offered the photo again', (t) => {
  const { store, rootId, modelId } = storeWithModel(t);
  const [a] = store.photos.add(rootId, [file('a.jpg')]);
  store.photos.commit(modelId, [finished(a!)], []);
  const other = store.embeddings.model('fingerprint-b', 'better', 2);
  assert.deepEqual(
    store.photos.withoutVector(other, { limit: 5 }).map((row) => row.id),
    [a],
  );
  store.embeddings.put(other, [{ photoId: a!, vector: Float32Array.of(1, 0) }]);
  assert.deepEqual(store.photos.withoutVector(other, { limit: 5 }), []);
  store.photos.commit(modelId, [finished(a!)], []);
  assert.equal(store.embeddings.count(other), 1, 'the same bytes keep it');
  store.photos.commit(modelId, [finished(a!, { hash: hashOf(77) })], []);
  assert.equal(store.embeddings.count(other), 0);
  assert.deepEqual(
    store.photos.withoutVector(other, { limit: 5 }).map((row) => row.id),
    [a],
  );
});

test('a move changes path and root only', (t) => {
  const { store, rootId, modelId } = storeWithModel(t);
  const other = store.roots.add('/more', now());
  const [a] = store.photos.add(rootId, [file('a.jpg')]);
  store.photos.commit(modelId, [finished(a!)], []);
  const before = store.photos.get(a!)!;
  store.photos.move(a!, { rootId: other.id, relPath: 'New/Ä.jpg', stat: { bytes: 101, mtimeMs: 55 } });
  assert.deepEqual(store.photos.get(a!), {
    ...before,
    rootId: other.id,
    relPath: 'New/Ä.jpg',
    bytes: 101,
    mtimeMs: 55,
  });
  assert.equal(store.embeddings.count(modelId), 1);
  assert.deepEqual(store.photos.filter({ in: ['new/ä'] }), [a]);
});

test('a copy takes metadata, vectors of every model and the thumbnail of its original', (t) => {
  const { store, rootId, modelId } = storeWithModel(t);
  const [a, b] = store.photos.add(rootId, [file('a.jpg'), file('copy.jpg')]);
  store.photos.commit(
    modelId,
    [finished(a!, { metadata: metadata({ camera: 'M6' }), thumbnail: Uint8Array.of(5) })],
    [],
  );
  const other = store.embeddings.model('fingerprint-b', 'better', 2);
  store.embeddings.put(other, [{ photoId: a!, vector: Float32Array.of(0, 1) }]);
  const generation = store.photos.commitCopy(b!, a!, { bytes: 101, mtimeMs: 8 });
  const row = store.photos.get(b!)!;
  assert.deepEqual(
    [row.status, row.metadata?.camera, row.hash, row.mtimeMs],
    ['indexed', 'M6', hashOf(a!), 8],
  );
  assert.deepEqual(store.embeddings.get(modelId, b!), store.embeddings.get(modelId, a!));
  assert.deepEqual(store.embeddings.get(other, b!), Float32Array.of(0, 1));
  assert.deepEqual(store.thumbnails.get(b!), Buffer.of(5));
  assert.deepEqual([...store.embeddings.changesSince(modelId, generation - 1)!.upserted.ids], [b]);
  assert.deepEqual(
    store.photos.byHash(hashOf(a!)).map((photo) => photo.id),
    [a, b],
  );
  const duplicates = store.photos.duplicates({ offset: 0, limit: 10 });
  assert.deepEqual(
    [duplicates.total, duplicates.groups.map((group) => group.map((photo) => photo.id))],
    [1, [[a, b]]],
  );
});

test('a copy of a photo that is gone or was never indexed is refused, and nothing changes', (t) => {
  const { store, rootId } = storeWithModel(t);
  const [a, b] = store.photos.add(rootId, [file('a.jpg'), file('copy.jpg')]);
  const generation = store.embeddings.generation();
  for (const from of [a!, 999])
    assert.throws(() => store.photos.commitCopy(b!, from, { bytes: 1, mtimeMs: 1 }), { code: 'not-found' });
  assert.equal(store.photos.get(b!)!.status, 'pending');
  assert.equal(store.embeddings.generation(), generation);
});

test('pending photos come in order, page by page, and only from folders that are at hand', (t) => {
  const { store, rootId } = storeWithModel(t);
  const away = store.roots.add('/usb', now());
  const here = store.photos.add(rootId, [file('1.jpg'), file('2.jpg'), file('3.jpg')]);
  const there = store.photos.add(away.id, [file('4.jpg')]);
  const ids = (options: Parameters<typeof store.photos.pending>[0]): number[] =>
    store.photos.pending(options).map((row) => row.id);
  assert.deepEqual(ids({ limit: 2 }), here.slice(0, 2));
  assert.deepEqual(ids({ limit: 9, afterId: here[1]! }), [here[2], ...there]);
  assert.deepEqual(ids({ limit: 9, rootIds: [away.id] }), there);
  store.roots.setOnline(away.id, false);
  assert.deepEqual(ids({ limit: 9 }), here);
});

test('deaths are counted, and forgotten when the photo is tried again or succeeds', (t) => {
  const { store, rootId, modelId } = storeWithModel(t);
  const [a] = store.photos.add(rootId, [file('a.jpg')]);
  assert.equal(store.photos.addDeath(a!), 1);
  assert.equal(store.photos.addDeath(a!), 2);
  store.photos.commit(
    modelId,
    [],
    [{ photoId: a!, hash: null, stat: { bytes: 1, mtimeMs: 1 }, error: broken }],
  );
  assert.equal(store.photos.requeue([a!, 999]), 1);
  assert.equal(store.photos.get(a!)!.deaths, 0);
  store.photos.addDeath(a!);
  store.photos.commit(modelId, [finished(a!)], []);
  assert.equal(store.photos.get(a!)!.deaths, 0);
});

test('the timeline is newest first, by the camera’s clock and else the file’s', (t) => {
  const { store, rootId, modelId } = storeWithModel(t);
  const [a, b, c] = store.photos.add(rootId, [file('a.jpg'), file('b.jpg'), file('c.jpg')]);
  store.photos.commit(
    modelId,
    [
      finished(a!, { metadata: metadata({ takenAt: 50 }), stat: { bytes: 1, mtimeMs: 9_000 } }),
      finished(b!, { metadata: metadata({ width: 10, height: 20 }), stat: { bytes: 1, mtimeMs: 300.5 } }),
    ],
    [],
  );
  assert.deepEqual(store.photos.timeline(), {
    ids: [b, a],
    widths: [10, 640],
    heights: [20, 480],
    takenAt: [300.5, 50],
  });
  assert.equal(store.photos.get(c!)!.status, 'pending');
});

test('filters match folders, cameras and formats in any case and script, dates half-open', (t) => {
  const { store, rootId, modelId } = storeWithModel(t);
  const paths = ['Été 2019/Straße.jpg', 'ΟΔΟΣ/img_1.png', 'été 2020/100%_b.heic', 'plain.jpg'];
  const [a, b, c, d] = store.photos.add(rootId, paths.map(file));
  const photo = (id: number, takenAt: number | null, camera: string | null, format: string) =>
    finished(id, { metadata: metadata({ takenAt, camera, format }) });
  store.photos.commit(
    modelId,
    [
      photo(a!, 10, 'NIKON D90', 'jpeg'),
      photo(b!, 20, 'Canon EOS', 'png'),
      photo(c!, 30, 'nikon z6', 'heif'),
      photo(d!, 40, null, 'jpeg'),
    ],
    [],
  );
  const filter = (by: PhotoFilter): number[] => store.photos.filter(by);
  assert.deepEqual(filter({}), [a, b, c, d]);
  assert.deepEqual(filter({ in: ['ÉTÉ'] }), [a, c]);
  assert.deepEqual(filter({ in: ['e\u0301te\u0301'] }), [a, c], 'decomposed text finds composed paths');
  assert.deepEqual(filter({ in: ['STRASSE'] }), [a]);
  assert.deepEqual(filter({ in: ['οδοσ'] }), [b]);
  assert.deepEqual(filter({ in: ['0%_'] }), [c], 'no character is a wildcard');
  assert.deepEqual(filter({ in: ['photos', 'été', '2020'] }), [c], 'the root’s own folders count');
  assert.deepEqual(filter({ after: 20, before: 40 }), [b, c]);
  assert.deepEqual(filter({ camera: ['nikon', 'eos'] }), [a, b, c]);
  assert.deepEqual(filter({ formats: ['JPG', 'heic'] }), [a, c, d]);
  assert.deepEqual(filter({ rootIds: [] }), []);
  assert.deepEqual(filter({ offline: true }), []);
  store.roots.setOnline(rootId, false);
  assert.deepEqual(filter({ offline: true, in: ['plain'] }), [d]);
});

test('removing photos takes everything they own, thumbnails included, and raises the generation once', (t) => {
  const { store, rootId, modelId } = storeWithModel(t);
  const [a, b] = store.photos.add(rootId, [file('a.jpg'), file('b.jpg')]);
  const generation = store.photos.commit(
    modelId,
    [a!, b!].map((id) => finished(id, { thumbnail: Uint8Array.of(id) })),
    [],
  );
  store.photos.remove([a!, 12_345]);
  assert.equal(store.embeddings.generation(), generation + 1);
  assert.equal(store.embeddings.count(modelId), 1);
  assert.deepEqual(store.embeddings.changesSince(modelId, generation)!.removed, [a]);
  const [again] = store.photos.add(rootId, [file('a.jpg')]);
  assert.notEqual(again, a, 'an id never comes back');
  assert.deepEqual(store.thumbnails.get(b!), Buffer.of(b!));
  store.photos.remove([]);
  assert.equal(store.embeddings.generation(), generation + 1, 'removing nothing changes nothing');
});
