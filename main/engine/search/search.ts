/** Search as the engine calls it: a typed query, examples and a page in; banded hits out. */
import type { CallOutput } from '../../contract.ts';
import { classify } from './classify.ts';
import { createExamples } from './examples.ts';
import { bandCounts, createPages, pageOf, type StoredRanking } from './pages.ts';
import { createQueryPlanner, rankPlan, type Asked } from './query-plan.ts';
import { createSuggestions } from './suggestions.ts';
import type { LearntOrdering, Search, SearchOptions } from './types.ts';
import { explain } from './why.ts';

export function createSearch(options: SearchOptions): Search {
  const { store, now } = options;
  const examples = createExamples();
  const pages = createPages(now);
  const suggest = createSuggestions();
  const localNow = (): number => {
    const at = now();
    return at - new Date(at).getTimezoneOffset() * 60_000;
  };
  const planner = createQueryPlanner(options, examples, localNow);
  const keyOf = ({ text, examples: likes }: Asked): string =>
    JSON.stringify([text, likes, Math.floor(localNow() / 86_400_000)]);
  let ordering: LearntOrdering | undefined;
  let orderings = 0;
  const generation = (): string => {
    const current = options.ordering?.();
    if (current !== ordering) orderings += 1;
    ordering = current;
    return [store.embeddings.generation(), store.words.generation(), orderings].join('.');
  };

  const run = async (asked: Asked, atLeast: number, signal?: AbortSignal): Promise<StoredRanking> => {
    const plan = await planner.plan(asked, signal);
    const startedAt = performance.now();
    if (plan === undefined) {
      const parsed = planner.parse(asked.text);
      const ranking = planner.byDate(parsed);
      return { ...ranking, chips: parsed.chips, encodeMs: 0, searchMs: performance.now() - startedAt };
    }
    const ranking = rankPlan(plan, store, atLeast);
    const searchMs = plan.planMs + performance.now() - startedAt;
    return { ...ranking, chips: plan.chips, encodeMs: plan.encodeMs, searchMs };
  };

  return {
    async query(input, signal): Promise<CallOutput<'search.query'>> {
      const startedAt = performance.now();
      const key = keyOf(input);
      const standing = generation();
      const kept = pages.find(key, standing, input.offset > 0);
      const ranking = kept ?? (await run(input, input.offset + input.limit, signal));
      if (kept === undefined) pages.keep(key, standing, ranking);
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
    async ids({ text, examples: likes, band }, signal) {
      const asked = { text, examples: likes };
      // Everything that is likely is ranked, however few are asked for.
      const ranking = pages.find(keyOf(asked), generation(), false) ?? (await run(asked, 1, signal));
      return ranking.photos
        .filter((photo) => photo.band === 'strong' || photo.band === band)
        .map(({ id }) => id);
    },
    why: (input, signal) => explain(input, { ...options, planner }, signal),
    parse: ({ text }) => ({ chips: [...planner.parse(text).chips] }),
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
      const { vector } = planner.photo(input.photoId, model);
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
