/** The words of a query that say something about a photo. */
import { isUnspaced, wordsOf } from './word-text.ts';

/** Words in nearly every query or caption, and words for the photo itself: none tells photos apart. */
const common = new Set(
  `a about all am an and any are as at be been being but by can did do does each for from had has have he her here
  him his how i if in into is it its just like me more most my near no not of off on one or our out over own s she
  show so some such than that the their them then there these they this those to too under up us very was we were
  what when where which while who will with without you your
  photo photos picture pictures image images photograph photographs pic pics shot snapshot
  find search see
  der die das ein eine und mit von im am auf bild foto
  le la les un une et avec de du des dans photo
  的 了 在 和 与 是 有 着 把 被 个 一 这 那 里 上 下 中 我 你 他 她 们`
    .split(/\s+/)
    .filter((word) => word !== ''),
);
const commonPhrases = ['照片', '图片', '相片', '图像'];

export interface QueryTerm {
  /** As the query has it, folded. */
  readonly word: string;
  /** For FTS5: quoted, so that nothing in it is an operator. */
  readonly expression: string;
}

/** Longer queries are sentences pasted in; their further words narrow nothing. */
const mostTerms = 16;

/**
 * Words in the order typed, each once. Runs of Chinese and Japanese become pairs of neighbouring characters (of which
 * words mostly consist), or the one character that stands alone between common ones.
 */
export function queryTerms(text: string): QueryTerm[] {
  const words = new Set<string>();
  let run: string[] = [];
  const endRun = (): void => {
    const [only] = run;
    if (run.length === 1 && only !== undefined) words.add(only);
    for (let i = 0; i + 1 < run.length; i++) words.add(`${run[i] ?? ''}${run[i + 1] ?? ''}`);
    run = [];
  };
  let said = text;
  for (const phrase of commonPhrases) said = said.replaceAll(phrase, ' ');
  for (const part of said.split(/[^\p{L}\p{M}\p{N}]+/u)) {
    for (const word of wordsOf(part)) {
      if (isUnspaced(word) && !common.has(word)) {
        run.push(word);
        continue;
      }
      endRun();
      if (!common.has(word)) words.add(word);
    }
    endRun();
  }
  return [...words].slice(0, mostTerms).map((word) => ({ word, expression: quoted(word) }));
}

/** An FTS5 string: its tokens must stand side by side. */
function quoted(word: string): string {
  const spaced = isUnspaced(word) ? Array.from(word).join(' ') : word;
  return `"${spaced.replaceAll('"', '""')}"`;
}
