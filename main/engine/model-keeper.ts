/** The active pack, the head over it and the index of their vectors: loaded side by side, replaced together, never half. */
import { AppError, type ErrorShape } from '../errors.ts';
import { keptScale } from './head-scale.ts';
import type { VectorIndex } from './index/types.ts';
import type { Embedder, TextSide } from './inference/types.ts';
import type { Log } from './log.ts';
import type { OpenHead } from './open-head.ts';
import { textUnderHead, underHead, type HeadInUse } from './projected-embedder.ts';
import type { Store } from './store/types.ts';

/** What is to be in use. */
interface NextModel {
  readonly modelId: number;
  readonly packId: string;
  readonly index: VectorIndex;
  /** The pack itself: what new photos are looked at with, and what heads are trained over. */
  readonly base: { readonly modelId: number; readonly embedder: Embedder };
  /** What makes the vectors in use from the pack's own; null when those are in use. */
  readonly head: HeadInUse | null;
}

/** What is in use: `modelId`, `embedder` and `index` are of one space, that of the head where there is one. */
export interface LoadedModel extends NextModel {
  readonly embedder: Embedder;
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
  /** The head that the active model was made by. @throws AppError when it is gone, damaged or does not fit */
  readonly openHead: (runId: number, base: { fingerprint: string; dims: number }) => OpenHead;
  readonly onProblem: (error: ErrorShape) => void;
  /** Another pack is in use, or other files of the same. */
  readonly onPackChanged?: (() => void) | undefined;
  /** The head that was in use cannot be, and the pack is used by itself. */
  readonly onHeadLost: (error: ErrorShape) => void;
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
  swap(next: NextModel): void;
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
    const active = startingPoint(options);
    const packId = active?.packId ?? options.defaultPackId;
    // The index of 100,000 photos and the text side take about as long as each other.
    const opening = active === undefined ? undefined : openEarly(active.modelId, active.dims);
    const embedder = await options.loadEmbedder(packId, (side) => {
      if (active?.base.fingerprint !== side.fingerprint) return;
      void opening?.then((opened) => {
        if (opened === undefined) return;
        const { head, fingerprint } = active;
        early?.resolve({
          embedder: head === null ? side : textUnderHead(side, fingerprint, head),
          index: opened,
        });
      });
    });
    try {
      const opened = await opening;
      if (active !== undefined && opened !== undefined && active.base.fingerprint === embedder.fingerprint) {
        const { modelId, head } = active;
        const base = { modelId: active.base.modelId, embedder };
        return inUse({ modelId, packId, index: opened, base, head }, active.fingerprint);
      }
      // A new library, or the pack's files are others than those the vectors were made with.
      const modelId = modelRow(store, embedder);
      const fresh = await options.openIndex(modelId, embedder.dims);
      if (!store.readOnly) store.embeddings.setActiveModel(modelId);
      if (opened !== undefined) retire({ index: opened });
      if (active !== undefined) options.onPackChanged?.();
      if (active !== undefined && active.head !== null) options.onHeadLost(otherFiles(packId).toShape());
      return { modelId, packId, embedder, index: fresh, base: { modelId, embedder }, head: null };
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
      const old = current?.base.embedder;
      if (!store.readOnly) store.embeddings.setActiveModel(next.modelId);
      const isSame = old?.fingerprint === next.base.embedder.fingerprint;
      const formerIndex = index;
      current = inUse(next, store.embeddings.activeModel()?.fingerprint ?? next.base.embedder.fingerprint);
      index = next.index;
      loading = Promise.resolve(current);
      retire({
        ...(old !== undefined && old !== next.base.embedder ? { embedder: old } : {}),
        index: formerIndex === next.index ? undefined : formerIndex,
      });
      if (!isSame) options.onPackChanged?.();
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

interface StartingPoint {
  readonly modelId: number;
  readonly fingerprint: string;
  readonly packId: string;
  readonly dims: number;
  readonly base: { readonly modelId: number; readonly fingerprint: string };
  readonly head: LoadedModel['head'];
}

/** The active model with its head; the pack's own model where the head cannot be had. */
function startingPoint({
  store,
  openHead,
  onHeadLost,
}: Pick<ModelKeeperOptions, 'store' | 'openHead' | 'onHeadLost'>): StartingPoint | undefined {
  const active = store.embeddings.activeModel();
  if (active === undefined) return undefined;
  const { packId, dims } = active;
  if (active.base === null) {
    const { modelId, fingerprint } = active;
    // Where the store had to do without a head that is gone, the pointer follows.
    if (!store.readOnly) {
      const before = store.embeddings.generation();
      store.embeddings.setActiveModel(modelId);
      if (store.embeddings.generation() !== before) onHeadLost(headGone().toShape());
    }
    return { modelId, fingerprint, packId, dims, base: { modelId, fingerprint }, head: null };
  }
  const { runId, ...base } = active.base;
  try {
    const { row, projection } = openHead(runId, { fingerprint: base.fingerprint, dims });
    return { ...active, base, head: { runId, projection, scale: keptScale(store, row) } };
  } catch (thrown) {
    const error = AppError.from(thrown, `Reading the head of run ${runId}`);
    if (!store.readOnly) store.embeddings.setActiveModel(base.modelId);
    onHeadLost(error.toShape());
    return { ...base, packId, dims, base, head: null };
  }
}

/** @param fingerprint of the vectors in use */
function inUse(next: NextModel, fingerprint: string): LoadedModel {
  const { base, head } = next;
  const embedder = head === null ? base.embedder : underHead(base.embedder, fingerprint, head);
  return { ...next, embedder };
}

function headGone(): AppError {
  return new AppError(
    'not-found',
    'Your improvement of the search is not in the library any more, so search goes on without it. Train again.',
  );
}

function otherFiles(packId: string): AppError {
  return new AppError(
    'pack-invalid',
    `The files of the model ${packId} are others than those that your improvement was trained for, so search goes on without it. Train again.`,
    { details: { packId } },
  );
}

/** The row of a pack's vectors. @throws AppError pack-missing when it would have to be written and cannot be. */
function modelRow(store: Store, embedder: Embedder): number {
  const active = store.embeddings.activeModel();
  if (active?.fingerprint === embedder.fingerprint) return active.modelId;
  if (active?.base?.fingerprint === embedder.fingerprint) return active.base.modelId;
  if (store.readOnly)
    throw new AppError(
      'pack-missing',
      'This library has no photos of the installed model yet. Index them first, then search.',
    );
  return store.embeddings.model(embedder.fingerprint, embedder.packId, embedder.dims);
}
