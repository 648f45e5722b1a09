/** What the command line says of runs. */
import assert from 'node:assert/strict';
import test from 'node:test';
import type { TuneRun } from '../../../main/contract.ts';
import { describeRun, runAnswer, runTable } from '../../../main/shell/cli/run-report.ts';
import { run as record } from '../store/learning-fixtures.ts';

const run = (changes: Partial<TuneRun> = {}): TuneRun => ({ ...record(), id: 3, ...changes });
const general = {
  name: 'starter pairs',
  before: { r1: 0.3, r5: 0.5, r10: 0.625, mrr: 0.4 },
  after: { r1: 0.3, r5: 0.5, r10: 0.6225, mrr: 0.4 },
};

test('a run as JSON has the shape that programs rely on', () => {
  const { before, after } = record();
  assert.deepEqual(runAnswer(run({ generic: general })), {
    run: 3,
    head: 'linear',
    loss: 'infonce',
    pairs: 40,
    epochs: 2,
    before,
    after,
    generic: { before: general.before, after: general.after },
    accepted: true,
    seconds: 1.5,
    state: 'offered',
    gain: { low: 0.1, high: 0.5 },
    reason: 'It finds more.',
  });
  const unproved = runAnswer(run({ before: null, after: null, accepted: null }));
  assert.deepEqual({ ...unproved, generic: null }, { ...unproved, before: null, after: null, generic: null });
});

test('a person reads before and after, the verdict, and what to type next', () => {
  const lines = describeRun(run({ generic: general }));
  assert.deepEqual(lines, [
    '                before   after',
    'R@1             10.0 %  20.0 %',
    'R@5             20.0 %  40.0 %',
    'R@10            30.0 %  60.0 %',
    'MRR              0.200   0.400',
    'R@10 elsewhere  62.5 %  62.3 %',
    'Elsewhere means starter pairs.',
    'R@10 changes by +10.0 to +50.0 points (95 % of resamplings).',
    'It finds more.',
    'Use it with `afterimage tune accept 3`; see it on your own queries first with `afterimage tune compare 3`.',
  ]);
  const next = (state: TuneRun['state']): string => describeRun(run({ state })).at(-1) ?? '';
  assert.match(next('active'), /tune undo/);
  assert.match(next('retired'), /tune accept 3/);
  assert.match(next('stopped'), /tune --resume 3/);
  assert.equal(next('refused'), 'It finds more.', 'nothing to do');
});

test('the list says which run is in use', () => {
  const [first, second] = runTable([run({ id: 12 }), run({ before: null, imported: true })], 12);
  assert.match(
    first ?? '',
    /^12 {2}1970-01-01 {2}in use {3}linear, infonce {2}40 pairs {2}R@10 30\.0 % → 60\.0 %$/,
  );
  assert.match(second ?? '', /^ 3 .* offered .* imported$/);
  assert.match(runTable([], null)[0] ?? '', /Nothing was learnt yet/);
});
