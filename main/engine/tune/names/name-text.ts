/** Finds taught names in what was typed: folded, by whole words, the longest name first. */
import { isUnspaced, wordsOf } from '../../store/word-text.ts';

/** A name as queries are searched for it. */
export interface SpokenName {
  readonly id: number;
  /** Folded words; a character each in scripts without spaces. Never empty. */
  readonly words: readonly string[];
}

export interface NamedPlace {
  readonly id: number;
  /** UTF-16 offsets, end exclusive. */
  readonly start: number;
  readonly end: number;
}

/** Words, characters of scripts without spaces, and pictographs. */
const pieces =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]|(?:(?![\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}])[\p{L}\p{M}\p{N}])+|\p{Extended_Pictographic}/gu;

interface Piece {
  readonly word: string;
  readonly start: number;
  readonly end: number;
}

function piecesOf(text: string): Piece[] {
  return Array.from(text.matchAll(pieces), ({ 0: piece, index }) => {
    const folded = wordsOf(piece).join('');
    return { word: folded === '' ? piece : folded, start: index, end: index + piece.length };
  });
}

/** @returns a name's folded words; none for a name of marks alone, which could never be found in a query. */
export function nameWords(name: string): string[] {
  return piecesOf(name).map(({ word }) => word);
}

/** @returns places in order that don't overlap. Between a name's words any marks and spaces may stand. */
export function findNames(text: string, names: readonly SpokenName[]): NamedPlace[] {
  if (names.length === 0) return [];
  const said = piecesOf(text);
  const byFirst = Map.groupBy(names, ({ words }) => words[0] ?? '');
  const found: NamedPlace[] = [];
  for (let at = 0; at < said.length;) {
    const longest = (byFirst.get(said[at]?.word ?? '') ?? [])
      .filter(({ words }) => words.every((word, i) => said[at + i]?.word === word))
      .reduce<SpokenName | undefined>(
        (best, name) => (name.words.length > (best?.words.length ?? 0) ? name : best),
        undefined,
      );
    const first = said[at];
    const last = said[at + (longest?.words.length ?? 1) - 1];
    if (longest !== undefined && first !== undefined && last !== undefined)
      found.push({ id: longest.id, start: first.start, end: last.end });
    at += longest?.words.length ?? 1;
  }
  return found;
}

/** The text with other words, or none, in place of the names. */
export function replaceNames(
  text: string,
  places: readonly NamedPlace[],
  replacement: (id: number) => string,
): string {
  let replaced = '';
  let from = 0;
  for (const { id, start, end } of places) {
    const words = replacement(id);
    // "雷克斯在海滩" needs no space where "Rex" becomes a word of another script.
    const glued = words !== '' && isUnspaced(text.charAt(end)) && !isUnspaced(words) ? ' ' : '';
    replaced += text.slice(from, start) + words + glued;
    from = end;
  }
  return (replaced + text.slice(from)).replaceAll(/\s+/gu, ' ').trim();
}
