/** The one error type of the app: a code that programs act on and a message that people can act on. */

/** Every code an error may carry, with what it means. Adapters map codes to exit statuses and HTTP statuses. */
export const errorCodes = {
  'input-invalid': 'a call, option or query that does not parse',
  'not-found': 'an id, photo, folder or pack that is not there (any more)',
  'not-supported': 'this shell or machine cannot do that',
  cancelled: 'the caller gave up',
  'permission-denied': 'the operating system refuses access',
  'disk-full': 'no space left on the device',
  'file-vanished': 'a file was there a moment ago and is gone',
  'file-changed': 'a file was changed while it was being read',
  'io-failed': 'reading or writing failed for another reason',
  'image-broken': 'the bytes are damaged or cut short',
  'image-unsupported': 'not an image, or a format that no decoder here reads',
  'image-too-large': 'more pixels or bytes than the limit',
  'image-timeout': 'decoding took longer than the limit',
  'photo-quarantined': 'the photo ended a worker process twice and is left alone',
  'worker-died': 'a worker process ended unexpectedly',
  'library-locked': 'another process has this library open',
  'library-newer': 'the library was written by a newer version',
  'library-damaged': 'the library file is not one, or fails its integrity check',
  'root-invalid': 'a folder that cannot be a root (missing, a file, inside the library, ...)',
  'root-offline': 'the folder is not mounted',
  'pack-missing': 'no such model pack is installed',
  'pack-invalid': 'a pack file is missing, malformed or fails its checksum',
  'pack-unfit': 'the pack loads but fails its self-test',
  'provider-unavailable': 'the execution provider is not to be had on this machine',
  'download-failed': 'the network or the server broke off',
  'download-refused': 'a host, redirect, length or checksum that is not the expected one',
  'engine-stopped': 'the engine is closing or was restarted',
  internal: 'a fault of ours',
} as const;

export type ErrorCode = keyof typeof errorCodes;

/** Values that fill the translated sentence for a code, e.g. `{ path: 'a.jpg', limitMegapixels: 268 }`. */
export type ErrorDetails = Readonly<Record<string, string | number>>;

/** An error as it crosses a process boundary or is stored with a photo. */
export interface ErrorShape {
  readonly code: ErrorCode;
  /** One sentence or two in English: the thing, the cause, the remedy. */
  readonly message: string;
  readonly details?: ErrorDetails | undefined;
}

export class AppError extends Error {
  readonly code: ErrorCode;
  readonly details: ErrorDetails | undefined;

  /** @param message names the thing, the cause and the remedy. */
  constructor(code: ErrorCode, message: string, options: { cause?: unknown; details?: ErrorDetails } = {}) {
    super(message, { cause: options.cause });
    this.name = 'AppError';
    this.code = code;
    this.details = options.details;
  }

  toShape(): ErrorShape {
    return {
      code: this.code,
      message: this.message,
      ...(this.details === undefined ? {} : { details: this.details }),
    };
  }

  static fromShape(shape: ErrorShape): AppError {
    return new AppError(
      shape.code,
      shape.message,
      shape.details === undefined ? {} : { details: shape.details },
    );
  }

  /** Wraps anything thrown: AppErrors pass through, aborts become `cancelled`, errno codes become ours. */
  static from(thrown: unknown, about = 'The operation'): AppError {
    if (thrown instanceof AppError) return thrown;
    const error = thrown instanceof Error ? thrown : new Error(String(thrown));
    if (error.name === 'AbortError')
      return new AppError('cancelled', `${about} was cancelled.`, { cause: error });
    const known = fromErrno((error as NodeJS.ErrnoException).code, about);
    if (known !== undefined) return new AppError(known.code, known.message, { cause: error });
    return new AppError('internal', `${about} failed: ${error.message}`, { cause: error });
  }
}

function fromErrno(errno: string | undefined, about: string): ErrorShape | undefined {
  switch (errno) {
    case 'ENOSPC':
    case 'EDQUOT':
    case 'SQLITE_FULL':
      return {
        code: 'disk-full',
        message: `${about} failed: the disk is full. Free some space and try again.`,
      };
    case 'EACCES':
    case 'EPERM':
      return {
        code: 'permission-denied',
        message: `${about} failed: access is denied. Allow reading it in the system's settings, then retry.`,
      };
    case 'ENOENT':
      return { code: 'file-vanished', message: `${about} failed: the file is not there any more.` };
    case 'EIO':
    case 'EBUSY':
    case 'EMFILE':
    case 'ENOTDIR':
    case 'EISDIR':
      return { code: 'io-failed', message: `${about} failed (${errno}). Check the drive and retry.` };
    default:
      return undefined;
  }
}
