/** The index: exact rows always, an HNSW graph beside them that is built, mended and replaced in the background. */
import { setImmediate } from 'node:timers/promises';
import { AppError } from '../../errors.ts';
import { Graph } from './graph.ts';
import { mostDeleted, saveGraph, type SnapshotPlace } from './graph-snapshot.ts';
import { graphPlan, planSearch } from './plan.ts';
import { searchGraph } from './search-graph.ts';
import { TopK } from './top-k.ts';
import type { Neighbour, SearchOptions, VectorIndex } from './types.ts';
import type { VectorRows } from './vector-rows.ts';

/** How long building holds the event loop at a time: long slices for a big backlog, short ones while photos trickle in. */
const sliceMs = { backlog: 8, trickle: 2 } as const;
const backlogRows = 2_000;

export interface HnswIndexParts {
  readonly place: SnapshotPlace;
  readonly rows: VectorRows;
  /** Reads the stored graph; undefined when there is none to be had. Never rejects. */
  readonly load: () => Promise<LoadedGraph | undefined>;
  readonly generation: number;
  readonly exactBelow: number;
}

export interface LoadedGraph {
  readonly graph: Graph;
  /** Whether the graph is exactly what the store holds. */
  readonly saved: boolean;
}

export class HnswIndex implements VectorIndex {
  readonly dims: number;
  readonly loaded: Promise<void>;
  readonly #parts: HnswIndexParts;
  readonly #rows: VectorRows;
  #serving: Graph | undefined;
  /** Built beside the serving graph when that holds too many deleted elements, and swapped in when complete. */
  #next: Graph | undefined;
  #generation: number;
  #savedVersion: number | undefined;
  #building: Promise<void> | undefined;
  #saving: Promise<void> | undefined;
  #writing: Promise<void> | undefined;
  /** Rows removed while the stored graph is being read: it may hold them. Undefined once it has been read. */
  #removedWhileLoading: number[] | undefined = [];
  #abandoned = false;
  #closed = false;

  constructor(parts: HnswIndexParts) {
    this.#parts = parts;
    this.#rows = parts.rows;
    this.dims = parts.rows.dims;
    this.#generation = parts.generation;
    this.loaded = this.#load();
    this.#start(this.loaded);
  }

  get size(): number {
    return this.#rows.size;
  }

  get generation(): number {
    return this.#generation;
  }

  get state(): { readonly kind: 'hnsw' | 'exact'; readonly building: boolean } {
    const plan = this.#plan({ k: 1 });
    return { kind: plan.method, building: this.#building !== undefined };
  }

  upsert(vectors: readonly { id: number; vector: Float32Array }[], generation: number): void {
    this.#checkOpen();
    for (const { vector } of vectors) this.#rows.check(vector);
    for (const { id, vector } of vectors) {
      this.#removeRow(id);
      const row = this.#rows.add(id, vector);
      this.#serving?.enqueue(row);
      this.#next?.enqueue(row);
    }
    this.#generation = Math.max(this.#generation, generation);
    this.#tend();
  }

  remove(ids: readonly number[], generation: number): void {
    this.#checkOpen();
    for (const id of ids) this.#removeRow(id);
    this.#generation = Math.max(this.#generation, generation);
    this.#tend();
  }

  search(query: Float32Array, options: SearchOptions): { neighbours: Neighbour[]; method: 'exact' | 'hnsw' } {
    this.#checkOpen();
    this.#rows.check(query);
    const plan = this.#plan(options);
    if (plan.method === 'hnsw' && this.#serving !== undefined) {
      const neighbours = searchGraph(this.#serving, this.#rows, query, options, plan);
      const most = options.allowed === undefined ? this.size : Math.min(this.size, options.allowed.size);
      // Too few passed the filter: only a scan can tell whether there are more.
      if (neighbours.length >= Math.min(options.k, most)) return { neighbours, method: 'hnsw' };
    }
    return { neighbours: this.#scan(query, options), method: 'exact' };
  }

  scores(query: Float32Array, ids: readonly number[]): Float32Array {
    this.#rows.check(query);
    const scores = new Float32Array(ids.length);
    for (const [at, id] of ids.entries()) {
      const row = this.#rows.rowOf(id);
      scores[at] = row === undefined ? NaN : this.#rows.score(row, query);
    }
    return scores;
  }

  sampleScores(query: Float32Array, size: number): Float32Array {
    this.#rows.check(query);
    return Float32Array.from(this.#rows.sample(size), (row) => this.#rows.score(row, query));
  }

  sampleIds(size: number): number[] {
    return this.#rows.sample(size).flatMap((row) => this.#rows.idOf(row) ?? []);
  }

  vector(id: number): Float32Array | undefined {
    const row = this.#rows.rowOf(id);
    // A copy: the row may be given to another photo while the caller still holds this.
    return row === undefined ? undefined : this.#rows.vectorAt(row).slice();
  }

  has(id: number): boolean {
    return this.#rows.rowOf(id) !== undefined;
  }

  async rebuild(): Promise<void> {
    await this.loaded;
    // Another thread reads the graph while it is being saved.
    while (this.#writing !== undefined) await this.#writing;
    this.#checkOpen();
    if (this.#serving === undefined || this.#next !== undefined) return;
    this.#swap(new Graph(this.#rows));
    this.#tend();
  }

  async built(): Promise<void> {
    while (this.#building !== undefined) await this.#building;
  }

  async save(signal?: AbortSignal): Promise<void> {
    // One at a time, and the second sees whether anything is left to save.
    while (this.#saving !== undefined) await this.#saving.catch(() => undefined);
    const graph = this.#serving;
    if (graph === undefined || graph.elements === 0 || graph.version === this.#savedVersion) return;
    if (this.#closed || this.#parts.place.store.readOnly) return;
    this.#saving = this.#save(graph, signal).finally(() => {
      this.#saving = undefined;
    });
    await this.#saving;
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#saving?.catch(() => undefined);
    await this.#building;
    this.#serving?.release();
    this.#next?.release();
    this.#serving = undefined;
    this.#next = undefined;
  }

  async #save(graph: Graph, signal: AbortSignal | undefined): Promise<void> {
    const { place } = this.#parts;
    const version = graph.version;
    // Nothing may be added while another thread writes the graph; the builder waits for this.
    const done = saveGraph(place, graph, this.#rows, this.#generation, signal);
    this.#writing = done.catch(() => undefined);
    try {
      await done;
      if (this.#serving === graph) this.#savedVersion = version;
    } finally {
      this.#writing = undefined;
    }
  }

  #plan(options: SearchOptions): ReturnType<typeof planSearch> {
    const { k, allowed, efSearch, method = 'auto' } = options;
    const graph = this.#serving;
    if (graph === undefined || graph.present === 0 || method === 'exact') return { method: 'exact' };
    const size = this.size;
    if (method === 'hnsw')
      return graphPlan(k, Math.min(1, Math.max(1, allowed?.size ?? size) / size), size, efSearch);
    return planSearch({
      k,
      size,
      allowed: allowed?.size,
      waiting: graph.waiting,
      graphReady: true,
      exactBelow: this.#parts.exactBelow,
      efSearch,
    });
  }

  #scan(query: Float32Array, { k, allowed }: SearchOptions): Neighbour[] {
    const best = new TopK(k);
    this.#rows.scan(query, best, allowed);
    return best.sorted();
  }

  #removeRow(id: number): void {
    const row = this.#rows.remove(id);
    if (row === undefined) return;
    const inServing = this.#serving?.remove(row) ?? false;
    const inNext = this.#next?.remove(row) ?? false;
    // A graph that still has an element of this number would take the next photo for it.
    if (this.#removedWhileLoading !== undefined) this.#removedWhileLoading.push(row);
    else if (!inServing && !inNext) this.#rows.free(row);
  }

  /** Starts whatever the graph needs now. */
  #tend(): void {
    if (this.#closed || this.#abandoned || this.#removedWhileLoading !== undefined) return;
    if (this.#serving === undefined && this.size >= this.#parts.exactBelow)
      this.#serving = new Graph(this.#rows);
    if (this.#serving !== undefined && this.#next === undefined && this.#serving.deletedShare > mostDeleted)
      this.#next = new Graph(this.#rows);
    if (this.#building !== undefined || !this.#hasWork()) return;
    this.#start(this.#build());
  }

  #start(work: Promise<void>): void {
    this.#building = work.finally(() => {
      this.#building = undefined;
      this.#tend();
    });
  }

  async #load(): Promise<void> {
    // Whoever opened the index may search first.
    await setImmediate();
    const loaded = await this.#parts.load();
    const removed = this.#removedWhileLoading ?? [];
    this.#removedWhileLoading = undefined;
    this.#serving = loaded?.graph;
    this.#savedVersion = loaded?.saved === true ? loaded.graph.version : undefined;
    for (const row of removed) if (loaded?.graph.remove(row) !== true) this.#rows.free(row);
  }

  #hasWork(): boolean {
    return this.#next !== undefined || (this.#serving?.waiting ?? 0) > 0;
  }

  async #build(): Promise<void> {
    try {
      while (!this.#closed) {
        // First, because callers of upsert and remove are not to wait for the first slice.
        await setImmediate();
        if (this.#writing !== undefined) {
          await this.#writing;
          continue;
        }
        const graph = [this.#serving, this.#next].find((each) => (each?.waiting ?? 0) > 0);
        if (graph !== undefined)
          graph.addFor(graph.waiting > backlogRows ? sliceMs.backlog : sliceMs.trickle);
        else if (this.#next !== undefined) this.#swap(this.#next);
        else return;
      }
    } catch (thrown) {
      // Out of memory, most likely. Exact scans go on serving; a restart tries again.
      this.#parts.place.log.error('index: building the graph failed', {
        error: AppError.from(thrown, 'Building the search graph').toShape(),
      });
      this.#abandon();
    }
  }

  #abandon(): void {
    this.#serving?.release();
    this.#next?.release();
    this.#serving = undefined;
    this.#next = undefined;
    this.#abandoned = true;
  }

  #swap(next: Graph): void {
    const old = this.#serving;
    this.#serving = next;
    this.#next = undefined;
    this.#savedVersion = undefined;
    for (let row = 0; row < this.#rows.rowLimit; row += 1)
      if (this.#rows.idOf(row) === undefined && old?.holds(row) === true && !next.holds(row))
        this.#rows.free(row);
    old?.release();
  }

  #checkOpen(): void {
    if (this.#closed) throw new AppError('engine-stopped', 'The index is closed.');
  }
}
