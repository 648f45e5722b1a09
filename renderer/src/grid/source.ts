/** Photos in an order, and what found them: what the grid shows and the viewer walks through. */
import type { Example } from '../../../main/contract.ts';

/** What found a photo: the same object as long as it is the same search. */
export interface PhotoQuery {
  readonly text: string;
  readonly examples: readonly Example[];
}

/** A row of photos that the grid shows and the viewer walks through. */
export interface GridSource {
  readonly count: number;
  idAt(index: number): number | undefined;
  /** Someone looks at this photo: a source that comes in pages fetches what follows. */
  near(index: number): void;
  /** Null or missing where nothing was searched for. */
  readonly query?: PhotoQuery | null;
}

/** Where a grid was left, so that coming back shows the same place. */
export interface GridMemory {
  top: number;
  active: number;
}
