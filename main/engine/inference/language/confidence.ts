/** How probable it is that what a model wrote is right, and whether that is enough to say it. */
import type { LanguagePack } from '../../packs/types.ts';

/** Where the pack doesn't say when it is unsure, an answer less probable than this isn't given. */
const leastAnswer = 0.2;

/** @param logProbability mean per token, or of the chosen answer. */
export function confidenceOf(
  pack: Pick<LanguagePack, 'confidence'>,
  task: 'caption' | 'answer',
  logProbability: number,
): { readonly confidence: number; readonly sure: boolean } {
  if (pack.confidence !== null) {
    const { slope, intercept, notSureBelow } = pack.confidence;
    const confidence = 1 / (1 + Math.exp(-(slope * logProbability + intercept)));
    return { confidence, sure: confidence >= notSureBelow };
  }
  const confidence = Math.min(1, Math.exp(logProbability));
  return { confidence, sure: task === 'caption' || confidence >= leastAnswer };
}
