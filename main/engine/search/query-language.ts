/** What a person types, read once: free text, -without, "phrase" and filters, each with its span. */
import type { Chip } from '../../contract.ts';
import type { PhotoFilter } from '../store/types.ts';
import { parseDateSpan } from './query-dates.ts';
import { scanTokens, type Token } from './query-tokens.ts';

export interface ParsedQuery {
  /** The words to embed, joined; '' when there is nothing with a letter, a digit or a pictograph in it. */
  readonly text: string;
  /** Things that should not be in the photo, each embedded by itself. */
  readonly without: readonly string[];
  /** Undefined when every photo is allowed. */
  readonly filter: PhotoFilter | undefined;
  /** In the order typed; spans never overlap. */
  readonly chips: readonly Chip[];
}

/** What this library has a name for, asked with the name as typed. */
export interface KnownNames {
  readonly album: (name: string) => boolean;
  readonly tag: (name: string) => boolean;
}

/** Formats by the names people give them, as the decoder names them. */
const formatsByName: Readonly<Record<string, readonly string[]>> = {
  jpg: ['jpeg', 'jpg'],
  jpeg: ['jpeg', 'jpg'],
  jpe: ['jpeg', 'jpg'],
  png: ['png'],
  webp: ['webp'],
  gif: ['gif'],
  tif: ['tiff', 'tif'],
  tiff: ['tiff', 'tif'],
  avif: ['avif'],
  heic: ['heic', 'heif'],
  heif: ['heic', 'heif'],
};

/**
 * A total function: any string gives a plan. What looks like a filter but is not one (`http://x`, `foo:bar`)
 * is free text; a filter with a value that makes no sense becomes a chip with a problem and filters nothing.
 * @param localNow the wall clock read as UTC, milliseconds, for `yesterday` and `last year`.
 * @param known albums and tags; a filter by another name is a problem.
 */
export function parseQuery(typed: string, localNow: number, known: KnownNames): ParsedQuery {
  const chips: Chip[] = [];
  const words: string[] = [];
  const without: string[] = [];
  const filter = new FilterBuilder(known);
  let run: { start: number; end: number } | undefined;
  const endRun = (): void => {
    if (run === undefined) return;
    const value = typed.slice(run.start, run.end);
    chips.push(chip('text', value, [run.start, run.end]));
    words.push(value);
    run = undefined;
  };
  for (const token of scanTokens(typed)) {
    if (token.kind === 'word') {
      run = { start: run?.start ?? token.start, end: token.end };
      continue;
    }
    endRun();
    const problem = token.kind === 'without' ? addWithout(without, token) : filter.add(token, localNow);
    const weight = token.kind === 'without' ? -1 : 1;
    chips.push({ ...chip(token.kind, token.value, [token.start, token.end]), weight, problem });
  }
  endRun();
  return { text: meaningful(words.join(' ').replace(/\s+/g, ' ')), without, filter: filter.build(), chips };
}

function addWithout(without: string[], token: Token): string | null {
  const value = meaningful(token.value);
  if (value === '') return 'Write what should not be in the photo after it.';
  without.push(value);
  return null;
}

function chip(kind: Chip['kind'], value: string, span: [number, number]): Chip {
  return { kind, value, weight: 1, span, problem: null };
}

/** A lone dash or dots say nothing about a photo; embedding them would rank by noise. */
function meaningful(text: string): string {
  return /[\p{L}\p{N}\p{Extended_Pictographic}]/u.test(text) ? text.trim() : '';
}

/** Gathers filter tokens: the same kind twice narrows further, except types and cameras, which widen. */
class FilterBuilder {
  readonly #known: KnownNames;
  #used = false;
  readonly #in: string[] = [];
  readonly #camera: string[] = [];
  readonly #formats: string[] = [];
  readonly #phrases: string[] = [];
  readonly #albums: string[] = [];
  readonly #tags: string[] = [];
  #captioned: boolean | undefined;
  #after = -Infinity;
  #before = Infinity;
  #offline: boolean | undefined;

  constructor(known: KnownNames) {
    this.#known = known;
  }

  /** @returns the problem with the value, or null when it was taken. */
  add(token: Token, localNow: number): string | null {
    const value = token.value.trim();
    if (value === '') return 'A value is missing after the colon.';
    const problem = this.#take(token.kind, value, localNow);
    if (problem === null) this.#used = true;
    return problem;
  }

  #take(kind: Token['kind'], value: string, localNow: number): string | null {
    switch (kind) {
      case 'in':
        this.#in.push(value);
        return null;
      case 'phrase':
        // Quotes around marks alone are no words to look for.
        if (meaningful(value) === '') return 'There are no words between the quotes.';
        this.#phrases.push(value);
        return null;
      case 'album':
        if (!this.#known.album(value)) return `There is no album named "${value}".`;
        this.#albums.push(value);
        return null;
      case 'tag':
        if (!this.#known.tag(value)) return `There is no tag named "${value}".`;
        this.#tags.push(value);
        return null;
      case 'camera':
        this.#camera.push(value);
        return null;
      case 'type':
        return this.#takeTypes(value);
      case 'is':
        return this.#takeState(value.toLowerCase());
      default:
        return this.#takeDate(kind, value, localNow);
    }
  }

  #takeTypes(value: string): string | null {
    const names = value
      .normalize('NFKC')
      .toLowerCase()
      .split(/[,，、]/)
      .map((name) => name.trim().replace(/^\./, ''));
    const formats: string[] = [];
    for (const name of names.filter((each) => each !== '')) {
      const known = Object.hasOwn(formatsByName, name) ? formatsByName[name] : undefined;
      if (known === undefined)
        return `"${name}" is not a type of photo; try jpeg, png, webp, gif, tiff, heic or avif.`;
      formats.push(...known);
    }
    if (formats.length === 0) return 'A type is missing after the colon.';
    this.#formats.push(...formats);
    return null;
  }

  #takeState(value: string): string | null {
    switch (value) {
      case 'offline':
      case 'online':
        this.#offline = value === 'offline';
        return null;
      case 'captioned':
      case 'uncaptioned':
        this.#captioned = value === 'captioned';
        return null;
      default:
        return `"${value}" is not known here; try captioned, uncaptioned, offline or online.`;
    }
  }

  #takeDate(kind: Token['kind'], value: string, localNow: number): string | null {
    const span = parseDateSpan(value, localNow);
    if (span === undefined)
      return `"${value}" is not a date; try 2021, 2021-05, 2021-05-03, yesterday or last year.`;
    if (kind === 'after') this.#after = Math.max(this.#after, span.from);
    else this.#before = Math.min(this.#before, span.from);
    return null;
  }

  build(): PhotoFilter | undefined {
    if (!this.#used) return undefined;
    return {
      ...(this.#in.length > 0 ? { in: this.#in } : {}),
      ...(this.#camera.length > 0 ? { camera: this.#camera } : {}),
      ...(this.#formats.length > 0 ? { formats: [...new Set(this.#formats)] } : {}),
      ...(this.#after > -Infinity ? { after: this.#after } : {}),
      ...(this.#before < Infinity ? { before: this.#before } : {}),
      ...(this.#phrases.length > 0 ? { phrases: this.#phrases } : {}),
      ...(this.#albums.length > 0 ? { albums: this.#albums } : {}),
      ...(this.#tags.length > 0 ? { tags: this.#tags } : {}),
      ...(this.#captioned === undefined ? {} : { captioned: this.#captioned }),
      ...(this.#offline === undefined ? {} : { offline: this.#offline }),
    };
  }
}
