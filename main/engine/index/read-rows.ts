/** All vectors of a model into memory, in parts: a search of what is in use comes between two of them. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Store, Vectors } from '../store/types.ts';
import { VectorRows } from './vector-rows.ts';

/** 3 ms at 512 numbers each (measured). */
const rowsAtOnce = 1_024;

/**
 * @returns the rows as they stand at a generation of the store; nothing is awaited after it is known.
 * @throws AppError not-found (no such model), library-damaged
 */
export async function readRows(
  { embeddings }: Pick<Store, 'embeddings'>,
  modelId: number,
): Promise<{ rows: VectorRows; generation: number }> {
  const begun = embeddings.generation();
  let page = embeddings.page(modelId, { limit: rowsAtOnce });
  const rows = new VectorRows(page);
  while (page.ids.length === rowsAtOnce) {
    await nextTurn();
    page = embeddings.page(modelId, { limit: rowsAtOnce, afterId: page.ids.at(-1) ?? 0 });
    put(rows, page);
  }
  // What was written meanwhile.
  const generation = embeddings.generation();
  if (generation === begun) return { rows, generation };
  const changes = embeddings.changesSince(modelId, begun);
  if (changes === undefined) return { rows: new VectorRows(embeddings.all(modelId)), generation };
  for (const id of changes.removed) drop(rows, id);
  put(rows, changes.upserted);
  return { rows, generation };
}

function put(rows: VectorRows, { ids, data, dims }: Vectors): void {
  for (const [i, id] of [...ids].entries()) {
    drop(rows, id);
    rows.add(id, data.subarray(i * dims, (i + 1) * dims));
  }
}

function drop(rows: VectorRows, id: number): void {
  const row = rows.remove(id);
  if (row !== undefined) rows.free(row);
}
