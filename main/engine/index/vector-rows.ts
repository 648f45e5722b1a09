/** All vectors of the model in memory, by row: what exact scans and rescoring read. */
import { AppError } from '../../errors.ts';
import type { Vectors } from '../store/types.ts';
import { dotProduct } from './dot-product.ts';
import type { TopK } from './top-k.ts';

const rowsPerBlock = 8192;
/** Marks a row without a photo; ids are not negative. */
const none = -1;

/**
 * Rows in blocks of 8,192, so that growing never copies what is there (200 MB at 100,000 x 512). A row keeps its
 * number for as long as its vector lives: the graph's labels are row numbers.
 */
export class VectorRows {
  readonly dims: number;
  readonly #blocks: Float32Array[] = [];
  readonly #ids: number[] = [];
  readonly #rowOf = new Map<number, number>();
  readonly #free: number[] = [];

  constructor(vectors: Vectors) {
    this.dims = vectors.dims;
    const count = vectors.ids.length;
    const step = rowsPerBlock * this.dims;
    for (let row = 0; row < count; row += 1) {
      const id = vectors.ids[row] ?? none;
      this.#ids.push(id);
      this.#rowOf.set(id, row);
    }
    // Whole blocks are views of the store's buffer; the last one needs room to grow.
    for (let start = 0; start < vectors.data.length; start += step) {
      if (start + step <= vectors.data.length) this.#blocks.push(vectors.data.subarray(start, start + step));
      else {
        const last = new Float32Array(step);
        last.set(vectors.data.subarray(start));
        this.#blocks.push(last);
      }
    }
  }

  /** Photos that have a vector. */
  get size(): number {
    return this.#rowOf.size;
  }

  /** Row numbers are below this. */
  get rowLimit(): number {
    return this.#ids.length;
  }

  rowOf(id: number): number | undefined {
    return this.#rowOf.get(id);
  }

  /** The photo of a row, or undefined for a row that is free or waiting to be freed. */
  idOf(row: number): number | undefined {
    const id = this.#ids[row];
    return id === none ? undefined : id;
  }

  /** hnswlib ends the process on anything but finite numbers of the right length. @throws AppError internal */
  check(vector: Float32Array): void {
    if (vector.length !== this.dims)
      throw new AppError(
        'internal',
        `A vector of ${vector.length} dimensions was given to an index of ${this.dims}.`,
      );
    for (const value of vector)
      if (!Number.isFinite(value))
        throw new AppError('internal', 'A vector with a value that is no number was given to the index.');
  }

  /** Stores a vector in a row of its own; the photo must have none. */
  add(id: number, vector: Float32Array): number {
    const row = this.#free.pop() ?? this.#ids.length;
    if (row === this.#blocks.length * rowsPerBlock)
      this.#blocks.push(new Float32Array(rowsPerBlock * this.dims));
    this.#ids[row] = id;
    this.#rowOf.set(id, row);
    this.#block(row).set(vector, this.#offset(row));
    return row;
  }

  /** Takes the photo out; its row stays taken until `free`, because a graph may still know it. */
  remove(id: number): number | undefined {
    const row = this.#rowOf.get(id);
    if (row === undefined) return undefined;
    this.#rowOf.delete(id);
    this.#ids[row] = none;
    return row;
  }

  /** Gives a removed row back for the next photo. */
  free(row: number): void {
    this.#free.push(row);
  }

  /** A view, valid until the row is freed. */
  vectorAt(row: number): Float32Array {
    const offset = this.#offset(row);
    return this.#block(row).subarray(offset, offset + this.dims);
  }

  score(row: number, query: Float32Array): number {
    return dotProduct(this.#block(row), this.#offset(row), query, this.dims);
  }

  /** Scores every photo, or those allowed. */
  scan(query: Float32Array, best: TopK, allowed?: ReadonlySet<number>): void {
    if (allowed !== undefined) {
      for (const id of allowed) {
        const row = this.#rowOf.get(id);
        if (row === undefined) continue;
        const score = this.score(row, query);
        if (score >= best.threshold) best.offer(id, score);
      }
      return;
    }
    for (const [at, block] of this.#blocks.entries()) {
      const first = at * rowsPerBlock;
      const end = Math.min(rowsPerBlock, this.#ids.length - first);
      for (let i = 0; i < end; i += 1) {
        const id = this.#ids[first + i] ?? none;
        if (id === none) continue;
        const score = dotProduct(block, i * this.dims, query, this.dims);
        if (score >= best.threshold) best.offer(id, score);
      }
    }
  }

  /** The rows of about `size` photos, spread evenly: the same ones each time until photos come or go. */
  sample(size: number): number[] {
    const limit = this.#ids.length;
    const step = Math.max(1, limit / Math.max(1, size));
    const rows: number[] = [];
    let row = 0;
    for (let at = 0; at < limit && rows.length < size; at += step) {
      // A removed row gives its place to the next one that lives.
      row = Math.max(row, Math.floor(at));
      while (row < limit && this.idOf(row) === undefined) row += 1;
      if (row < limit) rows.push(row);
      row += 1;
    }
    return rows;
  }

  ids(): IterableIterator<number> {
    return this.#rowOf.keys();
  }

  #offset(row: number): number {
    return (row % rowsPerBlock) * this.dims;
  }

  #block(row: number): Float32Array {
    const block = this.#blocks[Math.floor(row / rowsPerBlock)];
    if (block === undefined) throw new RangeError(`row ${row} of ${this.#ids.length}`);
    return block;
  }
}
