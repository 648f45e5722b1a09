/** Vectors of a pack through a head: all that the head's model lacks, or those of photos just indexed. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { VectorIndex } from './index/types.ts';
import type { LoadedModel } from './model-keeper.ts';
import { openHead, type OpenHead, type OpenHeadOptions } from './open-head.ts';
import type { Store, Vectors } from './store/types.ts';
import type { Projection, TuneProcess } from './tune/types.ts';

export interface DeriveOptions {
  readonly store: Store;
  readonly process: Pick<TuneProcess, 'project'>;
  readonly head: OpenHead;
  /** The head's model, and the one whose vectors it is made from. */
  readonly modelId: number;
  readonly baseId: number;
  /** Where the vectors go, too, when they are in use. */
  readonly index?: Pick<VectorIndex, 'upsert'> | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((done: number) => void) | undefined;
}

/** 4 MiB at 512: large enough that sending costs little beside projecting, small enough to be cancelled soon. */
const pageRows = 2_048;
/** Photos that are looked at together: those that lack nothing cost 4 ms for 1,000, too. */
const idsAtOnce = 4_096;
/** So few are quicker done here (0.4 ms each at 512) than in a process that has to be started first. */
const fewRows = 64;
/** Rows of a transaction: 2 ms at 512 (measured), so that a search between two of them does not wait. */
const rowsPerWrite = 256;

/**
 * Projects and writes what the head's model lacks; resumable, since each batch is written when it is done. Photos that
 * change meanwhile are left for the next time.
 * @returns how many vectors were made.
 * @throws AppError cancelled, disk-full, worker-died, internal (parameters that don't fit)
 */
export async function deriveMissing(options: DeriveOptions): Promise<number> {
  const { store, process, head, modelId, baseId, signal, onProgress } = options;
  const { embeddings } = store;
  let done = 0;
  let afterId = 0;
  /** The next vectors to be projected, on their way already. */
  const next = async (): Promise<Page | undefined> => {
    for (;;) {
      signal?.throwIfAborted();
      const readAt = embeddings.generation();
      const upTo = afterId + idsAtOnce;
      const vectors = embeddings.underived(modelId, baseId, { limit: pageRows, afterId, upTo });
      const isFull = vectors.ids.length === pageRows;
      afterId = isFull ? (vectors.ids.at(-1) ?? upTo) : upTo;
      if (vectors.ids.length > 0) {
        const projected =
          vectors.ids.length <= fewRows
            ? Promise.resolve(projectHere(head.projection, vectors))
            : process.project(head.row, vectors.data, signal);
        // It is awaited when its turn comes.
        projected.catch(() => undefined);
        return { vectors, readAt, projected };
      }
      if (embeddings.page(baseId, { limit: 1, afterId }).ids.length === 0) return undefined;
      await nextTurn();
    }
  };
  let page = await next();
  while (page !== undefined) {
    const { vectors, readAt } = page;
    const projected = await page.projected;
    signal?.throwIfAborted();
    // The next page is projected while this one is written.
    const following = next();
    following.catch(() => undefined);
    done += await write({ vectors, readAt, projected });
    onProgress?.(done);
    page = await following;
  }
  return done;

  async function write(read: Omit<Page, 'projected'> & { projected: Float32Array }): Promise<number> {
    const { ids, dims } = read.vectors;
    let written = 0;
    for (let from = 0; from < ids.length; from += rowsPerWrite) {
      signal?.throwIfAborted();
      // What was indexed again since it was read has another vector to be projected.
      const changed = new Set(embeddings.changesSince(baseId, read.readAt)?.upserted.ids ?? ids);
      const rows = Array.from(ids.slice(from, from + rowsPerWrite), (photoId, i) => ({
        photoId,
        vector: read.projected.subarray((from + i) * dims, (from + i + 1) * dims),
      })).filter(({ photoId }) => !changed.has(photoId));
      const generation = embeddings.put(modelId, rows);
      options.index?.upsert(
        rows.map(({ photoId, vector }) => ({ id: photoId, vector })),
        generation,
      );
      written += rows.length;
      await nextTurn();
    }
    return written;
  }
}

/** @returns (n, dims) unit rows. */
function projectHere(projection: Projection, { ids, data, dims }: Vectors): Float32Array {
  const projected = new Float32Array(data.length);
  for (let row = 0; row < ids.length; row += 1)
    projected.set(projection.project(data.slice(row * dims, (row + 1) * dims)), row * dims);
  return projected;
}

interface Page {
  readonly vectors: Vectors;
  /** The generation at which the vectors were read. */
  readonly readAt: number;
  readonly projected: Promise<Float32Array>;
}

/**
 * What was committed since a generation, at once: nothing can come between this and what its caller does next.
 * Everything before must have been derived.
 */
export function deriveSince(
  generation: number,
  options: {
    readonly store: Store;
    readonly projection: Projection;
    readonly modelId: number;
    readonly baseId: number;
  },
): void {
  const { store, projection, modelId, baseId } = options;
  const changes = store.embeddings.changesSince(baseId, generation);
  const vectors = changes?.upserted ?? store.embeddings.underived(modelId, baseId, { limit: -1 });
  if (vectors.ids.length === 0) return;
  const projected = projectHere(projection, vectors);
  const { dims } = vectors;
  store.embeddings.put(
    modelId,
    Array.from(vectors.ids, (photoId, i) => ({
      photoId,
      vector: projected.slice(i * dims, (i + 1) * dims),
    })),
  );
}

/**
 * Vectors and index of the head in use, brought up to what the pack has.
 * @returns how many vectors were made. @throws AppError as `deriveMissing`
 */
export async function catchUpHead(
  options: OpenHeadOptions & Pick<DeriveOptions, 'process'>,
  model: LoadedModel,
  signal?: AbortSignal,
): Promise<number> {
  const { store, process } = options;
  const { modelId, base } = model;
  if (model.head === null || store.readOnly) return 0;
  const head = openHead(options, model.head.runId, base.embedder);
  return deriveMissing({
    store,
    process,
    head,
    modelId,
    baseId: base.modelId,
    index: model.index,
    signal,
  });
}

/** What was just committed for the pack goes through the head, into the store and into the index in use. */
export function deriveCommitted(
  store: Store,
  { modelId, index, head }: LoadedModel,
  rows: readonly { readonly id: number; readonly vector: Float32Array }[],
  generation: number,
): void {
  if (head === null) {
    index.upsert(rows, generation);
    return;
  }
  const projected = rows.map(({ id, vector }) => ({ id, vector: head.projection.project(vector) }));
  const derivedAt = store.embeddings.put(
    modelId,
    projected.map(({ id, vector }) => ({ photoId: id, vector })),
  );
  index.upsert(projected, derivedAt);
}

/** Puts into the index what the store has beyond it. */
export function bringUpToDate(
  store: Store,
  { modelId, index }: Pick<LoadedModel, 'modelId' | 'index'>,
): void {
  const changes = store.embeddings.changesSince(modelId, index.generation);
  const generation = store.embeddings.generation();
  const { ids, data, dims } = changes?.upserted ?? store.embeddings.all(modelId);
  if (changes !== undefined && changes.removed.length > 0) index.remove(changes.removed, generation);
  index.upsert(
    Array.from(ids, (id, i) => ({ id, vector: data.slice(i * dims, (i + 1) * dims) })),
    generation,
  );
}
