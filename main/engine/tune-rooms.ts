/** Connects learning to the rooms that it learns from: the pack, the library's photos, search, the process that trains. */
import { availableParallelism } from 'node:os';
import { AppError } from '../errors.ts';
import type { Decoder } from './inference/types.ts';
import type { Learning } from './learning-rooms.ts';
import type { Log } from './log.ts';
import type { ModelKeeper } from './model-keeper.ts';
import type { PackShelf } from './pack-shelf.ts';
import { photoAt } from './photo-files.ts';
import { parseQuery } from './search/query-language.ts';
import type { HeadRow, Store } from './store/types.ts';
import type { TuneBase } from './tune-record.ts';
import type { PairsAsked } from './tune-training.ts';
import { createOrdering } from './tune/ordering.ts';
import { gatherPairs, surveyPairs } from './tune/pairs/gather-pairs.ts';
import type { GatherOptions } from './tune/pairs/types.ts';
import { createProjection, movesVectors } from './tune/projection.ts';
import { createTuning, type Tuning, type TuningOptions } from './tuning.ts';

export interface TuneRoomsOptions extends Pick<
  TuningOptions,
  'searchOver' | 'onProgress' | 'onRuns' | 'onSwapped'
> {
  readonly store: Store;
  readonly log: Log;
  readonly now: () => number;
  readonly models: ModelKeeper;
  readonly packs: Pick<PackShelf, 'list' | 'genericSet'>;
  readonly decoder: Decoder;
  readonly learning: Pick<Learning, 'process' | 'heads'>;
}

/** More share memory bandwidth that searching needs, too. */
const mostThreads = 4;

export function openTuning(options: TuneRoomsOptions): Tuning {
  const { store, log, models, decoder } = options;

  const base = async (): Promise<TuneBase> => {
    const { packId, base: own } = await models.ready();
    const pack = (await options.packs.list()).find(({ id }) => id === packId);
    const { fingerprint, dims } = own.embedder;
    return { modelId: own.modelId, fingerprint, packId, packName: pack?.name ?? packId, dims };
  };
  /** The words that a query is about, its filters and what it leaves out aside. */
  const wordsOfQuery = (query: string): string =>
    parseQuery(query, options.now(), {
      album: (name) => store.albums.has(name),
      tag: (name) => store.tags.has(name),
    }).text;

  const gatherOptions = async (
    { file, sources, seed, at }: PairsAsked,
    signal: AbortSignal,
  ): Promise<GatherOptions> => {
    const { packId, base: own, index } = await models.ready();
    return {
      store,
      model: own,
      nearest: (vector, k) => index.search(vector, { k }).neighbours,
      file,
      async embedPhoto(path) {
        const spec = own.embedder.imageSpec;
        const photo = await decoder.decode({ path }, { spec, thumbnail: false, signal });
        const [vector] = await own.embedder.embedImages([
          { pixels: photo.pixels, width: photo.pixelWidth, height: photo.pixelHeight },
        ]);
        if (vector === undefined) throw new AppError('internal', 'The pack gave no vector for a photo.');
        return vector;
      },
      photoAt: (path) => photoAt(store, path),
      sources,
      wordsOfQuery,
      generic: () => options.packs.genericSet(packId),
      now: at,
      seed,
      log,
      signal,
    };
  };

  return createTuning({
    ...options,
    threads: Math.min(mostThreads, availableParallelism()),
    process: options.learning.process,
    heads: options.learning.heads,
    base,
    async gather(_base, asked, signal) {
      const { gathered, report } = await gatherPairs(await gatherOptions(asked, signal));
      if (report.problem !== null) throw AppError.fromShape(report.problem);
      if (gathered === null) throw new AppError('internal', 'Nothing was gathered, and nobody said why.');
      return gathered;
    },
    survey: async (_base, asked, signal) => surveyPairs(await gatherOptions(asked, signal)),
    async inUse() {
      const { index, head } = await models.ready();
      return { index, runId: head?.runId ?? null };
    },
    orderingOf: ({ head, dims, parameters }) => createOrdering(head, dims, parameters),
    checkShapes,
  });
}

/** @throws AppError input-invalid when the parameters are not those of such a head */
function checkShapes({ head, dims, parameters }: Pick<HeadRow, 'head' | 'dims' | 'parameters'>): void {
  try {
    if (movesVectors(head)) createProjection(head, dims, parameters);
    else createOrdering(head, dims, parameters);
  } catch (thrown) {
    throw new AppError('input-invalid', AppError.from(thrown, 'Looking at the head').message, {
      cause: thrown,
    });
  }
}
