/** Which photos of the grid are selected, by id, and where a range starts. */
import { noIds, toggled, withRange, type Ids } from '../grid/id-sets.ts';
import type { GridSource } from '../grid/source.ts';

export class Selection {
  ids = $state.raw<Ids>(noIds);
  #anchor = 0;
  #place = '';

  get size(): number {
    return this.ids.size;
  }

  has(id: number | undefined): boolean {
    return id !== undefined && this.ids.has(id);
  }

  clear(): void {
    if (this.ids.size > 0) this.ids = noIds;
  }

  /** What is selected is selected in one place: going to another clears it. */
  leave(place: string): void {
    if (place !== this.#place) this.clear();
    this.#place = place;
  }

  toggle(source: GridSource, index: number): void {
    const id = source.idAt(index);
    if (id === undefined) return;
    this.ids = toggled(this.ids, id);
    this.#anchor = index;
  }

  /** Adds everything from the anchor to here. */
  extend(source: GridSource, index: number): void {
    this.ids = withRange(source, this.#anchor, index, this.ids);
  }

  /** What dragging from one photo to another selects, on top of what was selected before it began. */
  drag(source: GridSource, from: number, to: number, before: Ids): void {
    this.#anchor = from;
    this.ids = withRange(source, from, to, before);
  }

  all(source: GridSource): void {
    this.ids = withRange(source, 0, source.count - 1, noIds);
  }

  setAnchor(index: number): void {
    this.#anchor = index;
  }
}
