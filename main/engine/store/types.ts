/** What the store offers the other rooms: rows in, rows out, no SQL outside this folder. */
import type { ErrorShape } from '../../errors.ts';

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
