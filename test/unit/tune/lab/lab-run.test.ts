/** The lab trains heads on made-up captioned photos: what learns, what cheats, what runs away, and that it can be repeated. */
import assert from 'node:assert/strict';
import test from 'node:test';
import type { LabProgress } from '../../../../main/contract.ts';
import { AppError } from '../../../../main/errors.ts';
import { runLab } from '../../../../main/engine/tune/lab/lab-run.ts';
import { madeUpTask } from './made-up-tokens.ts';

const now = (): number => 0;
const chance = 1 / 32;

await test('heads without a residual learn which caption belongs to a photo', async () => {
  const rows = await runLab(madeUpTask({ heads: ['v0', 'v6', 'v8'] }), { now });
  for (const row of rows) {
    assert.equal(row.trained, true, `${row.head}: ${row.remark}`);
    assert.ok(row.retrieval.r5 > 8 * chance, `${row.head} finds ${String(row.retrieval.r5)}`);
    assert.ok(row.loss.last < row.loss.first);
    assert.ok(row.similarities.length === 5 && row.bestOfFive > 0.5);
    assert.equal(row.gap, Math.max(...row.similarities) - [...row.similarities].sort((a, b) => b - a)[1]!);
  }
  const byGap = [...rows].sort((a, b) => b.gap - a.gap);
  assert.deepEqual(
    byGap.map(({ rank }) => rank),
    [1, 2, 3],
  );
});

await test('in the study’s own setting a half-and-half mix cheats: five equal similarities, as the study saw', async () => {
  const study = madeUpTask({ heads: ['v0', 'v5'], pooled: true, budget: { scoring: 'study' } });
  const [swapped, mixed] = await runLab(study, { now });
  assert.ok(swapped !== undefined && mixed !== undefined);
  assert.equal(swapped.trained, true, swapped.remark);
  assert.equal(mixed.trained, false);
  // Both halves are the same mean of photo and caption: cosine 1 for any pair, times the scale.
  for (const similarity of mixed.similarities)
    assert.ok(Math.abs(similarity - mixed.similarities[0]!) < 1e-3, mixed.similarities.join(' '));
  assert.ok(mixed.loss.last < 0.1 && mixed.evidence.shortcut > 0.9);
  assert.ok(mixed.retrieval.r1 < 4 * chance);
  assert.match(mixed.remark, /cheats/);
  assert.equal(mixed.study?.trained, false);
});

await test('shown wrong pairs too, the same mix learns, and the remark says why the study’s did not', async () => {
  const [row] = await runLab(madeUpTask({ heads: ['v3'], budget: { epochs: 8 } }), { now });
  assert.ok(row !== undefined);
  assert.equal(row.trained, true, row.remark);
  assert.match(row.remark, /^In the study it did not train\. /);
});

await test('on one token a side a head that only swaps sides gives the same in both ways of scoring', async () => {
  const pairs = await runLab(madeUpTask({ pooled: true }), { now });
  const study = await runLab(madeUpTask({ pooled: true, budget: { scoring: 'study' } }), { now });
  assert.equal(pairs[0]?.similarities.length, 5);
  for (const [i, similarity] of pairs[0].similarities.entries())
    assert.ok(Math.abs(similarity - study[0]!.similarities[i]!) < 1e-2);
});

await test('captions that say nothing of their photos train no head', async () => {
  const task = madeUpTask({ heads: ['v0', 'v6'] });
  const shifted = (captions: readonly number[]): number[] => [...captions.slice(7), ...captions.slice(0, 7)];
  const rows = await runLab(
    {
      ...task,
      train: { ...task.train, captions: shifted(task.train.captions) },
      heldOut: { ...task.heldOut, captions: shifted(task.heldOut.captions) },
    },
    { now },
  );
  for (const { head, trained, bestOfFive, rank } of rows) {
    assert.equal(trained, false, `${head}: best of five for ${String(bestOfFive)}`);
    assert.equal(rank, null);
  }
});

await test('a head that runs away is a row of the table and not an error, and the next one is trained', async () => {
  const task = madeUpTask({ heads: ['v4', 'v0'], budget: { epochs: 2 } });
  const broken = task.tokens.images.slice();
  broken[task.train.photos[3]! * 4 * 16] = Number.NaN;
  const rows = await runLab({ ...task, tokens: { ...task.tokens, images: broken } }, { now });
  assert.equal(rows.length, 2);
  for (const row of rows) {
    assert.equal(row.trained, false);
    assert.equal(row.evidence.ranAway, 1);
    assert.match(row.remark, /stopped being finite in epoch 1/);
    const numbers = [...row.similarities, row.gap, row.loss.first, row.loss.last, row.loss.heldOut];
    assert.ok(numbers.every(Number.isFinite), numbers.join(' '));
  }
});

await test('the same seed gives the same table, another one another', async () => {
  const run = async (seed: number): Promise<unknown> =>
    await runLab(madeUpTask({ heads: ['v9'], budget: { epochs: 1, seed } }), { now });
  const first = await run(1);
  assert.deepEqual(await run(1), first);
  assert.notDeepEqual(await run(2), first);
});

await test('progress goes head by head and epoch by epoch, and a stop is heard', async () => {
  const told: LabProgress[] = [];
  const stop = new AbortController();
  await assert.rejects(
    runLab(madeUpTask({ heads: ['v0', 'v1'], budget: { epochs: 3 } }), {
      now,
      signal: stop.signal,
      onProgress: (progress) => {
        told.push(progress);
        if (progress.head === 'v1' && progress.epoch === 1) stop.abort();
      },
    }),
    (thrown: unknown) => thrown instanceof AppError && thrown.code === 'cancelled',
  );
  assert.deepEqual(
    told.map(({ head, epoch }) => `${head} ${String(epoch)}`),
    ['v0 0', 'v0 1', 'v0 2', 'v0 3', 'v1 0', 'v1 1'],
  );
  assert.ok(told.every(({ total, epochs }) => total === 2 && epochs === 3));
});

await test('heads with several layers are trained and judged as well', async () => {
  const heads = ['v11', 'single-stream'] as const;
  const rows = await runLab(madeUpTask({ heads, budget: { epochs: 1 } }), { now });
  assert.deepEqual(
    rows.map(({ head, evidence }) => [head, evidence.ranAway]),
    heads.map((head) => [head, null]),
  );
  assert.ok(rows.every(({ loss, parameters }) => loss.last < loss.first && parameters > 1_000));
});
