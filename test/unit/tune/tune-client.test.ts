/** The process that trains, as a real child process. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { createNodeSpawner } from '../../../main/engine/inference/node-spawner.ts';
import type { WorkerProcess } from '../../../main/engine/inference/types.ts';
import { silentLog } from '../../../main/engine/log.ts';
import { learn } from '../../../main/engine/tune/learn.ts';
import { createProjection } from '../../../main/engine/tune/projection.ts';
import { openTuneProcess } from '../../../main/engine/tune/tune-client.ts';
import type { LearningEpoch } from '../../../main/engine/tune/types.ts';
import { bitsOf, madePairs, madeTask } from './made-pairs.ts';

const children: WorkerProcess[] = [];
const spawnWorker = createNodeSpawner({ log: silentLog });
const tune = openTuneProcess({
  spawn: (name) => {
    const child = spawnWorker(name);
    children.push(child);
    return child;
  },
  log: silentLog,
  threads: 1,
});
test.after(() => tune.close());

const task = madeTask(madePairs(200, 3, { turned: 4 }));

test('a run in the process gives the bits of one beside it, told epoch by epoch', async () => {
  const epochs: LearningEpoch[] = [];
  let proving = 0;
  const learnt = await tune.learn(task, {
    onEpoch: (epoch) => epochs.push(epoch),
    onProving: () => proving++,
  });
  const here = await learn(task);
  assert.deepEqual(bitsOf(learnt.parameters), bitsOf(here.parameters));
  assert.deepEqual(learnt, here);
  assert.equal(proving, 1);
  assert.deepEqual(
    epochs.map(({ epoch }) => epoch),
    [1, 2, 3, 4, 5, 6],
  );
});

test('rows go through the head in parts and come back as one', async () => {
  const stored = {
    head: 'linear' as const,
    dims: 8,
    parameters: { weight: { shape: [8, 8], values: madePairs(8, 4, { dims: 8 }).images } },
  };
  const count = 8_192 + 300;
  const rows = madePairs(count, 5, { dims: 8 }).images;
  const projected = await tune.project(stored, rows);
  assert.equal(projected.length, rows.length);
  const projection = createProjection('linear', 8, stored.parameters);
  for (const row of [0, 8_191, 8_192, count - 1]) {
    const one = projection.project(rows.subarray(row * 8, (row + 1) * 8));
    one.forEach((value, i) => assert.ok(Math.abs(value - projected[row * 8 + i]!) < 1e-5));
  }
  await assert.rejects(tune.project({ ...stored, dims: 4 }, new Float32Array(8)), /doesn't fit/);
  const aborted = AbortSignal.abort();
  await assert.rejects(tune.project(stored, rows, aborted), { code: 'cancelled' });
});

test('a run that is cancelled says so, and what it had reached goes on to the same end', async () => {
  const stop = new AbortController();
  let checkpoint: Uint8Array | undefined;
  await assert.rejects(
    tune.learn(task, {
      signal: stop.signal,
      onEpoch: (epoch) => {
        checkpoint = epoch.checkpoint;
        if (epoch.epoch === 2) stop.abort();
      },
    }),
    { code: 'cancelled' },
  );
  assert.ok(checkpoint !== undefined);
  assert.deepEqual(await tune.learn({ ...task, checkpoint }), await learn(task));
});

test('a process killed in the middle is told as such, and its checkpoint goes on in the next one', async () => {
  let checkpoint: Uint8Array | undefined;
  await assert.rejects(
    tune.learn(task, {
      onEpoch: (epoch) => {
        checkpoint = epoch.checkpoint;
        if (epoch.epoch === 3) children.at(-1)!.kill();
      },
    }),
    { code: 'worker-died' },
  );
  assert.ok(checkpoint !== undefined);
  const learnt = await tune.learn({ ...task, checkpoint });
  assert.deepEqual(learnt, await learn(task));
  assert.equal(children.length, 2);
});

test('data that cannot be learnt from is refused with the same words as beside it', async () => {
  await assert.rejects(tune.learn(madeTask(madePairs(5, 3))), {
    code: 'input-invalid',
    message: /at least 40/,
  });
});
