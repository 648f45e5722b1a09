import assert from 'node:assert/strict';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import Database from 'better-sqlite3';
import { openStore } from '../../../main/engine/store/store.ts';
import type { Store } from '../../../main/engine/store/types.ts';
import { dims, now, storeWithModel } from './temporary-library.ts';

const chunks = [Uint8Array.of(1, 2, 3), new Uint8Array(100_000).fill(7), Uint8Array.of(9)];

test('a snapshot reads back chunk by chunk and replaces the one before', (t) => {
  const { store, modelId } = storeWithModel(t);
  assert.equal(store.snapshots.info(modelId), undefined);
  store.snapshots.write(modelId, { generation: 3, count: 10, dims }, [Uint8Array.of(4)]);
  store.snapshots.write(modelId, { generation: 4, count: 11, dims }, chunks);
  assert.deepEqual(store.snapshots.info(modelId), { generation: 4, count: 11, dims, bytes: 100_004 });
  assert.deepEqual(
    [...store.snapshots.read(modelId)].map((chunk) => Uint8Array.from(chunk)),
    chunks,
  );
});

test('a snapshot whose bytes cannot all be had leaves the older one whole', (t) => {
  const { store, modelId } = storeWithModel(t);
  store.snapshots.write(modelId, { generation: 3, count: 1, dims }, chunks);
  const failing = function* (): Generator<Uint8Array> {
    yield Uint8Array.of(1);
    throw new Error('the reader broke off');
  };
  assert.throws(() => store.snapshots.write(modelId, { generation: 4, count: 2, dims }, failing()), {
    code: 'internal',
  });
  assert.equal(store.snapshots.info(modelId)?.generation, 3);
  assert.equal([...store.snapshots.read(modelId)].length, 3);
});

/** Writes a snapshot, does something to the file behind the store's back, and opens it again. */
function tampered(t: TestContext, sql: string): { store: Store; modelId: number } {
  const { store, modelId, directory } = storeWithModel(t);
  store.snapshots.write(modelId, { generation: 3, count: 1, dims }, chunks);
  store.close();
  const raw = new Database(join(directory, 'library.db'));
  raw.exec(sql);
  raw.close();
  const again = openStore({ directory, now });
  t.after(() => again.close());
  return { store: again, modelId };
}

for (const [what, sql] of [
  ['a flipped bit', `UPDATE snapshot_chunks SET bytes = x'010303' WHERE seq = 0`],
  ['a zeroed chunk', `UPDATE snapshot_chunks SET bytes = zeroblob(100000) WHERE seq = 1`],
  ['a missing chunk', `DELETE FROM snapshot_chunks WHERE seq = 1`],
  [
    'swapped chunks',
    `UPDATE snapshot_chunks SET seq = CASE seq WHEN 0 THEN 12 ELSE 10 END WHERE seq <> 1;
     UPDATE snapshot_chunks SET seq = seq - 10 WHERE seq >= 10`,
  ],
  ['a wrong length', `UPDATE snapshots SET bytes = bytes - 1`],
] as const)
  test(`${what} is found before the graph is used`, (t) => {
    const { store, modelId } = tampered(t, sql);
    assert.throws(() => [...store.snapshots.read(modelId)], { code: 'library-damaged' });
  });

test('reading a snapshot that is not there says so', (t) => {
  const { store } = storeWithModel(t);
  assert.throws(() => [...store.snapshots.read(99)], { code: 'library-damaged' });
});
