/** What a head's figures say about why it trained or not, and where that differs from the study. */
import type { LabRow } from '../../../contract.ts';
import type { Scoring } from './scores.ts';

type Measured = Pick<LabRow, 'trained' | 'retrieval' | 'loss' | 'evidence'> & {
  readonly study: LabRow['study'];
};

/** Chance for one of five is 0.2; a share must lie this many standard errors above it. */
const standardErrors = 3;
/** Cosines of the five captions that lie closer together are called the same. */
const leastRange = 0.01;

/** The criterion by which a head counts as trained. */
export function isTrained(
  bestOfFive: number,
  photos: number,
  similarities: readonly number[],
  scale: number,
): boolean {
  const chance = 0.2;
  const above = chance + standardErrors * Math.sqrt((chance * (1 - chance)) / Math.max(1, photos));
  const range = (Math.max(...similarities) - Math.min(...similarities)) / scale;
  return bestOfFive > above && range >= leastRange;
}

/** Right pairs are found by the halves of right pairs alone, and not when each caption is shown with each photo. */
const isShortcut = ({ evidence, retrieval }: Measured): boolean =>
  evidence.shortcut >= 0.5 && evidence.shortcut >= 3 * retrieval.r1;

/** Empty where the head trained without cheating, as in the study or with none to compare. */
export function remarkOn(row: Measured, scoring: Scoring): string {
  const { trained, study } = row;
  const cheats = scoring === 'study' && isShortcut(row);
  if (trained && !cheats && (study === null || study.trained)) return '';
  const difference =
    study === null || study.trained === trained
      ? ''
      : study.trained
        ? 'In the study it trained. '
        : 'In the study it did not train. ';
  return difference + (trained ? whyTrained(row, scoring) : whyNot(row, scoring));
}

function whyTrained(row: Measured, scoring: Scoring): string {
  const { evidence, retrieval, loss } = row;
  if (evidence.shortcut >= 2 * retrieval.r1)
    return scoring === 'pairs'
      ? `Shown right pairs only, it can cheat: both halves of a pair hold both sides (${percent(1 - evidence.own.image)} of what it makes of photos comes with the caption), so that comparing halves of right pairs gives R@1 ${percent(evidence.shortcut)}, and each photo with each caption ${percent(retrieval.r1)}. Here it was trained on wrong pairs too, where cheating does not help.`
      : `It cheats in part: comparing halves of right pairs, which is all that this training sees, gives R@1 ${percent(evidence.shortcut)}, each photo with each caption ${percent(retrieval.r1)}. Enough was learnt besides to tell captions apart.`;
  return `Nothing in its definition stands in the way: the loss fell from ${number(loss.first)} to ${number(loss.last)} with gradients of length ${number(evidence.gradient.first)} to ${number(evidence.gradient.last)}, and a photo's captions differ by ${number(evidence.spread)} in cosine. Its halves hold no more of each other than they should, so the study's failure must lie in its code or its budget.`;
}

function whyNot(row: Measured, scoring: Scoring): string {
  const { evidence, retrieval, loss } = row;
  if (evidence.ranAway !== null)
    return `Its numbers stopped being finite in epoch ${String(evidence.ranAway)}.`;
  if (isShortcut(row) && scoring === 'pairs')
    return `Both halves of a pair hold both sides, so they are alike whether the pair is right (cosine ${number(evidence.matched)}) or wrong (${number(evidence.mismatched)}), and little is left to tell pairs apart by. Shown wrong pairs it does learn that little, but not enough in this budget: the loss went from ${number(loss.first)} to ${number(loss.last)}.`;
  if (isShortcut(row))
    return `It cheats: both halves of a pair hold both sides, so halves of one pair are alike whether it is right (cosine ${number(evidence.matched)}) or wrong (${number(evidence.mismatched)}). Training compares halves of right pairs only, so its loss falls to ${number(loss.last)} and R@1 by such halves is ${percent(evidence.shortcut)}; with each photo shown with each caption it is ${percent(retrieval.r1)}.`;
  if (evidence.spread < leastRange)
    return `To it all captions of a photo are one: their cosines differ by ${number(evidence.spread)}. The gradient's length went from ${number(evidence.gradient.first)} to ${number(evidence.gradient.last)}.`;
  return `It had not learnt enough in this budget: the loss went from ${number(loss.first)} to ${number(loss.last)} in training and is ${number(loss.heldOut)} on what was kept aside.`;
}

const number = (value: number): string => value.toFixed(Math.abs(value) < 0.1 ? 3 : 2);
const percent = (share: number): string => `${(100 * share).toFixed(0)} %`;
