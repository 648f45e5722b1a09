import assert from 'node:assert/strict';
import test from 'node:test';
import { createHead } from '../../../main/engine/tune/heads.ts';
import { proveHead, verdict, type ProofOptions } from '../../../main/engine/tune/prove-head.ts';
import { Kin, splitPairs } from '../../../main/engine/tune/split-pairs.ts';
import type { TrainingPairs } from '../../../main/engine/tune/train-head.ts';
import { seededNormal, seededRandom } from '../search/seeded-random.ts';

const dims = 24;

/** Clusters of things: a text for each, photos near it; in `turned` ones two halves of the space are exchanged. */
function library(count: number, seed: number, turned: boolean): TrainingPairs {
  const normal = seededNormal(seed);
  const unit = (row: number[]): number[] => row.map((value) => value / Math.hypot(...row));
  const images: number[] = [];
  const texts: number[] = [];
  for (let i = 0; i < count; i++) {
    const text = unit(Array.from({ length: dims }, normal));
    const seen = unit(text.map((value) => value + 0.15 * normal()));
    texts.push(...text);
    images.push(...(turned ? [...seen.slice(0, 4).reverse(), ...seen.slice(4)] : seen));
  }
  return {
    images: Float32Array.from(images),
    texts: Float32Array.from(texts),
    dims,
    weights: new Float32Array(count).fill(1),
    groups: Int32Array.from({ length: count }, (_, i) => i),
  };
}

function optionsFor(pairs: TrainingPairs, generic: TrainingPairs): ProofOptions {
  return {
    pairs,
    kin: pairs.groups,
    generic,
    head: () => createHead('linear', { dims, normal: seededNormal(1) }),
    loss: 'infonce',
    epochs: 15,
    batch: 128,
    learningRate: 0.01,
    seed: 3,
    threads: 1,
  };
}

const own = (count: number): TrainingPairs => {
  // What this person's photos need differs from the generic set in a part of the space that the latter doesn't use.
  const pairs = library(count, 11, true);
  return pairs;
};

await test('a head that finds more of what was kept aside, and unlearns nothing, is accepted', async () => {
  const generic = library(200, 12, true);
  const proof = await proveHead(optionsFor(own(600), generic));
  assert.equal(proof.accepted, true, proof.reason);
  assert.ok(proof.after.r1 > proof.before.r1);
  assert.ok(proof.gain.low > 0);
  assert.match(proof.reason, /rose from/);
});

await test('pairs with shuffled texts are refused, and the reason says so', async () => {
  const pairs = library(600, 11, false);
  const shuffled = {
    ...pairs,
    texts: pairs.texts.map((_, i) => pairs.texts[(i + 37 * dims) % pairs.texts.length]!),
  };
  const proof = await proveHead(optionsFor(shuffled, library(200, 12, false)));
  assert.equal(proof.accepted, false);
  assert.match(proof.reason, /stays as it is/);
});

await test('a gain for one library that general search would pay for is refused or kept within the allowance', async () => {
  const proof = await proveHead(optionsFor(own(600), library(200, 12, false)));
  const lost = proof.generic.before.r10 - proof.generic.after.r10;
  assert.ok(!proof.accepted || lost <= 0.005, proof.reason);
});

await test('ten pairs are too few, and the message says how many are needed', async () => {
  await assert.rejects(proveHead(optionsFor(own(10), library(50, 12, false))), /at least 40 are needed/);
});

await test('pairs that all have the same words are refused', async () => {
  const pairs = library(60, 11, false);
  const texts = pairs.texts.map((_, i) => pairs.texts[i % dims]!);
  await assert.rejects(proveHead(optionsFor({ ...pairs, texts }, library(50, 12, false))), /the same words/);
});

await test('what belongs together is never on both sides of the split', () => {
  const pairs = library(100, 5, false);
  const kin = new Kin(100);
  // Bursts of four.
  for (let i = 0; i < 100; i++) kin.join(i, i - (i % 4));
  const marked = { ...pairs, groups: Int32Array.from({ length: 100 }, (_, i) => Math.floor(i / 4)) };
  const { train, choose, prove } = splitPairs(marked, kin.groups(), seededRandom(2));
  const sides = [train, choose, prove].map(({ groups }) => new Set(groups));
  assert.equal(
    sides.reduce((sum, side) => sum + side.size, 0),
    25,
  );
  assert.equal(train.weights.length + choose.weights.length + prove.weights.length, 100);
  assert.ok(prove.weights.length >= 15 && prove.weights.length <= 19);
});

await test('a photo kept aside is no hard negative of those that are trained on', () => {
  const pairs = library(20, 5, false);
  const kin = Int32Array.from({ length: 20 }, (_, i) => i);
  // Each pair must beat the photo of the next pair, and one of no pair.
  const present = new Uint8Array(40).fill(1);
  const hardKin = Int32Array.from({ length: 40 }, (_, i) => (i % 2 === 0 ? (i / 2 + 1) % 20 : -1));
  const hard = { each: 2, images: new Float32Array(40 * dims), present, kin: hardKin };
  const { train, prove } = splitPairs({ ...pairs, groups: kin, hard }, kin, seededRandom(2));
  const aside = new Set([...kin].filter((group) => !train.groups.includes(group)));
  train.groups.forEach((group, row) => {
    const left = train.hard?.present.subarray(2 * row, 2 * row + 2);
    assert.deepEqual([...(left ?? [])], [aside.has((group + 1) % 20) ? 0 : 1, 1]);
  });
  assert.ok(aside.size >= 4 && prove.weights.length > 0);
});

await test('the same seed splits the same way', () => {
  const pairs = library(50, 5, false);
  const once = () => splitPairs(pairs, pairs.groups, seededRandom(2));
  assert.deepEqual(once(), once());
});

await test('a gain whose interval touches zero is called what it is', () => {
  const r = (r10: number) => ({ r1: 0, r5: 0, r10, mrr: 0 });
  const { accepted, reason } = verdict({
    before: r(0.5),
    after: r(0.55),
    gain: { low: -0.01, high: 0.1 },
    generic: { before: r(0.6), after: r(0.6) },
  });
  assert.equal(accepted, false);
  assert.match(reason, /may be chance/);
});
