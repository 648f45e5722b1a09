/** Tokens by contrast: what they come to find, from whom they are told, and that others get their turn meanwhile. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { learnTokens, type NameTask } from '../../../../main/engine/tune/names/learn-tokens.ts';
import { seededNormal } from '../../search/seeded-random.ts';

const dims = 32;
const unit = (vector: Float32Array): Float32Array => {
  const length = Math.hypot(...vector);
  return vector.map((value) => value / length);
};

/** Photos that show some axes, with noise. */
function photosOf(shown: readonly (readonly number[])[], seed: number): Float32Array {
  const normal = seededNormal(seed);
  const photos = new Float32Array(shown.length * dims);
  for (const [row, axes] of shown.entries()) {
    const vector = Float32Array.from({ length: dims }, () => 0.08 * normal());
    for (const axis of axes) vector[axis] = (vector[axis] ?? 0) + 0.7;
    photos.set(unit(vector), row * dims);
  }
  return photos;
}

const axis = (...axes: number[]): Float32Array =>
  unit(Float32Array.from({ length: dims }, (_, d) => (axes.includes(d) ? 1 : 0)));
const score = (photos: Float32Array, row: number, query: Float32Array): number =>
  query.reduce((sum, value, d) => sum + value * (photos[row * dims + d] ?? 0), 0);
const meanOf = (photos: Float32Array, rows: readonly number[]): Float32Array => {
  const sum = new Float32Array(dims);
  for (const row of rows) sum.forEach((value, d) => (sum[d] = value + (photos[row * dims + d] ?? 0)));
  return unit(sum);
};
const added = (text: Float32Array | null, token: Float32Array): Float32Array =>
  unit(token.map((value, d) => value + (text?.[d] ?? 0)));
const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i);
const breathless = (): Promise<void> => Promise.resolve();

// Axis 0 is "dog", 1 is what only Rex has, 2 what only Bella has, 3 and 4 are places.
const photos = photosOf(
  [
    ...range(0, 6).map((i) => [0, 1, 3 + (i % 2)]),
    ...range(0, 6).map((i) => [0, 2, 3 + (i % 2)]),
    ...range(0, 20).map((i) => [0, 3 + (i % 2)]),
    ...range(0, 20).map((i) => [5 + (i % 20)]),
    ...range(0, 6).map(() => [0, 1]),
  ],
  3,
);
const unseen = range(52, 58);
const others = range(12, 52);
function name(own: readonly number[], rivals: readonly number[]): NameTask {
  return { text: axis(0), start: meanOf(photos, own), own, others, rivals };
}
const names = [name(range(0, 6), [1]), name(range(6, 12), [0])];
const learn = (pause = breathless): Promise<Float32Array[]> =>
  learnTokens({ dims, photos, names, sharpness: 30 }, pause);

test('a token sets its thing apart from what merely looks like it, in photos that it never saw', async () => {
  const [rex] = await learn();
  const margin = (token: Float32Array): number => {
    const query = added(axis(0), token);
    const worst = Math.min(...unseen.map((row) => score(photos, row, query)));
    return worst - Math.max(...others.map((row) => score(photos, row, query)));
  };
  const start = margin(names[0]?.start ?? new Float32Array(dims));
  const learnt = margin(rex ?? new Float32Array(dims));
  assert.ok(start < 0 && learnt > 0.03, `${String(start)} before, ${String(learnt)} after`);
});

test('rivals are told from each other, and a photo that carries both names is right for both', async () => {
  const tokens = await learn();
  const [rex, bella] = tokens.map((token) => added(axis(0), token));
  for (const [rows, mine, other] of [
    [range(0, 6), rex, bella],
    [range(6, 12), bella, rex],
  ] as const)
    for (const row of rows)
      assert.ok(score(photos, row, mine ?? axis(1)) > score(photos, row, other ?? axis(1)) + 0.2);
  const shared = [name(range(0, 7), [1]), name([0, ...range(6, 12)], [0])];
  const both = await learnTokens({ dims, photos, names: shared, sharpness: 30 }, breathless);
  for (const token of both) assert.ok(token.every(Number.isFinite));
});

test('what is learnt is the same to the bit each time', async () => {
  assert.deepEqual(await learn(), await learn());
});

test('one photo without any other to tell it from keeps its start', async () => {
  const start = meanOf(photos, [0]);
  const [token] = await learnTokens(
    { dims, photos, names: [{ text: null, start, own: [0], others: [], rivals: [] }], sharpness: 30 },
    breathless,
  );
  assert.ok(score(start, 0, unit(token ?? start)) > 0.999);
});

test('others get their turn between any two names of a step', async () => {
  let pauses = 0;
  await learn(() => {
    pauses += 1;
    return Promise.resolve();
  });
  assert.ok(pauses >= 30 * 2 * 2, `${String(pauses)} pauses`);
});
