/** What taught names need of the rooms around them, and what they offer the engine. */
import type { TaughtName } from '../../../contract.ts';
import type { TextSide } from '../../inference/types.ts';
import type { Log } from '../../log.ts';
import type { Store } from '../../store/types.ts';

/** The vectors that are searched: an index of photos, of which names use this much. */
export interface PhotoVectors {
  readonly dims: number;
  readonly size: number;
  vector(id: number): Float32Array | undefined;
  has(id: number): boolean;
  search(
    query: Float32Array,
    options: { readonly k: number },
  ): { readonly neighbours: readonly { readonly id: number; readonly score: number }[] };
  sampleScores(query: Float32Array, size: number): Float32Array;
}

/** A text side with the vectors that its queries are compared with. */
export interface NamedSpace {
  readonly embedder: TextSide;
  readonly index: PhotoVectors;
}

export interface NamesOptions {
  readonly store: Store;
  /** The space that is searched now. @throws AppError pack-missing, pack-unfit */
  readonly model: () => Promise<NamedSpace>;
  /** The same if it is loaded already. */
  readonly current: () => NamedSpace | undefined;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly log: Log;
  /** Hears that names, their photos or their checks are others. */
  readonly onNames: () => void;
}

export interface Names {
  /** Without waiting for anything: checks that are not known yet are null, and `onNames` tells when they are. */
  list(): TaughtName[];
  /**
   * Gives photos a name, making it when it is new; `kind` replaces the one before.
   * @throws AppError input-invalid (no name, a name of marks alone), not-found (photos that are gone)
   */
  teach(
    input: { name: string; kind?: string | undefined; photoIds: readonly number[] },
    signal?: AbortSignal,
  ): Promise<TaughtName>;
  /** @throws AppError not-found, input-invalid (taken, or no name) */
  update(input: {
    nameId: number;
    name?: string | undefined;
    kind?: string | null | undefined;
  }): Promise<TaughtName>;
  /** Ids of indexed photos that carry it, ascending. @throws AppError not-found */
  photos(nameId: number): number[];
  /** @throws AppError not-found */
  take(nameId: number, photoIds: readonly number[]): Promise<TaughtName>;
  /** @throws AppError not-found */
  remove(nameId: number): void;
  /**
   * The same space with queries that know the names. Queries without one are embedded by `embedder` itself, so that
   * they are what they were to the bit; so are all texts that are no queries.
   */
  withNames<T extends NamedSpace>(space: T): T;
  /** Photos or the model are others: names are told of again, if there are any. */
  changed(): void;
  close(): Promise<void>;
}
