/** What the lab's heads are fed: splits by photo, batches, pooled tokens, and the photo that is asked about. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { askPhoto } from '../../../../main/engine/tune/lab/ask-photo.ts';
import { studyCaptions } from '../../../../main/engine/tune/lab/study-figures.ts';
import {
  epochBatches,
  normalizeTokens,
  poolTokens,
  splitByPhoto,
} from '../../../../main/engine/tune/lab/tokens.ts';

/** Forty photos, every other one with two captions. */
const photoOf = Array.from({ length: 40 }, (_, photo) => (photo % 2 === 0 ? [photo, photo] : [photo])).flat();

test('a photo and all its captions are on one side, and a seed draws the same again', () => {
  const asked = { share: 0.2, most: 100, seed: 3, always: [5] };
  const { train, heldOut } = splitByPhoto(photoOf, asked);
  assert.equal(heldOut.photos.length, 8);
  assert.equal(new Set(heldOut.photos).size, 8);
  assert.ok(heldOut.photos.includes(5));
  assert.ok(train.photos.every((photo) => !heldOut.photos.includes(photo)));
  const asideCaptions = photoOf.filter((photo) => heldOut.photos.includes(photo)).length;
  assert.equal(train.captions.length, photoOf.length - asideCaptions);
  for (const [i, caption] of train.captions.entries()) assert.equal(photoOf[caption], train.photos[i]);
  assert.deepEqual(splitByPhoto(photoOf, asked), { train, heldOut });
  assert.notDeepEqual(splitByPhoto(photoOf, { ...asked, seed: 4 }), { train, heldOut });
  assert.equal(splitByPhoto(photoOf, { ...asked, most: 3 }).heldOut.photos.length, 3);
});

test('an epoch shows each photo once, with captions of its own, and another order in the next', () => {
  const pairs = { photos: photoOf, captions: [...photoOf.keys()] };
  const first = epochBatches(pairs, 8, 1, 1);
  assert.equal(first.length, 5);
  assert.equal(new Set(first.flatMap(({ photos }) => photos)).size, 40);
  for (const { photos, captions } of first)
    assert.deepEqual(
      captions.map((caption) => photoOf[caption]),
      photos,
    );
  assert.deepEqual(epochBatches(pairs, 8, 1, 1), first);
  const later = [2, 3, 4, 5].flatMap((epoch) => epochBatches(pairs, 8, 1, epoch));
  assert.notDeepEqual(later.slice(0, 5), first);
  // Both captions of a photo come up over some epochs.
  assert.ok(new Set(later.flatMap(({ captions }) => captions)).size > 40);
});

test('pooling takes the mean of the tokens that there are, and normalising leaves padding out', () => {
  const tokens = {
    dims: 2,
    imageTokens: 2,
    textTokens: 3,
    images: Float32Array.of(1, 2, 3, 4),
    texts: Float32Array.of(6, 0, 0, 6, 0, 0, 3, 3, 0, 0, 0, 0),
    mask: Float32Array.of(1, 1, 0, 1, 0, 0),
  };
  const pooled = poolTokens(tokens);
  assert.deepEqual([...pooled.images], [2, 3]);
  assert.deepEqual([...pooled.texts], [3, 3, 3, 3]);
  assert.deepEqual([...pooled.mask], [1, 1]);
  const { texts } = normalizeTokens(tokens);
  // Squares 36 + 36 + 9 + 9 over three tokens of two numbers.
  assert.ok(Math.abs(texts[0]! - 6 / Math.sqrt(15)) < 1e-6);
});

test('a photo of a cat is asked about first, with the study’s captions; another one with its own among four', () => {
  const texts = ['a dog', 'a concatenation', 'Two kittens', 'a boat', 'a hill', 'a tree', ...studyCaptions];
  const studyRows = [6, 7, 8, 9, 10];
  const heldOut = { photos: [10, 11, 12, 13, 14, 15], captions: [0, 1, 2, 3, 4, 5] };
  assert.deepEqual(askPhoto(heldOut, texts, studyRows, { wanted: undefined, seed: 1 }), {
    photo: 12,
    captions: studyRows,
    right: 1,
  });
  for (const seed of [1, 2, 3, 4]) {
    const { photo, captions, right } = askPhoto(heldOut, texts, studyRows, { wanted: 13, seed });
    assert.equal(photo, 13);
    assert.equal(captions.length, 5);
    assert.equal(captions[right], 3);
    assert.equal(new Set(captions).size, 5);
  }
});

test('where fewer photos are kept aside fewer captions are offered', () => {
  const asked = askPhoto({ photos: [0, 1], captions: [0, 1] }, ['a', 'b'], [], { wanted: 1, seed: 1 });
  assert.equal(asked.captions.length, 2);
  assert.equal(asked.captions[asked.right], 1);
});
