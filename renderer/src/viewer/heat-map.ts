/** A coarse grid of "how much is it here" as a smooth picture to lay over the photo. */

export interface HeatGrid {
  readonly rows: number;
  readonly columns: number;
  /** Row by row from the top left, 0 to 1. */
  readonly values: readonly number[];
}

/** Below this nothing in the photo stands out for the search. */
const faintest = 0.15;

export function standsOut(grid: HeatGrid): boolean {
  return grid.values.some((value) => value >= faintest);
}

/**
 * Colours of magma, dark to light in even steps of lightness (Smith and van der Walt 2015), with how much they
 * cover: little is dimmed, much glows and lets the photo through.
 */
const stops = [
  [0, 0, 4, 0.52],
  [81, 18, 124, 0.52],
  [183, 55, 121, 0.5],
  [252, 137, 97, 0.47],
  [252, 253, 191, 0.44],
] as const;

/** Catmull-Rom through four neighbours: it meets every cell's own value, and is smooth in between. */
function between(a: number, b: number, c: number, d: number, t: number): number {
  return b + 0.5 * t * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * (b - c) + d - a)));
}

/**
 * @param scale pixels per cell, both ways.
 * @returns columns·scale by rows·scale values, 0 to 1, row by row; beyond the outer cells' centres theirs go on.
 */
export function upsample(grid: HeatGrid, scale: number): Float32Array {
  const { rows, columns, values } = grid;
  const width = columns * scale;
  const height = rows * scale;
  const at = (row: number, column: number): number => {
    const y = Math.max(0, Math.min(rows - 1, row));
    const x = Math.max(0, Math.min(columns - 1, column));
    return values[y * columns + x] ?? 0;
  };
  const out = new Float32Array(width * height);
  for (let y = 0; y < height; y++) {
    const cy = (y + 0.5) / scale - 0.5;
    const row = Math.floor(cy);
    for (let x = 0; x < width; x++) {
      const cx = (x + 0.5) / scale - 0.5;
      const column = Math.floor(cx);
      const line = (r: number): number =>
        between(at(r, column - 1), at(r, column), at(r, column + 1), at(r, column + 2), cx - column);
      const value = between(line(row - 1), line(row), line(row + 1), line(row + 2), cy - row);
      out[y * width + x] = Math.max(0, Math.min(1, value));
    }
  }
  return out;
}

/** @returns red, green, blue and cover of every value, 0 to 255 each. */
export function coloured(values: ArrayLike<number>): Uint8ClampedArray<ArrayBuffer> {
  const out = new Uint8ClampedArray(values.length * 4);
  for (let i = 0; i < values.length; i++) {
    const place = (values[i] ?? 0) * (stops.length - 1);
    const low = stops[Math.min(stops.length - 2, Math.floor(place))] ?? stops[0];
    const high = stops[Math.min(stops.length - 1, Math.floor(place) + 1)] ?? low;
    const share = Math.min(1, place - Math.min(stops.length - 2, Math.floor(place)));
    for (let channel = 0; channel < 4; channel++) {
      const a = low[channel] ?? 0;
      const value = a + ((high[channel] ?? 0) - a) * share;
      out[i * 4 + channel] = channel === 3 ? value * 255 : value;
    }
  }
  return out;
}
