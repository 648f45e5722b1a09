/** What a trained head changes in the order of what was found, and what it leaves alone. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { blend, usualWorth, type SeenPhoto } from '../../../main/engine/search/blend.ts';
import { reorder } from '../../../main/engine/search/learnt-order.ts';
import type { LearntOrdering } from '../../../main/engine/search/types.ts';
import type { WordEvidence } from '../../../main/engine/search/word-evidence.ts';
import { madeLibrary } from './made-library.ts';

const photosOf = (bands: readonly SeenPhoto['band'][]): SeenPhoto[] =>
  bands.map((band, i) => ({ id: i + 1, score: 0.9 - i / 100, band }));
const vectorsById = { vector: (id: number) => Float32Array.of(id) };

await test('photos change places and the places keep their bands', () => {
  const photos = photosOf(['strong', 'likely', 'likely', 'weak']);
  const found = reorder(
    photos,
    Float32Array.of(1),
    vectorsById,
    () =>
      ([id]) =>
        id === 4 ? 1 : 0,
  );
  assert.deepEqual(
    found.map(({ id, band, score }) => [id, band, score]),
    [
      [4, 'strong', photos[3]!.score],
      [1, 'likely', photos[0]!.score],
      [2, 'likely', photos[1]!.score],
      [3, 'weak', photos[2]!.score],
    ],
  );
});

await test('only the best 500 are looked at again, and a photo without a vector keeps its cosine', () => {
  const photos = photosOf(new Array<'weak'>(600).fill('weak'));
  const asked: number[] = [];
  const found = reorder(
    photos,
    Float32Array.of(1),
    { vector: (id) => (id === 2 ? undefined : Float32Array.of(id)) },
    () =>
      ([id]) => {
        asked.push(id ?? 0);
        return 0;
      },
  );
  assert.equal(asked.length, 499);
  assert.deepEqual(found, photos);
});

await test('a search follows the head that orders, changes with it, and forgets it when it is gone', async (t) => {
  let ordering: LearntOrdering | undefined;
  const library = await madeLibrary(t, ['dog', 'snow'], { options: { ordering: () => ordering } });
  library.add([], 150);
  library.add(['dog'], 20);
  const snowy = library.add(['dog', 'snow'], 10);
  const ask = () => library.search.query({ text: 'dog', examples: [], offset: 0, limit: 10 });
  const before = await ask();
  assert.ok(before.hits.some(({ id }) => !snowy.includes(id)));
  // A dog is better with snow: the second axis counts too.
  ordering = { extraScore: () => (photo) => photo[1] ?? 0 };
  const after = await ask();
  assert.deepEqual(
    after.hits.map(({ id }) => id).sort((a, b) => a - b),
    snowy,
  );
  assert.deepEqual(after.bands, before.bands);
  const like = { text: '', examples: [{ photoId: 1, weight: 1 }], offset: 0, limit: 10 };
  const likeWith = await library.search.query(like);
  ordering = undefined;
  assert.deepEqual((await ask()).hits, before.hits);
  assert.deepEqual((await library.search.query(like)).hits, likeWith.hits, 'examples are left alone');
});

await test('words count as much as thumbs taught them to', () => {
  const photos = photosOf(['likely', 'likely', 'likely']);
  const words: WordEvidence = {
    weight: 1,
    hits: new Map([[3, { photoId: 3, score: 0.5, matched: 1, places: ['tag'], byHand: false }]]),
    out: new Set(),
  };
  const order = (worth?: typeof usualWorth) => blend(photos, words, true, worth).map(({ id }) => id);
  assert.deepEqual(order({ ...usualWorth, tag: 0 }), [1, 2, 3]);
  assert.deepEqual(order({ ...usualWorth, tag: 3 }), [3, 1, 2]);
  assert.deepEqual(order(), order(usualWorth));
});
