/** Reads one photo: its hash and its pixels of the same moment, or the reason why that can't be. */
import { stat } from 'node:fs/promises';
import { AppError } from '../../errors.ts';
import type { DecodedPhoto, Decoder, ImageSpec } from '../inference/types.ts';
import type { FileStat } from '../store/types.ts';
import { hashFile, sameStat, type HashedFile } from './content-hash.ts';

/** At most this many at a time; the rest wait. */
export function createGate(limit: number): <T>(work: () => Promise<T>) => Promise<T> {
  let free = limit;
  const waiting: (() => void)[] = [];
  return async (work) => {
    if (free > 0) free -= 1;
    else await new Promise<void>((go) => waiting.push(go));
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next === undefined) free += 1;
      else next();
    }
  };
}

export interface ReadPhotoOptions {
  readonly path: string;
  /** The name that messages use. */
  readonly name: string;
  readonly decoder: Decoder;
  readonly spec: ImageSpec;
  readonly thumbnail: boolean;
  readonly signal: AbortSignal;
  readonly gate: <T>(work: () => Promise<T>) => Promise<T>;
  /** Asked between hashing and decoding; true ends the reading there. */
  readonly isSettled: (hashed: HashedFile) => Promise<boolean>;
}

export interface ReadPhoto {
  readonly hashed: HashedFile;
  readonly decoded: DecodedPhoto;
}

/** A file that failed, with what was known of it by then. */
export class ReadFailure extends AppError {
  readonly hashed: HashedFile | undefined;

  constructor(error: AppError, hashed: HashedFile | undefined) {
    super(error.code, error.message, {
      cause: error.cause ?? error,
      ...(error.details === undefined ? {} : { details: error.details }),
    });
    this.hashed = hashed;
  }
}

/**
 * The file is hashed (which also brings it into the system's cache) and then decoded; if its size or time
 * changed meanwhile, both are done once more.
 * @returns undefined when `isSettled` said so.
 * @throws AppError file-changed, and whatever opening or decoding it throws
 */
export async function readPhoto(options: ReadPhotoOptions): Promise<ReadPhoto | undefined> {
  const { path, name, decoder, spec, thumbnail, signal, gate } = options;
  for (let attempt = 1; ; attempt++) {
    const hashed = await gate(() => hashFile(path, signal)).catch((thrown: unknown) => {
      throw AppError.from(thrown, `Reading "${name}"`);
    });
    if (await options.isSettled(hashed)) return undefined;
    let decoded: DecodedPhoto | undefined;
    let broken: AppError | undefined;
    try {
      decoded = await decoder.decode({ path }, { spec, thumbnail, signal });
    } catch (thrown) {
      broken = AppError.from(thrown, `Decoding "${name}"`);
    }
    const now = await statFile(path, name);
    if (sameStat(now, hashed.stat)) {
      if (decoded !== undefined) return { hashed, decoded };
      throw new ReadFailure(broken ?? new AppError('internal', `"${name}" gave nothing.`), hashed);
    }
    // Whatever came of it was read from two states of the file.
    if (broken !== undefined && (broken.code === 'cancelled' || broken.code === 'worker-died')) throw broken;
    if (attempt === 2)
      throw new AppError(
        'file-changed',
        `"${name}" was being written while it was read. Retry it once the program that writes it is done.`,
        { details: { path: name } },
      );
  }
}

async function statFile(path: string, name: string): Promise<FileStat> {
  try {
    const { size, mtimeMs } = await stat(path);
    return { bytes: size, mtimeMs };
  } catch (thrown) {
    throw AppError.from(thrown, `Reading "${name}"`);
  }
}
