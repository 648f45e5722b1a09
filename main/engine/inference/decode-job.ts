/** What a decoder process is asked to do, and the limits it keeps; shared by both ends. */
import { AppError } from '../../errors.ts';
import type { ImageSpec } from './types.ts';

export type PhotoSource = { readonly path: string } | { readonly bytes: Uint8Array; readonly name: string };

export interface DecodeJob {
  readonly source: PhotoSource;
  readonly spec: ImageSpec;
  readonly thumbnail: boolean;
  readonly maxPixels: number;
  readonly timeoutMs: number;
}

/** 268 megapixels (16384 x 16384), libvips' own default: without it a forged header burns most of a minute. */
export const defaultMaxPixels = 16_384 * 16_384;
export const defaultTimeoutMs = 30_000;

/** The file's name, for messages. */
export function sourceName(source: PhotoSource): string {
  return 'path' in source ? (source.path.split(/[/\\]/).at(-1) ?? source.path) : source.name;
}

export function timedOut(name: string, timeoutMs: number): AppError {
  const seconds = timeoutMs / 1_000;
  return new AppError(
    'image-timeout',
    `"${name}" took longer than ${String(seconds)} s to decode and was left out. Save it again in another program.`,
    { details: { name, seconds } },
  );
}
