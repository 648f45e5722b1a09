/** Searches captions, tags and file names by their words. */
import type { Database } from 'better-sqlite3';
import { queryTerms, quoted, type QueryTerm } from './query-terms.ts';
import type { CaptionRow, TagTable, WordHit, WordPlace, WordTable } from './types.ts';
import { baseName, holdsPhrase, nameWords, splitName, withoutExtension, wordsOf } from './word-text.ts';

export interface WordTableOptions {
  readonly caption: (photoId: number) => CaptionRow | undefined;
  readonly tags: Pick<TagTable, 'ofPhoto'>;
}

/** Where a word says most first: a person's own words, then a model's. */
const places = ['hand', 'caption', 'tag', 'name'] as const satisfies readonly WordPlace[];
const columnOf = { hand: 'hand', caption: 'model', name: 'name' } as const;
/**
 * A word in more than a third of the photos tells few apart, and collecting them all would cost more than searching by
 * looks does. In small libraries no word is too common.
 */
const tooCommon = { share: 1 / 3, atLeast: 1_000 };
/**
 * A photo must hold words that carry this much of the query's information (the sum of their idf): all of them, or the
 * rare ones. "Gisela" counts without "beach", "beach" not without "Gisela".
 */
const leastShare = 0.6;

interface FoundTerm extends QueryTerm {
  readonly idf: number;
  /** Photos that hold the term, by place; a photo is in one of them. */
  readonly at: readonly { readonly place: WordPlace; readonly ids: readonly number[] }[];
}

export function createWordTable(db: Database, { caption, tags }: WordTableOptions): WordTable {
  const count = db.prepare<[string], number>('SELECT count(*) FROM words WHERE words MATCH ?').pluck();
  const match = db.prepare<[string], number>('SELECT rowid FROM words WHERE words MATCH ?').pluck();
  const matchTags = db
    .prepare<[string], number>('SELECT rowid FROM tag_words WHERE tag_words MATCH ?')
    .pluck();
  const total = db.prepare<[], number>('SELECT count(*) FROM photos WHERE width IS NOT NULL').pluck();
  const activeModel = db.prepare<[], number | null>('SELECT active_model FROM state').pluck();
  const countTagged = db
    .prepare<[number | null, string], number>(
      'SELECT count(*) FROM photo_tags WHERE model_id = ? AND tag_id IN (SELECT value FROM json_each(?))',
    )
    .pluck();
  const tagged = db
    .prepare<[number | null, string], number>(
      'SELECT photo_id FROM photo_tags WHERE model_id = ? AND tag_id IN (SELECT value FROM json_each(?))',
    )
    .pluck();
  const pathOf = db
    .prepare<[number], string>('SELECT rel_path FROM photos WHERE id = ? AND width IS NOT NULL')
    .pluck();
  const holds = db
    .prepare<[string, number], number>('SELECT 1 FROM words WHERE words MATCH ? AND rowid = ?')
    .pluck();
  const generation = db.prepare<[], number>('SELECT words_generation FROM state').pluck();
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

  /** @returns undefined for a word that is too common to look for. */
  const look = (term: QueryTerm, photos: number): FoundTerm | undefined => {
    const { expression } = term;
    const named = tagIds(expression);
    const holding =
      (count.get(`{hand model name} : ${expression}`) ?? 0) +
      (named === '[]' ? 0 : (countTagged.get(model(), named) ?? 0));
    if (holding > Math.max(tooCommon.atLeast, photos * tooCommon.share)) return undefined;
    const at = places.map((place) => ({
      place,
      ids:
        place !== 'tag'
          ? match.all(inColumn(place, expression))
          : named === '[]'
            ? []
            : tagged.all(model(), named),
    }));
    // BM25's (Robertson and Zaragoza 2009): never below 0.
    const idf = Math.log1p((photos - Math.min(holding, photos) + 0.5) / (holding + 0.5));
    return { ...term, idf, at };
  };

  const search: WordTable['search'] = (text, { limit, allowed }) => {
    const photos = total.get() ?? 0;
    const terms = queryTerms(text)
      .map((term) => look(term, photos))
      .filter((term) => term !== undefined);
    const whole = terms.reduce((sum, term) => sum + term.idf, 0);
    const hits = new Map<number, { idf: number; matched: number; byHand: number; places: WordPlace[] }>();
    for (const term of terms) {
      const seen = new Set<number>();
      for (const { place, ids } of term.at)
        for (const id of ids) {
          if (allowed?.has(id) === false) continue;
          const hit = hits.get(id) ?? { idf: 0, matched: 0, byHand: 0, places: [] };
          if (hit.matched === 0) hits.set(id, hit);
          if (!hit.places.includes(place)) hit.places.push(place);
          if (place === 'hand') hit.byHand += 1;
          if (seen.has(id)) continue;
          seen.add(id);
          hit.idf += term.idf;
          hit.matched += 1;
        }
    }
    const found: WordHit[] = [];
    for (const [photoId, hit] of hits) {
      const share = whole > 0 ? hit.idf / whole : hit.matched / terms.length;
      if (share < leastShare) continue;
      const { matched, places: held } = hit;
      const byHand = hit.byHand === terms.length;
      found.push({ photoId, score: matched === terms.length ? 1 : share, matched, places: held, byHand });
    }
    found.sort((a, b) => b.score - a.score || rankOf(a) - rankOf(b) || b.photoId - a.photoId);
    return {
      terms: terms.length,
      weight: terms.length === 0 || photos < 2 ? 0 : Math.min(1, whole / terms.length / Math.log1p(photos)),
      hits: found.slice(0, limit),
    };
  };

  return {
    search,
    phrase(phrase) {
      const wanted = wordsOf(phrase);
      if (wanted.length === 0) return [];
      const expression = `"${wanted.join(' ')}"`;
      const narrowed = new Set([...match.all(expression), ...tagged.all(model(), tagIds(expression))]);
      return [...narrowed]
        .filter((id) => textsOf(id).some((words) => holdsPhrase(words, wanted)))
        .sort((a, b) => a - b);
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
  /** Everything that a phrase may stand in, as words; one list for each, so that no phrase spans two. */
  function textsOf(photoId: number): string[][] {
    const path = pathOf.get(photoId);
    if (path === undefined) return [];
    const name = baseName(path);
    return [
      captionOf(photoId),
      ...tagsOf(photoId),
      ...path.split('/'),
      splitName(withoutExtension(name)),
      nameWords(name),
    ].map(wordsOf);
  }
}

/** Among photos that hold equally much, those go first whose words are a person's. */
function rankOf({ places: held }: WordHit): number {
  return Math.min(...held.map((place) => places.indexOf(place)));
}
