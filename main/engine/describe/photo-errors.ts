/** Which errors are about one photo, so that work on many goes on, and which about everything. */
import type { ErrorCode } from '../../errors.ts';

const aboutOnePhoto: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'not-found',
  'root-offline',
  'file-vanished',
  'file-changed',
  'permission-denied',
  'io-failed',
  'image-broken',
  'image-unsupported',
  'image-too-large',
  'image-timeout',
  'photo-quarantined',
  'internal',
]);

/** A photo may be to blame for these, and its neighbours may not. */
export function isAboutOnePhoto(code: ErrorCode): boolean {
  return aboutOnePhoto.has(code);
}
