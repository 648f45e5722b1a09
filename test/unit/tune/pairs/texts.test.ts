/** Which texts say the same, which album names say something, and how much of an album is used. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { drawFromAlbum, saysSomething } from '../../../../main/engine/tune/pairs/album-rules.ts';
import { stableOrder } from '../../../../main/engine/tune/pairs/stable-order.ts';
import { wordingOf } from '../../../../main/engine/tune/pairs/wordings.ts';

test('texts say the same up to case, plurals, order and small words', () => {
  for (const [one, other] of [
    ['a photo of a dog', 'Dogs'],
    ['Two boxes on the beach', 'beaches: two box'],
    ['ponies', 'Pony'],
    ['CAFÉ', 'cafe\u0301'],
    ['the of', 'The  of'],
    ['照片 海边', '海边的照片'],
  ] as const)
    assert.equal(wordingOf(one), wordingOf(other), `${one} / ${other}`);
  for (const [one, other] of [
    ['dog', 'cat'],
    ['a glass', 'a gla'],
    ['bus', 'bu'],
    ['a dog and a cat', 'a dog'],
    ['the of', 'of the'],
  ] as const)
    assert.notEqual(wordingOf(one), wordingOf(other), `${one} / ${other}`);
});

test('album names of dates, places of storage and general words say nothing', () => {
  for (const name of [
    '2019',
    '2019-07-14',
    'August 2021',
    'Août',
    'März 2020',
    'Dez. 2018',
    'Camera Roll',
    'WhatsApp Images',
    'Favourites',
    'best photos',
    'Misc 3',
    'Samstag',
    '2020年5月',
    '100CANON',
    '!!!',
  ])
    assert.equal(saysSomething(name), false, name);
  for (const name of ['Italy 2019', 'Rex', 'Summer', 'Our wedding', 'best of Rome', '海边', 'Gartenfest Mai'])
    assert.equal(saysSomething(name), true, name);
});

test('of an album of most of the library two hundred are drawn, of a huge one two thousand', () => {
  const keys = Array.from({ length: 5_000 }, (_, i) => `photo ${String(i)}`);
  assert.equal(drawFromAlbum(keys, 100_000, 1).length, 2_000);
  assert.equal(drawFromAlbum(keys, 9_000, 1).length, 200);
  assert.deepEqual(drawFromAlbum(keys.slice(0, 1_000), 9_000, 1), keys.slice(0, 1_000));
  const drawn = drawFromAlbum(keys, 100_000, 1);
  assert.deepEqual(drawFromAlbum(keys.toReversed(), 100_000, 1), drawn, 'whatever their order');
  assert.notDeepEqual(drawFromAlbum(keys, 100_000, 2), drawn);
});

test('an order by chance is that of no alphabet, and even', () => {
  const keys = Array.from({ length: 1_000 }, (_, i) => String(i).padStart(32, '0'));
  const order = stableOrder(keys, 7).map(Number);
  const first = order.slice(0, 500);
  const low = first.filter((n) => n < 500).length;
  assert.ok(low > 200 && low < 300, String(low));
  const rising = order.filter((n, i) => n > (order[i - 1] ?? 0)).length;
  assert.ok(rising > 420 && rising < 580, String(rising));
});
