/** One HNSW graph over the rows, with the rows that still wait to join it. */
import hnswlib from 'hnswlib-node';
import type { GraphShape } from './graph-file.ts';
import type { VectorRows } from './vector-rows.ts';

export type Hnsw = InstanceType<typeof hnswlib.HierarchicalNSW>;

/** The paper's usual choice; recall and speed at 100,000 x 512 were measured with it. */
export const linksPerElement = 16;
const efConstruction = 200;

/** `cancelled` rows are in the queue but were removed; coming back, they keep their place in it. */
const rowState = { absent: 0, waiting: 1, cancelled: 2, present: 3, deleted: 4 } as const;

/**
 * Labels are row numbers. hnswlib is only ever given arrays of finite numbers of the right length, no filter and
 * no label twice: each of those ends the process.
 */
export class Graph {
  readonly shape: GraphShape;
  readonly #hnsw: Hnsw;
  readonly #rows: VectorRows;
  #states: Uint8Array;
  #capacity: number;
  #queue: number[] = [];
  #head = 0;
  #waiting = 0;
  #present = 0;
  #deleted: number;
  #version = 0;
  /** Deletions that arrive while the graph is being written on another thread. */
  #held: number[] | undefined;

  /**
   * @param loaded a graph read from a snapshot: its rows are `present`, and `deleted` of its elements are only
   *   there to lead the way.
   */
  constructor(
    rows: VectorRows,
    loaded?: { hnsw: Hnsw; capacity: number; present: Iterable<number>; deleted: number },
  ) {
    this.shape = { dims: rows.dims, m: linksPerElement };
    this.#rows = rows;
    this.#states = new Uint8Array(Math.max(1024, rows.rowLimit));
    this.#deleted = loaded?.deleted ?? 0;
    if (loaded === undefined) {
      this.#capacity = Math.max(1024, rows.size);
      this.#hnsw = new hnswlib.HierarchicalNSW('ip', rows.dims);
      this.#hnsw.initIndex(this.#capacity, linksPerElement, efConstruction);
    } else {
      this.#capacity = loaded.capacity;
      this.#hnsw = loaded.hnsw;
      for (const row of loaded.present) {
        this.#states[row] = rowState.present;
        this.#present += 1;
      }
    }
    for (const id of rows.ids()) {
      const row = rows.rowOf(id);
      if (row !== undefined && this.#states[row] === rowState.absent) this.enqueue(row);
    }
  }

  /** Live rows in the graph. */
  get present(): number {
    return this.#present;
  }

  /** Live rows that are not in the graph yet. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Live and deleted ones. */
  get elements(): number {
    return this.#present + this.#deleted;
  }

  /** Of all elements, how many are deleted: they cost time and memory until a rebuild. */
  get deletedShare(): number {
    return this.elements === 0 ? 0 : this.#deleted / this.elements;
  }

  /** Changes with every element added or deleted. */
  get version(): number {
    return this.#version;
  }

  enqueue(row: number): void {
    if (row >= this.#states.length) {
      const grown = new Uint8Array(Math.max(row + 1, this.#states.length * 2));
      grown.set(this.#states);
      this.#states = grown;
    }
    if (this.#states[row] !== rowState.cancelled) this.#queue.push(row);
    this.#states[row] = rowState.waiting;
    this.#waiting += 1;
  }

  /** @returns whether an element of the graph still carries the row's number. */
  remove(row: number): boolean {
    const state = this.#states[row];
    if (state === rowState.waiting) {
      this.#states[row] = rowState.cancelled;
      this.#waiting -= 1;
      return false;
    }
    if (state !== rowState.present) return state === rowState.deleted;
    this.#states[row] = rowState.deleted;
    this.#present -= 1;
    this.#deleted += 1;
    if (this.#held === undefined) this.#delete(row);
    else this.#held.push(row);
    return true;
  }

  /** Whether an element, live or deleted, has the row's number. */
  holds(row: number): boolean {
    const state = this.#states[row];
    return state === rowState.present || state === rowState.deleted;
  }

  /** Adds waiting rows for about `milliseconds`, one at least. */
  addFor(milliseconds: number): void {
    const end = performance.now() + milliseconds;
    do {
      const row = this.#queue[this.#head];
      if (row === undefined) break;
      this.#head += 1;
      if (this.#states[row] === rowState.waiting) this.#add(row);
      else this.#states[row] = rowState.absent;
    } while (performance.now() < end);
    if (this.#head > 4096 || this.#head === this.#queue.length) {
      this.#queue = this.#queue.slice(this.#head);
      this.#head = 0;
    }
  }

  *waitingRows(): Generator<number> {
    for (let at = this.#head; at < this.#queue.length; at += 1) {
      const row = this.#queue[at];
      if (row !== undefined && this.#states[row] === rowState.waiting) yield row;
    }
  }

  /** Rows near the query, nearest first by the graph's own float32 distance; some may have been removed. */
  search(query: Float32Array, fetch: number, efSearch: number): number[] {
    const k = Math.min(fetch, this.#present);
    if (k === 0) return [];
    this.#hnsw.setEf(Math.max(efSearch, k));
    return this.#hnsw.searchKnn(Array.from(query), k).neighbors;
  }

  /** Writes hnswlib's file on another thread; the graph may be searched, and deletions are held back meanwhile. */
  async writeFile(path: string): Promise<void> {
    this.#held = [];
    try {
      await this.#hnsw.writeIndex(path);
    } finally {
      for (const row of this.#held) this.#delete(row);
      this.#held = undefined;
    }
  }

  /** Gives the native memory back at once instead of at some garbage collection. */
  release(): void {
    this.#hnsw.initIndex(1, linksPerElement, efConstruction);
  }

  #add(row: number): void {
    if (this.elements >= this.#capacity) {
      this.#capacity = Math.ceil(this.#capacity * 1.5) + 1024;
      this.#hnsw.resizeIndex(this.#capacity);
    }
    this.#hnsw.addPoint(Array.from(this.#rows.vectorAt(row)), row);
    this.#states[row] = rowState.present;
    this.#waiting -= 1;
    this.#present += 1;
    this.#version += 1;
  }

  #delete(row: number): void {
    this.#hnsw.markDelete(row);
    this.#version += 1;
  }
}
