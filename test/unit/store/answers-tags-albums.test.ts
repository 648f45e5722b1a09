import assert from 'node:assert/strict';
import test from 'node:test';
import type { AnswerRow, Store } from '../../../main/engine/store/types.ts';
import { file, finished, hashOf, metadata, storeWithModel } from './temporary-library.ts';

const answer = (question: string, at: number): AnswerRow => ({
  question,
  answer: 'a dog',
  sure: true,
  confidence: 0.6,
  answers: [{ answer: 'a dog', probability: 0.6 }],
  packId: 'starter',
  at,
});

function library(t: Parameters<typeof storeWithModel>[0], count: number) {
  const { store, rootId, modelId } = storeWithModel(t);
  const ids = store.photos.add(
    rootId,
    Array.from({ length: count }, (_, i) => file(`p${i + 1}.jpg`)),
  );
  store.photos.commit(
    modelId,
    ids.map((id) => finished(id, { metadata: metadata({ takenAt: id * 1_000 }) })),
    [],
  );
  return { store, rootId, modelId, ids };
}
const found = (store: Store, text: string): number[] =>
  store.words
    .search(text, { limit: 100 })
    .hits.map(({ photoId }) => photoId)
    .sort((a, b) => a - b);

test('answers are kept under bytes, pack and question, oldest first', (t) => {
  const { store, rootId, modelId } = library(t, 2);
  store.answers.put(1, 'pack-a', 'what?', answer('What?', 5));
  store.answers.put(1, 'pack-b', 'what?', answer('What is it?', 3));
  store.answers.put(77, 'pack-b', 'what?', answer('Nobody?', 3));
  assert.deepEqual(store.answers.find(1, 'pack-a', 'what?'), answer('What?', 5));
  assert.equal(store.answers.find(1, 'pack-c', 'what?'), undefined);
  assert.equal(store.answers.find(2, 'pack-a', 'what?'), undefined);
  assert.deepEqual(
    store.answers.history(1).map(({ question }) => question),
    ['What is it?', 'What?'],
  );
  store.photos.remove([1]);
  const [back = 0] = store.photos.add(rootId, [file('back.jpg')]);
  store.photos.commit(modelId, [finished(back, { hash: hashOf(1) })], []);
  assert.equal(store.answers.history(back).length, 2);
  store.photos.commit(modelId, [finished(back, { hash: hashOf(40) })], []);
  assert.deepEqual(store.answers.history(back), [], 'an edited photo may have other answers');
  store.photos.commit(modelId, [finished(back, { hash: hashOf(1) })], []);
  store.answers.forget(back);
  assert.deepEqual(store.answers.history(back), []);
});

test('tags have a name of their own, whatever its case', (t) => {
  const { store } = library(t, 1);
  const dog = store.tags.set({ name: ' Dog ', prompts: ['a dog'] });
  assert.deepEqual(store.tags.list(), [{ id: dog.id, name: 'Dog', prompts: ['a dog'] }]);
  assert.throws(() => store.tags.set({ name: 'DOG', prompts: [] }), { code: 'input-invalid' });
  assert.throws(() => store.tags.set({ name: ' ', prompts: [] }), { code: 'input-invalid' });
  assert.throws(() => store.tags.set({ id: 99, name: 'cat', prompts: [] }), { code: 'not-found' });
  assert.equal(store.tags.set({ id: dog.id, name: 'dog', prompts: [] }).name, 'dog');
});

test('what a photo is tagged with can be found and filtered at once, for the model in use', (t) => {
  const { store, modelId } = library(t, 3);
  const dog = store.tags.set({ name: 'dog', prompts: [] });
  const beach = store.tags.set({ name: 'sandy beach', prompts: [] });
  store.tags.assign(modelId, [
    {
      photoId: 1,
      tags: [
        { tagId: dog.id, probability: 0.7 },
        { tagId: beach.id, probability: 0.9 },
      ],
    },
    {
      photoId: 2,
      tags: [
        { tagId: dog.id, probability: 0.8 },
        { tagId: 99, probability: 0.8 },
      ],
    },
    { photoId: 99, tags: [{ tagId: dog.id, probability: 0.8 }] },
  ]);
  assert.deepEqual(
    store.tags.ofPhoto(modelId, 1).map(({ name }) => name),
    ['sandy beach', 'dog'],
  );
  assert.deepEqual(found(store, 'dogs'), [1, 2]);
  assert.deepEqual(found(store, 'a dog at the beach'), [1]);
  assert.deepEqual(store.photos.filter({ tags: ['Dog', 'sandy BEACH'] }), [1]);
  assert.deepEqual(store.tags.photos(modelId, dog.id), [1, 2]);
  assert.deepEqual(
    [...store.tags.counts(modelId)],
    [
      [dog.id, 2],
      [beach.id, 1],
    ],
  );
  store.tags.set({ id: dog.id, name: 'hound', prompts: [] });
  assert.deepEqual(found(store, 'dog'), []);
  assert.deepEqual(found(store, 'hounds'), [1, 2]);
  const other = store.embeddings.model('fingerprint-b', 'other', 4);
  store.embeddings.setActiveModel(other);
  assert.deepEqual(found(store, 'hound'), [], 'another model has not looked yet');
  assert.deepEqual(store.photos.filter({ tags: ['hound'] }), []);
  store.embeddings.setActiveModel(modelId);
  store.tags.remove(dog.id);
  assert.deepEqual(found(store, 'hound'), []);
  assert.deepEqual(store.words.of(1), { caption: '', tags: ['sandy beach'], name: 'p1.jpg' });
});

test('photos wait for tags until they are looked at, and again when their vector or the list changes', (t) => {
  const { store, modelId } = library(t, 3);
  const dog = store.tags.set({ name: 'dog', prompts: [] });
  assert.deepEqual(store.tags.untagged(modelId, { limit: 2 }), [1, 2]);
  store.tags.assign(
    modelId,
    [1, 2, 3].map((photoId) => ({ photoId, tags: [{ tagId: dog.id, probability: 1 }] })),
  );
  assert.deepEqual(store.tags.untagged(modelId, { limit: 9 }), []);
  store.photos.commit(modelId, [finished(2, { hash: hashOf(30) })], []);
  assert.deepEqual(store.tags.untagged(modelId, { limit: 9 }), [2]);
  store.tags.clear(dog.id);
  assert.deepEqual(store.tags.untagged(modelId, { limit: 9, afterId: 1 }), [2, 3]);
  assert.deepEqual(store.tags.ofPhoto(modelId, 1), []);
});

test('an album holds what was put in, newest first, until it is taken out', (t) => {
  const { store } = library(t, 4);
  const album = store.albums.add({ name: 'Rome', query: null, createdAt: 1 });
  assert.deepEqual([album.kind, album.photos, album.cover], ['plain', 0, null]);
  store.albums.put(album.id, [2, 4, 77]);
  store.albums.put(album.id, [2]);
  assert.deepEqual(store.albums.photos(album.id), [4, 2]);
  assert.equal(store.albums.get(album.id)?.photos, 2);
  assert.deepEqual(store.albums.ofPhoto(4), [{ id: album.id, name: 'Rome' }]);
  assert.deepEqual(store.photos.filter({ albums: ['ROME'] }), [2, 4]);
  assert.equal(store.albums.update(album.id, { cover: 2, name: 'Roma' }).cover, 2);
  assert.equal(store.albums.update(album.id, { cover: 77 }).cover, null);
  store.albums.take(album.id, [4]);
  assert.deepEqual(store.albums.photos(album.id), [2]);
  store.albums.remove(album.id);
  assert.deepEqual(store.albums.list(), []);
  assert.equal(store.photos.counts().total, 4);
  for (const change of [
    () => store.albums.put(9, [1]),
    () => store.albums.take(9, [1]),
    () => store.albums.setFound(9, [1]),
    () => store.albums.update(9, {}),
  ])
    assert.throws(change, { code: 'not-found' });
});

test('a smart album follows its query, but not against what a person decided', (t) => {
  const { store } = library(t, 5);
  const { id } = store.albums.add({ name: 'Dogs', query: { text: 'dog' }, createdAt: 1 });
  assert.equal(store.albums.setFound(id, [1, 2, 3, 77]), true);
  assert.equal(store.albums.setFound(id, [3, 2, 1]), false);
  store.albums.take(id, [2]);
  store.albums.put(id, [5]);
  assert.deepEqual(store.albums.photos(id), [5, 3, 1]);
  assert.equal(store.albums.setFound(id, [2, 4]), true);
  assert.deepEqual(store.albums.photos(id), [5, 4], 'taken out stays out, put in stays in');
  assert.deepEqual(store.photos.filter({ albums: ['dogs'] }), [4, 5]);
  assert.deepEqual(store.albums.ofPhoto(2), []);
  assert.deepEqual(store.albums.get(id)?.query, { text: 'dog' });
  assert.equal(store.albums.get(id)?.photos, 2);
  store.photos.remove([4]);
  assert.deepEqual(store.albums.photos(id), [5]);
});

test('a photo that goes and comes back is in its albums again, one file for one place', (t) => {
  const { store, rootId, modelId } = library(t, 2);
  const { id } = store.albums.add({ name: 'Rome', query: null, createdAt: 1 });
  const [copy = 0] = store.photos.add(rootId, [file('copy.jpg')]);
  store.photos.commitCopy(copy, 1, { bytes: 1, mtimeMs: 1 });
  store.albums.put(id, [1]);
  store.photos.commit(modelId, [finished(1, { hash: hashOf(8) })], []);
  assert.deepEqual(store.albums.photos(id), [1], 'an edit changes no album');
  store.photos.remove([1]);
  assert.deepEqual(store.albums.photos(id), []);
  const [first = 0, second = 0] = store.photos.add(rootId, [file('first.jpg'), file('second.jpg')]);
  store.photos.commit(modelId, [finished(first, { hash: hashOf(8) })], []);
  store.photos.commitCopy(second, first, { bytes: 1, mtimeMs: 1 });
  assert.deepEqual(store.albums.photos(id), [first]);
});
