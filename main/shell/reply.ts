/** An answer to a request, the same for loopback HTTP and for Electron's protocols. */
import type { Readable } from 'node:stream';
import { AppError, type ErrorCode } from '../errors.ts';

export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | Readable | null;
}

/** Sent with everything: a body is what its type says, goes to no other site, and names nobody. */
export const commonHeaders: Readonly<Record<string, string>> = {
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Opener-Policy': 'same-origin',
};

/** The HTTP status nearest to each code; the body carries the code itself. */
const statuses: Partial<Record<ErrorCode, number>> = {
  'input-invalid': 400,
  'root-invalid': 400,
  'pack-invalid': 400,
  'image-broken': 400,
  'image-unsupported': 400,
  'image-too-large': 413,
  'permission-denied': 403,
  'not-found': 404,
  'file-vanished': 404,
  'root-offline': 404,
  'pack-missing': 404,
  'file-changed': 409,
  'library-locked': 409,
  'photo-quarantined': 409,
  'pack-unfit': 409,
  // nginx's "client closed request"; no standard status says it.
  cancelled: 499,
  'not-supported': 501,
  'engine-stopped': 503,
  'disk-full': 507,
};

function statusOf(code: ErrorCode): number {
  return statuses[code] ?? 500;
}

export function jsonReply(status: number, value: unknown): Reply {
  return {
    status,
    headers: {
      ...commonHeaders,
      'Content-Type': 'application/json; charset=utf-8',
      'Cache-Control': 'no-store',
    },
    body: Buffer.from(JSON.stringify(value)),
  };
}

/** @param status overrides the one that the error's code maps to. */
export function errorReply(thrown: unknown, about: string, status?: number): Reply {
  const error = AppError.from(thrown, about);
  return jsonReply(status ?? statusOf(error.code), { error: error.toShape() });
}
