/** A photo's row as SQLite has it, and as the other rooms see it. */
import { z } from 'zod';
import { errorShape } from '../../contract.ts';
import type { ErrorShape } from '../../errors.ts';
import { damaged } from './sqlite-errors.ts';
import type { PhotoMetadata, PhotoRow, PhotoStatus } from './types.ts';

/** Types hold because the table is STRICT and its CHECKs name every status. */
export interface RawPhoto {
  readonly id: number;
  readonly rootId: number;
  readonly relPath: string;
  readonly bytes: number;
  readonly mtimeMs: number;
  readonly hash: string | null;
  readonly status: PhotoStatus;
  readonly error: string | null;
  readonly deaths: number;
  readonly width: number | null;
  readonly height: number | null;
  readonly format: string | null;
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

export const photoColumns = `p.id, p.root_id AS rootId, p.rel_path AS relPath, p.bytes, p.mtime_ms AS mtimeMs,
  p.hash, p.status, p.error, p.deaths, p.width, p.height, p.format, p.taken_at AS takenAt, p.camera, p.lens,
  p.exposure_seconds AS exposureSeconds, p.f_number AS fNumber, p.iso, p.focal_length_mm AS focalLengthMm,
  p.latitude, p.longitude`;

/** In the order of the metadata columns above; what a commit binds. */
export const metadataColumns = {
  width: 'width',
  height: 'height',
  format: 'format',
  taken_at: 'takenAt',
  camera: 'camera',
  lens: 'lens',
  exposure_seconds: 'exposureSeconds',
  f_number: 'fNumber',
  iso: 'iso',
  focal_length_mm: 'focalLengthMm',
  latitude: 'latitude',
  longitude: 'longitude',
} as const satisfies Record<string, keyof PhotoMetadata>;

/** @param path the library's, for the message. @throws AppError library-damaged */
export function toPhotoRow(raw: RawPhoto, path: string): PhotoRow {
  return {
    id: raw.id,
    rootId: raw.rootId,
    relPath: raw.relPath,
    bytes: raw.bytes,
    mtimeMs: raw.mtimeMs,
    hash: raw.hash,
    status: raw.status,
    error: raw.error === null ? null : parseError(raw.error, path),
    deaths: raw.deaths,
    metadata: toMetadata(raw),
  };
}

function toMetadata(raw: RawPhoto): PhotoMetadata | null {
  const { width, height, format } = raw;
  if (width === null || height === null || format === null) return null;
  return {
    width,
    height,
    format,
    takenAt: raw.takenAt,
    camera: raw.camera,
    lens: raw.lens,
    exposureSeconds: raw.exposureSeconds,
    fNumber: raw.fNumber,
    iso: raw.iso,
    focalLengthMm: raw.focalLengthMm,
    latitude: raw.latitude,
    longitude: raw.longitude,
  };
}

function parseError(json: string, path: string): ErrorShape {
  try {
    return errorShape.parse(JSON.parse(json));
  } catch (thrown) {
    if (thrown instanceof SyntaxError || thrown instanceof z.ZodError)
      throw damaged(path, 'the stored reason of a failed photo cannot be read', thrown);
    throw thrown;
  }
}
