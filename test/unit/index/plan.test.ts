import assert from 'node:assert/strict';
import test from 'node:test';
import { planSearch, type PlanInput } from '../../../main/engine/index/plan.ts';
import { TopK } from '../../../main/engine/index/top-k.ts';
import { seeded } from './vector-library.ts';

const large: PlanInput = {
  k: 10,
  size: 100_000,
  allowed: undefined,
  waiting: 0,
  graphReady: true,
  exactBelow: 5_000,
  efSearch: undefined,
};
const method = (changes: Partial<PlanInput>): string => planSearch({ ...large, ...changes }).method;

test('large libraries use the graph, small ones, narrow filters and long lists the scan', () => {
  assert.equal(method({}), 'hnsw');
  assert.equal(method({ k: 1_000 }), 'hnsw');
  assert.equal(method({ size: 4_999 }), 'exact');
  assert.equal(method({ graphReady: false }), 'exact');
  assert.equal(method({ allowed: 19_000 }), 'exact');
  assert.equal(method({ allowed: 50_000 }), 'hnsw');
  assert.equal(method({ allowed: 0 }), 'exact');
  assert.equal(method({ k: 20_000 }), 'exact');
  assert.equal(method({ waiting: 99_000 }), 'exact');
  assert.equal(method({ waiting: 20_000 }), 'hnsw');
});

test('the beam is at least 256 wide, as asked for, and never narrower than what is fetched', () => {
  const beam = (changes: Partial<PlanInput>): number => {
    const plan = planSearch({ ...large, ...changes });
    return plan.method === 'hnsw' ? plan.efSearch : 0;
  };
  assert.equal(beam({}), 256);
  assert.equal(beam({ efSearch: 40 }), 40);
  assert.equal(beam({ k: 500 }), 508);
  assert.ok(beam({ k: 100, allowed: 25_000 }) >= 400);
});

test('the k best of a stream are kept, ties by id', () => {
  const random = seeded(3);
  for (const k of [0, 1, 7, 100, 1_000]) {
    const all = Array.from({ length: 400 }, (_, id) => ({ id, score: Math.floor(random() * 20) }));
    const best = new TopK(k);
    for (const { id, score } of all) if (score >= best.threshold) best.offer(id, score);
    assert.deepEqual(best.sorted(), all.toSorted((a, b) => b.score - a.score || a.id - b.id).slice(0, k));
  }
});
