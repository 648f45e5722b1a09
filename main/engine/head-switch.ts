/** Changing the head under a running library: vectors and index are made beside those in use, then both are swapped. */
import { dirname } from 'node:path';
import type { SwapProgress } from '../contract.ts';
import { AppError } from '../errors.ts';
import { bringUpToDate, catchUpHead, deriveMissing, deriveSince } from './derive.ts';
import { checkSpace, type FreeBytes } from './free-space.ts';
import { keepScale, measureScale } from './head-scale.ts';
import { measureRecall } from './index/measure-recall.ts';
import type { VectorIndex } from './index/types.ts';
import type { Log } from './log.ts';
import type { LoadedModel, ModelKeeper } from './model-keeper.ts';
import { openHead, type OpenHead } from './open-head.ts';
import type { HeadRow, Store } from './store/types.ts';
import type { Projection, TuneProcess } from './tune/types.ts';
import type { InTurn } from './turns.ts';

export interface HeadSwitchOptions {
  readonly store: Store;
  readonly models: ModelKeeper;
  readonly process: Pick<TuneProcess, 'project'>;
  readonly projectionOf: (head: HeadRow) => Projection;
  /** @param linksOf a model whose graph serves where this one has none yet. */
  readonly openIndex: (modelId: number, dims: number, linksOf?: number) => Promise<VectorIndex>;
  /** Shared with the pack switch. */
  readonly inTurn: InTurn;
  readonly log: Log;
  /** Milliseconds, for durations. */
  readonly now: () => number;
  /** What is in use has changed: whoever shows results looks again. */
  readonly onSwapped: () => void;
  /** The default asks the file system. */
  readonly freeBytes?: FreeBytes | undefined;
}

export interface HeadSwitch {
  /**
   * Puts a run's head into use, or none (null). Searching goes on meanwhile with what was in use; one change of
   * packs or heads at a time. After a failure the library is as it was.
   * @throws AppError not-found (no such head), input-invalid (a head of another pack or dimension, or one that moves
   *   no vectors), disk-full, cancelled, worker-died, library-damaged, what loading the pack throws
   */
  use(
    runId: number | null,
    options?: {
      signal?: AbortSignal | undefined;
      onProgress?: ((progress: SwapProgress) => void) | undefined;
    },
  ): Promise<{ seconds: number }>;
  /**
   * Vectors that the head in use lacks: of photos indexed before a crash, or while it was not in use.
   * @returns how many were made.
   */
  catchUp(signal?: AbortSignal): Promise<number>;
  /** Ends a change under way. */
  close(): Promise<void>;
}

interface Context {
  readonly signal: AbortSignal;
  readonly onProgress: (progress: SwapProgress) => void;
}

/** A graph whose links were made for other vectors serves when it finds this share of the ten nearest. */
const leastRecall = 0.95;
/** Photos, and as many texts, that it is judged by: two seconds of exact scans at 100,000 x 512. */
const recallQueries = 32;

export function createHeadSwitch(options: HeadSwitchOptions): HeadSwitch {
  const { store, models, process, openIndex, log } = options;
  const { embeddings } = store;

  /** Gives the head's model every vector that the pack has. */
  const derive = async (
    head: OpenHead,
    { modelId, baseId }: { modelId: number; baseId: number },
    { signal, onProgress }: Context,
  ): Promise<void> => {
    const photos = embeddings.count(baseId);
    const vectors = Math.max(0, photos - embeddings.count(modelId));
    await checkSpace(dirname(store.path), { vectors, photos, dims: head.row.dims }, options.freeBytes);
    const report = (done: number): void =>
      onProgress({ stage: 'projecting', done, total: Math.max(vectors, done) });
    report(0);
    await deriveMissing({ store, process, head, modelId, baseId, signal, onProgress: report });
  };
  /** What was half made is of no use to anybody; where even that cannot be written, it lies there unseen. */
  const forget = (modelId: number): void => {
    try {
      embeddings.drop(modelId);
    } catch (thrown) {
      log.warn('vectors of a head that is not in use stay', { error: AppError.from(thrown).toShape() });
    }
  };

  /** The index of the model's vectors, over the graph of those in use where that still leads to the nearest. */
  const openBeside = async (
    current: LoadedModel,
    modelId: number,
    texts: readonly Float32Array[],
    { signal, onProgress }: Context,
  ): Promise<VectorIndex> => {
    onProgress({ stage: 'index', done: 0, total: 2 * recallQueries });
    // The other's links are read from the store, and so they are on the way back.
    await save(current.index, signal);
    const hasGraph = store.snapshots.info(modelId) !== undefined;
    const index = await openIndex(
      modelId,
      current.base.embedder.dims,
      hasGraph ? undefined : current.modelId,
    );
    try {
      await index.loaded;
      if (!hasGraph && index.state.kind === 'hnsw') {
        const recall = await recallOf(index, texts, { signal, onProgress });
        log.info('index: a graph made for other vectors', { recall, kept: recall >= leastRecall });
        if (recall < leastRecall) await index.rebuild();
      }
      onProgress({ stage: 'index', done: 2 * recallQueries, total: 2 * recallQueries });
      return index;
    } catch (thrown) {
      await index.close();
      throw thrown;
    }
  };

  /** What people ask of this library, or would. */
  const askedTexts = async ({ base }: LoadedModel, signal: AbortSignal): Promise<Float32Array[]> => {
    const words = [
      ...store.queries.list(recallQueries).map(({ text }) => text),
      ...store.tags.list().map(({ name }) => name),
    ].slice(0, recallQueries);
    return Promise.all(words.map((text) => base.embedder.embedQuery(text, signal)));
  };

  /** The worse of what photos and what words find: words lie apart from all photos and are harder on a graph. */
  const recallOf = async (
    index: VectorIndex,
    texts: readonly Float32Array[],
    { signal, onProgress }: Context,
  ): Promise<number> => {
    const photos = index.sampleIds(recallQueries).flatMap((id) => index.vector(id) ?? []);
    const measure = (queries: readonly Float32Array[], before: number): Promise<number> =>
      measureRecall(index, queries, {
        k: 10,
        signal,
        onProgress: (done) => onProgress({ stage: 'index', done: before + done, total: 2 * recallQueries }),
      });
    return Math.min(await measure(photos, 0), await measure(texts, recallQueries));
  };

  /** A failure changes nothing for anybody: the graph is rebuilt at the next start. */
  const save = async (index: VectorIndex, signal?: AbortSignal): Promise<void> => {
    try {
      await index.save(signal);
    } catch (thrown) {
      log.warn('the index could not be saved', { message: AppError.from(thrown).message });
    }
  };

  const use = async (runId: number | null, context: Context): Promise<void> => {
    const { signal, onProgress } = context;
    const current = await models.ready();
    if ((current.head?.runId ?? null) === runId) return;
    signal.throwIfAborted();
    const { base, packId } = current;
    const head = runId === null ? null : openHead(options, runId, base.embedder);
    const baseId = base.modelId;
    const modelId = head === null ? baseId : embeddings.derivedModel(baseId, head.row.runId, head.row.hash);
    const wasThere = head === null || embeddings.count(modelId) > 0;
    let index: VectorIndex | undefined;
    try {
      if (head !== null) await derive(head, { modelId, baseId }, context);
      const texts = await askedTexts(current, signal);
      index = await openBeside(current, modelId, texts, context);
      signal.throwIfAborted();
      onProgress({ stage: 'swap', done: 0, total: 1 });
      // What came in while the index was opened; nothing is awaited between the last of it and the swap.
      if (head !== null) {
        const since = embeddings.generation();
        await deriveMissing({ store, process, head, modelId, baseId, signal });
        deriveSince(since, { store, projection: head.projection, modelId, baseId });
      }
      bringUpToDate(store, { modelId, index });
      const next = { packId, modelId, index, base };
      if (head === null) models.swap({ ...next, head });
      else {
        const { row, projection } = head;
        const scale = measureScale(store, { baseId, index }, texts);
        keepScale(store, row, scale);
        models.swap({ ...next, head: { runId: row.runId, projection, scale } });
      }
    } catch (thrown) {
      await index?.close();
      if (!wasThere) forget(modelId);
      throw thrown;
    }
    onProgress({ stage: 'swap', done: 1, total: 1 });
    options.onSwapped();
    await save(index);
  };

  const closing = new AbortController();
  /** What has its turn. */
  let working: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(
    signal: AbortSignal | undefined,
    work: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> => {
    const either = AbortSignal.any([closing.signal, ...(signal === undefined ? [] : [signal])]);
    return options.inTurn(async () => {
      try {
        either.throwIfAborted();
        const mine = work(either);
        working = mine.catch(() => undefined);
        return await mine;
      } catch (thrown) {
        throw AppError.from(closing.signal.aborted ? closing.signal.reason : thrown, 'Changing the head');
      }
    });
  };
  return {
    use: (runId, { signal, onProgress = () => undefined } = {}) =>
      inTurn(signal, async (either) => {
        const start = options.now();
        await use(runId, { signal: either, onProgress });
        return { seconds: (options.now() - start) / 1_000 };
      }),
    catchUp: (signal) => inTurn(signal, async (either) => catchUpHead(options, await models.ready(), either)),
    async close() {
      closing.abort(new AppError('engine-stopped', 'The head was not changed: the app is closing.'));
      await working;
    },
  };
}
