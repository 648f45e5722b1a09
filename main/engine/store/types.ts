/** What the store offers the other rooms: rows in, rows out, no SQL outside this folder. */
import type { ErrorShape } from '../../errors.ts';
import type { Log } from '../log.ts';
import type { AlbumTable, AnswerTable, CaptionTable, TagTable, WordTable } from './description-types.ts';
import type { FeedbackTable, NameTable, PastQueryTable, RunTable } from './learning-types.ts';

export type * from './description-types.ts';
export type * from './learning-types.ts';

export type PhotoStatus = 'pending' | 'indexed' | 'failed';

export interface RootRow {
  readonly id: number;
  readonly path: string;
  readonly addedAt: number;
  readonly online: boolean;
  readonly lastScanAt: number | null;
}

/** What a stat says of a file. Times are milliseconds since 1970. */
export interface FileStat {
  readonly bytes: number;
  readonly mtimeMs: number;
}

export interface PhotoMetadata {
  /** Pixels after orientation. */
  readonly width: number;
  readonly height: number;
  readonly format: string;
  /** Camera's local clock read as UTC, milliseconds; null where EXIF has none. */
  readonly takenAt: number | null;
  readonly camera: string | null;
  readonly lens: string | null;
  readonly exposureSeconds: number | null;
  readonly fNumber: number | null;
  readonly iso: number | null;
  readonly focalLengthMm: number | null;
  readonly latitude: number | null;
  readonly longitude: number | null;
}

export interface PhotoRow extends FileStat {
  readonly id: number;
  readonly rootId: number;
  /** Relative to the root, '/' between parts, NFC-normalised only for comparing, stored as the disk gives it. */
  readonly relPath: string;
  /** SHA-256 of the bytes, first 16 bytes as 32 hex digits; null until hashed. */
  readonly hash: string | null;
  readonly status: PhotoStatus;
  readonly error: ErrorShape | null;
  /** How many worker deaths this photo is blamed for. */
  readonly deaths: number;
  readonly metadata: PhotoMetadata | null;
}

/** A file seen by a scan. */
export interface SeenFile extends FileStat {
  readonly relPath: string;
}

/** One finished photo of a batch: written as a whole or not at all. */
export interface IndexedPhoto {
  readonly photoId: number;
  readonly hash: string;
  readonly stat: FileStat;
  readonly metadata: PhotoMetadata;
  /** Unit vector (dims,) float32. */
  readonly vector: Float32Array;
  /** WebP bytes, written to the thumbnail file after the commit. */
  readonly thumbnail: Uint8Array | null;
}

export interface FailedPhoto {
  readonly photoId: number;
  readonly hash: string | null;
  readonly stat: FileStat;
  readonly error: ErrorShape;
}

export interface PhotoFilter {
  /** Case-insensitive substrings that must all occur in the folder or file path. */
  readonly in?: readonly string[];
  readonly rootIds?: readonly number[];
  /** Half-open interval of takenAt, milliseconds. */
  readonly after?: number;
  readonly before?: number;
  readonly camera?: readonly string[];
  readonly formats?: readonly string[];
  readonly offline?: boolean;
  /** Words that must stand in this order in the caption, the tags or the file name. */
  readonly phrases?: readonly string[];
  /** Names of albums and of tags, folded; the photo must be in each. */
  readonly albums?: readonly string[];
  readonly tags?: readonly string[];
  readonly captioned?: boolean;
}

export interface Vectors {
  readonly ids: Float64Array | readonly number[];
  /** (ids.length, dims) float32, row-major, unit rows, in a buffer of its own. */
  readonly data: Float32Array;
  readonly dims: number;
}

export interface SnapshotInfo {
  readonly generation: number;
  readonly count: number;
  readonly dims: number;
  readonly bytes: number;
}

/** The library file. Opened once per process; synchronous, as better-sqlite3 is. */
export interface Store {
  readonly path: string;
  readonly readOnly: boolean;
  readonly roots: RootTable;
  readonly photos: PhotoTable;
  readonly embeddings: EmbeddingTable;
  readonly snapshots: SnapshotTable;
  readonly thumbnails: ThumbnailTable;
  readonly settings: SettingTable;
  readonly captions: CaptionTable;
  readonly answers: AnswerTable;
  readonly tags: TagTable;
  readonly albums: AlbumTable;
  readonly words: WordTable;
  readonly feedback: FeedbackTable;
  readonly queries: PastQueryTable;
  readonly names: NameTable;
  readonly runs: RunTable;
  readonly erase: {
    /** Every caption, answer and album, also those that wait for photos to come back. Tags stay. */
    descriptions(): void;
    /** Every thumb, past query, taught name, run and head. The active model must not be a derived one. */
    learning(): void;
  };
  /** Bytes on disk of the library (with its WAL) and of the thumbnails. */
  sizes(): { library: number; thumbnails: number };
  close(): void;
}

export interface RootTable {
  list(): RootRow[];
  get(id: number): RootRow | undefined;
  add(path: string, addedAt: number): RootRow;
  /** Forgets the root and its photos. @returns ids of the photos that went. */
  remove(id: number): number[];
  /** Makes the child's photos the parent's, prefixing their relative paths, and removes the child root. */
  adopt(parentId: number, childId: number, prefix: string): void;
  setOnline(id: number, online: boolean): void;
  setScanned(id: number, at: number): void;
  counts(): ReadonlyMap<number, { photos: number; failed: number }>;
}

/** What a scan compares with: small, so that 100,000 of them fit easily. */
export interface KnownFile extends FileStat {
  readonly id: number;
  readonly relPath: string;
  readonly hash: string | null;
  readonly status: PhotoStatus;
}

export interface PhotoTable {
  get(id: number): PhotoRow | undefined;
  getMany(ids: readonly number[]): PhotoRow[];
  counts(): { total: number; indexed: number; failed: number; pending: number };
  /** Every stored file of a root. */
  files(rootId: number): KnownFile[];
  /** New files, pending. @returns their ids, in order. */
  add(rootId: number, files: readonly SeenFile[]): number[];
  /** Files whose stat changed: pending again, their old vector stays until the new one is there. */
  markChanged(files: readonly { id: number; stat: FileStat }[]): void;
  /** The content is known to be the same: only path, root and stat change. */
  move(photoId: number, to: { rootId: number; relPath: string; stat: FileStat }): void;
  /** The stat changed but the bytes did not (touched, copied back): status as before. */
  touch(photoId: number, stat: FileStat): void;
  /** Removes photos with all they own; bumps the generation once. */
  remove(ids: readonly number[]): void;
  /** Next photos to work on: pending, on an online root, in id order after `afterId`. */
  pending(options: { limit: number; afterId?: number; rootIds?: readonly number[] }): PhotoRow[];
  /** Photos indexed once that have no vector of this model: what a new pack still has to embed. */
  withoutVector(modelId: number, options: { limit: number; afterId?: number }): PhotoRow[];
  /** Failed photos become pending, their deaths forgotten; all of them without ids. @returns how many. */
  requeue(ids?: readonly number[]): number;
  /** @returns deaths now blamed on the photo. */
  addDeath(id: number): number;
  failures(options: { offset: number; limit: number }): { total: number; rows: PhotoRow[] };
  /** Photos with these bytes; `hash` as in PhotoRow. */
  byHash(hash: string): PhotoRow[];
  /** All indexed photos, newest first, as columns. */
  timeline(): { ids: number[]; widths: number[]; heights: number[]; takenAt: number[] };
  /** Ids of indexed photos that pass, ascending. */
  filter(filter: PhotoFilter): number[];
  duplicates(options: { offset: number; limit: number }): { total: number; groups: PhotoRow[][] };
  /** One transaction: rows, metadata and vectors of a batch and its failures. @returns the new generation. */
  commit(modelId: number, indexed: readonly IndexedPhoto[], failed: readonly FailedPhoto[]): number;
  /**
   * A further file with bytes already indexed: copies metadata and vectors.
   * @returns the new generation.
   * @throws AppError not-found when either photo is gone or the original was never indexed
   */
  commitCopy(photoId: number, fromId: number, stat: FileStat): number;
}

export interface EmbeddingTable {
  /** The row of a pack's fingerprint, made when new. @throws AppError pack-invalid when its dims differ. */
  model(fingerprint: string, packId: string, dims: number): number;
  /** The row of a fingerprint when there is one; unlike `model`, nothing is made. */
  find(fingerprint: string): number | undefined;
  /** `base`: for vectors that a head made, the model whose vectors they were made from, and the run of the head. */
  activeModel():
    | {
        modelId: number;
        fingerprint: string;
        packId: string;
        dims: number;
        base: { modelId: number; fingerprint: string; runId: number } | null;
      }
    | undefined;
  /** The row of a model whose vectors a run's head makes from another's, made when new. @throws AppError not-found */
  derivedModel(baseId: number, runId: number, headHash: string): number;
  /**
   * Photos whose vector of the base model has none, or an older one, in the derived model; in id order.
   * What new photos and crashes between two commits leave to be done. Where little is, each row up to `upTo` is
   * looked at: 4 ms for 1,000.
   */
  underived(
    modelId: number,
    baseId: number,
    options: { limit: number; afterId?: number; upTo?: number },
  ): Vectors;
  setActiveModel(modelId: number): void;
  /** Increases with every transaction that changes what can be found. */
  generation(): number;
  count(modelId: number): number;
  /** Every vector of a model. 100,000 x 512 takes about 0.3 s. */
  all(modelId: number): Vectors;
  /** A part of them in id order, so that nobody has to wait for all. */
  page(modelId: number, options: { limit: number; afterId?: number }): Vectors;
  get(modelId: number, photoId: number): Float32Array | undefined;
  /** Vectors written after a generation, and ids of photos gone since: how a stale graph catches up. */
  changesSince(modelId: number, generation: number): { upserted: Vectors; removed: number[] } | undefined;
  /** Shadow embedding of a photo already indexed with another pack. */
  put(modelId: number, rows: readonly { photoId: number; vector: Float32Array }[]): number;
  /** Forgets a model's vectors and graph. */
  drop(modelId: number): void;
}

export interface SnapshotTable {
  info(modelId: number): SnapshotInfo | undefined;
  /** Writes chunks in one transaction, replacing the older snapshot of the model. */
  write(modelId: number, info: Omit<SnapshotInfo, 'bytes'>, bytes: Iterable<Uint8Array>): void;
  /** Chunks in order, each verified. @throws AppError library-damaged when one is missing or torn. */
  read(modelId: number): Iterable<Uint8Array>;
}

export interface ThumbnailTable {
  get(photoId: number): Uint8Array | undefined;
  put(rows: readonly { photoId: number; webp: Uint8Array }[]): void;
  /** Drops the least recently used until the file's content fits. */
  trim(maxBytes: number): void;
}

export interface SettingTable {
  /** Parsed JSON, or undefined; callers parse it with their own schema. */
  get(key: string): unknown;
  set(key: string, value: unknown): void;
}

export interface OpenStoreOptions {
  /** Folder of the library: library.db, thumbnails.db, packs/, backups/. Made when missing. */
  readonly directory: string;
  readonly now: () => number;
  /** Opens beside a live owner without writing. */
  readonly readOnly?: boolean;
  /** Hears of migrations, and of thumbnails that could not be written; silent by default. */
  readonly log?: Log;
}
