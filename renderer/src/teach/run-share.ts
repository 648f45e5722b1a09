/** How much of a run is done, 0 to 1: gathering and the proof at the end take about a tenth each. */
import type { TuneProgress } from '../../../main/contract.ts';

export function shareOf(progress: TuneProgress | null): number {
  if (progress === null || progress.stage === 'gathering') return 0.05;
  if (progress.stage === 'proving') return 0.95;
  return 0.1 + 0.8 * (progress.epochs > 0 ? progress.epoch / progress.epochs : 0);
}
