import assert from 'node:assert/strict';
import { join } from 'node:path';
import test from 'node:test';
import Database from 'better-sqlite3';
import { openConnection } from '../../../main/engine/store/connection.ts';
import { createHistory } from '../../../main/engine/store/history.ts';
import { openStore } from '../../../main/engine/store/store.ts';
import { dims, file, finished, now, storeWithModel, temporaryFolder } from './temporary-library.ts';

test('a model is known by its fingerprint and refused with other dimensions', (t) => {
  const { store, modelId } = storeWithModel(t);
  assert.equal(store.embeddings.model('fingerprint-a', 'starter', dims), modelId);
  assert.throws(() => store.embeddings.model('fingerprint-a', 'starter', dims + 1), { code: 'pack-invalid' });
  assert.deepEqual(store.embeddings.activeModel(), {
    modelId,
    fingerprint: 'fingerprint-a',
    packId: 'starter',
    dims,
    base: null,
  });
  assert.throws(() => store.embeddings.setActiveModel(99), { code: 'not-found' });
});

test('all vectors come in id order in a buffer of their own', (t) => {
  const { store, rootId, modelId } = storeWithModel(t);
  const ids = store.photos.add(rootId, ['a', 'b', 'c', 'd', 'e'].map(file));
  store.photos.commit(
    modelId,
    ids.toReversed().map((id) => finished(id)),
    [],
  );
  const all = store.embeddings.all(modelId);
  assert.deepEqual([...all.ids], ids);
  assert.equal(all.data.buffer.byteLength, ids.length * dims * 4);
  for (const [row, id] of ids.entries())
    assert.deepEqual(all.data.subarray(row * dims, (row + 1) * dims), finished(id).vector);
  assert.equal(store.embeddings.get(modelId, 999), undefined);
});

test('vectors come in pages, too, one after the other', (t) => {
  const { store, rootId, modelId } = storeWithModel(t);
  const ids = store.photos.add(rootId, ['a', 'b', 'c'].map(file));
  store.photos.commit(
    modelId,
    ids.map((id) => finished(id)),
    [],
  );
  const first = store.embeddings.page(modelId, { limit: 2 });
  assert.deepEqual([...first.ids], ids.slice(0, 2));
  const rest = store.embeddings.page(modelId, { limit: 2, afterId: ids[1]! });
  assert.deepEqual([...rest.ids], ids.slice(2));
  assert.deepEqual(rest.data, finished(ids[2]!).vector);
  assert.deepEqual([...store.embeddings.page(modelId, { limit: 2, afterId: ids[2]! }).ids], []);
});

test('models do not mix, and dropping one leaves the other', (t) => {
  const { store, rootId, modelId } = storeWithModel(t);
  const ids = store.photos.add(rootId, ['a', 'b'].map(file));
  store.photos.commit(
    modelId,
    ids.map((id) => finished(id)),
    [],
  );
  const other = store.embeddings.model('fingerprint-b', 'better', 2);
  store.embeddings.put(other, [{ photoId: ids[1]!, vector: Float32Array.of(0, 1) }]);
  assert.deepEqual([...store.embeddings.all(other).data], [0, 1]);
  assert.equal(store.embeddings.count(modelId), 2);
  store.snapshots.write(modelId, { generation: 1, count: 1, dims }, [Uint8Array.of(1)]);
  store.embeddings.drop(modelId);
  assert.equal(store.embeddings.activeModel(), undefined);
  assert.equal(store.snapshots.info(modelId), undefined);
  assert.equal(store.embeddings.count(other), 1);
  assert.notEqual(store.embeddings.model('fingerprint-a', 'starter', dims), modelId);
});

test('a vector for a photo that is gone is left out', (t) => {
  const { store, rootId, modelId } = storeWithModel(t);
  const [a] = store.photos.add(rootId, [file('a')]);
  store.embeddings.put(modelId, [
    { photoId: a!, vector: finished(a!).vector },
    { photoId: 999, vector: finished(a!).vector },
  ]);
  assert.deepEqual([...store.embeddings.all(modelId).ids], [a]);
});

test('changes since a generation are told until the history is too old', (t) => {
  const directory = temporaryFolder(t);
  const { db } = openConnection({ path: join(directory, 'library.db'), readOnly: false, now });
  t.after(() => db.close());
  const history = createHistory(db, 10);
  for (let i = 0; i < 12; i += 1) history.recordRemovals(history.bump(), [i]);
  assert.equal(history.generation(), 12);
  assert.deepEqual(history.removedSince(10), [10, 11]);
  assert.deepEqual(history.removedSince(2), [2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
  assert.equal(history.removedSince(1), undefined);
  assert.equal(history.removedSince(13), undefined, 'a generation from the future');
});

test('a vector of a wrong length in the file is library-damaged, not a wrong answer', (t) => {
  const { store, rootId, modelId, directory } = storeWithModel(t);
  const [a] = store.photos.add(rootId, [file('a')]);
  store.photos.commit(modelId, [finished(a!)], []);
  store.close();
  const raw = new Database(join(directory, 'library.db'));
  raw.exec(`UPDATE embeddings SET vector = x'0011'`);
  raw.close();
  const again = openStore({ directory, now });
  t.after(() => again.close());
  assert.throws(() => again.embeddings.all(modelId), { code: 'library-damaged' });
  assert.throws(() => again.embeddings.get(modelId, a!), { code: 'library-damaged' });
});
