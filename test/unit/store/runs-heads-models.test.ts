import assert from 'node:assert/strict';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import Database from 'better-sqlite3';
import { openStore } from '../../../main/engine/store/store.ts';
import type { Store } from '../../../main/engine/store/types.ts';
import { head, run } from './learning-fixtures.ts';
import { dims, file, finished, hashOf, now, storeWithModel } from './temporary-library.ts';

/** A library of three photos, a run with a head, and the model that the head makes; nothing derived yet. */
function library(t: TestContext): {
  store: Store;
  directory: string;
  rootId: number;
  base: number;
  runId: number;
  derived: number;
} {
  const { store, directory, rootId, modelId } = storeWithModel(t);
  const ids = store.photos.add(rootId, ['a.jpg', 'b.jpg', 'c.jpg'].map(file));
  store.photos.commit(
    modelId,
    ids.map((id) => finished(id)),
    [],
  );
  const runId = store.runs.add('fingerprint-a', run()).id;
  store.runs.setHead(head(runId));
  const derived = store.embeddings.derivedModel(modelId, runId, head(runId).hash);
  return { store, directory, rootId, base: modelId, runId, derived };
}

/** Makes the derived rows of these photos: each vector turned round. */
function derive(store: Store, derived: number, base: number, ids: readonly number[]): void {
  store.embeddings.put(
    derived,
    ids.map((photoId) => ({ photoId, vector: store.embeddings.get(base, photoId)!.map((value) => -value) })),
  );
}

function raw(directory: string, sql: string): void {
  const db = new Database(join(directory, 'library.db'));
  db.pragma('foreign_keys = OFF');
  db.exec(sql);
  db.close();
}

test('a run is kept as it was told, the newest first', (t) => {
  const { store, runId } = library(t);
  const second = store.runs.add('fingerprint-b', run({ state: 'running', endedAt: null }));
  assert.deepEqual(store.runs.list(), [
    { ...run({ state: 'running', endedAt: null }), id: second.id, fingerprint: 'fingerprint-b' },
    { ...run(), id: runId, fingerprint: 'fingerprint-a' },
  ]);
  assert.equal(store.runs.update(runId, { state: 'declined' }).state, 'declined');
  assert.deepEqual(store.runs.get(runId), {
    ...run({ state: 'declined' }),
    id: runId,
    fingerprint: 'fingerprint-a',
  });
  assert.equal(store.runs.get(99), undefined);
  assert.throws(() => store.runs.update(99, {}), { code: 'not-found' });
});

test('a run with a loss that is no number is not kept', (t) => {
  const { store, runId } = library(t);
  const curve = [{ epoch: 1, trainLoss: Number.NaN, heldOutLoss: 1, r10: 0 }];
  assert.throws(() => store.runs.update(runId, { curve }), { code: 'internal' });
  assert.deepEqual(store.runs.get(runId)?.curve, run().curve);
});

test('a run that nobody runs any more is interrupted, with the reason', (t) => {
  const { store, runId } = library(t);
  const { id } = store.runs.add('fingerprint-a', run({ state: 'running', endedAt: null }));
  const error = { code: 'worker-died', message: 'The app ended.' } as const;
  assert.equal(store.runs.interruptRunning(error, 9), 1);
  const { state, error: kept, endedAt } = store.runs.get(id)!;
  assert.deepEqual({ state, kept, endedAt }, { state: 'interrupted', kept: error, endedAt: 9 });
  assert.equal(store.runs.get(runId)?.state, 'offered');
  assert.equal(store.runs.interruptRunning(error, 9), 0);
});

test('a checkpoint is replaced, taken away, and goes with its run', (t) => {
  const { store, runId } = library(t);
  store.runs.setCheckpoint(runId, Uint8Array.of(1, 2, 3));
  store.runs.setCheckpoint(runId, Uint8Array.of(9, 4, 5, 9).subarray(1, 3));
  assert.deepEqual([...store.runs.checkpoint(runId)!], [4, 5]);
  store.runs.setCheckpoint(runId, null);
  assert.equal(store.runs.checkpoint(runId), undefined);
  assert.throws(() => store.runs.setCheckpoint(99, Uint8Array.of(1)), { code: 'not-found' });
});

test('a head comes back to the bit', (t) => {
  const { store, runId } = library(t);
  assert.deepEqual(store.runs.head(runId), head(runId));
  const padded = Float32Array.of(9, 0.1, -0.2, 9);
  const other = head(runId, {
    head: 'residual',
    parameters: {
      delta: { shape: [1, 2], values: padded.subarray(1, 3) },
      none: { shape: [0], values: new Float32Array() },
    },
  });
  store.runs.setHead(other);
  assert.deepEqual(store.runs.head(runId), other);
  assert.equal(store.runs.head(99), undefined);
  assert.throws(() => store.runs.setHead(head(99)), { code: 'not-found' });
});

test('heads with numbers that are none, of another shape, or of another hash are refused', (t) => {
  const { store, runId } = library(t);
  const withValues = (values: number[]) =>
    head(runId, { parameters: { w: { shape: [2], values: Float32Array.from(values) } } });
  for (const unfit of [
    withValues([1, Number.NaN]),
    withValues([1, Number.POSITIVE_INFINITY]),
    withValues([1, 2, 3]),
    head(runId, { hash: head(runId, { dims: 3 }).hash }),
  ])
    assert.throws(() => store.runs.setHead(unfit), { code: 'input-invalid' });
  assert.deepEqual(store.runs.head(runId), head(runId), 'the one before it stays');
});

test('a head that was damaged in the file is not handed out', (t) => {
  const { store, directory, runId } = library(t);
  store.close();
  const damages = [
    `UPDATE heads SET bytes = zeroblob(length(bytes))`,
    `UPDATE heads SET bytes = x'00'`,
    `UPDATE heads SET parameters = '[["w",[2'`,
    `UPDATE heads SET parameters = '[["w",[-2]]]'`,
    `UPDATE heads SET head = 'heart'`,
  ];
  for (const damage of damages) {
    raw(directory, damage);
    const again = openStore({ directory, now });
    try {
      assert.throws(() => again.runs.head(runId), { code: 'library-damaged' }, damage);
    } finally {
      again.close();
    }
  }
});

test('a run that cannot be read is library-damaged, not an empty list', (t) => {
  const { store, directory } = library(t);
  store.close();
  raw(directory, `UPDATE runs SET record = '{}'`);
  const again = openStore({ directory, now });
  t.after(() => again.close());
  assert.throws(() => again.runs.list(), { code: 'library-damaged' });
});

test('the model that a head makes has a row of its own for each run and head', (t) => {
  const { store, base, runId, derived } = library(t);
  assert.equal(store.embeddings.derivedModel(base, runId, head(runId).hash), derived);
  const another = store.runs.add('fingerprint-a', run()).id;
  assert.notEqual(store.embeddings.derivedModel(base, another, head(runId).hash), derived);
  assert.throws(() => store.embeddings.derivedModel(base, 99, 'x'), { code: 'not-found' });
  assert.throws(() => store.embeddings.derivedModel(99, runId, 'x'), { code: 'not-found' });
  assert.throws(() => store.embeddings.derivedModel(derived, runId, 'x'), { code: 'internal' });
  store.embeddings.setActiveModel(derived);
  const { modelId, packId, base: from, fingerprint } = store.embeddings.activeModel()!;
  assert.deepEqual(
    { modelId, packId, from },
    { modelId: derived, packId: 'starter', from: { modelId: base, fingerprint: 'fingerprint-a', runId } },
  );
  assert.notEqual(fingerprint, 'fingerprint-a');
});

test('what is not derived yet, or from older vectors, is told with its base vectors in id order', (t) => {
  const { store, rootId, base, derived } = library(t);
  const left = (afterId = 0, limit = 9): number[] => [
    ...store.embeddings.underived(derived, base, { limit, afterId }).ids,
  ];
  assert.deepEqual(left(), [1, 2, 3]);
  assert.deepEqual(left(0, 2), [1, 2]);
  assert.deepEqual(left(2), [3]);
  const { data } = store.embeddings.underived(derived, base, { limit: 1, afterId: 1 });
  assert.deepEqual(data, finished(2).vector);
  derive(store, derived, base, [1, 2, 3]);
  assert.deepEqual(left(), []);
  store.photos.commit(base, [finished(2, { hash: hashOf(40) })], []);
  assert.equal(store.embeddings.get(derived, 2), undefined, 'of the old bytes');
  assert.deepEqual(left(), [2]);
  store.embeddings.put(base, [{ photoId: 3, vector: finished(1).vector }]);
  assert.deepEqual(left(), [2, 3], 'one is missing, one is older than what it was made from');
  derive(store, derived, base, [2, 3]);
  const [copy = 0] = store.photos.add(rootId, [file('copy.jpg')]);
  store.photos.commitCopy(copy, 1, { bytes: 1, mtimeMs: 1 });
  assert.deepEqual(left(), [], 'a copy has what its original has');
  assert.deepEqual(store.embeddings.get(derived, copy), store.embeddings.get(derived, 1));
  assert.throws(() => store.embeddings.underived(derived, 99, { limit: 1 }), { code: 'not-found' });
});

test('dropping the base drops what was made from it', (t) => {
  const { store, base, derived } = library(t);
  derive(store, derived, base, [1, 2, 3]);
  store.snapshots.write(derived, { generation: 1, count: 1, dims }, [Uint8Array.of(1)]);
  store.embeddings.setActiveModel(derived);
  store.embeddings.drop(base);
  assert.equal(store.embeddings.activeModel(), undefined);
  assert.equal(store.embeddings.count(derived), 0);
  assert.equal(store.snapshots.info(derived), undefined);
  assert.throws(() => store.embeddings.all(derived), { code: 'not-found' });
});

test('a run in use is not removed; one that is not goes with head, checkpoint and model', (t) => {
  const { store, base, runId, derived } = library(t);
  derive(store, derived, base, [1, 2, 3]);
  store.runs.setCheckpoint(runId, Uint8Array.of(1));
  store.embeddings.setActiveModel(derived);
  assert.throws(() => store.runs.remove(runId), { code: 'input-invalid' });
  assert.equal(store.embeddings.count(derived), 3);
  store.embeddings.setActiveModel(base);
  store.runs.setOrdering(runId);
  assert.throws(() => store.runs.remove(runId), { code: 'input-invalid' });
  store.runs.setOrdering(null);
  store.runs.remove(runId);
  assert.equal(store.runs.get(runId), undefined);
  assert.equal(store.runs.head(runId), undefined);
  assert.equal(store.runs.checkpoint(runId), undefined);
  assert.throws(() => store.embeddings.all(derived), { code: 'not-found' });
  assert.equal(store.embeddings.count(base), 3);
});

test('the head that orders what is found is remembered, and its change is counted', (t) => {
  const { store, runId } = library(t);
  assert.equal(store.runs.ordering(), null);
  const before = store.embeddings.generation();
  store.runs.setOrdering(runId);
  store.runs.setOrdering(runId);
  assert.equal(store.runs.ordering(), runId);
  assert.equal(store.embeddings.generation(), before + 1);
  const headless = store.runs.add('fingerprint-a', run()).id;
  assert.throws(() => store.runs.setOrdering(headless), { code: 'not-found' });
  assert.throws(() => store.runs.setOrdering(99), { code: 'not-found' });
});

test('a library whose model in use lost its head or its base opens with what is left, and says so once', (t) => {
  const { store, directory, base, derived } = library(t);
  derive(store, derived, base, [1, 2, 3]);
  store.embeddings.setActiveModel(derived);
  store.close();
  const warnings: string[] = [];
  const open = (): Store => {
    const log = { debug() {}, info() {}, error() {}, warn: (message: string) => void warnings.push(message) };
    const again = openStore({ directory, now, log });
    t.after(() => again.close());
    return again;
  };
  raw(directory, 'DELETE FROM heads');
  const headless = open();
  assert.equal(headless.embeddings.activeModel()?.modelId, base);
  assert.equal(headless.embeddings.activeModel()?.base, null);
  assert.equal(warnings.length, 1);
  headless.close();
  raw(directory, `DELETE FROM models WHERE id = ${base}`);
  assert.equal(open().embeddings.activeModel(), undefined);
  assert.equal(warnings.length, 2);
});

test('all that was learnt can be forgotten, but not while it is in use', (t) => {
  const { store, base, runId, derived } = library(t);
  derive(store, derived, base, [1, 2, 3]);
  store.feedback.set(1, 'dog', 'up', 1);
  store.queries.remember('dog', 1);
  store.names.put(store.names.add({ name: 'Rex', kind: null, createdAt: 1 }).id, [1]);
  store.runs.setOrdering(runId);
  store.embeddings.setActiveModel(derived);
  assert.throws(() => store.erase.learning(), { code: 'internal' });
  assert.deepEqual(store.feedback.counts(), { up: 1, down: 0 });
  store.embeddings.setActiveModel(base);
  store.erase.learning();
  assert.deepEqual(store.feedback.counts(), { up: 0, down: 0 });
  assert.deepEqual(store.queries.list(9), []);
  assert.deepEqual(store.names.list(), []);
  assert.deepEqual(store.runs.list(), []);
  assert.equal(store.runs.head(runId), undefined);
  assert.equal(store.runs.ordering(), null);
  assert.equal(store.embeddings.count(derived), 0);
  assert.equal(store.embeddings.activeModel()?.modelId, base);
  assert.equal(store.embeddings.count(base), 3);
});
