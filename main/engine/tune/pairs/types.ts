/** What gathering pairs needs, and what it says of them before and after. */
import type { ErrorShape } from '../../../errors.ts';
import type { PairSource, TuneSources } from '../../../contract.ts';
import type { Log } from '../../log.ts';
import type { GenericSet, TextSide } from '../../inference/types.ts';
import type { Store } from '../../store/types.ts';
import type { GatheredPairs } from '../types.ts';

export interface GatherOptions {
  readonly store: Store;
  /** The pack's own row and text side, never those of a head. */
  readonly model: { readonly modelId: number; readonly embedder: TextSide };
  /**
   * Photos nearest to a vector (dims,) among all of the library, best first; for hard negatives. An index over a head's
   * vectors serves as well: only the ids count, their vectors are read from the pack's own.
   */
  readonly nearest: (vector: Float32Array, k: number) => readonly { id: number; score: number }[];
  /** A captions file, or a folder with one; absolute. Null for the library alone. */
  readonly file: string | null;
  /** Unit vector (dims,) of a photo of a captions file that is not in the library. @throws AppError image-broken, ... */
  readonly embedPhoto: (path: string, signal?: AbortSignal) => Promise<Float32Array>;
  /** The indexed photo at an absolute path (links resolved); null for none. */
  readonly photoAt: (path: string) => Promise<number | null>;
  /** Only these; all of them when left out. */
  readonly sources?: readonly PairSource[] | undefined;
  /** The words of a query without its filters and what it leaves out, as search reads it; '' when none are left. */
  readonly wordsOfQuery: (query: string) => string;
  /** What the pack ships; null for packs that ship none, and the library makes one. */
  readonly generic: () => Promise<GenericSet | null>;
  /** Milliseconds since 1970: nothing is newer than this. */
  readonly now: number;
  /** Draws samples and hard negatives: the same library and seed give the same bits. */
  readonly seed: number;
  readonly log: Log;
  readonly signal?: AbortSignal | undefined;
  /** Texts and photos embedded so far. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

export type SourcesReport = Omit<TuneSources, 'secondsEstimate' | 'problem'> & {
  /** Why a run would be refused at once; null when it can start. */
  readonly problem: ErrorShape | null;
};

export interface Gathering {
  /** Null where `report.problem` says why. */
  readonly gathered: GatheredPairs | null;
  readonly report: SourcesReport;
}
