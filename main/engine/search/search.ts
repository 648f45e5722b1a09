/** Search as the engine calls it: a typed query, examples and a page in; banded hits out. */
import type { CallOutput, Chip, ParsedInput } from '../../contract.ts';
import { AppError } from '../../errors.ts';
import { textPrior } from './calibrate.ts';
import { classify } from './classify.ts';
import { createExamples } from './examples.ts';
import { fuse, type QueryPart } from './fuse.ts';
import { bandCounts, createPages, pageOf, type StoredRanking } from './pages.ts';
import { createPhotoPrior } from './photo-prior.ts';
import { parseQuery, type ParsedQuery } from './query-language.ts';
import { rank, type Ranking } from './rank.ts';
import { createSuggestions } from './suggestions.ts';
import type { Search, SearchModel, SearchOptions } from './types.ts';

type QueryInput = ParsedInput<'search.query'>;

export function createSearch(options: SearchOptions): Search {
  const { store, now } = options;
  const examples = createExamples();
  const photoPrior = createPhotoPrior(store);
  const pages = createPages(now);
  const suggest = createSuggestions();
  const localNow = (): number => {
    const at = now();
    return at - new Date(at).getTimezoneOffset() * 60_000;
  };

  /** A photo or dropped picture as a part of the query, with the chip that shows it. */
  const examplePart = (
    example: QueryInput['examples'][number],
    model: SearchModel,
  ): { part: QueryPart; chip: Chip } => {
    const { name, vector } =
      'photoId' in example
        ? photoExample(example.photoId, model)
        : examples.get(example.exampleId, model.embedder.fingerprint);
    return {
      part: { vector, weight: example.weight, prior: photoPrior(model) },
      chip: { kind: 'like', value: name, weight: example.weight, span: null, problem: null },
    };
  };
  const photoExample = (photoId: number, { index }: SearchModel): { name: string; vector: Float32Array } => {
    const row = store.photos.get(photoId);
    const vector = index.vector(photoId);
    if (row === undefined || vector === undefined)
      throw new AppError('not-found', 'The photo to search by is not indexed (any more). Choose another.', {
        details: { photoId },
      });
    return { name: row.relPath.slice(row.relPath.lastIndexOf('/') + 1), vector };
  };

  const byDate = (parsed: ParsedQuery): Ranking => {
    const allowed = parsed.filter === undefined ? undefined : new Set(store.photos.filter(parsed.filter));
    const { ids } = store.photos.timeline();
    const photos = ids
      .filter((id) => allowed?.has(id) ?? true)
      .map((id) => ({ id, score: 0, band: 'strong' as const }));
    return { plan: parsed.filter === undefined ? 'empty' : 'filter-only', photos };
  };

  const run = async (input: QueryInput, signal?: AbortSignal): Promise<StoredRanking> => {
    const parsed = parseQuery(input.text, localNow());
    const seesPhotos = parsed.text !== '' || parsed.without.length > 0 || input.examples.length > 0;
    const startedAt = performance.now();
    if (!seesPhotos) {
      const ranking = byDate(parsed);
      return { ...ranking, chips: parsed.chips, encodeMs: 0, searchMs: performance.now() - startedAt };
    }
    const model = await options.model();
    signal?.throwIfAborted();
    const prior = textPrior(model.embedder.scoring);
    const encodingAt = performance.now();
    const [text, ...without] = await Promise.all([
      parsed.text === '' ? undefined : model.embedder.embedQuery(parsed.text, signal),
      ...parsed.without.map((words) => model.embedder.embedQuery(words, signal)),
    ]);
    signal?.throwIfAborted();
    const searchingAt = performance.now();
    const likes = input.examples
      .filter((example) => example.weight !== 0)
      .map((example) => examplePart(example, model));
    const parts = [
      ...(text === undefined ? [] : [{ vector: text, weight: 1, prior }]),
      ...likes.map(({ part }) => part),
    ];
    const allowed = parsed.filter === undefined ? undefined : new Set(store.photos.filter(parsed.filter));
    const ranking = rank(model, store, {
      query: fuse(parts, model),
      unwanted: without.map((vector) => ({ vector, weight: 1, prior })),
      allowed,
      exclude: new Set(input.examples.flatMap((example) => ('photoId' in example ? [example.photoId] : []))),
      atLeast: input.offset + input.limit,
      scoring: likes.length === 0 ? model.embedder.scoring : null,
    });
    return {
      ...ranking,
      chips: [...parsed.chips, ...likes.map(({ chip }) => chip)],
      encodeMs: searchingAt - encodingAt,
      searchMs: performance.now() - searchingAt,
    };
  };

  return {
    async query(input, signal): Promise<CallOutput<'search.query'>> {
      const startedAt = performance.now();
      const key = JSON.stringify([input.text, input.examples, Math.floor(localNow() / 86_400_000)]);
      const generation = store.embeddings.generation();
      const kept = pages.find(key, generation, input.offset > 0);
      const ranking = kept ?? (await run(input, signal));
      if (kept === undefined) pages.keep(key, generation, ranking);
      const hits = pageOf(store, ranking, input);
      const bands = bandCounts(ranking);
      return {
        query: input.text,
        chips: [...ranking.chips],
        total: ranking.photos.length,
        bands,
        thin: ranking.photos.length > 0 && bands.strong + bands.likely === 0,
        hits,
        timings:
          kept === undefined
            ? { encodeMs: ranking.encodeMs, searchMs: ranking.searchMs }
            : { encodeMs: 0, searchMs: performance.now() - startedAt },
        plan: ranking.plan,
      };
    },
    parse: ({ text }) => ({ chips: [...parseQuery(text, localNow()).chips] }),
    async addExample(input, signal) {
      const embedder = await options.embedder();
      return examples.add(input, { decoder: options.decoder(), embedder, signal });
    },
    async classify(input, signal) {
      const model = await options.model();
      if ('exampleId' in input) {
        const { name, vector } = examples.get(input.exampleId, model.embedder.fingerprint);
        return { path: name, labels: await classify(vector, input.labels, model.embedder, signal) };
      }
      const { vector } = photoExample(input.photoId, model);
      const row = store.photos.get(input.photoId);
      const root = row === undefined ? undefined : store.roots.get(row.rootId);
      const path = row === undefined || root === undefined ? '' : `${root.path}/${row.relPath}`;
      return { path, labels: await classify(vector, input.labels, model.embedder, signal) };
    },
    async suggestions(signal) {
      const model = await options.model();
      return { queries: await suggest(model, store.embeddings.generation(), signal) };
    },
  };
}
