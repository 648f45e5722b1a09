/** Answers of a graph, made exact. */
import type { Graph } from './graph.ts';
import { TopK } from './top-k.ts';
import type { Neighbour, SearchOptions } from './types.ts';
import type { VectorRows } from './vector-rows.ts';

/** The graph's candidates and the rows that wait to join it, scored exactly. */
export function searchGraph(
  graph: Graph,
  rows: VectorRows,
  query: Float32Array,
  { k, allowed }: SearchOptions,
  plan: { readonly fetch: number; readonly efSearch: number },
): Neighbour[] {
  const best = new TopK(k);
  const offer = (row: number): void => {
    const id = rows.idOf(row);
    if (id === undefined || allowed?.has(id) === false) return;
    best.offer(id, rows.score(row, query));
  };
  for (const row of graph.search(query, plan.fetch, plan.efSearch)) offer(row);
  for (const row of graph.waitingRows()) offer(row);
  return best.sorted();
}
