/** Why a run was not offered, told from its figures: the engine's own sentence is in one language only. */
import type { TuneRun } from '../../../main/contract.ts';

export type Because = 'unsure' | 'worse' | 'forgets' | 'other';

/** General search may lose no more than this share of R@10 (half a point of a hundred). */
const mostForgotten = 0.005;

export function becauseOf({ before, after, gain, generic }: TuneRun): Because {
  if (before === null || after === null || gain === null) return 'other';
  const lost = generic === null ? 0 : generic.before.r10 - generic.after.r10;
  // In the order in which the proof decides.
  if (lost > mostForgotten) return 'forgets';
  if (gain.high < 0) return 'worse';
  return gain.low > 0 ? 'other' : 'unsure';
}
