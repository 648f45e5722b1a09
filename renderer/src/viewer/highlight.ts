/** Which words of a caption hit the search, so that they can be shown where they stand. */

export interface Piece {
  readonly text: string;
  readonly hit: boolean;
}

/** Written without spaces between words, so that a word is looked for anywhere. */
const unspaced = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]/u;
/** English endings that full-text stems fold away: dog and dogs, run and running, pony and ponies. */
const endings = /^(?:|s|es|e|ed|d|ing|er|ers|y|ies)$/;
const doubled = /^(.)(?:ing|ed|er|ers)$/;

function folded(text: string): string {
  return text.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase();
}

function sameStem(one: string, other: string): boolean {
  if (one === other) return true;
  let common = 0;
  while (common < one.length && one[common] === other[common]) common++;
  if (common < 3) return false;
  const last = one[common - 1];
  return [one.slice(common), other.slice(common)].every(
    (rest) => endings.test(rest) || doubled.exec(rest)?.[1] === last,
  );
}

/** @returns the text in pieces, in order; joined they are the text again. */
export function highlight(text: string, words: readonly string[]): Piece[] {
  const wanted = words.map(folded).filter((word) => word !== '');
  const spaced = wanted.filter((word) => !unspaced.test(word));
  const marks: [number, number][] = [];
  for (const match of text.matchAll(/[\p{L}\p{M}\p{N}]+/gu)) {
    const token = folded(match[0]);
    if (spaced.some((word) => sameStem(token, word)))
      marks.push([match.index, match.index + match[0].length]);
  }
  for (const word of wanted.filter((candidate) => unspaced.test(candidate))) {
    for (let at = text.indexOf(word); at !== -1; at = text.indexOf(word, at + word.length)) {
      marks.push([at, at + word.length]);
    }
  }
  const pieces: Piece[] = [];
  let done = 0;
  for (const [start, end] of marks.sort((a, b) => a[0] - b[0])) {
    if (start < done) continue;
    if (start > done) pieces.push({ text: text.slice(done, start), hit: false });
    pieces.push({ text: text.slice(start, end), hit: true });
    done = end;
  }
  if (done < text.length) pieces.push({ text: text.slice(done), hit: false });
  return pieces;
}
