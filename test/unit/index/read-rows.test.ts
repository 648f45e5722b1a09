import assert from 'node:assert/strict';
import test from 'node:test';
import { measureRecall } from '../../../main/engine/index/measure-recall.ts';
import { readRows } from '../../../main/engine/index/read-rows.ts';
import { vectorLibrary } from './vector-library.ts';

test('vectors are read in parts, and what is written meanwhile is in them', async (t) => {
  const library = vectorLibrary(t, 8);
  const vectors = new Map(library.add(5_000).map(({ id, vector }) => [id, vector]));
  const { store, modelId } = library;
  const [first = 0, second = 0] = vectors.keys();
  const reading = readRows(store, modelId);
  // One part has been read by now, the others have not.
  const last = [...vectors.keys()].at(-1)!;
  store.photos.remove([first, last]);
  vectors.delete(first);
  vectors.delete(last);
  const changed = library.next();
  store.embeddings.put(modelId, [{ photoId: second, vector: changed }]);
  vectors.set(second, changed);
  for (const { id, vector } of library.add(3)) vectors.set(id, vector);
  const { rows, generation } = await reading;
  assert.equal(generation, store.embeddings.generation());
  assert.deepEqual(
    [...rows.ids()].sort((a, b) => a - b),
    [...vectors.keys()],
  );
  for (const [id, vector] of vectors) assert.deepEqual(rows.vectorAt(rows.rowOf(id)!), vector);
});

test('an index over the graph of another model finds as much as its links are worth, and a new graph all', async (t) => {
  const library = vectorLibrary(t, 24);
  const photos = library.add(6_000);
  const { store, modelId } = library;
  const first = await library.open({ exactBelow: 1_000 });
  await first.built();
  await first.save();
  const queries = photos.filter((_, i) => i % 200 === 0).map(({ vector }) => vector);
  const open = async (fingerprint: string, move: (vector: Float32Array) => Float32Array) => {
    const other = store.embeddings.model(fingerprint, 'starter', 24);
    store.embeddings.put(
      other,
      photos.map(({ id, vector }) => ({ photoId: id, vector: move(vector) })),
    );
    const index = await library.open({ modelId: other, exactBelow: 1_000, linksOf: modelId });
    await index.loaded;
    assert.deepEqual(index.state, { kind: 'hnsw', building: false });
    const moved = queries.map(move);
    return { index, recall: () => measureRecall(index, moved, { k: 10 }) };
  };
  const mirrored = await open('mirrored', (vector) => vector.map((value) => -value));
  assert.ok((await mirrored.recall()) > 0.99, 'all distances are the same');
  // Neighbours have nothing to do with what they were.
  const others = new Map(
    photos.map(({ vector }, i) => [vector, photos[(i * 2_477) % photos.length]!.vector]),
  );
  const shuffled = await open('shuffled', (vector) => others.get(vector)!);
  const worth = await shuffled.recall();
  assert.ok(worth < 0.9, `${worth}`);
  await shuffled.index.rebuild();
  assert.equal(await shuffled.recall(), 1, 'exact while it is being built');
  await shuffled.index.built();
  assert.equal(shuffled.index.state.kind, 'hnsw');
  assert.ok((await shuffled.recall()) > 0.99);
  await shuffled.index.save();
  const again = await library.open({
    modelId: store.embeddings.find('shuffled')!,
    linksOf: modelId,
    exactBelow: 1_000,
  });
  await again.loaded;
  assert.ok((await measureRecall(again, queries, { k: 10 })) > 0.99, 'a graph of its own comes first');
  assert.deepEqual(library.notices, []);
  const stop = AbortSignal.abort();
  await assert.rejects(measureRecall(again, queries, { k: 10, signal: stop }), { name: 'AbortError' });
});
