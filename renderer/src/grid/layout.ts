/** Justified rows of photos: computed once for all of them, looked up in O(visible) while scrolling. */

interface GridSection {
  /** Index of the section's first photo. */
  readonly start: number;
  readonly count: number;
  /** Pixels kept free above its first row. */
  readonly heading: number;
  /** Short sections that say so share a row, each under its own heading. */
  readonly packs?: boolean;
}

/** A section as the grid shows it. */
export interface SectionHead extends GridSection {
  readonly kind: 'title' | 'rule' | 'plain';
  readonly title: string;
  /** Shown beside the scrubber; empty where there is none. */
  readonly mark: string;
}

export interface GridInput {
  /** Width over height, times 100, one per photo. */
  readonly aspects: ArrayLike<number>;
  readonly sections: readonly GridSection[];
  readonly width: number;
  /** The height rows aim at; full rows come out between about 0.7 and 1.4 of it. */
  readonly rowHeight: number;
  readonly gap: number;
}

export interface GridLayout {
  readonly width: number;
  readonly gap: number;
  readonly height: number;
  readonly rows: number;
  readonly rowTops: Float64Array;
  readonly rowHeights: Float32Array;
  /** First photo of each row, and the number of photos at the end: (rows + 1). */
  readonly rowStarts: Uint32Array;
  /** 1 where the row reaches from edge to edge. */
  readonly rowFull: Uint8Array;
  readonly sectionTops: Float64Array;
  /** Where each section begins in its first row, and how wide its heading may be. */
  readonly sectionLefts: Float32Array;
  readonly sectionWidths: Float32Array;
  /** First photo of each section. */
  readonly sectionStarts: Uint32Array;
}

export interface GridCell {
  readonly index: number;
  readonly left: number;
  readonly width: number;
}

/** Panoramas and strips are cropped in the grid beyond these, so that no row is a thread or a tower. */
const narrowest = 0.45;
const widest = 3.2;
/** A section's last row is stretched to the edge when that grows it by no more than this. */
const stretch = 1.18;
/** A row of short sections may be this much lower to take one more in. */
const squeeze = 0.85;
/** Between sections that share a row, pixels. */
const between = 20;
/** The narrowest section that shares a row: "September 2024" in the grid's headings, and a little. */
const narrowestSection = 132;

function gridAspect(aspects: ArrayLike<number>, index: number): number {
  const aspect = (aspects[index] ?? 100) / 100;
  return aspect < narrowest ? narrowest : aspect > widest ? widest : aspect;
}

/** @returns every row's place; 100,000 photos take a few milliseconds. */
export function layoutGrid(input: GridInput): GridLayout {
  const { aspects, sections, gap } = input;
  const width = Math.max(1, Math.floor(input.width));
  const rowHeight = Math.max(1, input.rowHeight);
  const total = sections.reduce((sum, section) => sum + section.count, 0);
  const rowTops = new Float64Array(total);
  const rowHeights = new Float32Array(total);
  const rowStarts = new Uint32Array(total + 1);
  const rowFull = new Uint8Array(total);
  const sectionTops = new Float64Array(sections.length);
  const sectionLefts = new Float32Array(sections.length);
  const sectionWidths = new Float32Array(sections.length).fill(width);
  let rows = 0;
  let top = 0;

  const close = (start: number, sum: number, count: number, last: boolean): void => {
    const fitting = (width - gap * (count - 1)) / sum;
    const full = !last || fitting <= rowHeight * stretch;
    const height = Math.max(24, Math.round(full ? Math.min(fitting, rowHeight * 2) : rowHeight));
    rowTops[rows] = top;
    rowHeights[rows] = height;
    rowStarts[rows] = start;
    rowFull[rows] = full ? 1 : 0;
    rows++;
    top += height + gap;
  };

  /** @returns how many sections from here on share a row; their places are noted. */
  const pack = (from: number): number => {
    const slots: number[] = [];
    const sums: number[] = [];
    let used = 0;
    let growing = 0;
    /** How the row's height changes so that those sections that their photos make wide reach the edge. */
    const fitting = (wide: number, sum: number): number =>
      sum === 0 ? (wide > width ? 0 : 1) : 1 + (width - wide) / (sum * rowHeight);
    for (let at = from; sections[at]?.packs === true; at++) {
      const { start, count } = sections[at] ?? { start: 0, count: 0 };
      const space = gap * (count - 1);
      let sum = 0;
      for (let i = start; i < start + count && sum * rowHeight <= width; i++) sum += gridAspect(aspects, i);
      const slot = Math.max(narrowestSection, sum * rowHeight + space);
      const more = used + (slots.length === 0 ? 0 : between) + slot;
      const moreGrowing = growing + (slot > narrowestSection ? sum : 0);
      // A little lower is better than a wide gap at the end.
      if (more > width && (slots.length === 0 || fitting(more, moreGrowing) < squeeze)) break;
      used = more;
      growing = moreGrowing;
      slots.push(slot);
      sums.push(sum);
      if (used > width) break;
    }
    if (slots.length < 2) return 0;
    const fit = fitting(used, growing);
    const height = Math.floor(rowHeight * (fit <= stretch ? fit : 1));
    let left = 0;
    slots.forEach((slot, at) => {
      const photos = (sums[at] ?? 0) * height + gap * ((sections[from + at]?.count ?? 1) - 1);
      const wide = slot > narrowestSection ? photos : narrowestSection;
      sectionTops[from + at] = top;
      sectionLefts[from + at] = left;
      sectionWidths[from + at] = wide;
      left += wide + between;
    });
    top += sections[from]?.heading ?? 0;
    rowTops[rows] = top;
    rowHeights[rows] = height;
    rowStarts[rows] = sections[from]?.start ?? 0;
    rows++;
    top += height + gap;
    return slots.length;
  };

  let packed = 0;
  sections.forEach((section, at) => {
    if (at < packed) return;
    packed = at + pack(at);
    if (at < packed) return;
    sectionTops[at] = top;
    top += section.heading;
    const end = section.start + section.count;
    let start = section.start;
    let sum = 0;
    for (let i = start; i < end; i++) {
      const aspect = gridAspect(aspects, i);
      const count = i - start + 1;
      sum += aspect;
      if (sum * rowHeight + gap * (count - 1) < width) continue;
      const withIt = (width - gap * (count - 1)) / sum;
      const withoutIt = count === 1 ? Infinity : (width - gap * (count - 2)) / (sum - aspect);
      // Take the break whose row is nearer to the height aimed at, as a ratio.
      if (rowHeight / withIt <= withoutIt / rowHeight) {
        close(start, sum, count, false);
        start = i + 1;
        sum = 0;
      } else {
        close(start, sum - aspect, count - 1, false);
        start = i;
        sum = aspect;
      }
    }
    if (start < end) close(start, sum, end - start, true);
  });
  rowStarts[rows] = total;

  return {
    width,
    gap,
    height: Math.max(0, top - gap),
    rows,
    rowTops: rowTops.subarray(0, rows),
    rowHeights: rowHeights.subarray(0, rows),
    rowStarts: rowStarts.subarray(0, rows + 1),
    rowFull: rowFull.subarray(0, rows),
    sectionTops,
    sectionLefts,
    sectionWidths,
    sectionStarts: Uint32Array.from(sections, ({ start }) => start),
  };
}

/** The last position whose value is at most `value`; -1 before the first. */
function lastAtMost(sorted: ArrayLike<number>, length: number, value: number): number {
  let low = 0;
  let high = length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] ?? Infinity) <= value) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** @returns rows [first, end) that touch the pixels from top to bottom. */
export function visibleRows(layout: GridLayout, top: number, bottom: number): { first: number; end: number } {
  if (layout.rows === 0) return { first: 0, end: 0 };
  const at = Math.max(0, lastAtMost(layout.rowTops, layout.rows, top));
  const above = (layout.rowTops[at] ?? 0) + (layout.rowHeights[at] ?? 0) <= top;
  const first = above ? at + 1 : at;
  return { first, end: Math.max(first, lastAtMost(layout.rowTops, layout.rows, bottom) + 1) };
}

export function rowOf(layout: GridLayout, index: number): number {
  return Math.max(0, lastAtMost(layout.rowStarts, layout.rows, index));
}

/** @returns the first section of those that share the heading line at or above `top`. */
export function sectionAt(layout: GridLayout, top: number): number {
  const { sectionTops } = layout;
  let at = Math.max(0, lastAtMost(sectionTops, sectionTops.length, top));
  while (at > 0 && sectionTops[at - 1] === sectionTops[at]) at--;
  return at;
}

/** @returns the first section below the heading line of this one; the number of sections after the last. */
export function sectionBelow(layout: GridLayout, section: number): number {
  const { sectionTops } = layout;
  let at = section + 1;
  while (at < sectionTops.length && sectionTops[at] === sectionTops[section]) at++;
  return at;
}

/** @returns the photos of a row with whole-pixel edges; a full row ends exactly at the grid's width. */
export function cellsOf(layout: GridLayout, aspects: ArrayLike<number>, row: number): GridCell[] {
  const start = layout.rowStarts[row] ?? 0;
  const end = layout.rowStarts[row + 1] ?? start;
  const height = layout.rowHeights[row] ?? 0;
  let sum = 0;
  for (let i = start; i < end; i++) sum += gridAspect(aspects, i);
  const free = layout.width - layout.gap * (end - start - 1);
  const natural = sum * height;
  // Rounded heights leave a pixel or so; a lone photo capped in height is not stretched.
  const spread = layout.rowFull[row] === 1 && free / natural < 1.5 ? free / sum : height;
  const cells: GridCell[] = [];
  const { sectionStarts, sectionLefts } = layout;
  let section = lastAtMost(sectionStarts, sectionStarts.length, start) + 1;
  let x = 0;
  for (let i = start; i < end; i++) {
    if (i > start && sectionStarts[section] === i) x = sectionLefts[section++] ?? x;
    const left = Math.round(x);
    x += gridAspect(aspects, i) * spread;
    cells.push({ index: i, left, width: Math.max(1, Math.round(x) - left) });
    x += layout.gap;
  }
  return cells;
}

/** @returns the photo in another row whose centre is nearest to `x`. */
export function nearestInRow(layout: GridLayout, aspects: ArrayLike<number>, row: number, x: number): number {
  let best = layout.rowStarts[row] ?? 0;
  let distance = Infinity;
  for (const cell of cellsOf(layout, aspects, row)) {
    const away = Math.abs(cell.left + cell.width / 2 - x);
    if (away < distance) {
      distance = away;
      best = cell.index;
    }
  }
  return best;
}

/** @returns the photo under a point of the grid, or the nearest one of its row. */
export function photoAt(layout: GridLayout, aspects: ArrayLike<number>, x: number, y: number): number {
  const row = Math.max(0, lastAtMost(layout.rowTops, layout.rows, y));
  return nearestInRow(layout, aspects, row, x);
}
