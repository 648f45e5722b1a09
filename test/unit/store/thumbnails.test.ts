import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { openStore } from '../../../main/engine/store/store.ts';
import { file, finished, hashOf, now, storeWithModel } from './temporary-library.ts';

const picture = (n: number, size = 1_000): Uint8Array => new Uint8Array(size).fill(n);

test('trimming drops the least recently used until the rest fits', (t) => {
  const { store, rootId, modelId } = storeWithModel(t);
  const ids = store.photos.add(rootId, ['a', 'b', 'c', 'd'].map(file));
  store.photos.commit(
    modelId,
    ids.map((id) => finished(id, { thumbnail: picture(id) })),
    [],
  );
  store.thumbnails.get(ids[0]!);
  store.thumbnails.trim(2_500);
  assert.deepEqual(
    ids.map((id) => store.thumbnails.get(id) !== undefined),
    [true, false, false, true],
  );
});

test('trimming gives the space back to the disk', (t) => {
  const { store, rootId, modelId } = storeWithModel(t);
  const ids = store.photos.add(
    rootId,
    Array.from({ length: 60 }, (_, n) => file(`${n}`)),
  );
  store.photos.commit(
    modelId,
    ids.map((id) => finished(id, { thumbnail: picture(id, 50_000) })),
    [],
  );
  store.thumbnails.trim(0);
  store.close();
  assert.ok(store.sizes().thumbnails < 200_000, `${store.sizes().thumbnails} bytes left`);
});

test('the order of use survives closing', (t) => {
  const { store, directory, rootId, modelId } = storeWithModel(t);
  const ids = store.photos.add(rootId, ['a', 'b'].map(file));
  store.photos.commit(
    modelId,
    ids.map((id) => finished(id, { thumbnail: picture(id) })),
    [],
  );
  store.thumbnails.get(ids[0]!);
  store.close();
  const again = openStore({ directory, now });
  t.after(() => again.close());
  again.thumbnails.trim(1_000);
  assert.notEqual(again.thumbnails.get(ids[0]!), undefined);
  assert.equal(again.thumbnails.get(ids[1]!), undefined);
});

test('a photo with new bytes never shows its old picture', (t) => {
  const { store, rootId, modelId } = storeWithModel(t);
  const [a] = store.photos.add(rootId, [file('a')]);
  store.photos.commit(modelId, [finished(a!, { thumbnail: picture(1) })], []);
  store.photos.commit(modelId, [finished(a!, { hash: hashOf(50) })], []);
  assert.equal(store.thumbnails.get(a!), undefined);
  store.thumbnails.put([{ photoId: a!, webp: picture(2) }]);
  assert.equal(store.thumbnails.get(a!)?.[0], 2);
});

test('the picture of removed photos goes with the last of them', (t) => {
  const { store, rootId, modelId } = storeWithModel(t);
  const [a, b] = store.photos.add(rootId, [file('a'), file('b')]);
  store.photos.commit(modelId, [finished(a!, { thumbnail: picture(1) })], []);
  store.photos.commitCopy(b!, a!, { bytes: 1, mtimeMs: 1 });
  store.photos.remove([a!]);
  assert.notEqual(store.thumbnails.get(b!), undefined);
  store.roots.remove(rootId);
  const other = store.roots.add('/other', now());
  const [c] = store.photos.add(other.id, [file('c')]);
  store.photos.commit(modelId, [finished(c!, { hash: hashOf(a!) })], []);
  assert.equal(store.thumbnails.get(c!), undefined);
});

test('a damaged thumbnail file is started afresh and costs nothing else', (t) => {
  const { store, directory, rootId, modelId } = storeWithModel(t);
  const [a] = store.photos.add(rootId, [file('a')]);
  store.photos.commit(modelId, [finished(a!, { thumbnail: picture(1) })], []);
  store.close();
  writeFileSync(join(directory, 'thumbnails.db'), 'these are not the bytes of a database'.repeat(50));
  const again = openStore({ directory, now });
  t.after(() => again.close());
  assert.equal(again.thumbnails.get(a!), undefined);
  again.thumbnails.put([{ photoId: a!, webp: picture(3) }]);
  assert.equal(again.thumbnails.get(a!)?.[0], 3);
  assert.equal(again.photos.counts().indexed, 1);
});
