/** The index: exact rows always, an HNSW graph beside them that is built, mended and replaced in the background. */
import { setImmediate } from 'node:timers/promises';
import { AppError } from '../../errors.ts';
import type { Log } from '../log.ts';
import { Graph } from './graph.ts';
import { mostDeleted, saveGraph, type SnapshotPlace } from './graph-snapshot.ts';
import { graphPlan, planSearch } from './plan.ts';
import { TopK } from './top-k.ts';
import type { Neighbour, SearchOptions, VectorIndex } from './types.ts';
import type { VectorRows } from './vector-rows.ts';

/** How long building holds the event loop at a time: long slices for a big backlog, short ones while photos trickle in. */
const sliceMs = { backlog: 8, trickle: 2 } as const;
const backlogRows = 2_000;

export interface HnswIndexParts {
  readonly place: SnapshotPlace;
  readonly rows: VectorRows;
  readonly graph: Graph | undefined;
  /** Whether the graph is exactly what the store holds. */
  readonly graphSaved: boolean;
  readonly generation: number;
  readonly exactBelow: number;
  readonly log: Log;
}

export class HnswIndex implements VectorIndex {
  readonly dims: number;
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
  #abandoned = false;
  #closed = false;

  constructor(parts: HnswIndexParts) {
    this.#parts = parts;
    this.#rows = parts.rows;
    this.dims = parts.rows.dims;
    this.#serving = parts.graph;
    this.#savedVersion = parts.graphSaved ? parts.graph?.version : undefined;
    this.#generation = parts.generation;
    this.#tend();
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
    for (const { vector } of vectors) this.#check(vector);
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
    this.#check(query);
    const plan = this.#plan(options);
    if (plan.method === 'hnsw' && this.#serving !== undefined) {
      const neighbours = this.#searchGraph(this.#serving, query, options, plan);
      const most = options.allowed === undefined ? this.size : Math.min(this.size, options.allowed.size);
      // Too few passed the filter: only a scan can tell whether there are more.
      if (neighbours.length >= Math.min(options.k, most)) return { neighbours, method: 'hnsw' };
    }
    return { neighbours: this.#scan(query, options), method: 'exact' };
  }

  scores(query: Float32Array, ids: readonly number[]): Float32Array {
    this.#check(query);
    const scores = new Float32Array(ids.length);
    for (const [at, id] of ids.entries()) {
      const row = this.#rows.rowOf(id);
      scores[at] = row === undefined ? NaN : this.#rows.score(row, query);
    }
    return scores;
  }

  sampleScores(query: Float32Array, size: number): Float32Array {
    this.#check(query);
    const limit = this.#rows.rowLimit;
    const step = Math.max(1, limit / Math.max(1, size));
    const scores: number[] = [];
    // Every step-th row; a removed one gives its place to the next row that lives.
    let row = 0;
    for (let at = 0; at < limit && scores.length < size; at += step) {
      row = Math.max(row, Math.floor(at));
      while (row < limit && this.#rows.idOf(row) === undefined) row += 1;
      if (row >= limit) break;
      scores.push(this.#rows.score(row, query));
      row += 1;
    }
    return Float32Array.from(scores);
  }

  vector(id: number): Float32Array | undefined {
    const row = this.#rows.rowOf(id);
    // A copy: the row may be given to another photo while the caller still holds this.
    return row === undefined ? undefined : this.#rows.vectorAt(row).slice();
  }

  has(id: number): boolean {
    return this.#rows.rowOf(id) !== undefined;
  }

  async built(): Promise<void> {
    while (this.#building !== undefined) await this.#building;
  }

  async save(signal?: AbortSignal): Promise<void> {
    // One at a time, and the second sees whether anything is left to save.
    while (this.#saving !== undefined) await this.#saving.catch(() => undefined);
    const graph = this.#serving;
    if (graph === undefined || graph.version === this.#savedVersion) return;
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

  #searchGraph(
    graph: Graph,
    query: Float32Array,
    { k, allowed }: SearchOptions,
    plan: { readonly fetch: number; readonly efSearch: number },
  ): Neighbour[] {
    const best = new TopK(k);
    const offer = (row: number): void => {
      const id = this.#rows.idOf(row);
      if (id === undefined || allowed?.has(id) === false) return;
      best.offer(id, this.#rows.score(row, query));
    };
    for (const row of graph.search(query, plan.fetch, plan.efSearch)) offer(row);
    for (const row of graph.waitingRows()) offer(row);
    return best.sorted();
  }

  #scan(query: Float32Array, { k, allowed }: SearchOptions): Neighbour[] {
    const best = new TopK(k);
    if (allowed === undefined) this.#rows.scan(query, best);
    else
      for (const id of allowed) {
        const row = this.#rows.rowOf(id);
        if (row !== undefined) best.offer(id, this.#rows.score(row, query));
      }
    return best.sorted();
  }

  #removeRow(id: number): void {
    const row = this.#rows.remove(id);
    if (row === undefined) return;
    const inServing = this.#serving?.remove(row) ?? false;
    const inNext = this.#next?.remove(row) ?? false;
    // A graph that still has an element of this number would take the next photo for it.
    if (!inServing && !inNext) this.#rows.free(row);
  }

  /** Starts whatever the graph needs now. */
  #tend(): void {
    if (this.#closed || this.#abandoned) return;
    if (this.#serving === undefined && this.size >= this.#parts.exactBelow)
      this.#serving = new Graph(this.#rows);
    if (this.#serving !== undefined && this.#next === undefined && this.#serving.deletedShare > mostDeleted)
      this.#next = new Graph(this.#rows);
    if (this.#building !== undefined || !this.#hasWork()) return;
    this.#building = this.#build().finally(() => {
      this.#building = undefined;
      this.#tend();
    });
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
      this.#parts.log.error('index: building the graph failed', {
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

  /** hnswlib ends the process on anything but finite numbers of the right length. */
  #check(vector: Float32Array): void {
    if (vector.length !== this.dims)
      throw new AppError(
        'internal',
        `A vector of ${vector.length} dimensions was given to an index of ${this.dims}.`,
      );
    for (const value of vector)
      if (!Number.isFinite(value))
        throw new AppError('internal', 'A vector with a value that is no number was given.');
  }
}
