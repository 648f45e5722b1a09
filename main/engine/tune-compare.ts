/** Past queries with a run's head and without it, side by side: what moved up, what moved down. */
import type { Hit, QueryComparison } from '../contract.ts';
import { AppError } from '../errors.ts';
import { HnswIndex } from './index/hnsw-index.ts';
import type { VectorIndex } from './index/types.ts';
import { VectorRows } from './index/vector-rows.ts';
import type { Log } from './log.ts';
import type { Search } from './search/types.ts';
import type { HeadRow, Store } from './store/types.ts';
import type { TuneBase } from './tune-record.ts';
import { problemOf } from './tune-swap.ts';
import { movesVectors } from './tune/projection.ts';
import type { Ordering, TuneProcess } from './tune/types.ts';

/** One way to search: vectors in memory, and what orders what they find. */
interface SearchSide {
  readonly index: VectorIndex;
  readonly ordering: Ordering | undefined;
}

export interface TuneCompareOptions {
  readonly store: Store;
  readonly log: Log;
  readonly process: Pick<TuneProcess, 'project'>;
  readonly base: () => Promise<TuneBase>;
  /** The index in use, and the run whose head made its vectors; null for the pack's own. */
  readonly inUse: () => Promise<{ readonly index: VectorIndex; readonly runId: number | null }>;
  /** A search as the app's, over that side. */
  readonly searchOver: (side: SearchSide) => Pick<Search, 'query'>;
  /** For heads that move no vectors. */
  readonly orderingOf: (head: HeadRow) => Ordering;
}

export interface CompareAsked {
  readonly runId: number;
  /** The latest past ones when left out. */
  readonly queries?: readonly string[] | undefined;
  /** Photos of each side that are shown. */
  readonly limit: number;
}

export interface TuneCompare {
  /**
   * Exactly what searching would find, words and filters included: for a head that moves vectors every photo of the
   * library is projected once (about a second for 100,000 at 256 dimensions), held in memory until it is compared, and
   * scanned exactly. The comparisons are kept until the library changes.
   * @throws AppError not-found, input-invalid (no head was kept, another pack's), cancelled, worker-died
   */
  compare(asked: CompareAsked, signal: AbortSignal): Promise<QueryComparison[]>;
}

const usualQueries = 8;
/** How far down the other side's order a photo is looked for. */
const lookedAt = 500;
const pageRows = 2_048;
const mostKept = 16;

export function createTuneCompare(options: TuneCompareOptions): TuneCompare {
  const { store, process } = options;
  const kept = new Map<string, QueryComparison[]>();

  const inMemory = (base: TuneBase, vectors: ConstructorParameters<typeof VectorRows>[0]): VectorIndex =>
    new HnswIndex({
      place: { store, modelId: base.modelId, temporaryDirectory: '', log: options.log },
      rows: new VectorRows(vectors),
      load: () => Promise.resolve(undefined),
      generation: store.embeddings.generation(),
      exactBelow: Infinity,
    });
  /** All photos, through the head where there is one. Page by page, so that searches come in between. */
  const collect = async (base: TuneBase, head: HeadRow | null, signal: AbortSignal): Promise<VectorIndex> => {
    const { dims } = base;
    const ids: number[] = [];
    const data = new Float32Array(store.embeddings.count(base.modelId) * dims);
    for (;;) {
      const page = store.embeddings.page(base.modelId, { limit: pageRows, afterId: ids.at(-1) ?? 0 });
      // Photos that came in meanwhile wait for the next comparison.
      const rows = page.data.subarray(0, data.length - ids.length * dims);
      if (rows.length === 0) break;
      data.set(head === null ? rows : await process.project(head, rows, signal), ids.length * dims);
      ids.push(...page.ids.slice(0, rows.length / dims));
      await new Promise(setImmediate);
      signal.throwIfAborted();
    }
    return inMemory(base, { ids, data: data.subarray(0, ids.length * dims), dims });
  };
  /** The library without the head and with it. Indexes that were made for this are closed afterwards. */
  const openSides = async (
    base: TuneBase,
    head: HeadRow,
    signal: AbortSignal,
  ): Promise<{ before: SearchSide; after: SearchSide; made: VectorIndex[] }> => {
    const inUse = await options.inUse();
    const made: VectorIndex[] = [];
    const keep = (index: VectorIndex): VectorIndex => {
      made.push(index);
      return index;
    };
    const plain = inUse.runId === null ? inUse.index : keep(await collect(base, null, signal));
    const before = { index: plain, ordering: undefined };
    if (!movesVectors(head.head))
      return { before, after: { index: plain, ordering: options.orderingOf(head) }, made };
    const moved = inUse.runId === head.runId ? inUse.index : keep(await collect(base, head, signal));
    return { before, after: { index: moved, ordering: undefined }, made };
  };

  return {
    async compare({ runId, queries, limit }, signal) {
      const row = store.runs.get(runId);
      if (row === undefined)
        throw new AppError('not-found', 'That run is not there any more.', { details: { runId } });
      const base = await options.base();
      const problem = problemOf(row, base, store);
      const head = store.runs.head(runId);
      if (problem !== undefined || head === undefined)
        throw new AppError('input-invalid', problem ?? 'The head of that run is gone.', {
          details: { runId },
        });
      const texts = queries ?? pastQueries(store);
      if (texts.length === 0) return [];
      const standing = [store.embeddings.generation(), store.words.generation()];
      const key = JSON.stringify([runId, limit, texts, standing]);
      const known = kept.get(key);
      if (known !== undefined) return known;
      const { before, after, made } = await openSides(base, head, signal);
      const comparisons: QueryComparison[] = [];
      try {
        const [without, with_] = [options.searchOver(before), options.searchOver(after)];
        const find = async (search: Pick<Search, 'query'>, text: string): Promise<readonly Hit[]> =>
          (await search.query({ text, examples: [], offset: 0, limit: Math.max(limit, lookedAt) }, signal))
            .hits;
        for (const text of texts) {
          comparisons.push(beside(text, await find(without, text), await find(with_, text), limit));
          // Each is an exact scan or two; searches come in between.
          await new Promise(setImmediate);
          signal.throwIfAborted();
        }
      } finally {
        await Promise.all(made.map((index) => index.close()));
      }
      kept.set(key, comparisons);
      const [oldest] = kept.keys();
      if (kept.size > mostKept && oldest !== undefined) kept.delete(oldest);
      return comparisons;
    },
  };
}

/** The latest first; where few were remembered, what thumbs were given for as well. */
function pastQueries(store: Store): string[] {
  const asked = store.queries.list(usualQueries).map(({ text }) => text);
  const voted = store.feedback.list({ offset: 0, limit: 200 }).map(({ text }) => text);
  const seen = new Set<string>();
  return [...asked, ...voted]
    .filter((text) => {
      const folded = text.trim().toLowerCase();
      if (folded === '' || seen.has(folded)) return false;
      seen.add(folded);
      return true;
    })
    .slice(0, usualQueries);
}

/** `up` and `down` count photos among those shown on either side; coming in is up, falling out is down. */
function beside(text: string, before: readonly Hit[], after: readonly Hit[], limit: number): QueryComparison {
  const ranksBefore = new Map(before.map(({ id }, at) => [id, at + 1]));
  const ranksAfter = new Map(after.map(({ id }, at) => [id, at + 1]));
  const shown = (hits: readonly Hit[], others: ReadonlyMap<number, number>): QueryComparison['before'] =>
    hits.slice(0, limit).map(({ id, name, width, height, takenAt }, at) => ({
      id,
      name,
      width,
      height,
      takenAt,
      rank: at + 1,
      otherRank: others.get(id) ?? null,
    }));
  const sides = { before: shown(before, ranksAfter), after: shown(after, ranksBefore) };
  let up = 0;
  let down = 0;
  for (const id of new Set([...sides.before, ...sides.after].map((photo) => photo.id))) {
    const [was, is] = [ranksBefore.get(id) ?? Infinity, ranksAfter.get(id) ?? Infinity];
    if (is < was) up += 1;
    else if (is > was) down += 1;
  }
  return { text, ...sides, up, down };
}
