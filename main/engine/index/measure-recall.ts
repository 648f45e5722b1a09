/** How many of the true nearest photos an index finds: what a graph whose links were made for other vectors is worth. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { VectorIndex } from './types.ts';

export interface RecallOptions {
  readonly k: number;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((done: number) => void) | undefined;
}

/**
 * Each query costs an exact scan (34 ms at 100,000 x 512); searches of others come between two of them.
 * @param queries unit vectors (dims,)
 * @returns the share of the k nearest that a search finds, mean over the queries; 1 where searching is exact anyway.
 */
export async function measureRecall(
  index: Pick<VectorIndex, 'search'>,
  queries: readonly Float32Array[],
  { k, signal, onProgress }: RecallOptions,
): Promise<number> {
  let found = 0;
  let wanted = 0;
  for (const [done, query] of queries.entries()) {
    signal?.throwIfAborted();
    const quick = index.search(query, { k });
    if (quick.method === 'hnsw') {
      const ids = new Set(quick.neighbours.map(({ id }) => id));
      const exact = index.search(query, { k, method: 'exact' }).neighbours;
      found += exact.filter(({ id }) => ids.has(id)).length;
      wanted += exact.length;
    }
    onProgress?.(done + 1);
    await nextTurn();
  }
  return wanted === 0 ? 1 : found / wanted;
}
