/** Dragging over the grid with a mouse selects everything from where it began to the pointer. */
import { photoAt, type GridLayout } from './layout.ts';

interface DragSelectOptions {
  layout: () => GridLayout;
  aspects: () => ArrayLike<number>;
  scroller: () => HTMLElement;
  /** What is selected already when dragging begins. */
  begin: () => ReadonlySet<number>;
  select: (from: number, to: number, before: ReadonlySet<number>) => void;
}

/** A shaky click moves a few pixels. */
const slackPixels = 8;
const edgePixels = 48;
const scrollPixelsPerFrame = 14;

export class DragSelect {
  readonly #options: DragSelectOptions;
  #start: { x: number; y: number; index: number; before: ReadonlySet<number> } | undefined;
  #pointer = { x: 0, y: 0 };
  #dragging = false;
  #justDragged = false;
  #frame = 0;

  constructor(options: DragSelectOptions) {
    this.#options = options;
  }

  down(event: PointerEvent, index: number | undefined): void {
    this.#justDragged = false;
    if (event.pointerType !== 'mouse' || event.button !== 0 || index === undefined || event.shiftKey) return;
    this.#start = { x: event.clientX, y: event.clientY, index, before: this.#options.begin() };
  }

  move(event: PointerEvent): void {
    const start = this.#start;
    if (start === undefined) return;
    this.#pointer = { x: event.clientX, y: event.clientY };
    if (!this.#dragging) {
      if (Math.hypot(event.clientX - start.x, event.clientY - start.y) < slackPixels) return;
      this.#dragging = true;
      this.#options.scroller().setPointerCapture(event.pointerId);
      this.#frame = requestAnimationFrame(() => this.#scroll());
    }
    this.#update();
  }

  up(event: PointerEvent): void {
    if (this.#dragging) {
      this.#options.scroller().releasePointerCapture(event.pointerId);
      cancelAnimationFrame(this.#frame);
      this.#justDragged = true;
    }
    this.#dragging = false;
    this.#start = undefined;
  }

  /** The click that ends a drag opens nothing. */
  tookClick(): boolean {
    const took = this.#justDragged;
    this.#justDragged = false;
    return took;
  }

  #update(): void {
    const start = this.#start;
    if (start === undefined) return;
    const scroller = this.#options.scroller();
    const box = scroller.getBoundingClientRect();
    const padding = parseFloat(getComputedStyle(scroller).paddingLeft);
    const x = this.#pointer.x - box.left - padding;
    const y = this.#pointer.y - box.top + scroller.scrollTop;
    this.#options.select(
      start.index,
      photoAt(this.#options.layout(), this.#options.aspects(), x, y),
      start.before,
    );
  }

  #scroll(): void {
    const scroller = this.#options.scroller();
    const box = scroller.getBoundingClientRect();
    const by =
      this.#pointer.y < box.top + edgePixels
        ? -scrollPixelsPerFrame
        : this.#pointer.y > box.bottom - edgePixels
          ? scrollPixelsPerFrame
          : 0;
    if (by !== 0) {
      scroller.scrollTop += by;
      this.#update();
    }
    this.#frame = requestAnimationFrame(() => this.#scroll());
  }
}
