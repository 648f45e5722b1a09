/** Why nothing can be learnt, before time is spent on it. */
import type { ErrorShape } from '../../../errors.ts';
import { fewestGroups } from '../prove-head.ts';
import type { Draft } from './draft-pairs.ts';

/** @param photos how many photos of the pairs differ. @returns null when a run can start */
export function problemOf({ pairs, contradictions }: Draft, photos: number): ErrorShape | null {
  const refused = (message: string): ErrorShape => ({
    code: 'input-invalid',
    message,
    details: { photos, needed: fewestGroups },
  });
  const missing = fewestGroups - photos;
  if (pairs.length === 0 && contradictions > 0)
    return refused(
      `All thumbs contradict each other: the same photos, or near-duplicates of them, have a thumb up and a thumb down for the same words. Take back those that are wrong.`,
    );
  if (pairs.length === 0)
    return refused(
      `There is nothing to learn from yet. Give thumbs up to results, teach names, write captions or make albums: ${String(fewestGroups)} different photos are needed.`,
    );
  if (missing > 0)
    return refused(
      `There ${pairs.length === 1 ? 'is 1 example' : `are ${String(pairs.length)} examples`} of ${photos === 1 ? '1 photo' : `${String(photos)} different photos`}; ${String(missing)} more ${missing === 1 ? 'photo is' : 'photos are'} needed to learn from some and prove it on others. Give more thumbs up, names or captions first.${contradictions > 0 ? ` ${String(contradictions)} thumbs that contradict each other are left out.` : ''}`,
    );
  const [first] = pairs;
  if (first !== undefined && pairs.every(({ wording }) => wording === first.wording))
    return refused(
      `All examples have the same words ("${first.text}"), so there is nothing to tell them apart by. Add examples with other words.`,
    );
  return null;
}
