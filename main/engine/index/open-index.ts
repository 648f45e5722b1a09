/** Opens the index of a model: vectors into memory, the graph from its snapshot, what is missing in the background. */
import { dirname } from 'node:path';
import type { EventPayload } from '../../contract.ts';
import { AppError } from '../../errors.ts';
import type { Log } from '../log.ts';
import type { Store } from '../store/types.ts';
import { loadGraph, removeStaleFiles } from './graph-snapshot.ts';
import type { VectorIndex } from './types.ts';
import { HnswIndex, type LoadedGraph } from './hnsw-index.ts';
import { readRows } from './read-rows.ts';

export interface OpenIndexOptions {
  readonly store: Store;
  readonly modelId: number;
  readonly dims: number;
  readonly log: Log;
  /** Hears what a person may want to know: the stored graph was damaged and is being rebuilt. */
  readonly onNotice?: ((notice: EventPayload<'notice'>) => void) | undefined;
  /** Fewer photos than this are scanned exactly and no graph is built: 5,000 x 512 take under 2 ms. */
  readonly exactBelow?: number | undefined;
  /** A model of the same dimensions whose stored graph serves where this one has none of its own. */
  readonly linksOf?: number | undefined;
  /** For hnswlib's files, as large as all vectors; the library's folder by default. */
  readonly temporaryDirectory?: string | undefined;
}

/**
 * Searching works at once: the stored graph is read in the background, and what a graph lacks is scanned exactly.
 * @throws AppError pack-invalid when the stored vectors have other dimensions, library-damaged when they are broken
 */
export async function openIndex(options: OpenIndexOptions): Promise<VectorIndex> {
  const { store, modelId, dims, log, exactBelow = 5_000 } = options;
  const temporaryDirectory = options.temporaryDirectory ?? dirname(store.path);
  const place = { store, modelId, temporaryDirectory, log };
  if (!store.readOnly)
    await removeStaleFiles(temporaryDirectory).catch((thrown: unknown) => {
      const error = AppError.from(thrown, `Tidying ${temporaryDirectory}`);
      log.warn('index: old temporary files could not be removed', { error: error.toShape() });
    });
  const { rows, generation } = await readRows(store, modelId);
  if (rows.dims !== dims)
    throw new AppError(
      'pack-invalid',
      `The model gives ${dims} dimensions but the library holds vectors of ${rows.dims}. Install the pack again.`,
    );
  const load = async (): Promise<LoadedGraph | undefined> => {
    try {
      const own = store.snapshots.info(modelId);
      if (own === undefined && options.linksOf !== undefined) {
        const graph = await loadGraph(place, rows, options.linksOf);
        return graph === undefined ? undefined : { graph, saved: false };
      }
      const graph = await loadGraph(place, rows);
      return graph === undefined ? undefined : { graph, saved: own?.generation === generation };
    } catch (thrown) {
      const error = AppError.from(thrown, 'Loading the search graph');
      log.warn('index: the stored graph is rebuilt', { error: error.toShape() });
      options.onNotice?.({ ...error.toShape(), level: 'info', key: 'index-rebuilt' });
      return undefined;
    }
  };
  return new HnswIndex({ place, rows, load, generation, exactBelow });
}
