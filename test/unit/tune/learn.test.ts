/** Whole runs: repeatable to the bit, also when they were stopped, and refused clearly where nothing can be learnt. */
import assert from 'node:assert/strict';
import test from 'node:test';
import type { AppError } from '../../../main/errors.ts';
import { learn } from '../../../main/engine/tune/learn.ts';
import type { LearningEpoch, LearningTask } from '../../../main/engine/tune/types.ts';
import { bitsOf, madePairs, madeTask } from './made-pairs.ts';

const pairs = madePairs(300, 3, { turned: 4 });
const task = madeTask(pairs);

async function recorded(
  of: LearningTask,
): Promise<{ learnt: Awaited<ReturnType<typeof learn>>; epochs: LearningEpoch[] }> {
  const epochs: LearningEpoch[] = [];
  const learnt = await learn(of, { onEpoch: (epoch) => epochs.push(epoch) });
  return { learnt, epochs };
}

for (const threads of [1, 2])
  await test(`the same task gives the same bits with ${String(threads)} threads`, async () => {
    const wide = madeTask(madePairs(400, 3, { dims: 128, turned: 4 }), {
      threads,
      settings: { head: 'residual', batch: 256, epochs: 3 },
      gathered: { replay: madePairs(200, 4, { dims: 128 }) },
    });
    const [once, again] = [await recorded(wide), await recorded(wide)];
    assert.deepEqual(bitsOf(again.learnt.parameters), bitsOf(once.learnt.parameters));
    assert.deepEqual(again.learnt, once.learnt);
    assert.deepEqual(
      again.epochs.map(({ trainLoss, heldOutLoss, r10 }) => [trainLoss, heldOutLoss, r10]),
      once.epochs.map(({ trainLoss, heldOutLoss, r10 }) => [trainLoss, heldOutLoss, r10]),
    );
  });

await test('another seed gives another head', async () => {
  const other = { ...task, settings: { ...task.settings, seed: 8 } };
  assert.notDeepEqual(bitsOf((await learn(other)).parameters), bitsOf((await learn(task)).parameters));
});

await test('a run stopped after any epoch ends with the bits of one never stopped', async () => {
  const withReplay = madeTask(pairs, { gathered: { replay: madePairs(150, 4) } });
  const whole = await recorded(withReplay);
  assert.equal(whole.epochs.length, task.settings.epochs);
  for (const { epoch, checkpoint } of whole.epochs) {
    const rest = await recorded({ ...withReplay, checkpoint });
    assert.deepEqual(rest.learnt, whole.learnt, `stopped after epoch ${String(epoch)}`);
    assert.deepEqual(
      rest.epochs.map((report) => [report.epoch, report.heldOutLoss, report.r10]),
      whole.epochs.slice(epoch).map((report) => [report.epoch, report.heldOutLoss, report.r10]),
    );
  }
});

await test('a run that had ended by itself trains no further from its last checkpoint', async () => {
  // Pairs of nothing in common can only be learnt by heart, so that held-out loss rises soon.
  const mixed = { ...madePairs(90, 3), texts: madePairs(90, 12).texts };
  const short = madeTask(mixed, { settings: { epochs: 60, batch: 30, learningRate: 0.05 } });
  const whole = await recorded(short);
  assert.ok(whole.epochs.length < 60);
  const rest = await recorded({ ...short, checkpoint: whole.epochs.at(-1)!.checkpoint });
  assert.equal(rest.epochs.length, 0);
  assert.deepEqual(rest.learnt, whole.learnt);
});

await test('a checkpoint of other settings, of other examples or of nothing is refused and says so', async () => {
  const [first] = (await recorded(task)).epochs;
  const { checkpoint } = first!;
  const refused = (of: LearningTask, message: RegExp): Promise<void> =>
    assert.rejects(learn({ ...of, checkpoint }), (thrown: AppError) => {
      assert.equal(thrown.code, 'input-invalid');
      assert.match(thrown.message, message);
      return true;
    });
  await refused(
    { ...task, settings: { ...task.settings, learningRate: 0.02 } },
    /other settings or other examples/,
  );
  await refused(
    { ...task, gathered: { ...task.gathered, dataHash: 'other' } },
    /other settings or other examples/,
  );
  await assert.rejects(learn({ ...task, checkpoint: Uint8Array.of(1, 2, 3) }), /cannot be read/);
});

await test('the curve rises while a hidden turn is learnt', async () => {
  const { epochs, learnt } = await recorded(
    madeTask(pairs, { settings: { epochs: 15, learningRate: 0.02 } }),
  );
  assert.ok(epochs.at(-1)!.r10 > epochs[0]!.r10);
  assert.ok(epochs.at(-1)!.heldOutLoss < epochs[0]!.heldOutLoss);
  assert.equal(learnt.accepted, true, learnt.reason);
  assert.deepEqual(learnt.parameters['weight']?.shape, [24, 24]);
});

for (const seed of [1, 2, 3, 4])
  await test(`shuffled texts are refused, seed ${String(seed)}`, async () => {
    const { texts, dims } = madePairs(300, 20 + seed);
    const shuffled = {
      ...madePairs(300, 20 + seed),
      texts: texts.map((_, i) => texts[(i + 41 * dims) % texts.length]!),
    };
    const { accepted, reason } = await learn(
      madeTask(shuffled, {
        settings: { seed, epochs: 12 },
        gathered: { generic: { ...madePairs(120, 99), name: 'made' } },
      }),
    );
    assert.equal(accepted, false, reason);
    assert.match(reason, /stays as it is/);
  });

await test('too few photos are refused with how many more are needed', async () => {
  await assert.rejects(learn(madeTask(madePairs(12, 3))), (thrown: AppError) => {
    assert.equal(thrown.code, 'input-invalid');
    assert.match(thrown.message, /at least 40 are needed.*28 more/);
    assert.deepEqual(thrown.details, { groups: 12, needed: 40, more: 28 });
    return true;
  });
});

await test('a vector that is no number is named, on whichever side it stands', async () => {
  const broken = (side: 'images' | 'texts', row: number) => {
    const values = pairs[side].slice();
    values[row * pairs.dims + 5] = Number.NaN;
    return madeTask({ ...pairs, [side]: values });
  };
  await assert.rejects(learn(broken('images', 0)), /pair number 1 /);
  await assert.rejects(learn(broken('texts', 299)), /pair number 300 /);
});

await test('a training that runs away ends with an error that says what to try', async () => {
  await assert.rejects(
    learn(madeTask(pairs, { settings: { head: 'mlp', learningRate: 1e30 } })),
    (thrown: AppError) => {
      assert.match(thrown.message, /ran away.*lower learning rate/);
      return true;
    },
  );
});

await test('a cancelled run ends after the step it is in', async () => {
  const stop = new AbortController();
  await assert.rejects(
    learn(task, {
      signal: stop.signal,
      onEpoch: () => {
        stop.abort();
      },
    }),
    { code: 'cancelled' },
  );
});
