/** When two queries are the same query. */
import { foldText } from './fold-text.ts';

/** Folded, without spaces at the ends and with one between words. */
export function queryKey(text: string): string {
  return foldText(text).trim().replaceAll(/\s+/g, ' ');
}
