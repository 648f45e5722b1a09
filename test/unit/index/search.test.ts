import assert from 'node:assert/strict';
import test from 'node:test';
import { bruteForce, idsOf, recall, seeded, vectorLibrary } from './vector-library.ts';

test('an empty library answers with nothing', async (t) => {
  const index = await vectorLibrary(t, 8).open();
  const query = Float32Array.of(1, 0, 0, 0, 0, 0, 0, 0);
  assert.deepEqual(index.search(query, { k: 10 }), { neighbours: [], method: 'exact' });
  assert.deepEqual(index.search(query, { k: 10, method: 'hnsw' }).neighbours, []);
  assert.equal(index.sampleScores(query, 10).length, 0);
  await index.built();
  assert.deepEqual(index.state, { kind: 'exact', building: false });
  await index.save();
});

test('the exact scan agrees with brute force, best first and ties by id', async (t) => {
  const library = vectorLibrary(t, 24);
  const rows = library.add(500);
  const twin = library.add(1)[0]!;
  library.store.embeddings.put(library.modelId, [{ photoId: twin.id, vector: rows[7]!.vector }]);
  const vectors = new Map(rows.map(({ id, vector }) => [id, vector]));
  vectors.set(twin.id, rows[7]!.vector);
  const index = await library.open();
  const same = index.search(rows[7]!.vector, { k: 2 });
  assert.deepEqual(idsOf(same.neighbours), [rows[7]!.id, twin.id]);
  for (let n = 0; n < 30; n += 1) {
    const query = library.next();
    const found = index.search(query, { k: 20, method: 'exact' }).neighbours;
    const truth = bruteForce(vectors, query, 20);
    assert.deepEqual(idsOf(found), idsOf(truth));
    for (const [at, { score }] of found.entries()) assert.ok(Math.abs(score - truth[at]!.score) < 1e-6);
  }
  assert.equal(index.search(library.next(), { k: 9_999 }).neighbours.length, 501);
  assert.deepEqual(index.search(library.next(), { k: 0 }).neighbours, []);
});

test('recall at 5,000 x 64 is at least 0.99, with the same scores as the scan', async (t) => {
  const library = vectorLibrary(t, 64);
  library.add(5_000);
  const index = await library.open({ exactBelow: 1_000 });
  await index.built();
  let total = 0;
  for (let n = 0; n < 100; n += 1) {
    const query = library.next();
    const truth = index.search(query, { k: 10, method: 'exact' }).neighbours;
    const { neighbours, method } = index.search(query, { k: 10, method: 'hnsw' });
    assert.equal(method, 'hnsw');
    const scores = new Map(truth.map(({ id, score }) => [id, score]));
    for (const { id, score } of neighbours) assert.equal(score, scores.get(id) ?? score);
    total += recall(neighbours, truth);
  }
  assert.ok(total / 100 >= 0.99, `recall ${total / 100}`);
});

test('before the graph is built every search is whole all the same', async (t) => {
  const library = vectorLibrary(t, 16);
  const vectors = new Map(library.add(3_000).map(({ id, vector }) => [id, vector]));
  const index = await library.open({ exactBelow: 100 });
  assert.equal(index.state.building, true);
  let seenBuilding = 0;
  while (index.state.building) {
    const query = library.next();
    const truth = bruteForce(vectors, query, 5);
    assert.deepEqual(idsOf(index.search(query, { k: 5 }).neighbours), idsOf(truth));
    assert.ok(recall(index.search(query, { k: 5, method: 'hnsw' }).neighbours, truth) >= 0.6);
    seenBuilding += 1;
    await new Promise(setImmediate);
  }
  assert.ok(seenBuilding > 5);
  assert.deepEqual(index.state, { kind: 'exact', building: false });
});

test('a small allowed set is scanned exactly, a large one goes through the graph and is respected', async (t) => {
  const library = vectorLibrary(t, 16);
  const rows = library.add(12_000);
  const index = await library.open({ exactBelow: 500 });
  await index.built();
  assert.equal(index.state.kind, 'hnsw');
  for (const [share, expected] of [
    [0.01, 'exact'],
    [0.15, 'exact'],
    [0.6, 'hnsw'],
  ] as const) {
    const random = seeded(9);
    const allowed = new Set(rows.filter(() => random() < share).map(({ id }) => id));
    const vectors = new Map(rows.filter(({ id }) => allowed.has(id)).map(({ id, vector }) => [id, vector]));
    let total = 0;
    for (let n = 0; n < 20; n += 1) {
      const query = library.next();
      const { neighbours, method } = index.search(query, { k: 10, allowed });
      assert.equal(method, expected, `at ${share}`);
      assert.equal(neighbours.length, 10);
      for (const { id } of neighbours) assert.ok(allowed.has(id));
      total += recall(neighbours, bruteForce(vectors, query, 10));
    }
    assert.ok(total / 20 >= 0.99, `recall ${total / 20} at ${share}`);
  }
});

test('when the filter leaves too little of what the graph found, the rest is scanned', async (t) => {
  const library = vectorLibrary(t, 16);
  const rows = library.add(2_000);
  const index = await library.open({ exactBelow: 100 });
  await index.built();
  const query = rows[0]!.vector;
  const farthest = bruteForce(new Map(rows.map(({ id, vector }) => [id, vector])), query, 2_000).slice(-30);
  // Ids without a vector make the filter look wider than it is.
  const allowed = new Set([...idsOf(farthest), ...Array.from({ length: 970 }, (_, n) => 900_000 + n)]);
  const { neighbours, method } = index.search(query, { k: 30, allowed, method: 'hnsw', efSearch: 10 });
  assert.equal(method, 'exact');
  assert.deepEqual(idsOf(neighbours), idsOf(farthest));
});

test('scores, samples, vectors and has tell of single photos', async (t) => {
  const library = vectorLibrary(t, 8);
  const rows = library.add(1_000);
  const index = await library.open();
  const query = library.next();
  const [a, b] = rows;
  const scores = index.scores(query, [b!.id, 424_242, a!.id]);
  const exact = new Map(
    index.search(query, { k: 1_000, method: 'exact' }).neighbours.map(({ id, score }) => [id, score]),
  );
  assert.deepEqual([...scores], [Math.fround(exact.get(b!.id)!), NaN, Math.fround(exact.get(a!.id)!)]);
  assert.deepEqual(index.vector(a!.id), a!.vector);
  assert.equal(index.vector(424_242), undefined);
  assert.deepEqual([index.has(a!.id), index.has(424_242)], [true, false]);
  const sample = index.sampleScores(query, 100);
  assert.equal(sample.length, 100);
  assert.deepEqual(index.sampleScores(query, 100), sample);
  assert.equal(index.sampleScores(query, 5_000).length, 1_000);
  const mean = (values: Iterable<number>, n: number): number => [...values].reduce((x, y) => x + y, 0) / n;
  assert.ok(Math.abs(mean(sample, 100) - mean(exact.values(), 1_000)) < 0.1, 'spread over the library');
});

test('a vector that would end the process is refused', async (t) => {
  const library = vectorLibrary(t, 8);
  library.add(10);
  const index = await library.open({ exactBelow: 1 });
  await index.built();
  assert.throws(() => index.search(new Float32Array(7), { k: 1 }), { code: 'internal' });
  assert.throws(() => index.search(new Float32Array(8).fill(NaN), { k: 1 }), { code: 'internal' });
  assert.throws(() => index.upsert([{ id: 1, vector: new Float32Array(8).fill(Infinity) }], 99), {
    code: 'internal',
  });
  assert.equal(index.size, 10);
  await index.close();
  assert.throws(() => index.search(library.next(), { k: 1 }), { code: 'engine-stopped' });
});

test('a model whose vectors have other dimensions is refused', async (t) => {
  const library = vectorLibrary(t, 8);
  await assert.rejects(library.open({ dims: 16 }), { code: 'pack-invalid' });
});
