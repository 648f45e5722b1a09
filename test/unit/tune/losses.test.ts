/** What joins a batch beside its own pairs: hard negatives, and pairs kept from being forgotten. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { gradients } from '../../../main/engine/tune/autodiff/gradients.ts';
import { openGraph } from '../../../main/engine/tune/autodiff/graph-session.ts';
import { input } from '../../../main/engine/tune/autodiff/tensor.ts';
import { batchFeeds, planBatches } from '../../../main/engine/tune/batches.ts';
import { bothWays, rankPairs } from '../../../main/engine/tune/evaluate.ts';
import { createHead } from '../../../main/engine/tune/heads.ts';
import { createJointHead } from '../../../main/engine/tune/joint-head.ts';
import { logitScale } from '../../../main/engine/tune/losses.ts';
import { lossNames, lossParameters, pairLoss, type LossName } from '../../../main/engine/tune/pair-loss.ts';
import { createProjector } from '../../../main/engine/tune/projection.ts';
import { trainHead, type TrainingPairs } from '../../../main/engine/tune/train-head.ts';
import { seededNormal } from '../search/seeded-random.ts';
import { madePairs } from './made-pairs.ts';

const dims = 12;

/** Six pairs; each has one hard negative, the text's neighbour, and one empty place, which holds the text itself. */
function pairsWithHard(): TrainingPairs {
  const pairs = madePairs(6, 3, { dims });
  const { images } = madePairs(12, 8, { dims });
  for (let row = 0; row < 6; row++) {
    const text = pairs.texts.subarray(row * dims, (row + 1) * dims);
    images.set(text, (2 * row + 1) * dims);
    const near = images.subarray(2 * row * dims, (2 * row + 1) * dims);
    text.forEach((value, i) => (near[i] = value + 0.2 * (near[i] ?? 0)));
    const length = Math.hypot(...near);
    near.forEach((value, i) => (near[i] = value / length));
  }
  return {
    ...pairs,
    hard: { each: 2, images, present: Uint8Array.from({ length: 12 }, (_, i) => 1 - (i % 2)) },
  };
}

async function gradientOfHard(
  head: Parameters<typeof pairLoss>[0],
  loss: LossName,
): Promise<{ loss: number; toHard: Float32Array }> {
  const pairs = pairsWithHard();
  const wanted = { ...head.parameters, ...lossParameters(loss) };
  const tensors = Object.fromEntries(
    Object.entries(wanted).map(([name, { shape }]) => [name, input(name, shape)]),
  );
  const value = pairLoss(head, loss, { size: 6, dims, masked: true, each: 2 }, tensors);
  // The graph's inputs are told apart by their objects: the one that the loss used is found by its name.
  const hard = inputNamed(value, 'hard images');
  const [toHard] = gradients(value, [hard]);
  const graph = await openGraph({ loss: value, toHard: toHard! }, { threads: 1 });
  const found = await graph.run({
    ...batchFeeds(pairs, [0, 1, 2, 3, 4, 5], { masked: true, each: 2 }),
    ...Object.fromEntries(Object.entries(wanted).map(([name, { start }]) => [name, start])),
  });
  await graph.release();
  return { loss: Number(found.loss[0]), toHard: found.toHard as Float32Array };
}

function inputNamed(from: ReturnType<typeof input>, name: string): ReturnType<typeof input> {
  const waiting = [from];
  for (const tensor of waiting) {
    if (tensor.origin.kind === 'input' && tensor.origin.name === name) return tensor;
    if (tensor.origin.kind === 'result')
      for (const next of tensor.origin.operation.inputs) if (!waiting.includes(next)) waiting.push(next);
  }
  return assert.fail(`nothing is fed as "${name}"`);
}

for (const loss of lossNames)
  await test(`a hard negative gets a gradient and an absent one none with the loss "${loss}"`, async () => {
    const { toHard, loss: value } = await gradientOfHard(
      createHead('linear', { dims, normal: seededNormal(1) }),
      loss,
    );
    assert.ok(Number.isFinite(value));
    for (let place = 0; place < 12; place++) {
      const longest = Math.max(...toHard.subarray(place * dims, (place + 1) * dims).map(Math.abs));
      if (place % 2 === 0) assert.ok(longest > 1e-5, `${String(place)} is present: ${String(longest)}`);
      else assert.equal(longest, 0, `${String(place)} is absent`);
    }
  });

await test('a hard negative of a joint head gets a gradient, too', async () => {
  const { toHard } = await gradientOfHard(createJointHead({ dims, normal: seededNormal(1) }), 'infonce');
  assert.ok(Math.max(...toHard.subarray(0, dims).map(Math.abs)) > 1e-5);
  assert.equal(Math.max(...toHard.subarray(dims, 2 * dims).map(Math.abs)), 0);
});

await test('the learnt scale never exceeds 100 and does not grow further there', async () => {
  const logarithm = input('logarithm', [1]);
  const factor = logitScale(logarithm);
  const [slope] = gradients(factor, [logarithm]);
  const graph = await openGraph({ factor, slope: slope! }, { threads: 1 });
  const at = async (scale: number): Promise<readonly number[]> => {
    const found = await graph.run({ logarithm: Float32Array.of(Math.log(scale)) });
    return [Number(found.factor[0]), Number(found.slope[0])];
  };
  const [below, slopeBelow] = await at(20);
  assert.ok(Math.abs(below! - 20) < 1e-3 && Math.abs(slopeBelow! - 20) < 1e-3);
  const [above, slopeAbove] = await at(500);
  assert.ok(Math.abs(above! - 100) < 1e-3);
  assert.equal(slopeAbove, 0);
  await graph.release();
});

await test('about half of each batch is replayed, each pair weighted so that both halves count the same', () => {
  const own = { ...madePairs(40, 1, { dims }), weights: new Float32Array(40).fill(3) };
  const replay = madePairs(25, 2, { dims });
  const plan = planBatches(own, replay, 16);
  assert.deepEqual([plan.batch, plan.own, plan.stepsPerEpoch], [16, 8, 5]);
  const rows = plan.rowsOf(1, 1);
  assert.deepEqual(rows, plan.rowsOf(1, 1));
  assert.notDeepEqual(rows, plan.rowsOf(1, 2));
  assert.deepEqual(
    rows.flatMap((batch) => batch.slice(0, 8)).sort((a, b) => a - b),
    Array.from({ length: 40 }, (_, i) => i),
  );
  for (const batch of rows) assert.ok(batch.slice(8).every((row) => row >= 40 && row < 65));
  const { weights } = batchFeeds(plan.pairs, rows[0]!, { own: plan.own, masked: false, each: 0 });
  assert.deepEqual([...weights!], new Array<number>(16).fill(3));
});

await test('replayed pairs keep to themselves, but for the very same words', () => {
  const own = madePairs(4, 1, { dims });
  const other = madePairs(3, 2, { dims });
  const texts = other.texts.slice();
  texts.set(own.texts.subarray(2 * dims, 3 * dims), dims);
  const { pairs } = planBatches(own, { ...other, texts }, 8);
  assert.equal(new Set(pairs.groups).size, 7);
  assert.equal(new Set(pairs.wordings).size, 6);
  assert.equal(pairs.wordings![5], pairs.wordings![2]);
  const { mask } = batchFeeds(pairs, [0, 1, 2, 3, 4, 5, 6], { masked: true, each: 0 });
  assert.deepEqual(
    [...mask!].flatMap((value, i) => (value === 0 ? [] : [i])),
    [2 * 7 + 5, 5 * 7 + 2],
  );
});

await test('replay keeps what training without it forgets', async (context) => {
  // What the library needs, a turn of its space, is wrong for everything else, which lies in the other half of it.
  const space = 32;
  const inHalf = (pairs: TrainingPairs, first: boolean): TrainingPairs => {
    const kept = (values: Float32Array): Float32Array => {
      const halved = values.map((value, i) => (i % space < space / 2 === first ? value : 0.05 * value));
      for (let from = 0; from < halved.length; from += space) {
        const row = halved.subarray(from, from + space);
        const length = Math.hypot(...row);
        row.forEach((value, i) => (row[i] = value / length));
      }
      return halved;
    };
    return { ...pairs, images: kept(pairs.images), texts: kept(pairs.texts) };
  };
  const own = (seed: number, count: number) =>
    inHalf(madePairs(count, seed, { dims: space, turned: 16, noise: 0.2 }), true);
  const wide = (seed: number, count: number) =>
    inHalf(madePairs(count, seed, { dims: space, noise: 0.2 }), false);
  const generic = wide(5, 300);
  const projector = createProjector(1);
  context.after(() => projector.close());
  const r10After = async (replay: TrainingPairs | undefined): Promise<number> => {
    const { parameters } = await trainHead({
      // So high that what nothing holds on to is lost.
      head: createHead('linear', { dims: space, normal: seededNormal(1) }),
      loss: 'infonce',
      train: own(1, 400),
      heldOut: own(2, 100),
      replay,
      epochs: 30,
      batch: 128,
      learningRate: 0.03,
      seed: 3,
      threads: 1,
      patience: 30,
    });
    const weight = { shape: [space, space], values: parameters['weight']! };
    const stored = { head: 'linear' as const, dims: space, parameters: { weight } };
    const images = await projector.project(stored, generic.images);
    return bothWays(rankPairs({ ...generic, images })).r10;
  };
  const before = bothWays(rankPairs(generic)).r10;
  const [without, withReplay] = [await r10After(undefined), await r10After(wide(6, 2_000))];
  assert.ok(without < before - 0.12, `without replay ${String(before)} falls to ${String(without)}`);
  assert.ok(withReplay >= before - 0.04, `with replay ${String(before)} becomes ${String(withReplay)}`);
});
