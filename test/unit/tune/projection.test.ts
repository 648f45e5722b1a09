/** A stored head applied by the graph and in plain TypeScript must say the same, and refuse what doesn't fit. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { createHead, headNames } from '../../../main/engine/tune/heads.ts';
import { createProjection, createProjector, type StoredHead } from '../../../main/engine/tune/projection.ts';
import { seededNormal } from '../search/seeded-random.ts';
import { madePairs } from './made-pairs.ts';

const dims = 40;

/** As if trained: every parameter a little away from its start. */
function trained(name: (typeof headNames)[number]): StoredHead {
  const normal = seededNormal(5);
  const { parameters } = createHead(name, { dims, normal, keys: madePairs(7, 3, { dims }).images });
  return {
    head: name,
    dims,
    parameters: Object.fromEntries(
      Object.entries(parameters).map(([key, { shape, start }]) => [
        key,
        { shape, values: start.map((value) => value + 0.3 * normal()) },
      ]),
    ),
  };
}

for (const name of headNames)
  await test(`the head "${name}" moves one vector as it moves many`, async (context) => {
    const stored = trained(name);
    const projector = createProjector(1);
    context.after(() => projector.close());
    const { images } = madePairs(33, 2, { dims });
    const all = await projector.project(stored, images);
    const projection = createProjection(name, dims, stored.parameters);
    let moved = 0;
    for (let row = 0; row < 33; row++) {
      const one = projection.project(images.subarray(row * dims, (row + 1) * dims));
      assert.ok(Math.abs(Math.hypot(...one) - 1) < 1e-5);
      one.forEach((value, i) => {
        assert.ok(Math.abs(value - all[row * dims + i]!) < 1e-5);
        moved = Math.max(moved, Math.abs(value - images[row * dims + i]!));
      });
    }
    assert.ok(moved > 0.01, 'the head does something');
  });

await test('a cache moves photos like those it learnt from, and leaves others where they are', () => {
  const { images } = madePairs(12, 4, { dims });
  const near = images.slice(0, dims);
  const { parameters } = createHead('cache', { dims, normal: () => 0, keys: near });
  const values = Float32Array.from({ length: dims }, (_, i) => (i === 0 ? 1 : 0));
  const projection = createProjection('cache', dims, {
    keys: { shape: [dims, 1], values: parameters['keys']!.start },
    values: { shape: [1, dims], values },
  });
  const moveOf = (vector: Float32Array): number => {
    const moved = projection.project(vector);
    return Math.hypot(...moved.map((value, i) => value - vector[i]!));
  };
  assert.ok(moveOf(near) > 0.5);
  const opposite = near.map((value) => -value);
  assert.ok(moveOf(opposite) < 1e-6);
  for (let row = 1; row < 12; row++) {
    const other = images.slice(row * dims, (row + 1) * dims);
    const cosine = other.reduce((sum, value, i) => sum + value * near[i]!, 0);
    if (cosine < 0.3) assert.ok(moveOf(other) < 0.01);
  }
});

await test('rows of another number follow without a new process, and none give none', async (context) => {
  const stored = trained('residual');
  const projector = createProjector(1);
  context.after(() => projector.close());
  const { images } = madePairs(10, 2, { dims });
  const ten = await projector.project(stored, images);
  for (const count of [3, 7, 1]) {
    const fewer = await projector.project(stored, images.slice(0, count * dims));
    assert.equal(fewer.length, count * dims);
    // A single row is multiplied by another kernel, which rounds in another order.
    fewer.forEach((value, i) => assert.ok(Math.abs(value - ten[i]!) < 1e-6));
  }
  assert.equal((await projector.project(stored, new Float32Array(0))).length, 0);
});

await test('parameters of another size, of another head or damaged ones are refused by name', async () => {
  const stored = trained('residual');
  assert.throws(() => createProjection('residual', dims + 1, stored.parameters), /doesn't fit vectors of 41/);
  assert.throws(() => createProjection('linear', dims, stored.parameters), /"weight" is \(missing\)/);
  assert.throws(() => createProjection('joint', dims, stored.parameters), /moves no vectors/);
  const values = stored.parameters['delta']!.values.slice();
  values[3] = Number.NaN;
  const damaged = { delta: { shape: [dims, dims], values } };
  assert.throws(() => createProjection('residual', dims, damaged), /no numbers/);
  await assert.rejects(
    createProjector(1).project({ ...stored, dims: 8 }, new Float32Array(16)),
    /doesn't fit/,
  );
});

await test('one photo takes well under a millisecond at 256 numbers', () => {
  const { parameters } = createHead('residual', { dims: 256, normal: seededNormal(1) });
  const projection = createProjection('residual', 256, {
    delta: { shape: [256, 256], values: parameters['delta']!.start },
  });
  const { images } = madePairs(50, 2, { dims: 256 });
  const rows = Array.from({ length: 50 }, (_, row) => images.subarray(row * 256, (row + 1) * 256));
  for (let i = 0; i < 400; i++) projection.project(rows[i % 50]!);
  const start = performance.now();
  for (const row of rows) projection.project(row);
  assert.ok((performance.now() - start) / 50 < 2);
});
