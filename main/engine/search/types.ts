/** What the search room needs of the others, and what it offers the engine. */
import type { CallOutput, ParsedInput, PhotoTag, SmartQuery } from '../../contract.ts';
import type { VectorIndex } from '../index/types.ts';
import type { Decoder, Embedder, TextSide } from '../inference/types.ts';
import type { Log } from '../log.ts';
import type { Store, WordPlace } from '../store/types.ts';

/** The active pack's text side with the index of its vectors; the two are always of one space. */
export interface SearchModel {
  readonly embedder: TextSide;
  readonly index: VectorIndex;
}

/** A trained head that moves no vectors and orders what was found; both parts are for queries of words alone. */
export interface LearntOrdering {
  /** What is added to the cosine. @param query unit (dims,) */
  readonly extraScore?: ((query: Float32Array) => (photo: Float32Array) => number) | undefined;
  /** What words in each place are worth beside looks. */
  readonly worth?: Readonly<Record<WordPlace, number>> | undefined;
}

export interface SearchOptions {
  readonly store: Store;
  /** The index and the text side, once both are loaded. @throws AppError pack-missing, pack-unfit */
  readonly model: () => Promise<SearchModel>;
  /** The image side, which takes longer to load than the text side. @throws AppError as `model` */
  readonly embedder: () => Promise<Embedder>;
  /** Decodes pictures that are dropped to search by. */
  readonly decoder: () => Decoder;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Every tag with its probability for a photo, most probable first; without it, "why" shows none. */
  readonly tagsOf?: (photoId: number, signal?: AbortSignal) => Promise<readonly PhotoTag[]>;
  /** The same object for as long as it is the same head; undefined for none. */
  readonly ordering?: () => LearntOrdering | undefined;
  /** Hears why a photo could not be looked at; silent by default. */
  readonly log?: Log;
}

export interface Search {
  /** @throws AppError not-found (an example that is gone), pack-missing, cancelled */
  query(input: ParsedInput<'search.query'>, signal?: AbortSignal): Promise<CallOutput<'search.query'>>;
  /**
   * Every photo at or above the query's band, best first; for queries that only filter, all that pass, newest first.
   * @throws AppError as `query`
   */
  ids(query: SmartQuery, signal?: AbortSignal): Promise<number[]>;
  /**
   * Why a photo is where it is among a query's results. `heat` is null where the photo cannot be read now.
   * @throws AppError not-found, input-invalid (nothing to compare with), pack-missing, cancelled
   */
  why(input: ParsedInput<'search.why'>, signal?: AbortSignal): Promise<CallOutput<'search.why'>>;
  parse(input: ParsedInput<'search.parse'>): CallOutput<'search.parse'>;
  /** @throws AppError image-broken, image-unsupported, image-too-large, input-invalid */
  addExample(
    input: ParsedInput<'search.addExample'>,
    signal?: AbortSignal,
  ): Promise<CallOutput<'search.addExample'>>;
  /** @throws AppError not-found, pack-missing */
  classify(
    input: ParsedInput<'search.classify'>,
    signal?: AbortSignal,
  ): Promise<CallOutput<'search.classify'>>;
  suggestions(signal?: AbortSignal): Promise<CallOutput<'search.suggestions'>>;
}
