/** What can be completed at the caret of the search bar: albums and tags after their keys, and names that were taught. */

export interface Wanted {
  readonly kind: 'album' | 'tag' | 'name';
  /** What has been typed of the name. */
  readonly typed: string;
  /** The part of the text that a choice replaces, from its key on, UTF-16 units, end exclusive. */
  readonly start: number;
  readonly end: number;
}

const keys: Readonly<Record<string, 'album' | 'tag'>> = {
  album: 'album',
  tag: 'tag',
  相册: 'album',
  标签: 'tag',
};
const most = 8;

/** @returns undefined where the caret is not in an unfinished name. */
export function wantedAt(text: string, caret: number): Wanted | undefined {
  const found = /(?:^|[\s-])((album|tag|相册|标签)[:：]("[^"]*|[^\s"]*))$/iu.exec(text.slice(0, caret));
  const kind = keys[found?.[2]?.toLowerCase() ?? ''];
  if (found === null || kind === undefined) return undefined;
  const [, token = '', , value = ''] = found;
  const rest = value.startsWith('"') ? /^[^"]*"?/ : /^[^\s"]*/;
  return {
    kind,
    typed: value.replace(/^"/, ''),
    start: caret - token.length,
    end: caret + (rest.exec(text.slice(caret))?.[0].length ?? 0),
  };
}

/** A character of a script that is written without spaces: a name may begin anywhere in it. */
const unspaced = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}]/u;
/** Fewer letters than this fit too much; one ideograph says enough. */
const fewestLetters = 2;
const longestName = 100;

/**
 * A taught name that is being typed as a word among others. Longer names are looked for first, so that "our ho" is
 * the beginning of "our house".
 * @returns undefined where what stands before the caret begins no name, or ends one.
 */
export function nameWantedAt(text: string, caret: number, names: readonly string[]): Wanted | undefined {
  const from = Math.max(0, caret - longestName);
  for (let start = from; start < caret; start++) {
    const typed = text.slice(start, caret);
    const first = typed[0] ?? '';
    if (/[\s-]/.test(first)) continue;
    const bounded = start === 0 || /[\s-]/.test(text[start - 1] ?? '') || unspaced.test(first);
    if (!bounded || (typed.length < fewestLetters && !unspaced.test(first))) continue;
    const key = folded(typed);
    if (names.some((name) => folded(name) === key)) return undefined;
    if (names.some((name) => folded(name).startsWith(key))) {
      const rest = unspaced.test(first) ? 0 : (/^[^\s"]*/.exec(text.slice(caret))?.[0].length ?? 0);
      return { kind: 'name', typed, start, end: caret + rest };
    }
  }
  return undefined;
}

function folded(name: string): string {
  return name.normalize('NFC').toLowerCase();
}

/** Names that begin with what was typed, then those that hold it, each in the order given. */
export function completionsFor(wanted: Wanted, names: readonly string[]): readonly string[] {
  const typed = folded(wanted.typed.trim());
  const keyed = names.map((name) => ({ name, key: folded(name) }));
  const first = keyed.filter(({ key }) => key.startsWith(typed));
  // A word among others is completed only by what begins with it.
  const then =
    wanted.kind === 'name' ? [] : keyed.filter(({ key }) => !key.startsWith(typed) && key.includes(typed));
  const found = [...first, ...then].map(({ name }) => name);
  // What is there in full needs no completing.
  return found.length === 1 && keyed.some(({ key }) => key === typed) ? [] : found.slice(0, most);
}

/** A name as the query language takes it: in quotes where it has spaces. */
export function quoted(name: string): string {
  return /[\s"“”„«»「」『』]/u.test(name) ? `"${name.replaceAll('"', '')}"` : name;
}

/** @returns the text with the name in place, and where the caret goes. */
export function completed(text: string, wanted: Wanted, name: string): { text: string; caret: number } {
  const put = wanted.kind === 'name' ? name : `${wanted.kind}:${quoted(name)}`;
  const before = `${text.slice(0, wanted.start)}${put} `;
  return { text: before + text.slice(wanted.end).trimStart(), caret: before.length };
}
