/** Rows of one layout, made when they are first looked at and the same object from then on. */
import { cellsOf, type GridCell, type GridLayout } from './layout.ts';

export interface GridRow {
  readonly row: number;
  readonly top: number;
  readonly height: number;
  readonly cells: readonly GridCell[];
}

export class RowCache {
  readonly #layout: GridLayout;
  readonly #aspects: ArrayLike<number>;
  readonly #rows = new Map<number, GridRow>();

  constructor(layout: GridLayout, aspects: ArrayLike<number>) {
    this.#layout = layout;
    this.#aspects = aspects;
  }

  range(first: number, end: number): GridRow[] {
    return Array.from({ length: Math.max(0, end - first) }, (_, at) => this.#row(first + at));
  }

  #row(row: number): GridRow {
    const known = this.#rows.get(row);
    if (known !== undefined) return known;
    const made = {
      row,
      top: this.#layout.rowTops[row] ?? 0,
      height: this.#layout.rowHeights[row] ?? 0,
      cells: cellsOf(this.#layout, this.#aspects, row),
    };
    this.#rows.set(row, made);
    return made;
  }
}

/** Pictures that were on the screen before appear at once; a hint, so it is emptied when it grows. */
export class SeenPictures {
  readonly #ids = new Set<number>();

  has(id: number): boolean {
    return this.#ids.has(id);
  }

  add(id: number): void {
    if (this.#ids.size > 5_000) this.#ids.clear();
    this.#ids.add(id);
  }
}
