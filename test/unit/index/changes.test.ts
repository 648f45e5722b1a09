import assert from 'node:assert/strict';
import test from 'node:test';
import { bruteForce, idsOf, recall, seeded, vectorLibrary } from './vector-library.ts';

for (const seed of [1, 2, 3])
  test(`any sequence of adding, replacing, removing, saving and reopening keeps the index true (seed ${seed})`, async (t) => {
    const library = vectorLibrary(t, 16, seed);
    const random = seeded(seed * 1_000);
    const vectors = new Map<number, Float32Array>();
    const pick = (): number => [...vectors.keys()][Math.floor(random() * vectors.size)]!;
    let index = await library.open({ exactBelow: 50 });
    let total = 0;
    let searches = 0;
    for (let step = 0; step < 400; step += 1) {
      const { store, modelId } = library;
      const what = random();
      if (what < 0.35 || vectors.size < 20) {
        const rows = library.add(1 + Math.floor(random() * 8));
        for (const { id, vector } of rows) vectors.set(id, vector);
        index.upsert(rows, store.embeddings.generation());
      } else if (what < 0.5) {
        const changed = { id: pick(), vector: library.next() };
        vectors.set(changed.id, changed.vector);
        const generation = store.embeddings.put(modelId, [{ photoId: changed.id, vector: changed.vector }]);
        index.upsert([changed], generation);
      } else if (what < 0.75) {
        const gone = [...new Set(Array.from({ length: 1 + Math.floor(random() * 6) }, pick))];
        for (const id of gone) vectors.delete(id);
        store.photos.remove(gone);
        index.remove(gone, store.embeddings.generation());
      } else if (what < 0.85) await index.built();
      else if (what < 0.9) await index.save();
      else if (what < 0.93) {
        if (random() < 0.5) await index.save();
        await index.close();
        index = await library.open({ exactBelow: 50 });
      } else await new Promise(setImmediate);

      const query = library.next();
      const truth = bruteForce(vectors, query, 10);
      const exact = index.search(query, { k: 10, method: 'exact' }).neighbours;
      assert.deepEqual(idsOf(exact), idsOf(truth), `step ${step}`);
      const graph = index.search(query, { k: 10, method: 'hnsw' }).neighbours;
      assert.equal(new Set(idsOf(graph)).size, graph.length, `step ${step}: no photo twice`);
      for (const { id } of graph) assert.ok(vectors.has(id), `step ${step}: photo ${id} is gone`);
      total += recall(graph, truth);
      searches += 1;
      assert.equal(index.size, vectors.size);
    }
    assert.ok(total / searches >= 0.99, `recall ${total / searches}`);
    assert.deepEqual(library.notices, []);
  });

test('what is added and removed while the graph is being built is right when it is done', async (t) => {
  const library = vectorLibrary(t, 16);
  const rows = library.add(2_000);
  const vectors = new Map(rows.map(({ id, vector }) => [id, vector]));
  const index = await library.open({ exactBelow: 100 });
  let n = 0;
  while (index.state.building) {
    await new Promise(setImmediate);
    if (n >= 200) continue;
    const [gone, changed] = [rows[n * 3]!.id, { id: rows[n * 3 + 1]!.id, vector: library.next() }];
    const added = library.add(1)[0]!;
    n += 1;
    vectors.delete(gone);
    vectors.set(changed.id, changed.vector).set(added.id, added.vector);
    index.remove([gone], index.generation + 1);
    index.upsert([changed, added], index.generation + 1);
  }
  assert.ok(n > 20, `${n} changes while building`);
  let total = 0;
  for (let query = 0; query < 50; query += 1) {
    const vector = library.next();
    const truth = bruteForce(vectors, vector, 10);
    assert.deepEqual(idsOf(index.search(vector, { k: 10, method: 'exact' }).neighbours), idsOf(truth));
    total += recall(index.search(vector, { k: 10, method: 'hnsw' }).neighbours, truth);
  }
  assert.ok(total / 50 >= 0.99, `recall ${total / 50}`);
});

test('a photo that is removed and comes back is found once, at its new place', async (t) => {
  const library = vectorLibrary(t, 16);
  const rows = library.add(300);
  const index = await library.open({ exactBelow: 10 });
  await index.built();
  const { id, vector } = rows[5]!;
  const elsewhere = vector.map((value) => -value);
  index.remove([id], 50);
  assert.equal(index.has(id), false);
  assert.equal(idsOf(index.search(vector, { k: 300, method: 'hnsw' }).neighbours).includes(id), false);
  index.upsert([{ id, vector: elsewhere }], 51);
  await index.built();
  assert.equal(index.generation, 51);
  const found = index.search(elsewhere, { k: 300, method: 'hnsw' }).neighbours;
  assert.equal(found[0]!.id, id);
  assert.equal(found.filter((each) => each.id === id).length, 1);
  assert.equal(index.size, 300);
});

test('a graph that is mostly deleted is built anew beside the old one, and memory is used again', async (t) => {
  const library = vectorLibrary(t, 16);
  const rows = library.add(2_000);
  const index = await library.open({ exactBelow: 50 });
  await index.built();
  const kept = new Map(rows.slice(1_200).map(({ id, vector }) => [id, vector]));
  index.remove(
    rows.slice(0, 1_200).map(({ id }) => id),
    99,
  );
  assert.equal(index.state.building, true);
  const during = index.search(rows[1_500]!.vector, { k: 1, method: 'hnsw' }).neighbours;
  assert.deepEqual(idsOf(during), [rows[1_500]!.id]);
  await index.built();
  for (const { id, vector } of library.add(1_200)) {
    kept.set(id, vector);
    index.upsert([{ id, vector }], 100);
  }
  await index.built();
  let total = 0;
  for (let n = 0; n < 50; n += 1) {
    const query = library.next();
    total += recall(index.search(query, { k: 10, method: 'hnsw' }).neighbours, bruteForce(kept, query, 10));
  }
  assert.ok(total / 50 >= 0.99, `recall ${total / 50}`);
  index.remove([...kept.keys()], 101);
  await index.built();
  assert.deepEqual(index.search(library.next(), { k: 5, method: 'hnsw' }).neighbours, []);
});
