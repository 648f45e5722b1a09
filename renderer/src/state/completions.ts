/** What can be completed at the caret of the search bar: names of albums and of tags, after their keys. */

export interface Wanted {
  readonly kind: 'album' | 'tag';
  /** What has been typed of the name. */
  readonly typed: string;
  /** The part of the text that a choice replaces, from its key on, UTF-16 units, end exclusive. */
  readonly start: number;
  readonly end: number;
}

const keys: Readonly<Record<string, Wanted['kind']>> = {
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

/** Names that begin with what was typed, then those that hold it, each in the order given. */
export function completionsFor(wanted: Wanted, names: readonly string[]): readonly string[] {
  const typed = wanted.typed.trim().normalize('NFC').toLowerCase();
  const folded = names.map((name) => ({ name, key: name.normalize('NFC').toLowerCase() }));
  const first = folded.filter(({ key }) => key.startsWith(typed));
  const then = folded.filter(({ key }) => !key.startsWith(typed) && key.includes(typed));
  const found = [...first, ...then].map(({ name }) => name);
  // What is there in full needs no completing.
  return found.length === 1 && folded.some(({ key }) => key === typed) ? [] : found.slice(0, most);
}

/** A name as the query language takes it: in quotes where it has spaces. */
export function quoted(name: string): string {
  return /[\s"“”„«»「」『』]/u.test(name) ? `"${name.replaceAll('"', '')}"` : name;
}

/** @returns the text with the name in place, and where the caret goes. */
export function completed(text: string, wanted: Wanted, name: string): { text: string; caret: number } {
  const before = `${text.slice(0, wanted.start)}${wanted.kind}:${quoted(name)} `;
  return { text: before + text.slice(wanted.end).trimStart(), caret: before.length };
}
