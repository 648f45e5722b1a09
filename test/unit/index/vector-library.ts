/** Libraries of seeded random vectors for the index's tests, and the plainest possible oracle. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { EventPayload } from '../../../main/contract.ts';
import { silentLog } from '../../../main/engine/log.ts';
import { openIndex, type OpenIndexOptions } from '../../../main/engine/index/open-index.ts';
import type { Neighbour, VectorIndex } from '../../../main/engine/index/types.ts';
import { openStore } from '../../../main/engine/store/store.ts';
import type { Store } from '../../../main/engine/store/types.ts';

/** mulberry32: small, seeded, good enough for tests. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Unit vectors in clusters, as embeddings of photos are. */
export function vectorSource(dims: number, seed: number, clusters = 40): () => Float32Array {
  const random = seeded(seed);
  const gaussian = (): number => (random() + random() + random() + random() - 2) * 1.73;
  const unit = (vector: Float32Array): Float32Array => {
    const norm = Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0));
    return vector.map((value) => value / norm);
  };
  const centres = Array.from({ length: clusters }, () => unit(Float32Array.from({ length: dims }, gaussian)));
  return () => {
    const centre = centres[Math.floor(random() * clusters)]!;
    return unit(centre.map((value) => value + (gaussian() * 0.8) / Math.sqrt(dims)));
  };
}

export interface VectorLibrary {
  readonly store: Store;
  readonly modelId: number;
  readonly dims: number;
  readonly directory: string;
  readonly notices: EventPayload<'notice'>[];
  /** Photos with vectors, in the store only. */
  add(count: number): { id: number; vector: Float32Array }[];
  next(): Float32Array;
  open(options?: Partial<OpenIndexOptions>): Promise<VectorIndex>;
  /** Closes the store, changes the file behind its back, opens it again. */
  reopenStore(meanwhile?: (directory: string) => void): void;
}

export function vectorLibrary(t: TestContext, dims: number, seed = 1): VectorLibrary {
  const directory = mkdtempSync(join(tmpdir(), 'afterimage-index-'));
  let store = openStore({ directory, now: () => 0 });
  const indexes: VectorIndex[] = [];
  t.after(async () => {
    for (const index of indexes) await index.close();
    store.close();
    rmSync(directory, { recursive: true, force: true });
  });
  const rootId = store.roots.add('/photos', 0).id;
  const modelId = store.embeddings.model('fingerprint', 'starter', dims);
  const next = vectorSource(dims, seed);
  const notices: EventPayload<'notice'>[] = [];
  let files = 0;
  return {
    get store() {
      return store;
    },
    modelId,
    dims,
    directory,
    notices,
    next,
    add(count) {
      const seen = Array.from({ length: count }, () => ({ relPath: `${++files}.jpg`, bytes: 1, mtimeMs: 1 }));
      const rows = store.photos.add(rootId, seen).map((id) => ({ id, vector: next() }));
      store.embeddings.put(
        modelId,
        rows.map(({ id, vector }) => ({ photoId: id, vector })),
      );
      return rows;
    },
    async open(options = {}) {
      const onNotice = (notice: EventPayload<'notice'>): void => void notices.push(notice);
      const index = await openIndex({ store, modelId, dims, log: silentLog, onNotice, ...options });
      indexes.push(index);
      return index;
    },
    reopenStore(meanwhile) {
      store.close();
      meanwhile?.(directory);
      store = openStore({ directory, now: () => 0 });
    },
  };
}

/** Every cosine, sorted. */
export function bruteForce(
  vectors: ReadonlyMap<number, Float32Array>,
  query: Float32Array,
  k: number,
): Neighbour[] {
  const all = [...vectors].map(([id, vector]) => {
    let score = 0;
    for (let i = 0; i < vector.length; i += 1) score += vector[i]! * query[i]!;
    return { id, score };
  });
  return all.sort((a, b) => b.score - a.score || a.id - b.id).slice(0, k);
}

export const idsOf = (neighbours: readonly Neighbour[]): number[] => neighbours.map(({ id }) => id);

/** Share of the true neighbours that were found. */
export function recall(found: readonly Neighbour[], truth: readonly Neighbour[]): number {
  const ids = new Set(idsOf(found));
  return truth.length === 0 ? 1 : truth.filter(({ id }) => ids.has(id)).length / truth.length;
}
