/** The active pack and the index of its vectors: loaded side by side, replaced together, never half. */
import { AppError, type ErrorShape } from '../errors.ts';
import type { VectorIndex } from './index/types.ts';
import type { Embedder, TextSide } from './inference/types.ts';
import type { Log } from './log.ts';
import type { Store } from './store/types.ts';

export interface LoadedModel {
  readonly modelId: number;
  readonly packId: string;
  readonly embedder: Embedder;
  readonly index: VectorIndex;
}

export interface ModelKeeperOptions {
  readonly store: Store;
  readonly log: Log;
  /** The pack that a new library begins with. */
  readonly defaultPackId: string;
  /** @throws AppError pack-missing, pack-invalid, pack-unfit, provider-unavailable */
  readonly loadEmbedder: (packId: string, onText: (side: TextSide) => void) => Promise<Embedder>;
  /** Opens the index of a model's stored vectors, rebuilding it where its snapshot doesn't serve. */
  readonly openIndex: (modelId: number, dims: number) => Promise<VectorIndex>;
  readonly onProblem: (error: ErrorShape) => void;
}

export interface ModelKeeper {
  /** The active model, once loaded. @throws AppError why it could not be */
  ready(): Promise<LoadedModel>;
  /** What searching by words needs of it, which is there sooner. @throws AppError why it could not be loaded */
  searchable(): Promise<{ readonly embedder: TextSide; readonly index: VectorIndex }>;
  /** The active model if it is loaded already. */
  current(): LoadedModel | undefined;
  /** The index by itself: it may be there before the pack, or without it. */
  index(): VectorIndex | undefined;
  activePackId(): string;
  /** Starts loading, or tries again after a failure. */
  load(): Promise<LoadedModel>;
  /** Makes this the active model in one go; what was active is closed. */
  swap(next: LoadedModel): void;
  close(): Promise<void>;
}

export function createModelKeeper(options: ModelKeeperOptions): ModelKeeper {
  const { store, log } = options;
  let loading: Promise<LoadedModel> | undefined;
  let current: LoadedModel | undefined;
  /** Settled early by the text side, once the index of its vectors is there. */
  let early: PromiseWithResolvers<{ embedder: TextSide; index: VectorIndex }> | undefined;
  let index: VectorIndex | undefined;
  let closed = false;

  const activePackId = (): string =>
    current?.packId ?? store.embeddings.activeModel()?.packId ?? options.defaultPackId;

  /** What is being closed must be closed before the store is. */
  const retiring = new Set<Promise<void>>();
  const retire = (old: { embedder?: Embedder; index?: VectorIndex | undefined }): void => {
    const closing = Promise.allSettled([old.embedder?.close(), old.index?.close()]).then((results) => {
      for (const result of results)
        if (result.status === 'rejected')
          log.warn('closing a model pack failed', { message: String(result.reason) });
      retiring.delete(closing);
    });
    retiring.add(closing);
  };

  const loadActive = async (): Promise<LoadedModel> => {
    const active = store.embeddings.activeModel();
    const packId = active?.packId ?? options.defaultPackId;
    // The index of 100,000 photos and the text side take about as long as each other.
    const opening = active === undefined ? undefined : openEarly(active.modelId, active.dims);
    const embedder = await options.loadEmbedder(packId, (side) => {
      if (active?.fingerprint !== side.fingerprint) return;
      void opening?.then((opened) => {
        if (opened !== undefined) early?.resolve({ embedder: side, index: opened });
      });
    });
    try {
      const opened = await opening;
      if (active !== undefined && opened !== undefined && active.fingerprint === embedder.fingerprint)
        return { modelId: active.modelId, packId, embedder, index: opened };
      // A new library, or the pack's files are others than those the vectors were made with.
      const modelId = modelRow(store, embedder);
      const fresh = await options.openIndex(modelId, embedder.dims);
      if (!store.readOnly) store.embeddings.setActiveModel(modelId);
      if (opened !== undefined) retire({ index: opened });
      return { modelId, packId, embedder, index: fresh };
    } catch (thrown) {
      retire({ embedder });
      throw thrown;
    }
  };
  const openEarly = (modelId: number, dims: number): Promise<VectorIndex | undefined> =>
    options.openIndex(modelId, dims).then(
      (opened) => {
        // Searching by filter and knowing its size need no pack.
        index = opened;
        return opened;
      },
      (thrown: unknown) => {
        options.onProblem(AppError.from(thrown, 'Opening the index').toShape());
        return undefined;
      },
    );

  const keeper: ModelKeeper = {
    ready: () => loading ?? keeper.load(),
    async searchable() {
      if (current !== undefined) return current;
      const whole = keeper.ready();
      return early === undefined ? whole : Promise.race([early.promise, whole]);
    },
    current: () => current,
    index: () => current?.index ?? index,
    activePackId,
    load() {
      if (current !== undefined) return Promise.resolve(current);
      if (closed) return Promise.reject(new AppError('engine-stopped', 'The engine is closing.'));
      early = Promise.withResolvers();
      const attempt = loadActive().then(
        (loaded) => {
          if (closed || loading !== attempt) {
            retire(loaded);
            if (current !== undefined) return current;
            throw new AppError('engine-stopped', 'The engine is closing.');
          }
          current = loaded;
          index = loaded.index;
          return loaded;
        },
        (thrown: unknown) => {
          const error = AppError.from(thrown, 'Loading the model pack');
          options.onProblem(error.toShape());
          throw error;
        },
      );
      loading = attempt;
      // Whoever waits for it hears of the failure; so has `onProblem`.
      attempt.catch(() => undefined);
      return attempt;
    },
    swap(next) {
      const old = current;
      if (!store.readOnly) store.embeddings.setActiveModel(next.modelId);
      const formerIndex = index;
      current = next;
      index = next.index;
      loading = Promise.resolve(next);
      retire({
        ...(old !== undefined && old.embedder !== next.embedder ? { embedder: old.embedder } : {}),
        index: formerIndex === next.index ? undefined : formerIndex,
      });
    },
    async close() {
      closed = true;
      await loading?.catch(() => undefined);
      retire({ ...(current === undefined ? {} : { embedder: current.embedder }), index });
      await Promise.all(retiring);
    },
  };
  return keeper;
}

/** The row of a pack's vectors. @throws AppError pack-missing when it would have to be written and cannot be. */
function modelRow(store: Store, embedder: Embedder): number {
  const active = store.embeddings.activeModel();
  if (active?.fingerprint === embedder.fingerprint) return active.modelId;
  if (store.readOnly)
    throw new AppError(
      'pack-missing',
      'This library has no photos of the installed model yet. Index them first, then search.',
    );
  return store.embeddings.model(embedder.fingerprint, embedder.packId, embedder.dims);
}
