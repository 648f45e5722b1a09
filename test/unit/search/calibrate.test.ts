/** Bands: where strong and likely end, for libraries of any size and any share of matches. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { bandOf, calibrate, robustNormal, textPrior } from '../../../main/engine/search/calibrate.ts';
import type { ScorePrior } from '../../../main/engine/search/mixture.ts';
import { seededNormal, seededRandom } from './seeded-random.ts';

const prior: ScorePrior = {
  background: { mean: 0.19, std: 0.03 },
  matching: { mean: 0.31, std: 0.03 },
  measured: true,
};

interface Photo {
  readonly score: number;
  readonly matches: boolean;
}

/** A library whose query shifts all scores, as real queries do. @param separation in background deviations */
function makeLibrary(size: number, share: number, separation: number, seed: number): Photo[] {
  const normal = seededNormal(seed);
  const shift = normal() * 0.012;
  return Array.from({ length: size }, (_, i) => {
    const matches = i < Math.round(size * share);
    return { matches, score: 0.19 + shift + (matches ? separation * 0.03 : 0) + normal() * 0.03 };
  }).sort((a, b) => b.score - a.score);
}

function thresholdsOf(photos: readonly Photo[]) {
  const step = Math.max(1, Math.floor(photos.length / 2_048));
  return calibrate(
    {
      sample: Float32Array.from(photos.filter((_, i) => i % step === 0).map(({ score }) => score)),
      head: Float32Array.from(photos.slice(0, 500).map(({ score }) => score)),
      size: photos.length,
    },
    prior,
    null,
  );
}

/** Precision and recall of strong and likely together, over several queries. */
function judge(size: number, share: number, separation: number): { precision: number; recall: number } {
  let hits = 0;
  let called = 0;
  let matching = 0;
  for (let seed = 1; seed <= 6; seed++) {
    const photos = makeLibrary(size, share, separation, seed);
    const thresholds = thresholdsOf(photos);
    for (const { score, matches } of photos) {
      if (matches) matching++;
      if (bandOf(score, thresholds) === 'weak') continue;
      called++;
      if (matches) hits++;
    }
  }
  return { precision: hits / Math.max(1, called), recall: hits / Math.max(1, matching) };
}

test('from one photo in a hundred to half of them, what matches is found and little else', (t) => {
  for (const size of [1_000, 20_000])
    for (const share of [0.01, 0.05, 0.2, 0.4, 0.5]) {
      const { precision, recall } = judge(size, share, 4);
      t.diagnostic(
        `${size} photos, ${share * 100} % match: precision ${precision.toFixed(2)}, recall ${recall.toFixed(2)}`,
      );
      assert.ok(precision > 0.7, `precision ${precision} at ${share} of ${size}`);
      assert.ok(recall > 0.65, `recall ${recall} at ${share} of ${size}`);
    }
});

test('a dog owner’s dogs are not called weak for being many', () => {
  const { recall } = judge(2_000, 0.4, 4);
  assert.ok(recall > 0.9, `recall ${recall}`);
});

test('where nothing matches, next to nothing is called', () => {
  for (const size of [10, 1_000, 20_000])
    for (let seed = 1; seed <= 6; seed++) {
      const photos = makeLibrary(size, 0, 4, seed);
      const thresholds = thresholdsOf(photos);
      const called = photos.filter(({ score }) => bandOf(score, thresholds) !== 'weak').length;
      assert.ok(called <= Math.max(2, size / 1_000), `${called} of ${size}`);
    }
});

test('a handful of photos is judged by what the pack measured', () => {
  const of = (scores: number[]) => {
    const head = Float32Array.from(scores).sort().reverse();
    const thresholds = calibrate({ sample: head, head, size: head.length }, prior, null);
    return scores.map((score) => bandOf(score, thresholds));
  };
  assert.deepEqual(of([0.34]), ['strong']);
  assert.deepEqual(of([0.19]), ['weak']);
  assert.deepEqual(of([0.33, 0.18, 0.2]), ['strong', 'weak', 'weak']);
});

test('any finite scores give finite thresholds in order', () => {
  const random = seededRandom(11);
  const shapes: ((i: number) => number)[] = [
    () => 0,
    () => 0.25,
    () => -1,
    () => 1,
    () => random() * 2 - 1,
    (i) => (i % 2 === 0 ? -1 : 1),
    (i) => (i === 0 ? 1 : 0.19),
    () => Number.NaN,
  ];
  for (const shape of shapes)
    for (const size of [0, 1, 2, 10, 700]) {
      const head = Float32Array.from({ length: size }, (_, i) => shape(i))
        .sort()
        .reverse();
      for (const scoring of [null, { kind: 'sigmoid', logitScale: 110, logitBias: -16 } as const]) {
        const { likelyAt, strongAt, background } = calibrate({ sample: head, head, size }, prior, scoring);
        assert.ok(likelyAt <= strongAt, `${likelyAt} and ${strongAt}`);
        assert.ok(!Number.isNaN(likelyAt) && Number.isFinite(background.mean) && background.std > 0);
      }
    }
});

test('a sigmoid pack’s own certainty counts in a library of one photo', () => {
  const scoring = { kind: 'sigmoid', logitScale: 110, logitBias: -12 } as const;
  const of = (score: number) => {
    const head = Float32Array.of(score);
    const unmeasured = textPrior({
      ...scoring,
      promptTemplates: [],
      queryTemplates: [],
      background: null,
    });
    return bandOf(score, calibrate({ sample: head, head, size: 1 }, unmeasured, scoring));
  };
  assert.equal(of(0.13), 'strong');
  assert.equal(of(0.01), 'weak');
});

test('thresholds are the same for the same scores', () => {
  const photos = makeLibrary(5_000, 0.03, 4, 3);
  assert.deepEqual(thresholdsOf(photos), thresholdsOf(photos));
});

test('a third of outliers does not move the robust mean by a deviation', () => {
  const normal = seededNormal(5);
  const sample = Float32Array.from({ length: 3_000 }, (_, i) => (i % 3 === 0 ? 5 : normal()));
  assert.ok(robustNormal(sample, 0.1).mean < 1);
  assert.deepEqual(robustNormal(new Float32Array(0), 0.1), { mean: 0, std: 0.1 });
});

test('what was taught says itself from where on a photo matches, unless most of the library scores that', () => {
  const photos = makeLibrary(2_000, 0.01, 6, 3);
  const scores = Float32Array.from(photos, ({ score }) => score);
  const taughtAt = (strongAt: number, likelyAt: number) =>
    calibrate(
      { sample: scores, head: scores.subarray(0, 500), size: scores.length },
      { ...prior, taught: { strongAt, likelyAt } },
      { kind: 'sigmoid', logitScale: 100, logitBias: -10 },
    );
  const told = taughtAt(0.35, 0.3);
  assert.deepEqual([told.strongAt, told.likelyAt], [0.35, 0.3]);
  const { mean, std } = robustNormal(scores, 0.001);
  const tooLow = taughtAt(mean - std, mean - 2 * std);
  assert.ok(tooLow.likelyAt > mean && tooLow.strongAt >= tooLow.likelyAt + 0.4 * std);
  const crossed = taughtAt(0.3, 0.35);
  assert.ok(crossed.likelyAt <= crossed.strongAt);
});
