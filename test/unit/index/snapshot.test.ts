import assert from 'node:assert/strict';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import Database from 'better-sqlite3';
import { decodeSnapshot } from '../../../main/engine/index/graph-file.ts';
import { loadGraph } from '../../../main/engine/index/graph-snapshot.ts';
import { VectorRows } from '../../../main/engine/index/vector-rows.ts';
import type { VectorIndex } from '../../../main/engine/index/types.ts';
import { silentLog } from '../../../main/engine/log.ts';
import { AppError } from '../../../main/errors.ts';
import { bruteForce, idsOf, recall, seeded, vectorLibrary, type VectorLibrary } from './vector-library.ts';

const dims = 16;
const exactBelow = 100;

/** A library of 1,500 photos whose graph is saved; index and store are closed in between. */
async function saved(
  t: TestContext,
  seed = 1,
): Promise<{ library: VectorLibrary; vectors: Map<number, Float32Array> }> {
  const library = vectorLibrary(t, dims, seed);
  const vectors = new Map(library.add(1_500).map(({ id, vector }) => [id, vector]));
  const index = await library.open({ exactBelow });
  await index.built();
  await index.save();
  await index.close();
  return { library, vectors };
}

function assertTrue(index: VectorIndex, library: VectorLibrary, vectors: Map<number, Float32Array>): void {
  assert.equal(index.size, vectors.size);
  let total = 0;
  for (let n = 0; n < 40; n += 1) {
    const query = library.next();
    const truth = bruteForce(vectors, query, 10);
    assert.deepEqual(idsOf(index.search(query, { k: 10, method: 'exact' }).neighbours), idsOf(truth));
    const { neighbours, method } = index.search(query, { k: 10, method: 'hnsw' });
    assert.equal(method, 'hnsw');
    total += recall(neighbours, truth);
  }
  assert.ok(total / 40 >= 0.99, `recall ${total / 40}`);
}

/** Event-loop turns until nothing is building: many for a build, few for reading a snapshot. */
async function turnsUntilBuilt(index: VectorIndex): Promise<number> {
  let turns = 0;
  while (index.state.building) {
    await new Promise(setImmediate);
    turns += 1;
  }
  return turns;
}

test('a saved graph answers after reopening exactly as before, and is not written again', async (t) => {
  const library = vectorLibrary(t, dims);
  library.add(1_500);
  const first = await library.open({ exactBelow });
  await first.built();
  await first.save();
  const queries = Array.from({ length: 20 }, () => library.next());
  const answer = (index: VectorIndex) =>
    queries.map((query) => index.search(query, { k: 10, method: 'hnsw', efSearch: 20 }));
  const before = answer(first);
  await first.close();
  const info = library.store.snapshots.info(library.modelId)!;
  assert.deepEqual(
    [info.count, info.dims, info.generation],
    [1_500, dims, library.store.embeddings.generation()],
  );
  assert.ok(info.bytes < 1_500 * 200, 'links only');
  library.reopenStore();
  const second = await library.open({ exactBelow });
  await second.built();
  assert.deepEqual(answer(second), before);
  let writes = 0;
  const { snapshots } = library.store;
  const write = snapshots.write.bind(snapshots);
  snapshots.write = (...args) => {
    writes += 1;
    write(...args);
  };
  await second.save();
  assert.equal(writes, 0);
  second.upsert(library.add(1), library.store.embeddings.generation());
  await second.built();
  await Promise.all([second.save(), second.save()]);
  assert.equal(writes, 1);
  assert.deepEqual(library.notices, []);
  assert.deepEqual(
    readdirSync(library.directory).filter((name) => name.startsWith('graph-')),
    [],
  );
});

test('a graph that is a little behind catches up with what was added, changed and removed', async (t) => {
  const { library, vectors } = await saved(t);
  const ids = [...vectors.keys()];
  library.store.photos.remove(ids.slice(0, 200));
  for (const id of ids.slice(0, 200)) vectors.delete(id);
  for (const id of ids.slice(200, 300)) {
    const vector = library.next();
    vectors.set(id, vector);
    library.store.embeddings.put(library.modelId, [{ photoId: id, vector }]);
  }
  for (const { id, vector } of library.add(150)) vectors.set(id, vector);
  library.reopenStore();
  const index = await library.open({ exactBelow });
  await index.built();
  assert.deepEqual(library.notices, []);
  assertTrue(index, library, vectors);
  await index.save();
  assert.equal(library.store.snapshots.info(library.modelId)?.generation, index.generation);
});

test('a graph saved in the middle of its building goes on from there', async (t) => {
  const library = vectorLibrary(t, dims);
  const vectors = new Map(library.add(3_000).map(({ id, vector }) => [id, vector]));
  const first = await library.open({ exactBelow });
  for (let turn = 0; turn < 12; turn += 1) await new Promise(setImmediate);
  assert.equal(first.state.building, true);
  await first.save();
  await first.close();
  const { count } = library.store.snapshots.info(library.modelId)!;
  assert.ok(count > 0 && count < 3_000, `${count} saved`);
  const second = await library.open({ exactBelow });
  await second.built();
  assertTrue(second, library, vectors);
});

test('a library without a snapshot builds its graph without a word', async (t) => {
  const { library, vectors } = await saved(t);
  library.reopenStore((directory) => run(directory, 'DELETE FROM snapshots'));
  const index = await library.open({ exactBelow });
  assert.ok((await turnsUntilBuilt(index)) > 3);
  assert.deepEqual(library.notices, []);
  assertTrue(index, library, vectors);
});

test('a graph that is too old to catch up is built anew without a word', async (t) => {
  const { library, vectors } = await saved(t);
  const sql = 'UPDATE state SET generation = generation + 10, history_floor = generation + 10';
  library.reopenStore((directory) => run(directory, sql));
  const index = await library.open({ exactBelow });
  await index.built();
  assert.deepEqual(library.notices, []);
  assertTrue(index, library, vectors);
});

function run(directory: string, sql: string): void {
  const raw = new Database(join(directory, 'library.db'));
  raw.pragma('foreign_keys = ON');
  raw.exec(sql);
  raw.close();
}

for (const [what, sql] of [
  [
    'a flipped bit',
    "UPDATE snapshot_chunks SET bytes = CAST(substr(bytes, 1, 5000) || x'ff' || substr(bytes, 5002) AS BLOB)",
  ],
  [
    'a zeroed page',
    'UPDATE snapshot_chunks SET bytes = CAST(substr(bytes, 1, 4096) || zeroblob(16384) || substr(bytes, 20481) AS BLOB)',
  ],
  ['a lost chunk', 'DELETE FROM snapshot_chunks'],
  ['a graph for other dimensions', 'UPDATE snapshots SET dims = 32'],
] as const)
  test(`${what} is noticed, said, and mended from the stored vectors`, async (t) => {
    const { library, vectors } = await saved(t);
    library.reopenStore((directory) => run(directory, sql));
    const index = await library.open({ exactBelow });
    await index.built();
    assert.deepEqual(
      library.notices.map(({ code, key, level }) => [code, key, level]),
      [['library-damaged', 'index-rebuilt', 'info']],
    );
    assertTrue(index, library, vectors);
    await index.save();
    await index.close();
    const again = await library.open({ exactBelow });
    await again.built();
    assert.equal(library.notices.length, 1, 'and then it is well');
  });

test('the snapshot of another model is not taken for this one', async (t) => {
  const { library, vectors } = await saved(t);
  const { store } = library;
  const other = store.embeddings.model('other', 'better', dims);
  const flipped = [...vectors].map(([photoId, vector]) => ({
    photoId,
    vector: vector.map((value) => -value),
  }));
  store.embeddings.put(other, flipped);
  library.reopenStore((directory) =>
    run(
      directory,
      `INSERT INTO snapshots SELECT ${other}, generation, count, dims, bytes, chunks FROM snapshots;
       INSERT INTO snapshot_chunks SELECT ${other}, seq, crc32, bytes FROM snapshot_chunks`,
    ),
  );
  const index = await library.open({ exactBelow, modelId: other });
  await index.built();
  assert.equal(library.notices.length, 1);
  assertTrue(index, library, new Map(flipped.map(({ photoId, vector }) => [photoId, vector])));
});

test('bytes that pass their checksum but are no graph never reach hnswlib', async (t) => {
  const { library } = await saved(t);
  const { store, modelId } = library;
  const whole = Buffer.concat([...store.snapshots.read(modelId)]);
  const { generation } = store.snapshots.info(modelId)!;
  const rows = new VectorRows(store.embeddings.all(modelId));
  const random = seeded(5);
  const outcomes = { refused: 0, loaded: 0 };
  for (let round = 0; round < 150; round += 1) {
    let bytes = Buffer.from(whole);
    if (round % 10 === 0) bytes = bytes.subarray(0, Math.floor(random() * bytes.length));
    else
      for (let n = 0; n < 3; n += 1)
        bytes[Math.floor(random() * (round % 2 === 0 ? 14_000 : bytes.length))] = Math.floor(random() * 256);
    store.snapshots.write(modelId, { generation, count: 1_500, dims }, [bytes]);
    try {
      const graph = await loadGraph(
        { store, modelId, temporaryDirectory: library.directory, log: silentLog },
        rows,
      );
      for (let n = 0; n < 5; n += 1) graph!.search(library.next(), 50, 300);
      graph!.release();
      outcomes.loaded += 1;
    } catch (thrown) {
      assert.ok(thrown instanceof AppError, String(thrown));
      assert.equal(thrown.code, 'library-damaged');
      outcomes.refused += 1;
    }
  }
  assert.ok(outcomes.refused > 30, JSON.stringify(outcomes));
  assert.throws(() => decodeSnapshot(Buffer.alloc(0), { dims, m: 16 }), { code: 'library-damaged' });
});

test('saving where nothing can be written is an error, and the older snapshot stays', async (t) => {
  const { library } = await saved(t);
  const before = library.store.snapshots.info(library.modelId);
  const index = await library.open({ exactBelow });
  await index.built();
  index.upsert(library.add(1), library.store.embeddings.generation());
  await index.built();
  const cancelled = AbortSignal.abort();
  await assert.rejects(index.save(cancelled), { code: 'cancelled' });
  await index.close();
  assert.deepEqual(library.store.snapshots.info(library.modelId), before);

  const lost = await library.open({ exactBelow, temporaryDirectory: join(library.directory, 'lock.db') });
  await lost.built();
  assert.equal(library.notices.length, 1, 'the graph could not be read through that folder, and was rebuilt');
  await assert.rejects(lost.save(), (error: AppError) => error.code === 'io-failed');
  assert.deepEqual(library.store.snapshots.info(library.modelId), before);
});

test('temporary files of a process that is gone are removed, those of a live one stay', async (t) => {
  const { library } = await saved(t);
  const dead = join(library.directory, 'graph-999999999-1.tmp');
  const alive = join(library.directory, `graph-${process.pid}-777.tmp`);
  writeFileSync(dead, 'x');
  writeFileSync(alive, 'x');
  await library.open({ exactBelow });
  const names = readdirSync(library.directory);
  assert.deepEqual(
    [names.includes('graph-999999999-1.tmp'), names.includes(`graph-${process.pid}-777.tmp`)],
    [false, true],
  );
});

test('a reader of somebody else’s library searches it and saves nothing', async (t) => {
  const { library, vectors } = await saved(t);
  const { openStore } = await import('../../../main/engine/store/store.ts');
  const store = openStore({ directory: library.directory, now: () => 0, readOnly: true });
  t.after(() => store.close());
  const index = await library.open({ exactBelow, store });
  await index.built();
  assertTrue(index, library, vectors);
  await index.save();
  await index.close();
});
