/** Near-duplicates and bursts are found, all of them and no others, in any order and at any size. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { cosine } from '../../../../main/engine/inference/unit-vectors.ts';
import { findAlike, likeness, type AlikePhoto } from '../../../../main/engine/tune/pairs/alike.ts';
import { mixed, wordVector } from '../../../fixtures/learning-library.ts';

const dims = 64;
const plain = (vector: Float32Array | undefined): AlikePhoto => ({ vector, camera: null, takenAt: null });

/** Photos in a narrow cone, as the image sides of real packs have them: any two have a cosine of about `spread`. */
function cone(count: number, spread: number): Float32Array[] {
  const middle = wordVector('middle', dims);
  return Array.from({ length: count }, (_, i) =>
    mixed([middle, Math.sqrt(spread)], [wordVector(`photo ${String(i)}`, dims), Math.sqrt(1 - spread)]),
  );
}

test('what comparing all with all exactly finds is found, in wide spaces and narrow ones', async () => {
  for (const spread of [0, 0.4, 0.8]) {
    const photos = cone(300, spread);
    const near = photos
      .slice(0, 60)
      .map((vector, i) => mixed([vector, 1], [wordVector(`grain ${String(i)}`, dims), 0.02 + 0.004 * i]));
    const all = [...photos, ...near];
    const { groups, kin } = await findAlike(all.map(plain));
    let missed = 0;
    let found = 0;
    for (let a = 0; a < all.length; a++)
      for (let b = a + 1; b < all.length; b++) {
        const score = cosine(all[a]!, all[b]!);
        if (score >= likeness.kin) {
          found++;
          if (kin[a] !== kin[b]) missed++;
        }
        if (score >= likeness.same) assert.equal(groups[a], groups[b]);
      }
    assert.ok(found >= 30, `${String(found)} pairs are near enough`);
    assert.equal(missed, 0, `at a usual cosine of ${String(spread)}`);
    assert.ok(new Set(kin).size >= all.length - found, 'nothing else is joined');
  }
});

test('frames of one camera within ten seconds are a burst where they look alike', async () => {
  const [one, other] = [wordVector('one', dims), wordVector('other', dims)];
  const moved = (wind: string): Float32Array => mixed([one, 1], [wordVector(wind, dims), 0.35]);
  for (const wind of ['wind', 'gust', 'storm', 'breeze'])
    assert.ok(cosine(one, moved(wind)) > likeness.burst && cosine(one, moved(wind)) < likeness.kin);
  const at = (vector: Float32Array, takenAt: number | null, camera: string | null = 'A'): AlikePhoto => ({
    ...{ vector, camera, takenAt },
  });
  const { groups, kin } = await findAlike([
    at(one, 0),
    at(moved('wind'), 9_000),
    at(moved('gust'), 18_000),
    at(moved('storm'), 40_000),
    at(other, 41_000),
    at(moved('breeze'), 1_000, 'B'),
    at(moved('breeze'), null),
  ]);
  // The third is within ten seconds of the second, but less like it than a frame of a burst.
  assert.ok(cosine(moved('wind'), moved('gust')) < likeness.burst);
  assert.deepEqual(
    [...kin],
    [0, 0, 2, 3, 4, 5, 5],
    'equal vectors are near-duplicates wherever they are from',
  );
  assert.deepEqual([...groups], [0, 1, 2, 3, 4, 5, 5]);
});

test('a photo not looked at yet is like no other', async () => {
  const vector = wordVector('one', dims);
  const { kin } = await findAlike([plain(undefined), plain(vector), plain(undefined), plain(vector)]);
  assert.deepEqual([...kin], [0, 1, 2, 1]);
  assert.deepEqual((await findAlike([])).kin.length, 0);
});

test('looking can be given up', async () => {
  await assert.rejects(findAlike(cone(10, 0).map(plain), AbortSignal.abort()), { name: 'AbortError' });
});
