import assert from 'node:assert/strict';
import test from 'node:test';
import { file, finished, now, storeWithModel, temporaryStore } from './temporary-library.ts';

test('roots are added, listed and refused a second time', (t) => {
  const { store } = temporaryStore(t);
  const root = store.roots.add('/photos', 5);
  assert.deepEqual(root, { id: root.id, path: '/photos', addedAt: 5, online: true, lastScanAt: null });
  assert.throws(() => store.roots.add('/photos', 6), { code: 'root-invalid' });
  store.roots.setScanned(root.id, 77);
  store.roots.setOnline(root.id, false);
  assert.deepEqual(store.roots.list(), [{ ...root, online: false, lastScanAt: 77 }]);
  assert.equal(store.roots.get(root.id + 1), undefined);
});

test('only a real change of being at hand raises the generation', (t) => {
  const { store } = temporaryStore(t);
  const root = store.roots.add('/photos', now());
  const generation = store.embeddings.generation();
  store.roots.setOnline(root.id, true);
  assert.equal(store.embeddings.generation(), generation);
  store.roots.setOnline(root.id, false);
  assert.equal(store.embeddings.generation(), generation + 1);
});

test('removing a root forgets its photos and tells which', (t) => {
  const { store, rootId, modelId } = storeWithModel(t);
  const kept = store.roots.add('/kept', now());
  const ids = store.photos.add(rootId, [file('a.jpg'), file('b.jpg')]);
  const [other] = store.photos.add(kept.id, [file('a.jpg')]);
  const generation = store.photos.commit(
    modelId,
    [...ids, other!].map((id) => finished(id)),
    [],
  );
  assert.deepEqual(store.roots.remove(rootId), ids);
  assert.deepEqual(store.embeddings.changesSince(modelId, generation)!.removed, ids);
  assert.deepEqual([...store.embeddings.all(modelId).ids], [other]);
  assert.deepEqual(
    store.roots.list().map((root) => root.id),
    [kept.id],
  );
});

test('counts are per root', (t) => {
  const { store, rootId, modelId } = storeWithModel(t);
  const [a, b] = store.photos.add(rootId, [file('a.jpg'), file('b.jpg')]);
  const error = { code: 'image-broken', message: 'It is broken.' } as const;
  store.photos.commit(
    modelId,
    [finished(a!)],
    [{ photoId: b!, hash: null, stat: { bytes: 1, mtimeMs: 1 }, error }],
  );
  assert.deepEqual([...store.roots.counts()], [[rootId, { photos: 2, failed: 1 }]]);
});

test('a parent root adopts the photos of a child, vectors and all, and keeps the better of two rows', (t) => {
  const { store, rootId: child, modelId } = storeWithModel(t);
  const parent = store.roots.add('/', now());
  const [a, b, c] = store.photos.add(child, [file('a.jpg'), file('Öl/b.jpg'), file('c.jpg')]);
  store.photos.commit(modelId, [finished(a!), finished(b!)], []);
  const [parentA, parentC] = store.photos.add(parent.id, [file('photos/a.jpg'), file('photos/c.jpg')]);
  const generation = store.photos.commit(modelId, [finished(parentC!)], []);
  store.roots.adopt(parent.id, child, 'photos');
  assert.deepEqual(
    store.photos.files(parent.id).map((photo) => [photo.id, photo.relPath]),
    [
      [a, 'photos/a.jpg'],
      [b, 'photos/Öl/b.jpg'],
      [parentC, 'photos/c.jpg'],
    ],
  );
  assert.deepEqual(
    store.embeddings.changesSince(modelId, generation)!.removed.toSorted((x, y) => x - y),
    [c, parentA],
  );
  assert.deepEqual(store.photos.filter({ in: ['photos/öl'] }), [b]);
  assert.deepEqual(
    store.roots.list().map((root) => root.id),
    [parent.id],
  );
});
