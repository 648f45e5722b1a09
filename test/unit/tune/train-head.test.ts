import assert from 'node:assert/strict';
import test from 'node:test';
import { openGraph } from '../../../main/engine/tune/autodiff/graph-session.ts';
import { input } from '../../../main/engine/tune/autodiff/tensor.ts';
import { bothWays, differenceInterval, rankPairs, retrieval } from '../../../main/engine/tune/evaluate.ts';
import { createHead, headNames, interpolate, type Head } from '../../../main/engine/tune/heads.ts';
import { lossNames } from '../../../main/engine/tune/pair-loss.ts';
import { trainHead, type TrainingPairs } from '../../../main/engine/tune/train-head.ts';
import { seededNormal, seededRandom } from '../search/seeded-random.ts';

const dims = 16;

function unitRows(values: Float32Array): Float32Array {
  for (let from = 0; from < values.length; from += dims) {
    const row = values.subarray(from, from + dims);
    const length = Math.hypot(...row);
    row.forEach((value, i) => (row[i] = value / length));
  }
  return values;
}

/** Pairs whose images are their texts with two coordinates exchanged throughout, and a little noise. */
function turnedPairs(count: number, seed: number): TrainingPairs {
  const normal = seededNormal(seed);
  const texts = unitRows(Float32Array.from({ length: count * dims }, normal));
  const images = texts.map((_, i) => {
    const column = i % dims;
    return (texts[i - column + ((column + 5) % dims)] ?? 0) + 0.05 * normal();
  });
  return {
    images: unitRows(images),
    texts,
    dims,
    weights: new Float32Array(count).fill(1),
    groups: Int32Array.from({ length: count }, (_, i) => i),
  };
}

async function applied(
  head: Head,
  parameters: Readonly<Record<string, Float32Array>>,
  images: Float32Array,
): Promise<Float32Array> {
  const tensors = Object.fromEntries(
    Object.entries(head.parameters).map(([name, { shape }]) => [name, input(name, shape)]),
  );
  const graph = await openGraph(
    { out: head.apply(input('x', [images.length / dims, dims]), tensors) },
    { threads: 1 },
  );
  const { out } = await graph.run({ x: images, ...parameters });
  await graph.release();
  return out as Float32Array;
}

const train = turnedPairs(400, 1);
const heldOut = turnedPairs(100, 2);
const common = { train, heldOut, epochs: 30, batch: 100, threads: 1 };

for (const name of headNames)
  await test(`the head "${name}" starts as the identity`, async () => {
    const head = createHead(name, { dims, normal: seededNormal(4) });
    const start = Object.fromEntries(Object.entries(head.parameters).map(([key, spec]) => [key, spec.start]));
    const out = await applied(head, start, heldOut.images);
    out.forEach((value, i) => assert.ok(Math.abs(value - heldOut.images[i]!) < 1e-6));
  });

for (const loss of lossNames)
  await test(`the linear head learns a hidden turn of the images with the loss "${loss}"`, async () => {
    const head = createHead('linear', { dims, normal: seededNormal(4) });
    const before = bothWays(rankPairs(heldOut));
    const trained = await trainHead({ ...common, head, loss, learningRate: 0.02, seed: 5 });
    const images = await applied(head, trained.parameters, heldOut.images);
    const after = bothWays(rankPairs({ ...heldOut, images }));
    assert.ok(before.r10 < 0.3, `R@10 before is ${String(before.r10)}`);
    assert.ok(after.r10 > 0.9, `R@10 after is ${String(after.r10)}`);
  });

await test('the same seed gives the same bits', async () => {
  const once = () =>
    trainHead({
      ...common,
      epochs: 3,
      head: createHead('mlp', { dims, normal: seededNormal(4) }),
      loss: 'infonce',
      learningRate: 0.01,
      seed: 5,
    });
  assert.deepEqual(await once(), await once());
});

await test('training stops when the held-out loss no longer falls', async () => {
  // Sixty pairs of nothing in common can only be learnt by heart.
  const mixed = { ...turnedPairs(60, 1), texts: turnedPairs(60, 9).texts };
  const { epochs, bestEpoch } = await trainHead({
    ...common,
    batch: 30,
    train: mixed,
    head: createHead('linear', { dims, normal: seededNormal(4) }),
    loss: 'infonce',
    learningRate: 0.02,
    seed: 5,
  });
  assert.ok(epochs.length < common.epochs);
  assert.equal(epochs.length, bestEpoch + 3);
});

await test('a pair with a vector that is no number is refused by its place', async () => {
  const images = train.images.slice();
  images[3 * dims + 2] = Number.NaN;
  await assert.rejects(
    trainHead({
      ...common,
      train: { ...train, images },
      head: createHead('residual', { dims, normal: seededNormal(4) }),
      loss: 'infonce',
      learningRate: 0.01,
      seed: 5,
    }),
    /pair number 4 /,
  );
});

await test('a batch that does not fit into memory is refused with one that does', async () => {
  const head = createHead('residual', { dims, normal: seededNormal(4) });
  const options = { ...common, head, loss: 'infonce', learningRate: 0.01, seed: 5, epochs: 1 } as const;
  await assert.rejects(
    trainHead({ ...options, batch: 400, memory: 2e6 }),
    /Batches of 400.*at most 250 pairs/,
  );
  assert.equal((await trainHead({ ...options, batch: 250, memory: 2e6 })).epochs.length, 1);
});

await test('a cancelled training ends between two steps', async () => {
  const stop = new AbortController();
  await assert.rejects(
    trainHead({
      ...common,
      head: createHead('residual', { dims, normal: seededNormal(4) }),
      loss: 'infonce',
      learningRate: 0.01,
      seed: 5,
      signal: stop.signal,
      onEpoch: () => stop.abort(),
    }),
    { code: 'cancelled' },
  );
});

await test('captions of one photo count as right for each other, and the photo as one candidate', () => {
  const one = turnedPairs(4, 6);
  const images = one.texts.slice();
  // Rows 0 and 1 are two captions of one photo, which has the vector of caption 0.
  images.copyWithin(dims, 0, dims);
  const ranks = rankPairs({ images, texts: one.texts, dims }, Int32Array.of(0, 0, 2, 3));
  assert.equal(ranks.imageToText.length, 3);
  assert.deepEqual([...ranks.imageToText], [1, 1, 1]);
  assert.deepEqual([ranks.textToImage[0], ranks.textToImage[2], ranks.textToImage[3]], [1, 1, 1]);
});

await test('photos of one text are no rivals of each other, and a text that many share is one candidate', () => {
  // Rows 0 and 1 are two photos of "beach", rows 2 and 3 of "dog"; each is nearer to its fellow than to its own text.
  const dims = 2;
  const images = Float32Array.of(0.9, 0.1, 1, 0, 0.1, 0.9, 0, 1);
  const texts = Float32Array.of(1, 0, 1, 0, 0, 1, 0, 1);
  const photos = Int32Array.of(0, 1, 2, 3);
  const wordings = Int32Array.of(0, 0, 1, 1);
  const apart = rankPairs({ images, texts, dims }, photos);
  assert.deepEqual([...apart.textToImage], [2, 1, 2, 1]);
  const joined = rankPairs({ images, texts, dims }, photos, wordings);
  assert.deepEqual([...joined.textToImage], [1, 1, 1, 1]);
  assert.deepEqual([...joined.imageToText], [1, 1, 1, 1]);
  const turned = rankPairs(
    { images: Float32Array.of(0.1, 0.9, 0, 1, 0.9, 0.1, 1, 0), texts, dims },
    photos,
    wordings,
  );
  assert.deepEqual([...turned.textToImage], [3, 3, 3, 3]);
  // Two wrong photos are ahead of the right one, and only one wrong text.
  assert.deepEqual([...turned.imageToText], [2, 2, 2, 2]);
});

await test('a model that gives all pairs the same score is no better than chance', () => {
  const same = unitRows(new Float32Array(100 * dims).fill(1));
  const { r10 } = retrieval(rankPairs({ images: same, texts: same, dims }).textToImage);
  assert.equal(r10, 0);
});

await test('the interval of a real gain lies above zero, that of none around it', () => {
  const before = rankPairs(heldOut);
  const better = rankPairs({ ...heldOut, images: heldOut.texts });
  assert.ok(differenceInterval(before, better, { random: seededRandom(8) }).low > 0.3);
  const none = differenceInterval(before, before, { random: seededRandom(8) });
  assert.deepEqual(none, { low: 0, high: 0 });
});

await test('near-duplicates that rise together are one case, not many', () => {
  const alike = new Int32Array(40);
  const ranks = (rank: number) => ({
    textToImage: Int32Array.from(alike, (_, i) => (i < 30 ? rank : 50)),
    imageToText: Int32Array.from(alike, (_, i) => (i < 30 ? rank : 50)),
  });
  const clusters = Int32Array.from(alike, (_, i) => (i < 30 ? 0 : i));
  const random = () => seededRandom(8);
  const single = differenceInterval(ranks(50), ranks(1), { random: random() });
  assert.ok(single.low > 0.5);
  const together = differenceInterval(ranks(50), ranks(1), {
    random: random(),
    clusters: { textToImage: clusters, imageToText: clusters },
  });
  assert.ok(together.low <= 0 && together.high > 0.5);
});

await test('half of the way to the trained head lies between both', () => {
  const head = createHead('linear', { dims: 2, normal: seededNormal(4) });
  assert.deepEqual(
    [...interpolate(head, { weight: Float32Array.of(3, 2, -2, 1) }, 0.5)['weight']!],
    [2, 1, -1, 1],
  );
});
