/** Which photos of the grid are selected, by id, and where a range starts. */
import type { GridSource } from '../grid/source.ts';

export class Selection {
  ids = $state.raw<ReadonlySet<number>>(new Set());
  #anchor = 0;

  get size(): number {
    return this.ids.size;
  }

  has(id: number | undefined): boolean {
    return id !== undefined && this.ids.has(id);
  }

  clear(): void {
    if (this.ids.size > 0) this.ids = new Set();
  }

  toggle(source: GridSource, index: number): void {
    const id = source.idAt(index);
    if (id === undefined) return;
    const next = new Set(this.ids);
    if (!next.delete(id)) next.add(id);
    this.ids = next;
    this.#anchor = index;
  }

  /** Adds everything from the anchor to here. */
  extend(source: GridSource, index: number): void {
    this.ids = this.#range(source, this.#anchor, index, this.ids);
  }

  /** What dragging from one photo to another selects, on top of what was selected before it began. */
  drag(source: GridSource, from: number, to: number, before: ReadonlySet<number>): void {
    this.#anchor = from;
    this.ids = this.#range(source, from, to, before);
  }

  all(source: GridSource): void {
    this.ids = this.#range(source, 0, source.count - 1, new Set());
  }

  setAnchor(index: number): void {
    this.#anchor = index;
  }

  #range(source: GridSource, a: number, b: number, before: ReadonlySet<number>): Set<number> {
    const next = new Set(before);
    for (let i = Math.min(a, b); i <= Math.max(a, b); i++) {
      const id = source.idAt(i);
      if (id !== undefined) next.add(id);
    }
    return next;
  }
}
