/** Which texts say the same: the same words up to their endings, whatever their order, case and small words. */
import { queryTerms } from '../../store/query-terms.ts';
import { queryKey } from '../../store/query-key.ts';

/** @returns equal for texts that say the same; texts of small words alone are compared as they are. */
export function wordingOf(text: string): string {
  const words = contentWords(text);
  return words.length === 0 ? `"${queryKey(text)}"` : words.join(' ');
}

/** The words that say something, without endings, each once, sorted. */
export function contentWords(text: string): string[] {
  return [...new Set(queryTerms(text).map(({ word }) => withoutPlural(word)))].sort();
}

/** Harman's S stemmer (1991): plurals alone, so that nothing is joined that means something else. */
function withoutPlural(word: string): string {
  if (word.length < 4) return word;
  if (/(?<![ae])ies$/.test(word)) return `${word.slice(0, -3)}y`;
  if (/(?:ch|sh|x|ss|z)es$/.test(word)) return word.slice(0, -2);
  if (/(?<![us])s$/.test(word)) return word.slice(0, -1);
  return word;
}
