/** Heads into use and out again: what is found before, during and after, and what failures leave behind. */
import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import { deriveCommitted } from '../../../main/engine/derive.ts';
import { AppError } from '../../../main/errors.ts';
import { recall } from '../index/vector-library.ts';
import { headLibrary, indexed, noisyIdentity, type OpenParts, type Opened } from './head-library.ts';

const dims = 16;
const photos = 600;
/** Enough for a graph to be cheaper than a scan. */
const manyPhotos = 5_000;

/** A library with the pack in use and a head that moves neighbours a little. */
async function withHead(t: TestContext, parts: OpenParts = {}, { amount = 0.4, count = photos } = {}) {
  const place = headLibrary(t, count, dims);
  const opened = place.open(parts);
  const runId = place.addHead(opened.store, noisyIdentity(dims, amount));
  const { base } = await opened.models.ready();
  await opened.models.index()!.built();
  const queries = Array.from({ length: 30 }, place.next);
  const answers = (of: Opened = opened) => queries.map((query) => of.search(query));
  return { place, opened, runId, base, queries, answers, before: answers() };
}

/** Every stored vector of the model in use is the head's of the pack's. */
function assertDerived({ store }: Opened, projection: { project(vector: Float32Array): Float32Array }): void {
  const active = store.embeddings.activeModel()!;
  assert.ok(active.base !== null);
  const base = store.embeddings.all(active.base.modelId);
  const derived = store.embeddings.all(active.modelId);
  assert.deepEqual([...derived.ids], [...base.ids]);
  for (let row = 0; row < base.ids.length; row += 1) {
    const expected = projection.project(base.data.slice(row * dims, (row + 1) * dims));
    for (let d = 0; d < dims; d += 1)
      assert.ok(Math.abs(expected[d]! - derived.data[row * dims + d]!) < 1e-5, `photo ${base.ids[row]}`);
  }
}

test('a head in use moves every vector, and what is found is found by them', async (t) => {
  const { opened, runId, base, queries, before } = await withHead(t, {}, { count: manyPhotos });
  const stages: string[] = [];
  const { seconds } = await opened.heads.use(runId, {
    onProgress: ({ stage, done, total }) => {
      assert.ok(done <= total, `${stage} ${done} of ${total}`);
      if (stages.at(-1) !== stage) stages.push(stage);
    },
  });
  assert.ok(seconds > 0);
  assert.deepEqual(stages, ['projecting', 'index', 'swap']);
  assert.equal(opened.swaps(), 1);
  const model = await opened.models.ready();
  assert.equal(model.head?.runId, runId);
  assert.equal(model.base, base);
  assert.equal(model.embedder.fingerprint, opened.store.embeddings.activeModel()?.fingerprint);
  assertDerived(opened, model.head.projection);
  assert.equal(model.index.state.kind, 'hnsw');
  let found = 0;
  for (const [i, query] of queries.entries()) {
    const exact = model.index.search(query, { k: 10, method: 'exact' }).neighbours;
    const { neighbours } = model.index.search(query, { k: 10 });
    assert.notDeepEqual(neighbours, before[i]);
    found += recall(neighbours, exact);
  }
  assert.ok(found / queries.length > 0.97, `recall ${found / queries.length}`);
  assert.equal(opened.projected(), manyPhotos);
  await opened.heads.use(runId);
  assert.equal(opened.swaps(), 1, 'it is in use already');
});

test('undo finds the very same as before, bit by bit, and a second time nothing is projected', async (t) => {
  const { opened, runId, answers, before } = await withHead(t);
  await opened.heads.use(runId);
  const under = answers();
  await opened.heads.use(null);
  assert.equal(opened.store.embeddings.activeModel()?.base, null);
  assert.deepEqual(answers(), before);
  assert.equal((await opened.models.ready()).embedder.fingerprint, 'pack');
  await opened.heads.use(runId);
  assert.equal(opened.projected(), photos, 'its vectors are there');
  assert.deepEqual(answers(), under);
});

test('one head after another is made from the pack’s vectors, never from the first head’s', async (t) => {
  const { place, opened, runId } = await withHead(t);
  const second = place.addHead(opened.store, noisyIdentity(dims, 0.4, 2));
  await opened.heads.use(runId);
  await opened.heads.use(second);
  const model = await opened.models.ready();
  assert.equal(model.head?.runId, second);
  assertDerived(opened, model.head.projection);
});

test('a head that mixes everything up gets a graph of its own, and is exact until that is there', async (t) => {
  const { opened, runId, queries } = await withHead(t, {}, { amount: 12, count: manyPhotos });
  await opened.heads.use(runId);
  const index = opened.models.index()!;
  const exact = queries.map((query) => index.search(query, { k: 10, method: 'exact' }).neighbours);
  assert.deepEqual(
    queries.map((query) => index.search(query, { k: 10 }).neighbours),
    exact,
  );
  await index.built();
  assert.equal(index.state.kind, 'hnsw');
  let found = 0;
  for (const [i, query] of queries.entries())
    found += recall(index.search(query, { k: 10, method: 'hnsw' }).neighbours, exact[i]!);
  assert.ok(found / queries.length > 0.97, `recall ${found / queries.length}`);
});

test('a search in the midst of a change is answered by what is in use', async (t) => {
  let ask = (): void => undefined;
  const { opened, runId, answers, before } = await withHead(t, { beforeProject: () => ask() });
  let asked = 0;
  ask = () => {
    asked += 1;
    assert.deepEqual(answers(), before);
  };
  await opened.heads.use(runId, {
    onProgress: ({ stage, done }) => {
      if (stage === 'index' || (stage === 'swap' && done === 0)) ask();
    },
  });
  assert.ok(asked > 3);
});

test('photos indexed in the midst of a change have vectors of the pack and of the head', async (t) => {
  let during: (() => void) | undefined;
  const { place, opened, runId, base } = await withHead(t, { beforeProject: () => during?.() });
  const { store, models } = opened;
  const late: number[] = [];
  const index = (vectors: Float32Array[]): void => {
    const generation = store.embeddings.generation();
    const ids = place.add(store, vectors);
    assert.ok(store.embeddings.generation() > generation);
    deriveCommitted(
      store,
      models.current()!,
      ids.map((id, i) => ({ id, vector: vectors[i]! })),
      store.embeddings.generation(),
    );
    late.push(...ids);
  };
  during = () => {
    during = undefined;
    index([place.next(), place.next()]);
    // One was edited after its vector had been read to be projected.
    const edited = indexed(7, place.next(), 1);
    const generation = store.photos.commit(base.modelId, [edited], []);
    deriveCommitted(store, models.current()!, [{ id: 7, vector: edited.vector }], generation);
  };
  await opened.heads.use(runId, {
    onProgress: ({ stage, done }) => {
      if (stage === 'index' && done === 0) index([place.next()]);
    },
  });
  // And afterwards.
  index([place.next()]);
  assert.equal(late.length, 4);
  const model = await models.ready();
  assertDerived(opened, model.head!.projection);
  for (const id of [...late, 7]) {
    const vector = store.embeddings.get(model.modelId, id)!;
    assert.deepEqual(model.index.vector(id), vector);
    assert.equal(model.index.search(vector, { k: 1 }).neighbours[0]?.id, id);
  }
  assert.equal(model.index.size, photos + 4);
  await opened.heads.use(null);
  assert.equal(models.index()!.size, photos + 4);
});

test('a photo that was edited while a head is in use gets a new vector of it, and one that is gone has none', async (t) => {
  const { place, opened, runId, base } = await withHead(t);
  const { store, models } = opened;
  await opened.heads.use(runId);
  const model = await models.ready();
  const vector = place.next();
  const generation = store.photos.commit(base.modelId, [indexed(5, vector, 1)], []);
  assert.equal(store.embeddings.get(model.modelId, 5), undefined);
  deriveCommitted(store, model, [{ id: 5, vector }], generation);
  assert.deepEqual(store.embeddings.get(model.modelId, 5), model.head!.projection.project(vector));
  store.photos.remove([6]);
  model.index.remove([6], store.embeddings.generation());
  assertDerived(opened, model.head!.projection);
  await opened.heads.use(null);
  const index = models.index()!;
  assert.deepEqual([index.has(6), index.vector(5)], [false, vector]);
});

for (const when of ['projecting', 'index'] as const)
  test(`a change that is cancelled while ${when} leaves the library as it was`, async (t) => {
    const { opened, runId, answers, before } = await withHead(t);
    const generation = opened.store.embeddings.activeModel();
    const controller = new AbortController();
    await assert.rejects(
      opened.heads.use(runId, {
        signal: controller.signal,
        onProgress: ({ stage }) => {
          if (stage === when) controller.abort();
        },
      }),
      { code: 'cancelled' },
    );
    assert.deepEqual(opened.store.embeddings.activeModel(), generation);
    assert.deepEqual(answers(), before);
    assert.equal(opened.swaps(), 0);
    const derived = opened.store.embeddings.derivedModel(
      generation!.modelId,
      runId,
      opened.store.runs.head(runId)!.hash,
    );
    assert.equal(opened.store.embeddings.count(derived), 0, 'what was half made is gone');
    await opened.heads.use(runId);
    assert.equal((await opened.models.ready()).head?.runId, runId, 'and it can be tried again');
  });

test('too little room is said beforehand, with how much is needed', async (t) => {
  const { opened, runId, answers, before } = await withHead(t, { freeBytes: () => Promise.resolve(2 ** 20) });
  await assert.rejects(opened.heads.use(runId), (error: AppError) => {
    assert.equal(error.code, 'disk-full');
    assert.match(error.message, /needs \d+ MB .* Free some space/);
    assert.ok(Number(error.details?.['megabytes']) > 32);
    return true;
  });
  assert.equal(opened.projected(), 0);
  assert.deepEqual(answers(), before);
});

for (const [what, write] of [
  ['while the vectors are written', 'put'],
  ['when the pointer is to move', 'setActiveModel'],
] as const)
  test(`a disk that is full ${what} leaves the library as it was`, async (t) => {
    const { opened, runId, answers, before } = await withHead(t);
    const { embeddings } = opened.store;
    const real = embeddings[write].bind(embeddings) as (...args: unknown[]) => number;
    let writes = 0;
    Object.assign(embeddings, {
      [write]: (...args: unknown[]) => {
        writes += 1;
        if (write === 'setActiveModel' || writes === 3)
          throw new AppError('disk-full', 'The library cannot grow: the disk is full.');
        return real(...args);
      },
    });
    await assert.rejects(opened.heads.use(runId), { code: 'disk-full' });
    Object.assign(embeddings, { [write]: real });
    assert.equal((await opened.models.ready()).head, null);
    assert.equal(embeddings.activeModel()?.base, null);
    assert.deepEqual(answers(), before);
    await opened.heads.use(runId);
    assert.equal(opened.projected() > photos, true, 'it began anew');
  });

test('heads that do not fit are refused with the reason, and nothing changes', async (t) => {
  const { place, opened, answers, before } = await withHead(t);
  const { store } = opened;
  const other = place.addHead(store, noisyIdentity(dims, 0.1), { fingerprint: 'another pack' });
  const wide = place.addHead(store, noisyIdentity(32, 0.1), {
    dims: 32,
    parameters: { weight: { shape: [32, 32], values: noisyIdentity(32, 0.1) } },
  });
  const orders = place.addHead(store, noisyIdentity(dims, 0.1), { head: 'joint' });
  const torn = place.addHead(store, noisyIdentity(dims, 0.1), {
    parameters: { weight: { shape: [4], values: new Float32Array(4) } },
  });
  await assert.rejects(opened.heads.use(other), { code: 'input-invalid', message: /another model/ });
  await assert.rejects(opened.heads.use(wide), { code: 'input-invalid', message: /32 dimensions/ });
  await assert.rejects(opened.heads.use(orders), { code: 'input-invalid' });
  await assert.rejects(opened.heads.use(torn), { code: 'internal', message: /doesn't fit/ });
  await assert.rejects(opened.heads.use(99), { code: 'not-found' });
  assert.deepEqual(answers(), before);
  assert.equal(opened.projected(), 0);
});

test('after a restart the head is in use again, words before pictures, and catches up with what a crash left', async (t) => {
  const { place, opened, runId, queries } = await withHead(t);
  await opened.heads.use(runId);
  // The pack's vectors were committed, and then the plug was pulled.
  const crashed = [...place.add(opened.store, [place.next(), place.next()])];
  await opened.close();
  const imageSide = Promise.withResolvers<undefined>();
  const again = place.open({ imageSide: imageSide.promise });
  const words = await again.models.searchable();
  const active = again.store.embeddings.activeModel()!;
  assert.equal(words.embedder.fingerprint, active.fingerprint);
  assert.equal(words.index, again.models.index());
  assert.equal(again.models.current(), undefined);
  imageSide.resolve(undefined);
  const model = await again.models.ready();
  assert.equal(model.head?.runId, runId);
  assert.equal(model.base.embedder.fingerprint, 'pack');
  assert.deepEqual(
    crashed.map((id) => model.index.has(id)),
    [false, false],
  );
  assert.equal(await again.heads.catchUp(), 2);
  assert.equal(again.projected(), 0, 'so few need no process');
  assert.deepEqual(
    crashed.map((id) => model.index.has(id)),
    [true, true],
  );
  assertDerived(again, model.head.projection);
  assert.equal(await again.heads.catchUp(), 0);
  await model.index.built();
  const answers = queries.map((query) => again.search(query));
  // Another process reads the same library meanwhile.
  const reader = place.open({ readOnly: true });
  await reader.models.ready();
  assert.equal((await reader.models.ready()).head?.runId, runId);
  assert.deepEqual(
    queries.map((query) => reader.models.index()!.search(query, { k: 10, method: 'exact' }).neighbours),
    queries.map((query) => again.models.index()!.search(query, { k: 10, method: 'exact' }).neighbours),
  );
  assert.equal(await reader.catchUpHead(), 0);
  assert.equal(answers.length, queries.length);
});

for (const [what, sql, code] of [
  ['is gone', 'DELETE FROM heads', 'not-found'],
  ['is torn', 'UPDATE heads SET bytes = zeroblob(length(bytes))', 'library-damaged'],
  ['is of another pack', "UPDATE heads SET fingerprint = 'other'", 'input-invalid'],
] as const)
  test(`a head in use that ${what} gives way to the pack, with a notice`, async (t) => {
    const { place, opened, runId, answers, before } = await withHead(t);
    await opened.heads.use(runId);
    await opened.close();
    place.change(sql);
    const reader = place.open({ readOnly: true });
    assert.equal((await reader.models.ready()).head, null);
    await reader.close();
    const again = place.open();
    const model = await again.models.ready();
    await model.index.built();
    assert.deepEqual([model.head, model.modelId], [null, model.base.modelId]);
    assert.deepEqual(
      again.notices.map((notice) => notice.code),
      [code],
    );
    assert.deepEqual(answers(again), before);
    await again.close();
    const third = place.open();
    await third.models.ready();
    assert.deepEqual(third.notices, [], 'and then it is well');
  });

test('other files of the pack are used without the head, and that is said', async (t) => {
  const { place, opened, runId } = await withHead(t);
  await opened.heads.use(runId);
  await opened.close();
  const again = place.open({ fingerprint: 'newer pack' });
  const model = await again.models.ready();
  assert.deepEqual([model.head, model.index.size], [null, 0]);
  assert.deepEqual(
    again.notices.map(({ code }) => code),
    ['pack-invalid'],
  );
});

test('pictures and their parts go through the head, texts stay', async (t) => {
  const { opened, runId, base } = await withHead(t);
  await opened.heads.use(runId);
  const { embedder, head } = await opened.models.ready();
  const picture = { pixels: Uint8Array.from({ length: dims }, (_, i) => i * 3), width: 2, height: 2 };
  const [plain] = await base.embedder.embedImages([picture]);
  const expected = head!.projection.project(plain!);
  assert.deepEqual(await embedder.embedImages([picture]), [expected]);
  const cells = await embedder.patches!.embed(picture);
  for (let d = 0; d < dims; d += 1) assert.ok(Math.abs(cells[d]! - expected[d]!) < 1e-6);
  assert.ok(
    cells.subarray(dims).every((value) => value === 0),
    'a part without a direction',
  );
  assert.deepEqual(await embedder.embedQuery('dog'), await base.embedder.embedQuery('dog'));
});
