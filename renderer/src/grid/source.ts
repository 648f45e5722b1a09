/** A row of photos that the grid shows and the viewer walks through. */
export interface GridSource {
  readonly count: number;
  idAt(index: number): number | undefined;
  /** Someone looks at this photo: a source that comes in pages fetches what follows. */
  near(index: number): void;
}

/** Where a grid was left, so that coming back shows the same place. */
export interface GridMemory {
  top: number;
  active: number;
}
