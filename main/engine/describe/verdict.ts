/** What an answer about one photo says: yes, no, something else, or nothing that one can rely on. */
import type { PhotoAnswer } from '../../contract.ts';

type Answered = Pick<PhotoAnswer, 'answer' | 'sure' | 'confidence' | 'answers'>;

export interface Verdict {
  readonly says: 'yes' | 'no' | 'unsure';
  /** Probability that it is so, 0 to 1. */
  readonly confidence: number;
}

/** Below this share of all its answers, a model that was asked for yes or no has not understood. */
const leastMass = 0.2;
/** So much more likely than its opposite must an answer be that is not the model's first. */
const clearShare = 0.75;

/**
 * From the probabilities of "yes" and "no" among the answers; for packs that write their answer, its first word.
 * An answer that the model is not sure of is unsure, whatever it is.
 */
export function yesOrNo({ answer, sure, confidence, answers }: Answered): Verdict {
  const first = firstWord(answer);
  if (sure && first !== undefined) return { says: first, confidence };
  const mass = { yes: 0, no: 0 };
  for (const choice of answers) {
    const word = firstWord(choice.answer);
    if (word !== undefined) mass[word] += choice.probability;
  }
  const both = mass.yes + mass.no;
  const share = both === 0 ? 0 : Math.max(mass.yes, mass.no) / both;
  // Its first answer is neither, e.g. the name of the thing; yes and no are compared by themselves.
  if (sure && both >= leastMass && share >= clearShare)
    return { says: mass.yes > mass.no ? 'yes' : 'no', confidence: both * share };
  return { says: 'unsure', confidence };
}

function firstWord(answer: string): 'yes' | 'no' | undefined {
  const [word] = answer.toLowerCase().match(/[a-z']+/) ?? [];
  if (word === 'yes' || word === 'yeah' || word === 'yep') return 'yes';
  return word === 'no' || word === 'nope' || word === 'none' ? 'no' : undefined;
}

/** Answers that say the same, for counting: case, articles and marks at the end don't matter. */
export function foldAnswer(answer: string): string {
  return answer
    .normalize('NFKC')
    .toLowerCase()
    .replace(/^(?:a|an|the)\s+/, '')
    .replace(/[\s.!]+$/, '')
    .trim();
}
