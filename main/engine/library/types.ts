/** What the library offers the engine: folders become photos, and photos become vectors in the store. */
import type { IndexProgress, IndexReport, PhotoFailure, Root } from '../../contract.ts';
import type { ErrorShape } from '../../errors.ts';
import type { Decoder, Embedder } from '../inference/types.ts';
import type { Log } from '../log.ts';
import type { PhotoMetadata, Store } from '../store/types.ts';

/** The pack that new photos are embedded with, and its row in the store. */
export interface ActiveModel {
  readonly modelId: number;
  readonly embedder: Embedder;
}

/** Something a person should know; `key` is stable, so that a repeated notice replaces the older one. */
export interface Notice extends ErrorShape {
  readonly level: 'info' | 'warning' | 'error';
  readonly key: string;
}

/** A clock's other half, passed in so that tests turn it by hand. */
export interface Timers {
  /** @returns a function that cancels. */
  after(delayMs: number, run: () => void): () => void;
}

/** One file-system event under a watched folder; paths are absolute. */
export interface WatchEvent {
  readonly path: string;
}

/** Watches a folder with all below it. Resolves once the watch is set; rejects when the system refuses. */
export type SubscribeFolder = (
  folder: string,
  ignore: readonly string[],
  listener: (error: Error | null, events: readonly WatchEvent[]) => void,
) => Promise<() => Promise<void>>;

export interface LibraryOptions {
  readonly store: Store;
  readonly decoder: Decoder;
  /** Asked at the start of each run; undefined where no pack is ready yet, and then `run` rejects with pack-missing. */
  readonly model: () => ActiveModel | undefined;
  /** The library's own folder: never a root, and skipped when it lies inside one. */
  readonly libraryFolder: string;
  readonly thumbnailsMaxBytes: () => number;
  readonly log: Log;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly timers: Timers;
  /** The default is @parcel/watcher. */
  readonly subscribe?: SubscribeFolder | undefined;
  /** These vectors were just committed as `generation`: put them into the index. */
  readonly onCommitted: (rows: readonly { id: number; vector: Float32Array }[], generation: number) => void;
  /** These photos can't be found any more (deleted, forgotten, or failed after an edit). */
  readonly onRemoved: (photoIds: readonly number[], generation: number) => void;
  /** These photos lie somewhere else now; their vectors stay as they are. */
  readonly onMoved?: ((photoIds: readonly number[], generation: number) => void) | undefined;
  readonly onProgress: (progress: IndexProgress) => void;
  readonly onRootsChanged: (roots: Root[]) => void;
  readonly onNotice: (notice: Notice) => void;
}

export interface RunOptions {
  /** Roots to scan and index; all of them when left out. */
  readonly rootIds?: readonly number[] | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: IndexProgress) => void) | undefined;
}

export interface EmbedProgress {
  readonly done: number;
  readonly total: number;
  readonly imagesPerSecond: number;
  readonly secondsLeft: number | null;
}

export interface EmbedReport {
  readonly embedded: number;
  /** Photos on folders that are not mounted: they get their vectors when they are back and this is run again. */
  readonly offline: number;
  readonly failed: readonly (ErrorShape & { readonly photoId: number; readonly path: string })[];
}

/** Where a photo lies, checked a moment ago. */
export interface PhotoLocation {
  /** Absolute, real (no links), inside its root. */
  readonly path: string;
  readonly metadata: PhotoMetadata | null;
}

export interface Library {
  roots(): Root[];
  /**
   * Makes a folder a root; scanning it is `run`'s. Roots inside it become part of it, and a folder inside a
   * root is answered with that root and `alreadyCovered`.
   * @throws AppError root-invalid
   */
  addRoot(path: string): Promise<{ root: Root; alreadyCovered: boolean }>;
  /** Forgets the root and its photos; files stay as they are. @throws AppError not-found */
  removeRoot(rootId: number): { removedPhotos: number };
  /**
   * Scans and indexes. A run under way is joined: further roots are scanned within it and every caller gets
   * its report. An abort detaches its caller; the run itself stops when every caller has gone.
   * @throws AppError cancelled, pack-missing, disk-full, worker-died, engine-stopped, not-found (root id)
   */
  run(options?: RunOptions): Promise<IndexReport>;
  /**
   * Vectors of another pack for every photo indexed before (a shadow: the active model is untouched).
   * Waits for a run under way; resumable, since each batch is written when it is done.
   * @throws AppError cancelled, disk-full, worker-died
   */
  embedMissing(options: {
    readonly model: ActiveModel;
    readonly signal?: AbortSignal | undefined;
    readonly onProgress?: ((progress: EmbedProgress) => void) | undefined;
  }): Promise<EmbedReport>;
  /** Photos in flight are finished; no further ones are begun until `resume`. Holds for later runs, too. */
  pause(): void;
  resume(): void;
  state(): IndexProgress;
  failures(options: { offset: number; limit: number }): { total: number; failures: PhotoFailure[] };
  /** Failed photos become pending again (all of them without ids); `run` works on them. */
  retry(photoIds?: readonly number[]): { queued: number };
  /** WebP bytes, made again when they were evicted. @throws AppError not-found, root-offline, image-* */
  thumbnail(photoId: number, signal?: AbortSignal): Promise<Uint8Array>;
  /** @throws AppError not-found, root-offline, file-vanished, permission-denied (outside its root) */
  locate(photoId: number): Promise<PhotoLocation>;
  /** Follows changes of the roots from now on, or stops to. Runs it starts report through `onProgress`. */
  setWatching(on: boolean): Promise<void>;
  /** Stops watching and the run under way (its callers get engine-stopped). The store and decoder stay open. */
  close(): Promise<void>;
}
