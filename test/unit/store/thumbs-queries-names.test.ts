import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import type { Store } from '../../../main/engine/store/types.ts';
import { file, finished, hashOf, storeWithModel } from './temporary-library.ts';

/** Photos 1 to `count`, indexed. */
function library(t: TestContext, count: number): { store: Store; rootId: number; modelId: number } {
  const { store, rootId, modelId } = storeWithModel(t);
  const ids = store.photos.add(
    rootId,
    Array.from({ length: count }, (_, at) => file(`p${at + 1}.jpg`)),
  );
  store.photos.commit(
    modelId,
    ids.map((id) => finished(id)),
    [],
  );
  return { store, rootId, modelId };
}

const failure = (photoId: number, hash: string | null) => ({
  photoId,
  hash,
  stat: { bytes: 1, mtimeMs: 1 },
  error: { code: 'image-broken' as const, message: 'It is broken.' },
});

test('one thumb counts for a photo and a query, however the query is typed', (t) => {
  const { store } = library(t, 3);
  store.feedback.set(1, ' My  Dog ', 'up', 5);
  store.feedback.set(1, 'my dog', 'down', 6);
  store.feedback.set(2, 'MY DOG', 'up', 7);
  store.feedback.set(2, 'cat', 'up', 8);
  assert.deepEqual(
    store.feedback.of('my\tdog', [1, 2, 3, 99]),
    new Map([
      [1, 'down'],
      [2, 'up'],
    ]),
  );
  assert.deepEqual(store.feedback.counts(), { up: 2, down: 1 });
  assert.deepEqual(store.feedback.list({ offset: 0, limit: 2 }), [
    { photoId: 2, text: 'cat', vote: 'up', at: 8 },
    { photoId: 2, text: 'MY DOG', vote: 'up', at: 7 },
  ]);
  assert.deepEqual(store.feedback.list({ offset: 2, limit: 2 }), [
    { photoId: 1, text: 'my dog', vote: 'down', at: 6 },
  ]);
  store.feedback.set(2, 'cat', null, 9);
  assert.deepEqual(store.feedback.of('cat', [2]), new Map());
  assert.deepEqual(store.feedback.counts(), { up: 1, down: 1 });
  store.feedback.clear();
  assert.deepEqual(store.feedback.list({ offset: 0, limit: 9 }), []);
  assert.throws(() => store.feedback.set(99, 'dog', 'up', 1), { code: 'not-found' });
  assert.throws(() => store.feedback.set(1, ' ', 'up', 1), { code: 'input-invalid' });
});

test('a photo that was never read cannot be judged', (t) => {
  const { store, rootId } = library(t, 1);
  const [unread = 0] = store.photos.add(rootId, [file('unread.jpg')]);
  assert.throws(() => store.feedback.set(unread, 'dog', 'up', 1), { code: 'not-found' });
});

test('thumbs and names are of the bytes: copies share them, and they wait for a photo to come back', (t) => {
  const { store, rootId, modelId } = library(t, 2);
  const { id } = store.names.add({ name: 'Rex', kind: null, createdAt: 1 });
  store.names.put(id, [1, 2]);
  store.feedback.set(1, 'dog', 'up', 1);
  const [copy = 0] = store.photos.add(rootId, [file('copy.jpg')]);
  store.photos.commitCopy(copy, 1, { bytes: 1, mtimeMs: 1 });
  assert.deepEqual(
    store.feedback.of('dog', [1, copy]),
    new Map([
      [1, 'up'],
      [copy, 'up'],
    ] as const),
  );
  assert.deepEqual(store.feedback.counts(), { up: 1, down: 0 }, 'copies count once');
  assert.deepEqual(store.names.photos(id), [1, 2], 'copies are there once');
  assert.equal(store.names.get(id)?.photos, 2);
  assert.deepEqual(
    store.names.ofPhoto(copy).map(({ name }) => name),
    ['Rex'],
  );
  store.photos.remove([1, copy]);
  assert.deepEqual(store.feedback.counts(), { up: 0, down: 0 });
  assert.deepEqual(store.feedback.list({ offset: 0, limit: 9 }), []);
  assert.deepEqual(store.names.photos(id), [2]);
  const [back = 0] = store.photos.add(rootId, [file('back.jpg')]);
  store.photos.commit(modelId, [finished(back, { hash: hashOf(1) })], []);
  assert.deepEqual(store.feedback.list({ offset: 0, limit: 9 }), [
    { photoId: back, text: 'dog', vote: 'up', at: 1 },
  ]);
  assert.deepEqual(store.names.photos(id), [2, back]);
  assert.equal(store.names.get(id)?.photos, 2);
});

test('an edit keeps thumbs and names, over a state in between that cannot be read too', (t) => {
  const { store, modelId } = library(t, 1);
  const { id } = store.names.add({ name: 'Rex', kind: 'dog', createdAt: 1 });
  store.names.put(id, [1]);
  store.feedback.set(1, 'dog', 'up', 1);
  store.photos.commit(modelId, [], [failure(1, hashOf(70))]);
  assert.deepEqual(store.names.photos(id), []);
  assert.equal(store.names.get(id)?.photos, 0);
  assert.deepEqual(store.feedback.counts(), { up: 0, down: 0 });
  store.photos.commit(modelId, [finished(1, { hash: hashOf(71) })], []);
  assert.deepEqual(store.names.photos(id), [1]);
  assert.deepEqual(store.feedback.of('dog', [1]), new Map([[1, 'up']]));
  assert.deepEqual(store.feedback.counts(), { up: 1, down: 0 }, 'the old bytes are nobody’s');
});

test('what was taken back after an edit stays so when the edit is undone', (t) => {
  const { store, modelId } = library(t, 1);
  const { id } = store.names.add({ name: 'Rex', kind: null, createdAt: 1 });
  store.names.put(id, [1]);
  store.feedback.set(1, 'dog', 'up', 1);
  store.photos.commit(modelId, [finished(1, { hash: hashOf(71) })], []);
  store.feedback.set(1, 'dog', null, 2);
  store.names.take(id, [1]);
  store.photos.commit(modelId, [finished(1, { hash: hashOf(1) })], []);
  assert.deepEqual(store.feedback.of('dog', [1]), new Map());
  assert.deepEqual(store.names.photos(id), []);
  store.names.put(id, [1]);
  assert.deepEqual(store.names.photos(id), [1]);
});

test('names are told apart without case and spaces, and each change of them is counted', (t) => {
  const { store } = library(t, 2);
  const before = store.words.generation();
  const rex = store.names.add({ name: ' Rex ', kind: 'dog', createdAt: 3 });
  assert.deepEqual(rex, { id: rex.id, name: 'Rex', kind: 'dog', photos: 0, createdAt: 3 });
  assert.throws(() => store.names.add({ name: 'REX', kind: null, createdAt: 4 }), { code: 'input-invalid' });
  const straße = store.names.add({ name: 'Straße', kind: null, createdAt: 4 });
  assert.equal(store.names.find('STRASSE')?.id, straße.id);
  assert.throws(() => store.names.update(straße.id, { name: 'rex' }), { code: 'input-invalid' });
  assert.equal(store.names.update(straße.id, { name: 'STRASSE' }).name, 'STRASSE', 'spelt anew');
  assert.deepEqual(store.names.update(rex.id, { kind: null }), { ...rex, kind: null });
  assert.deepEqual(
    store.names.list().map(({ name }) => name),
    ['Rex', 'STRASSE'],
  );
  store.names.put(rex.id, [2, 1, 2, 99]);
  assert.deepEqual(store.names.photos(rex.id), [1, 2]);
  store.names.take(rex.id, [1]);
  assert.deepEqual(store.names.ofPhoto(1), []);
  store.names.remove(rex.id);
  assert.equal(store.names.get(rex.id), undefined);
  assert.deepEqual(store.names.ofPhoto(2), []);
  assert.equal(store.words.generation(), before + 7);
  for (const change of [
    () => store.names.put(rex.id, [1]),
    () => store.names.take(rex.id, [1]),
    () => store.names.update(rex.id, {}),
  ])
    assert.throws(change, { code: 'not-found' });
});

test('the 500 latest queries are kept, each once', (t) => {
  const { store } = library(t, 0);
  for (let at = 1; at <= 510; at += 1) store.queries.remember(`query ${at}`, at);
  store.queries.remember('QUERY  11', 600);
  store.queries.remember('   ', 601);
  assert.deepEqual(store.queries.list(2), [
    { text: 'QUERY  11', at: 600, times: 2 },
    { text: 'query 510', at: 510, times: 1 },
  ]);
  const all = store.queries.list(1_000);
  assert.equal(all.length, 500);
  assert.equal(all.at(-1)?.text, 'query 12', 'the oldest went, the one asked again stayed');
  store.queries.forget('query 11 ');
  assert.equal(store.queries.list(1)[0]?.text, 'query 510');
  store.queries.forget();
  assert.deepEqual(store.queries.list(9), []);
});
