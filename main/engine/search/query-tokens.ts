/** Cuts typed text into words, -negatives, quoted phrases and key:value filters, in one pass. */

export interface Token {
  readonly kind:
    'word' | 'without' | 'phrase' | 'in' | 'after' | 'before' | 'camera' | 'type' | 'is' | 'album' | 'tag';
  /** Without its dash, key and quotes. */
  readonly value: string;
  /** UTF-16 offsets in the typed text, end exclusive. */
  readonly start: number;
  readonly end: number;
}

/** Keys of filters, in English and in Chinese. */
const kindsByKey: Readonly<Record<string, Token['kind']>> = {
  in: 'in',
  after: 'after',
  before: 'before',
  camera: 'camera',
  type: 'type',
  is: 'is',
  album: 'album',
  tag: 'tag',
  without: 'without',
  位于: 'in',
  之后: 'after',
  之前: 'before',
  相机: 'camera',
  类型: 'type',
  相册: 'album',
  标签: 'tag',
};

/** What closes each opening quote. Straight and curly ones mix freely, as phones change them while one types. */
const doubleQuotes = '"＂“”„‟';
const closers: Readonly<Record<string, string>> = {
  ...Object.fromEntries(Array.from(doubleQuotes, (quote) => [quote, doubleQuotes])),
  '«': '»',
  '「': '」',
  '『': '』',
};
const dashes = new Set(['-', '－', '−']);
const space = /\s/u;
/** A key is short; looking further for a colon would make long words quadratic. */
const longestKey = 8;

/** Every character that is not white space lies in exactly one token. Never throws. */
export function scanTokens(typed: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  while (at < typed.length) {
    if (space.test(typed.charAt(at))) {
      at++;
      continue;
    }
    const token = scanOne(typed, at);
    tokens.push(token);
    at = token.end;
  }
  return tokens;
}

function scanOne(typed: string, start: number): Token {
  const first = typed.charAt(start);
  if (dashes.has(first) && start + 1 < typed.length && !space.test(typed.charAt(start + 1))) {
    const negative = scanNegative(typed, start);
    if (negative !== undefined) return negative;
  }
  if (closers[first] !== undefined) {
    const { value, end } = scanQuoted(typed, start);
    // Quotes around nothing are just characters.
    return value.trim() === ''
      ? { kind: 'word', value: first, start, end }
      : { kind: 'phrase', value, start, end };
  }
  const key = scanKey(typed, start);
  if (key !== undefined) {
    const { value, end } = scanValue(typed, key.end, key.kind);
    return { kind: key.kind, value, start, end };
  }
  const end = wordEnd(typed, start);
  return { kind: 'word', value: typed.slice(start, end), start, end };
}

function scanNegative(typed: string, start: number): Token | undefined {
  const next = typed.charAt(start + 1);
  if (closers[next] !== undefined) {
    const { value, end } = scanQuoted(typed, start + 1);
    return { kind: 'without', value, start, end };
  }
  // "-without snow" is said as one would say it.
  const said = /^without\s+/iu.exec(typed.slice(start + 1, start + 16));
  if (said !== null && start + 1 + said[0].length < typed.length) {
    const { value, end } = scanValue(typed, start + 1 + said[0].length, 'without');
    return { kind: 'without', value, start, end };
  }
  const end = wordEnd(typed, start + 1);
  const value = typed.slice(start + 1, end);
  // "--", "->" and the like mean nothing; they stay part of the text.
  return /[\p{L}\p{N}\p{Extended_Pictographic}]/u.test(value)
    ? { kind: 'without', value, start, end }
    : undefined;
}

function scanKey(typed: string, start: number): { kind: Token['kind']; end: number } | undefined {
  const head = typed.slice(start, start + longestKey + 1);
  const colon = head.search(/[:：]/u);
  if (colon <= 0) return undefined;
  const key = head.slice(0, colon).toLowerCase();
  const kind = Object.hasOwn(kindsByKey, key) ? kindsByKey[key] : undefined;
  return kind === undefined ? undefined : { kind, end: start + colon + 1 };
}

function scanValue(typed: string, start: number, kind: Token['kind']): { value: string; end: number } {
  if (closers[typed.charAt(start)] !== undefined) return scanQuoted(typed, start);
  const end = wordEnd(typed, start);
  if (kind === 'after' || kind === 'before') {
    // `after:last year` needs no quotes: "last" and "this" mean nothing without their second word.
    const relative = /^(?:last|this)\s+(?:week|month|year)(?=\s|$)/iu.exec(typed.slice(start, start + 24));
    if (relative !== null) return { value: relative[0], end: start + relative[0].length };
  }
  return { value: typed.slice(start, end), end };
}

/** A quote that is never closed runs to the end: it is still being typed. */
function scanQuoted(typed: string, start: number): { value: string; end: number } {
  const closing = closers[typed.charAt(start)] ?? '';
  let end = start + 1;
  while (end < typed.length && !closing.includes(typed.charAt(end))) end++;
  return { value: typed.slice(start + 1, end), end: Math.min(end + 1, typed.length) };
}

function wordEnd(typed: string, start: number): number {
  let end = start;
  while (end < typed.length && !space.test(typed.charAt(end))) end++;
  return end;
}
