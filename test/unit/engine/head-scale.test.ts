/** What is called a match follows a head that moves photos nearer to texts, or farther. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { keepScale, keptScale, measureScale, rescaled } from '../../../main/engine/head-scale.ts';
import { headLibrary, noisyIdentity } from './head-library.ts';

const dims = 16;
const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;
const dot = (a: Float32Array, b: Float32Array): number => a.reduce((sum, value, d) => sum + value * b[d]!, 0);

test('cosines of a head that halves them are told in its own measure, and so they are after a restart', async (t) => {
  const place = headLibrary(t, 400, dims);
  const opened = place.open();
  const { store, models } = opened;
  // Of what a photo shows half is left, the rest points elsewhere: away from all texts.
  const weight = noisyIdentity(dims, 0);
  for (let d = 0; d < dims; d += 1) weight[d * dims + ((d + dims / 2) % dims)] = 1.7;
  const runId = place.addHead(store, weight);
  const { base } = await models.ready();
  for (const text of ['dog', 'cat', 'a beach', 'snow', 'a red car', 'two people', 'night'])
    store.queries.remember(text, 1);
  await opened.heads.use(runId);
  const { modelId, embedder, head } = await models.ready();
  const scale = head!.scale!;
  const texts = await Promise.all(store.queries.list(40).map(({ text }) => base.embedder.embedQuery(text)));
  const cosinesOf = (model: number): number[] => {
    const { ids, data } = store.embeddings.all(model);
    return [...ids].flatMap((_, i) => texts.map((text) => dot(data.slice(i * dims, (i + 1) * dims), text)));
  };
  const [before, after] = [cosinesOf(base.modelId), cosinesOf(modelId)];
  assert.ok(Math.abs(scale.slope * mean(before) + scale.offset - mean(after)) < 0.02);
  const top = (values: number[]): number => mean(values.sort((a, b) => b - a).slice(0, values.length * 0.04));
  assert.ok(Math.abs(scale.slope * top(before) + scale.offset - top(after)) < 0.1);
  assert.notDeepEqual(embedder.scoring, base.embedder.scoring);
  assert.deepEqual(embedder.scoring, rescaled(base.embedder.scoring, scale));
  await opened.close();

  const again = place.open();
  assert.deepEqual((await again.models.searchable()).embedder.scoring, embedder.scoring);
  assert.deepEqual((await again.models.ready()).embedder.scoring, embedder.scoring);
  const row = again.store.runs.head(runId)!;
  assert.equal(keptScale(again.store, { ...row, hash: 'another' }), null);
  keepScale(again.store, row, null);
  assert.equal(keptScale(again.store, row), null);
});

test('a head that changes nothing changes no measure, and few photos say nothing', async (t) => {
  const place = headLibrary(t, 100, dims);
  const { store, models } = place.open();
  const { base, index } = await models.ready();
  const ids = { baseId: base.modelId, index };
  const texts = [place.next(), place.next()];
  const scale = measureScale(store, ids, texts)!;
  assert.ok(
    Math.abs(scale.slope - 1) < 1e-9 && Math.abs(scale.offset) < 1e-9 && Math.abs(scale.spread - 1) < 1e-9,
  );
  assert.equal(measureScale(store, ids, []), null);
  index.remove(store.photos.timeline().ids.slice(0, 60), store.embeddings.generation());
  assert.equal(measureScale(store, ids, texts), null);
});

test('a pack that gives probabilities gives the same ones of the moved cosines', () => {
  const scoring = {
    kind: 'sigmoid' as const,
    logitScale: 100,
    logitBias: -12,
    promptTemplates: ['{}'],
    queryTemplates: ['{}'],
    background: { mean: 0.02, std: 0.03 },
  };
  const moved = rescaled(scoring, { slope: 2, offset: 0.1, spread: 1.5 });
  const logit = (of: { logitScale: number; logitBias: number }, cosine: number): number =>
    of.logitScale * cosine + of.logitBias;
  for (const cosine of [-0.1, 0, 0.12, 0.3])
    assert.ok(Math.abs(logit(moved, cosine * 2 + 0.1) - logit(scoring, cosine)) < 1e-9);
  assert.ok(
    Math.abs(moved.background!.mean - 0.14) < 1e-12 && Math.abs(moved.background!.std - 0.045) < 1e-12,
  );
  assert.equal(
    rescaled({ ...scoring, background: null }, { slope: 2, offset: 0, spread: 1 }).background,
    null,
  );
});
