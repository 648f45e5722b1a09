/** Searches captions, tags and file names by their words. */
import type { Database } from 'better-sqlite3';
import { queryTerms, type QueryTerm } from './query-terms.ts';
import type { CaptionRow, TagTable, WordHit, WordPlace, WordTable } from './types.ts';
import { baseName, wordsOf } from './word-text.ts';

export interface WordTableOptions {
  readonly caption: (photoId: number) => CaptionRow | undefined;
  readonly tags: Pick<TagTable, 'ofPhoto' | 'list'>;
}

/** Where a word says most first: a person's own words, then a model's. */
const places = ['hand', 'caption', 'tag', 'name'] as const satisfies readonly WordPlace[];
const columnOf = { hand: 'hand', caption: 'model', name: 'name' } as const;
/** In small libraries no word is common. Collecting 5,000 photos takes 1 to 2 ms. */
const common = { share: 0.05, atLeast: 1_000 };
/** Of words looked for before: 4 MB. */
const mostKnownIds = 500_000;
/**
 * A photo must hold words that carry this much of the query's information (the sum of their idf): all of them, or the
 * rare ones. "Gisela" counts without "beach", "beach" not without "Gisela".
 */
const leastShare = 0.6;

interface FoundTerm extends QueryTerm {
  readonly idf: number;
  readonly common: boolean;
  /** Photos that hold the term, for each of `places`. */
  readonly at: readonly (readonly number[])[];
}

/** Bits by term, for one photo. */
interface Held {
  /** Terms that it holds anywhere, and in a caption by hand. */
  terms: number;
  byHand: number;
  /** Bits by place. */
  places: number;
}

export function createWordTable(db: Database, { caption, tags }: WordTableOptions): WordTable {
  const match = db.prepare<[string], number>('SELECT rowid FROM words WHERE words MATCH ?').pluck();
  const matchPhrase = db.prepare<[string], number>('SELECT rowid FROM phrases WHERE phrases MATCH ?').pluck();
  const matchTags = db
    .prepare<[string], number>('SELECT rowid FROM tag_words WHERE tag_words MATCH ?')
    .pluck();
  const total = db.prepare<[], number>('SELECT count(*) FROM photos WHERE width IS NOT NULL').pluck();
  const activeModel = db.prepare<[], number | null>('SELECT active_model FROM state').pluck();
  const tagged = db
    .prepare<[number | null, string], number>(
      'SELECT photo_id FROM photo_tags WHERE model_id = ? AND tag_id IN (SELECT value FROM json_each(?))',
    )
    .pluck();
  const pathOf = db
    .prepare<[number], string>('SELECT rel_path FROM photos WHERE id = ? AND width IS NOT NULL')
    .pluck();
  // Numbers are bound as reals, and full-text tables take no heed of a row id that is one: every match would do.
  const holds = db
    .prepare<[string, number], number>(
      'SELECT 1 FROM words WHERE words MATCH ? AND rowid = CAST(? AS INTEGER)',
    )
    .pluck();
  const generation = db.prepare<[], number>('SELECT words_generation FROM state').pluck();
  const generations = db
    .prepare<[], [number, number]>('SELECT generation, words_generation FROM state')
    .raw();
  const described = db
    .prepare<[], number>(
      `SELECT EXISTS (SELECT 1 FROM hand_captions WHERE text <> '') OR EXISTS (SELECT 1 FROM model_captions)
         OR EXISTS (SELECT 1 FROM photo_tags)`,
    )
    .pluck();

  const inColumn = (place: keyof typeof columnOf, expression: string): string =>
    `{${columnOf[place]}} : ${expression}`;
  const tagIds = (expression: string): string => JSON.stringify(matchTags.all(expression));
  const model = (): number | null => activeModel.get() ?? null;

  // While a query is being typed its first words are looked for again with every letter.
  const known = new Map<string, FoundTerm>();
  let knownAt = '';
  let knownIds = 0;
  const recall = (term: QueryTerm, photos: number): FoundTerm => {
    const now = generations.get()?.join('.') ?? '';
    if (now !== knownAt || knownIds > mostKnownIds) {
      known.clear();
      [knownAt, knownIds] = [now, 0];
    }
    const found = known.get(term.expression) ?? look(term, photos);
    if (!known.has(term.expression)) knownIds += found.at.reduce((sum, ids) => sum + ids.length, 0);
    known.set(term.expression, found);
    return found;
  };
  const look = (term: QueryTerm, photos: number): FoundTerm => {
    const { expression } = term;
    const named = tagIds(expression);
    const at = places.map((place) =>
      place !== 'tag'
        ? match.all(inColumn(place, expression))
        : named === '[]'
          ? []
          : tagged.all(model(), named),
    );
    const holding = Math.min(
      photos,
      at.reduce((sum, ids) => sum + ids.length, 0),
    );
    // BM25's (Robertson and Zaragoza 2009), never below 0.
    const idf = Math.log1p((photos - holding + 0.5) / (holding + 0.5));
    return { ...term, idf, at, common: holding > Math.max(common.atLeast, photos * common.share) };
  };

  const search: WordTable['search'] = (text, { limit, allowed, nearest }) => {
    const photos = total.get() ?? 0;
    const terms = queryTerms(text).map((term) => recall(term, photos));
    const held = new Map<number, Held>();
    const collect = ({ at }: FoundTerm, bit: number, among: ReadonlySet<number> | undefined): void => {
      at.forEach((ids, place) => {
        for (const id of ids) {
          if (among?.has(id) === false) continue;
          let one = held.get(id);
          if (one === undefined) held.set(id, (one = { terms: 0, byHand: 0, places: 0 }));
          one.terms |= bit;
          one.places |= 1 << place;
          if (place === 0) one.byHand |= bit;
        }
      });
    };
    terms.forEach((term, i) => {
      if (!term.common) collect(term, 1 << i, allowed);
    });
    // A common word beside a rare one counts wherever the rare one is.
    const within = nearest === undefined ? allowed : new Set([...held.keys(), ...nearest]);
    terms.forEach((term, i) => {
      if (term.common) collect(term, 1 << i, within);
    });
    const whole = terms.reduce((sum, { idf }) => sum + idf, 0);
    const all = (1 << terms.length) - 1;
    const hits: WordHit[] = [];
    for (const [photoId, one] of held) {
      let share = 1;
      if (one.terms !== all) {
        const idf = terms.reduce((sum, term, i) => sum + ((one.terms & (1 << i)) === 0 ? 0 : term.idf), 0);
        share = whole > 0 ? Math.min(idf / whole, 1 - Number.EPSILON) : 0;
      }
      if (share < leastShare) continue;
      hits.push({
        photoId,
        score: share,
        matched: bitsOf(one.terms),
        places: places.filter((_, place) => (one.places & (1 << place)) !== 0),
        byHand: one.byHand === all,
      });
    }
    hits.sort((a, b) => b.score - a.score || firstPlace(a) - firstPlace(b) || b.photoId - a.photoId);
    return {
      terms: terms.length,
      weight: terms.length === 0 || photos < 2 ? 0 : Math.min(1, whole / terms.length / Math.log1p(photos)),
      hits: hits.slice(0, limit),
    };
  };

  return {
    search,
    phrase(phrase) {
      const wanted = wordsOf(phrase).join(' ');
      if (wanted === '') return [];
      const found = new Set(matchPhrase.all(`"${wanted}"`));
      const inNames = tags
        .list()
        .filter(({ name }) => ` ${wordsOf(name).join(' ')} `.includes(` ${wanted} `));
      for (const id of tagged.all(model(), JSON.stringify(inNames.map(({ id: tagId }) => tagId))))
        found.add(id);
      return [...found].sort((a, b) => a - b);
    },
    of(photoId) {
      const path = pathOf.get(photoId);
      if (path === undefined) return undefined;
      return { caption: captionOf(photoId), tags: tagsOf(photoId), name: baseName(path) };
    },
    hitsOf(text, photoId) {
      const found: { word: string; where: 'caption' | 'tag' | 'name'; text: string }[] = [];
      const path = pathOf.get(photoId);
      if (path === undefined) return found;
      for (const { word, expression } of queryTerms(text)) {
        if (holds.get(`{hand model} : ${expression}`, photoId) !== undefined)
          found.push({ word, where: 'caption', text: captionOf(photoId) });
        const ids = new Set(matchTags.all(expression));
        const active = model();
        if (active !== null && ids.size > 0)
          for (const tag of tags.ofPhoto(active, photoId))
            if (ids.has(tag.tagId)) found.push({ word, where: 'tag', text: tag.name });
        if (holds.get(inColumn('name', expression), photoId) !== undefined)
          found.push({ word, where: 'name', text: baseName(path) });
      }
      return found;
    },
    described: () => described.get() === 1,
    generation: () => generation.get() ?? 0,
  };

  function captionOf(photoId: number): string {
    return caption(photoId)?.text ?? '';
  }
  function tagsOf(photoId: number): string[] {
    const active = model();
    return active === null ? [] : tags.ofPhoto(active, photoId).map(({ name }) => name);
  }
}

function bitsOf(mask: number): number {
  let bits = 0;
  for (let rest = mask; rest !== 0; rest &= rest - 1) bits += 1;
  return bits;
}

/** Among photos that hold equally much, those go first whose words are a person's. */
function firstPlace({ places: held }: WordHit): number {
  return places.indexOf(held[0] ?? 'name');
}
