/** Names in what was typed: which words are one, and what is left without them. */
import assert from 'node:assert/strict';
import test from 'node:test';
import {
  findNames,
  nameWords,
  replaceNames,
  type SpokenName,
} from '../../../../main/engine/tune/names/name-text.ts';

const spoken = (...names: string[]): SpokenName[] =>
  names.map((name, i) => ({ id: i + 1, words: nameWords(name) }));
const found = (text: string, ...names: string[]): string[] =>
  findNames(text, spoken(...names)).map(({ id, start, end }) => `${names[id - 1]}=${text.slice(start, end)}`);

test('a name is found whatever its case, accents, width and form, and only as whole words', () => {
  assert.deepEqual(found('photos of REX, running', 'Rex'), ['Rex=REX']);
  assert.deepEqual(found('Zoe\u0308 and ZOË', 'Zoë'), ['Zoë=Zoe\u0308', 'Zoë=ZOË']);
  assert.deepEqual(found('Ｒｅｘ', 'rex'), ['rex=Ｒｅｘ']);
  assert.deepEqual(found('rexona t-rexes Trex rex2', 'Rex'), []);
  assert.deepEqual(found("Rex's bed, Rex’s ball", 'Rex'), ['Rex=Rex', 'Rex=Rex']);
});

test('the longest name goes first, and marks between its words do not matter', () => {
  assert.deepEqual(found('Rex the Great with Rex', 'Rex', 'Rex the Great'), [
    'Rex the Great=Rex the Great',
    'Rex=Rex',
  ]);
  assert.deepEqual(found('st-bernard', 'St. Bernard'), ['St. Bernard=st-bernard']);
  assert.deepEqual(found('grandma  Li at home', 'Grandma Li'), ['Grandma Li=grandma  Li']);
  assert.deepEqual(found('Rex the', 'Rex the Great'), []);
});

test('names in scripts without spaces are found inside what is written together', () => {
  assert.deepEqual(found('雷克斯在海滩上', '雷克斯'), ['雷克斯=雷克斯']);
  assert.deepEqual(found('Rex在海滩', 'Rex'), ['Rex=Rex']);
  assert.deepEqual(found('小白菜', '小白', '小白菜'), ['小白菜=小白菜']);
});

test('a pictograph may be a name, marks alone may not', () => {
  assert.deepEqual(found('the 🐶 at home', '🐶'), ['🐶=🐶']);
  assert.deepEqual(nameWords('?!… --'), []);
  assert.deepEqual(nameWords(''), []);
});

test('other words, or none, stand in for names', () => {
  const names = spoken('Rex', '雷克斯');
  const without = (text: string, kind: string): string =>
    replaceNames(text, findNames(text, names), () => kind);
  assert.equal(without('Rex on a beach', 'dog'), 'dog on a beach');
  assert.equal(without('Rex on a beach', ''), 'on a beach');
  assert.equal(without("a photo of Rex's ball", 'dog'), "a photo of dog's ball");
  assert.equal(without('雷克斯在海滩上', '狗'), '狗在海滩上');
  assert.equal(without('雷克斯在海滩上', 'dog'), 'dog 在海滩上');
  assert.equal(without('no name here', 'dog'), 'no name here');
});

test('any text and a thousand names take no time to speak of', () => {
  const names = spoken(...Array.from({ length: 1_000 }, (_, i) => `name ${String(i)} of mine`));
  const text = 'name 7 of mine '.repeat(2_000);
  const startedAt = performance.now();
  assert.equal(findNames(text, names).length, 2_000);
  assert.ok(performance.now() - startedAt < 2_000);
});
