/** One thing that a person said: these words are, or are not, true of this photo. */
import type { PairSource } from '../../../contract.ts';
import type { PairPhoto } from './photo-book.ts';

export interface Statement {
  readonly source: PairSource;
  readonly text: string;
  readonly photo: PairPhoto;
  /** Milliseconds since 1970; null where nobody knows. */
  readonly at: number | null;
  /** What it counts by its source, 0 to 1. */
  readonly worth: number;
  /** Of the captions file; 0 elsewhere. */
  readonly line: number;
}

export interface Skipped {
  /** Of the captions file, from 1; 0 for a photo of the library. */
  readonly line: number;
  readonly reason: string;
}

/** What was said, before it is known what can be learnt from it. */
export interface Heard {
  readonly statements: readonly Statement[];
  /** Thumbs down. */
  readonly against: readonly Statement[];
  readonly skipped: readonly Skipped[];
}
