/** A query as asked becomes what is compared: vectors of its words and examples, filters, and what words say. */
import type { Chip, ParsedInput } from '../../contract.ts';
import { AppError } from '../../errors.ts';
import type { TextSide } from '../inference/types.ts';
import type { Store } from '../store/types.ts';
import { textPrior } from './calibrate.ts';
import type { Examples } from './examples.ts';
import { fuse, type QueryPart } from './fuse.ts';
import { createPhotoPrior } from './photo-prior.ts';
import { parseQuery, type ParsedQuery } from './query-language.ts';
import { rank, type Ranking, type RankRequest } from './rank.ts';
import type { LearntOrdering, SearchModel, SearchOptions } from './types.ts';
import { wordReader } from './word-evidence.ts';

export type Asked = Pick<ParsedInput<'search.query'>, 'text' | 'examples'>;

/** A query with something to compare photos with. */
export interface QueryPlan {
  readonly parsed: ParsedQuery;
  readonly chips: readonly Chip[];
  readonly model: SearchModel;
  readonly request: Omit<RankRequest, 'atLeast'>;
  /** Unit vector of the free text; undefined without any. */
  readonly text: Float32Array | undefined;
  readonly encodeMs: number;
  /** Filtering and looking for words. */
  readonly planMs: number;
}

export interface QueryPlanner {
  parse(text: string): ParsedQuery;
  /**
   * @param filtered false leaves the filters aside
   * @returns undefined for queries that only filter.
   * @throws AppError not-found (an example that is gone), pack-missing, cancelled
   */
  plan(asked: Asked, signal?: AbortSignal, filtered?: boolean): Promise<QueryPlan | undefined>;
  /** What passes the filters, newest first. */
  byDate(parsed: ParsedQuery): Ranking;
  photo(photoId: number, model: SearchModel): { name: string; vector: Float32Array };
}

/** @param localNow the wall clock read as UTC, milliseconds. */
export function createQueryPlanner(
  { store, model: loadModel, ordering }: Pick<SearchOptions, 'store' | 'model' | 'ordering'>,
  examples: Examples,
  localNow: () => number,
): QueryPlanner {
  const photoPrior = createPhotoPrior(store);
  const known = {
    album: (name: string) => store.albums.has(name),
    tag: (name: string) => store.tags.has(name),
  };

  const photo: QueryPlanner['photo'] = (photoId, { index }) => {
    const row = store.photos.get(photoId);
    const vector = index.vector(photoId);
    if (row === undefined || vector === undefined)
      throw new AppError('not-found', 'The photo to search by is not indexed (any more). Choose another.', {
        details: { photoId },
      });
    return { name: row.relPath.slice(row.relPath.lastIndexOf('/') + 1), vector };
  };
  /** A photo or dropped picture as a part of the query, with the chip that shows it. */
  const examplePart = (
    example: Asked['examples'][number],
    model: SearchModel,
  ): { part: QueryPart; chip: Chip } => {
    const { name, vector } =
      'photoId' in example
        ? photo(example.photoId, model)
        : examples.get(example.exampleId, model.embedder.fingerprint);
    return {
      part: { vector, weight: example.weight, prior: photoPrior(model) },
      chip: { kind: 'like', value: name, weight: example.weight, span: null, problem: null },
    };
  };
  const parse = (text: string): ParsedQuery => parseQuery(text, localNow(), known);

  return {
    parse,
    photo,
    async plan(asked, signal, filtered = true) {
      const parsed = parse(asked.text);
      if (parsed.text === '' && parsed.without.length === 0 && asked.examples.length === 0) return undefined;
      const model = await loadModel();
      signal?.throwIfAborted();
      const encodingAt = performance.now();
      const [text, ...without] = await Promise.all([
        parsed.text === '' ? undefined : wordsPart(parsed.text, model.embedder, signal),
        ...parsed.without.map((words) => wordsPart(words, model.embedder, signal)),
      ]);
      signal?.throwIfAborted();
      const planningAt = performance.now();
      const likes = asked.examples
        .filter((example) => example.weight !== 0)
        .map((example) => examplePart(example, model));
      const parts = [...(text === undefined ? [] : [text]), ...likes.map(({ part }) => part)];
      const allowed = filtered ? allowedBy(store, parsed) : undefined;
      return {
        parsed,
        chips: [...parsed.chips, ...likes.map(({ chip }) => chip)],
        model,
        request: {
          query: fuse(parts, model),
          unwanted: without,
          allowed,
          exclude: new Set(
            asked.examples.flatMap((example) => ('photoId' in example ? [example.photoId] : [])),
          ),
          scoring: likes.length === 0 ? model.embedder.scoring : null,
          words: wordReader(store, parsed, allowed, {
            wanted: likes.length === 0 ? (text?.photoIds ?? []) : [],
            unwanted: without.flatMap(({ photoIds }) => photoIds),
          }),
          ordering: orderingFor(ordering?.(), text),
        },
        text: text?.vector,
        encodeMs: planningAt - encodingAt,
        planMs: performance.now() - planningAt,
      };
    },
    byDate(parsed) {
      const allowed = allowedBy(store, parsed);
      const foundBy = parsed.filter?.phrases === undefined ? ('looks' as const) : ('words' as const);
      const photos = store.photos
        .timeline()
        .ids.filter((id) => allowed?.has(id) ?? true)
        .map((id) => ({ id, score: 0, band: 'strong' as const, foundBy }));
      return { plan: allowed === undefined ? 'empty' : 'filter-only', photos, thresholds: null };
    },
  };
}

export function rankPlan({ model, request }: QueryPlan, store: Store, atLeast: number): Ranking {
  return rank(model, store, { ...request, atLeast });
}

/** Words as a part of the query; `photoIds` are what they ask for because a person said so. */
async function wordsPart(
  words: string,
  embedder: TextSide,
  signal: AbortSignal | undefined,
): Promise<QueryPart & { readonly photoIds: readonly number[] }> {
  const [vector, taught] = await Promise.all([
    embedder.embedQuery(words, signal),
    embedder.taught?.(words, signal),
  ]);
  return {
    vector,
    weight: 1,
    prior: { ...textPrior(embedder.scoring), taught },
    photoIds: taught?.photoIds ?? [],
  };
}

/** A head that scores words with photos was never shown words with a taught thing among them; what words are worth stays. */
function orderingFor(
  learnt: LearntOrdering | undefined,
  text: QueryPart | undefined,
): LearntOrdering | undefined {
  return learnt === undefined || text?.prior.taught === undefined ? learnt : { worth: learnt.worth };
}

function allowedBy(store: Store, { filter }: ParsedQuery): ReadonlySet<number> | undefined {
  return filter === undefined ? undefined : new Set(store.photos.filter(filter));
}
