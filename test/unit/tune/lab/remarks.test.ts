/** What the table says of a head that failed, or that did better than in the study: from its figures and nothing else. */
import assert from 'node:assert/strict';
import test from 'node:test';
import type { LabRow } from '../../../../main/contract.ts';
import { isTrained, remarkOn } from '../../../../main/engine/tune/lab/remarks.ts';

const measured = {
  trained: true,
  retrieval: { r1: 0.2, r5: 0.5, r10: 0.6, mrr: 0.3 },
  loss: { first: 3.6, last: 0.5, heldOut: 1.9 },
  evidence: {
    matched: 0.5,
    mismatched: 0.05,
    spread: 0.2,
    own: { image: 0.1, text: 0.1 },
    shortcut: 0.2,
    gradient: { first: 4, last: 1 },
    ranAway: null,
  },
  study: { similarities: [1, 2, 3, 4, 5], trained: true },
} as const satisfies Partial<LabRow>;
const cheat = { ...measured.evidence, shortcut: 1, matched: 1, mismatched: 1, spread: 0 };
const untrained = { ...measured, trained: false };

test('a head that trained as in the study needs no words, and neither does one that the study had not', () => {
  assert.equal(remarkOn(measured, 'pairs'), '');
  assert.equal(remarkOn({ ...measured, study: null }, 'pairs'), '');
  // Unless it could have done without learning anything.
  const half = { ...measured, study: null, evidence: { ...measured.evidence, shortcut: 0.9 } };
  assert.match(remarkOn(half, 'study'), /^It cheats in part: .*R@1 90 %.*20 %/);
});

test('each way to fail is told from the figures that show it', () => {
  const cheats = remarkOn(
    { ...untrained, evidence: cheat, retrieval: { ...measured.retrieval, r1: 0.01 } },
    'study',
  );
  assert.match(cheats, /^In the study it trained\. It cheats: .*R@1 by such halves is 100 %.*it is 1 %/);
  const alike = remarkOn(
    { ...untrained, evidence: cheat, retrieval: { ...measured.retrieval, r1: 0.01 } },
    'pairs',
  );
  assert.match(alike, /Both halves of a pair hold both sides.*not enough in this budget: .*3\.60 to 0\.50/);
  const same = remarkOn({ ...untrained, evidence: { ...measured.evidence, spread: 0.001 } }, 'pairs');
  assert.match(same, /all captions of a photo are one: .*0\.001/);
  const slow = remarkOn({ ...untrained, loss: { first: 2.1, last: 2, heldOut: 2.1 } }, 'pairs');
  assert.match(slow, /not learnt enough in this budget: .*2\.10 to 2\.00/);
  const away = remarkOn({ ...untrained, evidence: { ...cheat, ranAway: 3 } }, 'pairs');
  assert.match(away, /stopped being finite in epoch 3/);
});

test('a head that the study could not train is explained by what it could have cheated with, if it could', () => {
  const study = { similarities: [1, 1, 1, 1, 1], trained: false };
  const could = { ...measured, study, evidence: { ...measured.evidence, shortcut: 0.9 } };
  assert.match(
    remarkOn(could, 'pairs'),
    /^In the study it did not train\. .*R@1 90 %.*20 %.*trained on wrong pairs/,
  );
  assert.match(remarkOn({ ...measured, study }, 'study'), /Nothing in its definition stands in the way/);
});

test('trained is what beats chance by three standard errors and tells the five apart', () => {
  const five = [1, 2, 0, -1, 3];
  assert.equal(isTrained(0.4, 100, five, 15), true);
  assert.equal(isTrained(0.3, 100, five, 15), false);
  // 0.4 of ten photos may be chance.
  assert.equal(isTrained(0.4, 10, five, 15), false);
  assert.equal(isTrained(0.4, 100, [14.45, 14.45, 14.46, 14.45, 14.45], 14.46), false);
});
