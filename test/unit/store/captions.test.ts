import assert from 'node:assert/strict';
import test from 'node:test';
import type { ModelCaption, Store } from '../../../main/engine/store/types.ts';
import { file, finished, hashOf, storeWithModel } from './temporary-library.ts';

const said = (photoId: number, text: string, changes: Partial<ModelCaption> = {}): ModelCaption => ({
  photoId,
  packId: 'starter',
  fingerprint: 'captioner-a',
  text,
  sure: true,
  confidence: 0.8,
  at: 10,
  ...changes,
});
const found = (store: Store, text: string): number[] =>
  store.words.search(text, { limit: 100 }).hits.map(({ photoId }) => photoId);

function library(t: Parameters<typeof storeWithModel>[0], names: readonly string[]) {
  const { store, rootId, modelId } = storeWithModel(t);
  const ids = store.photos.add(rootId, names.map(file));
  store.photos.commit(
    modelId,
    ids.map((id) => finished(id)),
    [],
  );
  return { store, rootId, modelId, ids };
}

test('a caption by hand goes before those of models and gives way when it is taken away', (t) => {
  const { store } = library(t, ['a.jpg']);
  assert.equal(store.captions.get(1), undefined);
  store.captions.putModel([said(1, 'a brown dog')]);
  assert.deepEqual(store.captions.get(1), {
    photoId: 1,
    text: 'a brown dog',
    by: 'model',
    sure: true,
    confidence: 0.8,
    packId: 'starter',
    fingerprint: 'captioner-a',
    at: 10,
  });
  store.captions.setHand(1, ' Our Rex ', 20);
  assert.equal(store.captions.get(1)?.text, 'Our Rex');
  assert.equal(store.captions.get(1)?.by, 'hand');
  assert.deepEqual(found(store, 'rex'), [1]);
  assert.deepEqual(found(store, 'dogs'), [], 'the words of a caption that was replaced do not find it');
  store.captions.setHand(1, '', 30);
  assert.equal(store.captions.get(1)?.text, 'a brown dog');
  assert.deepEqual(found(store, 'dogs'), [1]);
  assert.deepEqual(found(store, 'rex'), []);
});

test('captions by hand are listed once for all copies, those of models and empty ones never', (t) => {
  const { store, rootId } = library(t, ['a.jpg', 'b.jpg', 'c.jpg']);
  const [copy] = store.photos.add(rootId, [file('copy of a.jpg')]);
  store.photos.commitCopy(copy ?? 0, 1, { bytes: 1, mtimeMs: 1 });
  store.captions.setHand(copy ?? 0, 'Our Rex', 20);
  store.captions.setHand(2, 'gone again', 20);
  store.captions.setHand(2, '', 30);
  store.captions.putModel([said(3, 'a dog')]);
  assert.deepEqual(store.captions.byHand(), [{ photoId: 1, text: 'Our Rex', at: 20 }]);
});

test('of several models the newest is shown, and each remembers what it said', (t) => {
  const { store } = library(t, ['a.jpg']);
  store.captions.putModel([said(1, 'a dog')]);
  store.captions.putModel([said(1, 'a wolf', { fingerprint: 'captioner-b', at: 11 })]);
  assert.equal(store.captions.get(1)?.text, 'a wolf');
  assert.equal(store.captions.ofModel(1, 'captioner-a')?.text, 'a dog');
  assert.equal(store.captions.ofModel(1, 'captioner-c'), undefined);
});

test('a model that was not sure leaves no words', (t) => {
  const { store } = library(t, ['a.jpg', 'b.jpg']);
  store.captions.putModel([said(1, 'a zebra', { sure: false, confidence: 0.1 })]);
  assert.deepEqual([store.captions.get(1)?.text, store.captions.get(1)?.sure], ['', false]);
  assert.deepEqual(found(store, 'zebra'), []);
  assert.deepEqual(store.captions.counts(), { total: 2, captioned: 1 });
  assert.deepEqual(store.photos.filter({ captioned: true }), []);
  assert.deepEqual(store.captions.without('captioner-a', { limit: 9 }), [2], 'it is not asked again');
});

test('captions follow the bytes to copies, over moves, and back from a removal', (t) => {
  const { store, rootId, modelId } = library(t, ['a.jpg', 'b.jpg']);
  store.captions.setHand(1, 'Gisela', 1);
  store.captions.putModel([said(2, 'a red car')]);
  const [copy = 0] = store.photos.add(rootId, [file('copy of a.jpg')]);
  store.photos.commitCopy(copy, 1, { bytes: 1, mtimeMs: 2 });
  assert.equal(store.captions.get(copy)?.text, 'Gisela');
  assert.deepEqual(found(store, 'gisela').sort(), [1, copy]);
  store.photos.move(2, { rootId, relPath: 'cars/x.jpg', stat: { bytes: 1, mtimeMs: 2 } });
  assert.deepEqual(found(store, 'red car'), [2]);
  store.photos.remove([1, 2, copy]);
  assert.deepEqual(found(store, 'gisela'), []);
  const [back = 0] = store.photos.add(rootId, [file('back.jpg')]);
  store.photos.commit(modelId, [finished(back, { hash: hashOf(1) })], []);
  assert.equal(store.captions.get(back)?.text, 'Gisela');
  assert.deepEqual(found(store, 'gisela'), [back]);
  const [again = 0] = store.photos.add(rootId, [file('again.jpg')]);
  store.photos.commit(modelId, [finished(again, { hash: hashOf(2) })], []);
  assert.equal(store.captions.get(again)?.text, 'a red car');
});

test('an edit of the file keeps the caption by hand and drops that of the model', (t) => {
  const { store, modelId } = library(t, ['a.jpg', 'b.jpg']);
  store.captions.setHand(1, 'Gisela', 1);
  store.captions.putModel([said(2, 'a red car')]);
  store.photos.commit(modelId, [finished(1, { hash: hashOf(91) }), finished(2, { hash: hashOf(92) })], []);
  assert.equal(store.captions.get(1)?.text, 'Gisela');
  assert.deepEqual(found(store, 'gisela'), [1]);
  assert.equal(store.captions.get(2), undefined);
  assert.deepEqual(found(store, 'car'), []);
  store.captions.setHand(1, '', 5);
  store.photos.commit(modelId, [finished(1)], []);
  assert.equal(store.captions.get(1), undefined, 'undoing the edit does not bring the caption back');
});

test('a caption by hand outlives a state of the file that cannot be read', (t) => {
  const { store, modelId } = library(t, ['a.jpg']);
  store.captions.setHand(1, 'Gisela', 1);
  const error = { code: 'image-broken', message: 'It is cut short.' } as const;
  store.photos.commit(modelId, [], [{ photoId: 1, hash: null, stat: { bytes: 1, mtimeMs: 1 }, error }]);
  assert.deepEqual(found(store, 'gisela'), [], 'what cannot be shown is not found');
  assert.equal(store.captions.get(1)?.text, 'Gisela');
  store.photos.commit(modelId, [finished(1, { hash: hashOf(50) })], []);
  assert.equal(store.captions.get(1)?.text, 'Gisela');
  assert.deepEqual(found(store, 'gisela'), [1]);
});

test('a caption of bytes that the file no longer has waits for them', (t) => {
  const { store, modelId } = library(t, ['a.jpg']);
  store.photos.commit(modelId, [finished(1, { hash: hashOf(60) })], []);
  store.captions.putModel([said(1, 'as it was', { hash: hashOf(1) })]);
  assert.equal(store.captions.get(1), undefined);
  store.photos.commit(modelId, [finished(1)], []);
  assert.equal(store.captions.get(1)?.text, 'as it was');
});

test('a run is told which photos still want a caption', (t) => {
  const { store } = library(t, ['a.jpg', 'b.jpg', 'c.jpg', 'd.jpg']);
  store.captions.setHand(1, 'mine', 1);
  store.captions.putModel([
    said(2, 'a dog'),
    said(3, 'a cat', { fingerprint: 'captioner-b' }),
    said(999, 'x'),
  ]);
  assert.deepEqual(store.captions.without('captioner-a', { limit: 9 }), [3, 4]);
  assert.deepEqual(store.captions.without('captioner-a', { limit: 9, afterId: 3 }), [4]);
  assert.equal(store.captions.countWithout('captioner-a'), 2);
  store.roots.setOnline(1, false);
  assert.deepEqual(store.captions.without('captioner-a', { limit: 9 }), []);
  assert.deepEqual(store.captions.counts(), { total: 4, captioned: 3 });
  assert.deepEqual(store.photos.filter({ captioned: true }), [1, 2, 3]);
  assert.deepEqual(store.photos.filter({ captioned: false }), [4]);
});

test('a photo that is not there cannot be captioned', (t) => {
  const { store } = library(t, ['a.jpg']);
  assert.throws(() => store.captions.setHand(77, 'x', 1), { code: 'not-found' });
  assert.equal(store.words.generation(), 0);
});

test('captions change what words find, and leave vectors and graphs alone', (t) => {
  const { store } = library(t, ['a.jpg']);
  const before = { graph: store.embeddings.generation(), words: store.words.generation() };
  store.captions.putModel([said(1, 'a dog')]);
  store.captions.setHand(1, 'Rex', 2);
  assert.equal(store.embeddings.generation(), before.graph);
  assert.equal(store.words.generation(), before.words + 2);
});
