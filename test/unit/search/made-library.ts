/** A real store and index whose vectors say exactly what is in each photo, for tests of searching. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { openIndex } from '../../../main/engine/index/open-index.ts';
import type { VectorIndex } from '../../../main/engine/index/types.ts';
import { noCameraMetadata } from '../../../main/engine/inference/photo-metadata.ts';
import type { Decoder, Embedder, TextSide } from '../../../main/engine/inference/types.ts';
import { silentLog } from '../../../main/engine/log.ts';
import { createSearch } from '../../../main/engine/search/search.ts';
import type { Search, SearchOptions } from '../../../main/engine/search/types.ts';
import { openStore } from '../../../main/engine/store/store.ts';
import type { Store } from '../../../main/engine/store/types.ts';
import { seededNormal } from './seeded-random.ts';

export interface MadeLibrary {
  readonly store: Store;
  readonly index: VectorIndex;
  readonly search: Search;
  /** The model's text side, as the search is given it. */
  readonly texts: TextSide;
  readonly modelId: number;
  readonly directory: string;
  /** Adds photos that show these concepts, strongly unless told otherwise. @returns their ids */
  readonly add: (
    shown: readonly string[],
    count: number,
    options?: { strength?: number; name?: string },
  ) => number[];
}

const dims = 64;

/**
 * One axis for each concept, the rest noise; texts that are no concept point along the last axis, where nothing is.
 * @param more what the search is given besides, e.g. an image side
 */
export async function madeLibrary(
  t: TestContext,
  concepts: readonly string[],
  more: { embedder?: Embedder; decoder?: Decoder; options?: Partial<SearchOptions> } = {},
): Promise<MadeLibrary> {
  const directory = mkdtempSync(join(tmpdir(), 'afterimage-search-'));
  const store = openStore({ directory, now: () => 0 });
  const normal = seededNormal(11);
  const rootId = store.roots.add('/photos', 0).id;
  const modelId = store.embeddings.model('axes', 'axes', dims);
  store.embeddings.setActiveModel(modelId);
  const index = await openIndex({ store, modelId, dims, log: silentLog });
  const vectorOf = (shown: readonly string[], strength: number): Float32Array => {
    const vector = Float32Array.from({ length: dims }, () => 0.06 * normal());
    for (const concept of shown) {
      const axis = concepts.indexOf(concept);
      vector[axis] = (vector[axis] ?? 0) + strength;
    }
    const length = Math.hypot(...vector);
    return vector.map((value) => value / length);
  };
  const texts: TextSide = {
    fingerprint: 'axes',
    packId: 'axes',
    dims,
    scoring: {
      kind: 'softmax',
      logitScale: 50,
      logitBias: 0,
      promptTemplates: ['{}'],
      queryTemplates: ['{}'],
      background: { mean: 0, std: 0.12 },
      matching: { mean: 0.72, std: 0.12 },
    },
    embedTexts: (wanted) =>
      Promise.resolve(
        wanted.map((text) => {
          const vector = new Float32Array(dims);
          const known = concepts.filter((concept) => text.split(' ').includes(concept));
          for (const concept of known) vector[concepts.indexOf(concept)] = 1 / Math.sqrt(known.length);
          if (known.length === 0) vector[dims - 1] = 1;
          return vector;
        }),
      ),
    async embedQuery(text) {
      const [vector = new Float32Array(dims)] = await texts.embedTexts([text]);
      return vector;
    },
  };
  const missing = (): never => {
    throw new Error('no picture is looked at here');
  };
  const search = createSearch({
    store,
    model: () => Promise.resolve({ embedder: texts, index }),
    embedder: () => (more.embedder === undefined ? missing() : Promise.resolve(more.embedder)),
    decoder: () => more.decoder ?? missing(),
    now: () => Date.UTC(2024, 0, 1),
    ...more.options,
  });
  t.after(async () => {
    await index.close();
    store.close();
    rmSync(directory, { recursive: true, force: true });
  });
  let made = 0;
  return {
    store,
    index,
    search,
    texts,
    modelId,
    directory,
    add(shown, count, { strength = 0.7, name } = {}) {
      const ids = store.photos.add(
        rootId,
        Array.from({ length: count }, () => {
          made += 1;
          return {
            relPath: `IMG_${String(made).padStart(4, '0')}${name ?? ''}.jpg`,
            bytes: 1,
            mtimeMs: made,
          };
        }),
      );
      const rows = ids.map((photoId) => ({
        photoId,
        hash: photoId.toString(16).padStart(32, '0'),
        stat: { bytes: 1, mtimeMs: photoId },
        metadata: { width: 40, height: 30, format: 'jpeg', ...noCameraMetadata },
        vector: vectorOf(shown, strength),
        thumbnail: null,
      }));
      const generation = store.photos.commit(modelId, rows, []);
      index.upsert(
        rows.map(({ photoId, vector }) => ({ id: photoId, vector })),
        generation,
      );
      return ids;
    },
  };
}
