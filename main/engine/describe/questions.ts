/** Questions as they are put to a model, and as they are recognised again. */
import type { Turn } from '../inference/language/types.ts';

/** What was typed or pasted, on one line. Characters that are not seen (zero width, control) go. */
export function cleanQuestion(question: string): string {
  return question
    .normalize('NFC')
    .replace(/[\p{Cc}\p{Zl}\p{Zp}\s]+/gu, ' ')
    .replace(/[\u200b\u2060\ufeff]/gu, '')
    .trim();
}

/**
 * Equal for questions that differ only in case, spaces or closing marks, asked after the same words.
 * @param question clean.
 */
export function answerKey(question: string, turns: readonly Turn[]): string {
  const folded = question
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[\s?!.\u3002\uff1f\uff01]+$/u, '');
  // A question of nothing but marks is itself.
  const own = folded === '' ? question : folded;
  return turns.length === 0
    ? own
    : JSON.stringify([own, ...turns.map(({ question: asked, answer }) => [cleanQuestion(asked), answer])]);
}
