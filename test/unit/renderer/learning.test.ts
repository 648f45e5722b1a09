/** What the page tells of learning: ticks of its charts, how far a run is, and why one was refused. */
import assert from 'node:assert/strict';
import test from 'node:test';
import type { TuneRun } from '../../../main/contract.ts';
import { becauseOf } from '../../../renderer/src/state/verdict.ts';
import { shareOf } from '../../../renderer/src/teach/run-share.ts';
import { niceTicks, roundTicks } from '../../../renderer/src/teach/scale.ts';
import { endedRun, madeRun } from '../../e2e/fake-runs.ts';

test('ticks are few and round, and hold every value between them', () => {
  assert.deepEqual(niceTicks([0.4, 3]), [0, 2, 4]);
  assert.deepEqual(niceTicks([61, 78]), [60, 70, 80]);
  assert.deepEqual(niceTicks([0.1, 0.3]), [0.1, 0.2, 0.3]);
  assert.deepEqual(niceTicks([]), [0, 1]);
  for (const values of [[5], [0], [-2, -1], [1e-6, 3e-6], [12_345, 12_346], [Number.NaN, 4], [0.98, 1]]) {
    const ticks = niceTicks(values);
    const said = `${values.join()} on ${ticks.join()}`;
    const real = values.filter(Number.isFinite);
    assert.ok((ticks[0] ?? Infinity) <= Math.min(...real), said);
    assert.ok((ticks.at(-1) ?? -Infinity) >= Math.max(...real), said);
    assert.ok(ticks.length >= 2 && ticks.length <= 5, said);
    assert.deepEqual(
      [...ticks].sort((a, b) => a - b),
      ticks,
    );
  }
});

test('rounds are marked at their ends and in the middle', () => {
  assert.deepEqual(roundTicks(20), [1, 11, 20]);
  assert.deepEqual(roundTicks(3), [1, 3]);
  assert.deepEqual(roundTicks(1), [1]);
});

test('a run never seems to go back from one stage to the next', () => {
  const at = (stage: 'gathering' | 'training' | 'proving', epoch: number): number =>
    shareOf({ runId: 1, stage, epoch, epochs: 4, curve: [], secondsLeft: null });
  const shares = [
    shareOf(null),
    at('gathering', 0),
    ...[0, 1, 2, 3, 4].map((epoch) => at('training', epoch)),
    at('proving', 4),
  ];
  assert.deepEqual(
    [...shares].sort((a, b) => a - b),
    shares,
  );
  assert.ok(shares.every((share) => share > 0 && share < 1));
});

test('why a run was refused is told in the order in which the proof decides', () => {
  const refused = (outcome: 'unsure' | 'forgets', change: Partial<TuneRun> = {}): TuneRun => ({
    ...endedRun(madeRun(1, 'refused', {}), outcome),
    ...change,
  });
  assert.equal(becauseOf(refused('unsure')), 'unsure');
  assert.equal(becauseOf(refused('unsure', { gain: { low: 0, high: 0 } })), 'unsure');
  assert.equal(becauseOf(refused('unsure', { gain: { low: -0.2, high: -0.05 } })), 'worse');
  assert.equal(becauseOf(refused('forgets')), 'forgets');
  assert.equal(becauseOf(refused('forgets', { gain: { low: -0.2, high: -0.05 } })), 'forgets');
  assert.equal(becauseOf(refused('unsure', { before: null, after: null, gain: null })), 'other');
});
