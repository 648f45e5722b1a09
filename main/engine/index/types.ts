/** What the index offers: neighbours of a unit vector among photo ids. */
export interface Neighbour {
  readonly id: number;
  /** Cosine similarity, exact, -1 to 1. */
  readonly score: number;
}

export interface SearchOptions {
  readonly k: number;
  /** Only these photos; small sets are scanned exactly. */
  readonly allowed?: ReadonlySet<number> | undefined;
  /** hnsw beam width; the default is chosen from k. */
  readonly efSearch?: number | undefined;
  /** 'auto' picks the cheaper; the others are for tests and benchmarks. */
  readonly method?: 'auto' | 'exact' | 'hnsw' | undefined;
}

export interface VectorIndex {
  readonly dims: number;
  readonly size: number;
  /** Vectors and graph stand at this generation of the store. */
  readonly generation: number;
  readonly state: { readonly kind: 'hnsw' | 'exact'; readonly building: boolean };
  /** Adds or replaces. Called after the store has committed the same vectors as `generation`. */
  upsert(vectors: readonly { id: number; vector: Float32Array }[], generation: number): void;
  remove(ids: readonly number[], generation: number): void;
  /** @param query unit vector (dims,) float32. Best first; ties by id. */
  search(query: Float32Array, options: SearchOptions): { neighbours: Neighbour[]; method: 'exact' | 'hnsw' };
  /** Cosines of the given photos, in the order given; NaN for photos without a vector. */
  scores(query: Float32Array, ids: readonly number[]): Float32Array;
  /** A deterministic sample of all cosines, for the library's own score distribution. */
  sampleScores(query: Float32Array, size: number): Float32Array;
  /** About `size` photos, spread evenly: the same ones each time until photos come or go. */
  sampleIds(size: number): number[];
  vector(id: number): Float32Array | undefined;
  has(id: number): boolean;
  /** Resolves when the stored graph has been read, or there is none; searches need not wait for it. */
  readonly loaded: Promise<void>;
  /** Begins a new graph, unless one is being built beside. Searching is exact until it is there; see `built`. */
  rebuild(): Promise<void>;
  /** Resolves when no photo waits to join the graph; searches need not wait for it. */
  built(): Promise<void>;
  /** Writes the graph into the store in checksummed chunks; a no-op when nothing changed. */
  save(signal?: AbortSignal): Promise<void>;
  close(): Promise<void>;
}
