import assert from 'node:assert/strict';
import test from 'node:test';
import { nameWords, splitName } from '../../../main/engine/store/word-text.ts';
import type { Store } from '../../../main/engine/store/types.ts';
import { file, finished, storeWithModel } from './temporary-library.ts';

/** A library whose photos have these names and captions by hand, ids from 1. */
function library(t: Parameters<typeof storeWithModel>[0], photos: readonly (readonly [string, string?])[]) {
  const { store, rootId, modelId } = storeWithModel(t);
  const ids = store.photos.add(
    rootId,
    photos.map(([name]) => file(name)),
  );
  store.photos.commit(
    modelId,
    ids.map((id) => finished(id)),
    [],
  );
  photos.forEach(([, caption], i) => {
    if (caption !== undefined) store.captions.setHand(i + 1, caption, i);
  });
  return { store, rootId, modelId };
}
const found = (store: Store, text: string): number[] =>
  store.words
    .search(text, { limit: 100 })
    .hits.map(({ photoId }) => photoId)
    .sort((a, b) => a - b);

test('words are found by stem, without case and accents', (t) => {
  const { store } = library(t, [
    ['1.jpg', 'Running dogs at the Café Zürich'],
    ['2.jpg', 'ÉTÉ à la plage'],
  ]);
  for (const query of ['dog', 'RUN', 'cafe', 'zurich', 'the dog in a photo', 'ｄｏｇ'])
    assert.deepEqual(found(store, query), [1], query);
  assert.deepEqual(found(store, 'ete plage'), [2]);
  assert.deepEqual(found(store, 'cat'), []);
});

test('Chinese and Japanese are found by their characters', (t) => {
  const { store } = library(t, [
    ['1.jpg', '一只红色的狗在雪地里'],
    ['2.jpg', '红叶与白雪'],
    ['狗.jpg', '犬とさくら'],
  ]);
  assert.deepEqual(found(store, '红色的狗'), [1]);
  assert.deepEqual(found(store, '雪地'), [1]);
  assert.deepEqual(found(store, '狗'), [1, 3]);
  assert.deepEqual(found(store, '雪 红'), [1, 2]);
  assert.deepEqual(found(store, 'さくら'), [3]);
  assert.deepEqual(store.words.phrase('白雪'), [2]);
  assert.deepEqual(store.words.phrase('雪白'), []);
});

test('common words and words for the photo itself find nothing', (t) => {
  const { store } = library(t, [
    ['1.jpg', 'a photo of the dog'],
    ['2.jpg', 'the picture'],
  ]);
  for (const query of ['', 'the', 'a photo of', 'picture', '照片', '...'])
    assert.deepEqual(store.words.search(query, { limit: 9 }), { terms: 0, weight: 0, hits: [] }, query);
});

test('a photo must hold all words, or the rare ones', (t) => {
  const { store } = library(t, [
    ['1.jpg', 'Gisela at the beach'],
    ['2.jpg', 'Gisela at home'],
    ...Array.from({ length: 30 }, (_, i) => [`b${i}.jpg`, 'on the beach'] as const),
  ]);
  const { terms, hits } = store.words.search('gisela beach', { limit: 9 });
  assert.equal(terms, 2);
  assert.deepEqual(
    hits.map(({ photoId, matched, places }) => [photoId, matched, ...places]),
    [
      [1, 2, 'hand'],
      [2, 1, 'hand'],
    ],
  );
  assert.equal(hits[0]?.score, 1);
  assert.ok((hits[1]?.score ?? 1) < 1);
  assert.equal(store.words.search('gisela beach', { limit: 1 }).hits.length, 1);
  assert.deepEqual(
    store.words.search('beach', { limit: 99, allowed: new Set([1, 3]) }).hits.map(({ photoId }) => photoId),
    [3, 1],
  );
});

test('rare words weigh more than those that many photos hold', (t) => {
  const { store } = library(
    t,
    Array.from(
      { length: 60 },
      (_, i) => [`b${i}.jpg`, i === 0 ? 'a lighthouse by the sea' : 'the sea'] as const,
    ),
  );
  const weight = (text: string): number => store.words.search(text, { limit: 9 }).weight;
  assert.ok(weight('lighthouse') > 0.8 && weight('lighthouse') <= 1);
  assert.ok(weight('sea') < 0.05);
});

test('a word that one photo in twenty has is looked for among the nearest alone, if there are any', (t) => {
  const { store } = library(
    t,
    Array.from({ length: 1_300 }, (_, i) =>
      i < 1_200 ? ([`b${i}.jpg`, 'by the sea'] as const) : ([`b${i}.jpg`] as const),
    ),
  );
  store.captions.setHand(7, 'a lighthouse by the sea', 1);
  const nearest = new Set([3, 5, 1_290]);
  const found = (text: string, among?: ReadonlySet<number>): number[] =>
    store.words.search(text, { limit: 5_000, nearest: among }).hits.map(({ photoId }) => photoId);
  assert.equal(found('sea').length, 1_200);
  assert.deepEqual(found('sea', nearest), [5, 3]);
  assert.deepEqual(found('lighthouse', nearest), [7]);
  assert.equal(store.words.search('lighthouse by the sea', { limit: 9, nearest }).hits[0]?.matched, 2);
});

test('file names count with the words that a person gave them', (t) => {
  const { store } = library(t, [
    ['x/BeachParty2019_kids.JPG'],
    ['x/IMG_1234.jpg'],
    ['Trip/2019/DSC01234.jpg'],
  ]);
  for (const query of ['beach', 'kid', 'beach party 2019']) assert.deepEqual(found(store, query), [1], query);
  for (const query of ['img', '1234', 'dsc', 'jpg', 'trip']) assert.deepEqual(found(store, query), [], query);
  assert.deepEqual(store.words.phrase('IMG_1234'), [2]);
  assert.deepEqual(store.words.phrase('beach party'), [1]);
  assert.deepEqual(store.words.phrase('beachparty2019'), [1]);
  assert.deepEqual(store.words.phrase('trip'), [3], 'folders are found by phrase');
  assert.deepEqual(store.words.phrase('trip 2019'), [], 'but not over the end of a name');
  assert.deepEqual(store.words.phrase('\ue000'), []);
});

test('names that cameras and messengers give hold no words', () => {
  for (const name of [
    'IMG_1234.JPG',
    'DSC01234.jpg',
    '_MG_0001.CR2',
    'P1010001.jpg',
    'PXL_20210503_123456789.NIGHT.jpg',
    'IMG-20200101-WA0001.jpg',
    'WhatsApp Image 2020-01-02 at 10.20.30.jpeg',
    'Screenshot 2024-01-02 at 10.20.30 AM.png',
    '20190503_123456.jpg',
    '2019-05-03 (2).jpg',
    '3f2504e0-4f89-11d3-9a0c-0305e82c3301.jpg',
    '微信图片_20210503.jpg',
  ])
    assert.equal(nameWords(name), '', name);
  assert.equal(nameWords('night at home.jpg'), 'night at home');
  assert.equal(nameWords('night.jpg'), 'night');
  assert.equal(nameWords('dog_2019.jpg'), 'dog 2019');
  assert.equal(nameWords('.hidden'), 'hidden');
  assert.equal(splitName('beachParty2019_dogURLShort'), 'beach Party 2019 dog URL Short');
});

test('renaming a file changes what its name finds', (t) => {
  const { store, rootId } = library(t, [['beach.jpg', 'Gisela'], ['b.jpg']]);
  store.photos.move(1, { rootId, relPath: 'forest walk.jpg', stat: { bytes: 1, mtimeMs: 1 } });
  assert.deepEqual(found(store, 'beach'), []);
  assert.deepEqual(found(store, 'forest'), [1]);
  assert.deepEqual(found(store, 'gisela'), [1]);
  assert.deepEqual(store.words.of(1), { caption: 'Gisela', tags: [], name: 'forest walk.jpg' });
  store.photos.remove([1]);
  assert.deepEqual(found(store, 'forest'), []);
  assert.equal(store.words.of(1), undefined);
});

test('photos that a wider root takes over are found by its folder, and a root that goes takes its words along', (t) => {
  const { store, modelId } = library(t, []);
  const child = store.roots.add('/photos/Rome', 1).id;
  const [id = 0] = store.photos.add(child, [file('sunset over town.jpg')]);
  store.photos.commit(modelId, [finished(id)], []);
  store.roots.adopt(1, child, 'Rome');
  assert.deepEqual(store.words.phrase('rome'), [id]);
  assert.deepEqual(found(store, 'sunset'), [id]);
  store.roots.remove(1);
  assert.deepEqual(store.words.phrase('rome'), []);
  assert.deepEqual(found(store, 'sunset'), []);
});

test('a phrase is exactly these words in this order, in one place', (t) => {
  const { store } = library(t, [
    ['1.jpg', 'the dogs run home'],
    ['2.jpg', 'a dog runs home'],
    ['home.jpg', 'a dog run'],
  ]);
  assert.deepEqual(store.words.phrase('dog runs'), [2]);
  assert.deepEqual(store.words.phrase('DOGS  RUN'), [1]);
  assert.deepEqual(store.words.phrase('run home'), [1], 'not over the end of a caption into a name');
  assert.deepEqual(store.words.phrase('dog'), [2, 3]);
  assert.deepEqual(store.words.phrase('the'), [1], 'common words count in a phrase');
  assert.deepEqual(store.words.phrase('...'), []);
  assert.deepEqual(store.photos.filter({ phrases: ['dog', 'home'] }), [2, 3]);
});

test('the words of a query that a photo holds are shown where they stand', (t) => {
  const { store, modelId } = library(t, [['red barn.jpg', 'Dogs at the barn'], ['green field.jpg']]);
  const tag = store.tags.set({ name: 'red dog', prompts: [] });
  store.tags.assign(modelId, [{ photoId: 1, tags: [{ tagId: tag.id, probability: 0.5 }] }]);
  assert.deepEqual(store.words.hitsOf('a dog by a red barn', 1), [
    { word: 'dog', where: 'caption', text: 'Dogs at the barn' },
    { word: 'dog', where: 'tag', text: 'red dog' },
    { word: 'red', where: 'tag', text: 'red dog' },
    { word: 'red', where: 'name', text: 'red barn.jpg' },
    { word: 'barn', where: 'caption', text: 'Dogs at the barn' },
    { word: 'barn', where: 'name', text: 'red barn.jpg' },
  ]);
  assert.deepEqual(store.words.hitsOf('dog', 99), []);
  assert.deepEqual(
    store.words.hitsOf('a dog by a red barn', 2),
    [],
    'what another photo holds is not its own',
  );
});

test('nothing that a person types is an operator', (t) => {
  const { store } = library(t, [
    ['1.jpg', 'a dog near water'],
    ['2.jpg', 'NEAR and NOT and OR'],
  ]);
  const hostile = [
    '"',
    '""',
    '" OR "',
    'dog"',
    'dog*',
    'name:dog',
    '{hand} : dog',
    'dog AND NOT water',
    'NEAR(dog water, 2)',
    'dog -water',
    '^dog',
    "'; DROP TABLE words; --",
    '\0dog\0',
    '(((((',
    '\ud800',
    'dog\u202e',
    '🐶 dog',
    'x'.repeat(5_000),
    Array.from({ length: 2_000 }, (_, i) => `w${i}`).join(' '),
    'हिन्दी',
    'ไทย',
    '한국어',
  ];
  for (const text of hostile) {
    store.words.search(text, { limit: 9 });
    store.words.phrase(text);
    store.words.hitsOf(text, 1);
    store.captions.setHand(2, text, 1);
    if (/[\p{L}\p{N}]/u.test(text)) assert.ok(store.words.phrase(text).includes(2), JSON.stringify(text));
  }
  for (const text of ['dog"', 'dog*', '^dog', '\0dog\0', '🐶 dog'])
    assert.ok(found(store, text).includes(1), text);
  assert.deepEqual(found(store, 'water'), [1]);
});
