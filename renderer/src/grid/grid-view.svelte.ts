/** What of a grid is on the screen: the rows near the window, the active photo, and the place one scrolled to. */
import { untrack } from 'svelte';
import { layoutGrid, rowOf, sectionAt, sectionBelow, visibleRows, type SectionHead } from './layout.ts';
import { RowCache } from './row-cache.ts';
import type { GridMemory, GridSource } from './source.ts';

/** What the view is of; functions, so that a change of any of them is seen. */
interface GridInputs {
  readonly source: () => GridSource;
  readonly aspects: () => ArrayLike<number>;
  readonly sections: () => readonly SectionHead[];
  readonly memory: () => GridMemory;
  /** A new value starts the grid at the memory's place again. */
  readonly round: () => number;
  /** The row height that the person chose, CSS pixels. */
  readonly rowHeight: () => number;
}

const gap = 4;
/** Nothing is fetched until scrolling at more than a screen and a half a step has paused for this long. */
const rushMs = 90;
const headingPixels = 44;

export class GridView {
  width = $state(0);
  viewport = $state(0);
  top = $state(0);
  active = $state(0);
  /** Scrolling so fast that fetching what flies by would only be in the way. */
  rushing = $state(false);
  scroller = $state<HTMLElement>();
  /** On a narrow window two photos should still fit beside each other. */
  readonly layout = $derived.by(() => {
    const { aspects, sections, rowHeight } = this.#of;
    const fitting = Math.min(rowHeight(), Math.max(96, this.width / 2.6));
    return layoutGrid({
      aspects: aspects(),
      sections: sections(),
      width: this.width,
      rowHeight: fitting,
      gap,
    });
  });
  /** As text, so that scrolling within the same rows changes nothing. */
  readonly #range = $derived.by(() => {
    const seen = visibleRows(this.layout, this.top - this.viewport * 0.75, this.top + this.viewport * 1.75);
    return `${seen.first}-${seen.end}`;
  });
  readonly #rowCache = $derived.by(() => new RowCache(this.layout, this.#of.aspects()));
  readonly rows = $derived.by(() => {
    const [first = 0, end = 0] = this.#range.split('-').map(Number);
    return this.#rowCache.range(first, end);
  });
  readonly heads = $derived.by(() => {
    const sections = this.#of.sections();
    if (this.rows.length === 0 || sections.length === 0) return [];
    const from = sectionAt(this.layout, this.rows[0]?.top ?? 0);
    const end = sectionBelow(this.layout, sectionAt(this.layout, this.rows.at(-1)?.top ?? 0));
    const { sectionTops, sectionLefts, sectionWidths } = this.layout;
    return sections
      .slice(from, end)
      .map((head, at) => ({
        ...head,
        top: sectionTops[from + at] ?? 0,
        left: sectionLefts[from + at] ?? 0,
        width: sectionWidths[from + at] ?? 0,
      }))
      .filter((head) => head.kind !== 'plain');
  });
  readonly #of: GridInputs;
  #rushTimer: ReturnType<typeof setTimeout> | undefined;
  /** The photo at the top edge: it stays there when rows are laid out anew. */
  #anchor: { id: number | undefined; index: number; offset: number } = { id: undefined, index: 0, offset: 0 };
  #settled = false;
  #lastRound: number;

  /** Made while a component is being made: it keeps its place through effects of that component. */
  constructor(inputs: GridInputs) {
    this.#of = inputs;
    const memory = untrack(inputs.memory);
    this.top = memory.top;
    this.active = memory.active;
    this.#lastRound = untrack(inputs.round);
    $effect(() => {
      if (this.layout.width <= 1 || this.layout.rows === 0) return;
      untrack(() => this.#keepPlace());
    });
    $effect.pre(() => {
      const round = inputs.round();
      if (round === this.#lastRound) return;
      this.#lastRound = round;
      untrack(() => this.#startAgain());
    });
  }

  get memory(): GridMemory {
    return this.#of.memory();
  }

  scrolled(): void {
    const { scroller, viewport } = this;
    if (scroller === undefined) return;
    const next = scroller.scrollTop;
    if (Math.abs(next - this.top) > viewport * 1.5) {
      this.rushing = true;
      clearTimeout(this.#rushTimer);
      this.#rushTimer = setTimeout(() => (this.rushing = false), rushMs);
    }
    this.top = next;
    this.#remember();
    const lastRow = visibleRows(this.layout, next, next + viewport * 2).end;
    this.#of.source().near((this.layout.rowStarts[lastRow] ?? 1) - 1);
  }

  scrollTo(next: number): void {
    if (this.scroller === undefined) return;
    this.scroller.scrollTop = next;
    this.top = this.scroller.scrollTop;
  }

  /** @param into whether the window moves so that all of it is seen. */
  activate(index: number, into = true): void {
    this.active = Math.max(0, Math.min(this.#of.source().count - 1, index));
    this.memory.active = this.active;
    if (!into) return;
    const { layout, top, viewport } = this;
    const row = rowOf(layout, this.active);
    const above = (layout.rowTops[row] ?? 0) - 8;
    const below = above + (layout.rowHeights[row] ?? 0) + 16;
    // The first row of a section brings its heading along.
    const isFirst = this.#of.sections().some((section) => section.start === layout.rowStarts[row]);
    const head = isFirst ? headingPixels : 0;
    if (above - head < top) this.scrollTo(Math.max(0, above - head));
    else if (below > top + viewport) this.scrollTo(below - viewport);
  }

  isOnScreen(index: number): boolean {
    const rowTop = this.layout.rowTops[rowOf(this.layout, index)] ?? 0;
    return rowTop >= this.top && rowTop < this.top + this.viewport;
  }

  #remember(): void {
    const { layout, top } = this;
    this.memory.top = top;
    const first = visibleRows(layout, top, top + this.viewport).first;
    const index = layout.rowStarts[first] ?? 0;
    this.#anchor = { id: this.#of.source().idAt(index), index, offset: top - (layout.rowTops[first] ?? 0) };
  }

  #keepPlace(): void {
    const { layout } = this;
    const source = this.#of.source();
    const anchor = this.#anchor;
    if (!this.#settled) {
      this.#settled = true;
      this.scrollTo(this.memory.top);
    } else if (anchor.id !== undefined && this.top > 0) {
      let { index } = anchor;
      if (source.idAt(index) !== anchor.id) {
        index = 0;
        while (index < source.count && source.idAt(index) !== anchor.id) index++;
      }
      if (index < source.count) this.scrollTo((layout.rowTops[rowOf(layout, index)] ?? 0) + anchor.offset);
    }
    this.#remember();
    source.near(layout.rowStarts[visibleRows(layout, this.top, this.top + this.viewport).end] ?? 0);
  }

  #startAgain(): void {
    this.#anchor = { id: undefined, index: 0, offset: 0 };
    this.active = this.memory.active;
    // The rows of the new answer are there only after this update.
    queueMicrotask(() => this.scrollTo(this.memory.top));
  }
}
