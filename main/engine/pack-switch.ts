/** Changing the pack under a running library: vectors are made beside the old ones, then both are swapped at once. */
import { AppError } from '../errors.ts';
import type { PackProgress } from '../contract.ts';
import { bringUpToDate } from './derive.ts';
import type { VectorIndex } from './index/types.ts';
import type { Embedder } from './inference/types.ts';
import type { Library } from './library/types.ts';
import type { Log } from './log.ts';
import type { LoadedModel, ModelKeeper } from './model-keeper.ts';
import type { Store } from './store/types.ts';
import type { InTurn } from './turns.ts';

export interface PackSwitchOptions {
  readonly store: Store;
  readonly library: Library;
  readonly models: ModelKeeper;
  readonly packs: { readonly load: (packId: string) => Promise<Embedder> };
  readonly log: Log;
  readonly openIndex: (modelId: number, dims: number) => Promise<VectorIndex>;
  /** Shared with the head switch: two changes would race for the same files, memory and pointer. */
  readonly inTurn: InTurn;
  /** Vectors that the head in use lacks. @returns how many were made. */
  readonly catchUpHead: (model: LoadedModel, signal: AbortSignal | undefined) => Promise<number>;
}

export interface PackSwitch {
  /**
   * Embeds what the pack lacks, then makes it the active one. Searching goes on with the old pack meanwhile;
   * after a cancel or a crash, the next attempt goes on where this one stopped. A head that was in use fits the new
   * pack no more: the pack begins without one.
   * @throws AppError cancelled, pack-missing, pack-invalid, pack-unfit, disk-full, worker-died
   */
  use(
    packId: string,
    options: { signal: AbortSignal; onProgress: (progress: PackProgress) => void },
  ): Promise<void>;
  /** Loads the active pack anew, on the provider that the settings now name. */
  reload(): Promise<void>;
  /** Vectors that the active pack, or the head over it, lacks. @returns how many were made. */
  catchUp(signal?: AbortSignal): Promise<number>;
}

/** A folder that changes without end must not keep a switch from ever finishing. */
const mostPasses = 5;

export function createPackSwitch(options: PackSwitchOptions): PackSwitch {
  const { store, library, models, packs, log, openIndex, inTurn } = options;

  const embedAll = async (
    model: { modelId: number; embedder: Embedder },
    packId: string,
    signal: AbortSignal,
    onProgress: (progress: PackProgress) => void,
  ): Promise<void> => {
    for (let pass = 0; pass < mostPasses; pass++) {
      const report = await library.embedMissing({
        model,
        signal,
        onProgress: ({ done, total }) =>
          onProgress({ packId, stage: 'index', done, total, bytesPerSecond: null }),
      });
      // New photos came in with the old pack meanwhile; they are few and quick.
      if (report.embedded === 0) return;
    }
  };

  const use: PackSwitch['use'] = async (packId, { signal, onProgress }) => {
    const current = models.current();
    if (current?.packId === packId) return;
    const embedder = await packs.load(packId);
    let index: VectorIndex | undefined;
    try {
      signal.throwIfAborted();
      const modelId = store.embeddings.model(embedder.fingerprint, packId, embedder.dims);
      await embedAll({ modelId, embedder }, packId, signal, onProgress);
      onProgress({ packId, stage: 'swap', done: 0, total: 1, bytesPerSecond: null });
      index = await openIndex(modelId, embedder.dims);
      signal.throwIfAborted();
      // What came in while the index was opened; nothing is awaited between this and the swap.
      await library.embedMissing({ model: { modelId, embedder }, signal });
      bringUpToDate(store, { modelId, index });
      models.swap({ modelId, packId, index, base: { modelId, embedder }, head: null });
      onProgress({ packId, stage: 'swap', done: 1, total: 1, bytesPerSecond: null });
    } catch (thrown) {
      await Promise.allSettled([embedder.close(), index?.close()]);
      throw thrown;
    }
    // Saved by now or rebuilt at the next start: a failure here changes nothing for anybody.
    await index.save().catch((thrown: unknown) => {
      log.warn('the new index could not be saved', { message: AppError.from(thrown).message });
    });
  };

  return {
    use: (packId, context) => inTurn(() => use(packId, context)),
    reload: () =>
      inTurn(async () => {
        const current = models.current();
        if (current === undefined) {
          await models.load();
          return;
        }
        const embedder = await packs.load(current.packId);
        if (embedder.fingerprint !== models.current()?.base.embedder.fingerprint) {
          await embedder.close();
          throw new AppError(
            'pack-invalid',
            'The files of the active model changed. Restart the app to use them.',
          );
        }
        models.swap({ ...current, base: { ...current.base, embedder } });
      }),
    catchUp: (signal) =>
      inTurn(async () => {
        const model = await models.ready();
        const { base, head, index } = model;
        // Counting rows takes longer than asking the index, which has those of the pack where there is no head.
        const has = head === null ? index.size : store.embeddings.count(base.modelId);
        let embedded = 0;
        if (has < store.photos.counts().indexed) {
          ({ embedded } = await library.embedMissing({ model: base, signal }));
          if (embedded > 0 && head === null) bringUpToDate(store, model);
        }
        return Math.max(embedded, await options.catchUpHead(model, signal));
      }),
  };
}
