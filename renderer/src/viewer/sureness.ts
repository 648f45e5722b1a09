/** How sure a model is, as a word. */
import type { Sureness } from '../i18n/en-describe.ts';

/** @param probability of being right, 0 to 1, calibrated where the pack says how. */
export function surenessOf(probability: number): Sureness {
  if (probability >= 0.9) return 'very';
  if (probability >= 0.7) return 'fairly';
  return probability >= 0.5 ? 'somewhat' : 'guess';
}
