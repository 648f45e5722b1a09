/** Camera, date, exposure and place from a photo's EXIF block; whatever cannot be read or believed is null. */
import ExifReader from 'exifreader';
import type { PhotoMetadata } from '../store/types.ts';

export type CameraMetadata = Omit<PhotoMetadata, 'width' | 'height' | 'format'>;

export const noCameraMetadata: CameraMetadata = {
  takenAt: null,
  camera: null,
  lens: null,
  exposureSeconds: null,
  fNumber: null,
  iso: null,
  focalLengthMm: null,
  latitude: null,
  longitude: null,
};

/**
 * @param block an EXIF block as libvips hands it over (with or without its "Exif\0\0"), or a TIFF file.
 * @returns nulls where the block is damaged: metadata never fails a photo.
 */
export function readCameraMetadata(block: Uint8Array): CameraMetadata {
  const tags = readTags(block);
  if (tags === null) return noCameraMetadata;
  const latitude = coordinate(tags, 'GPSLatitude', 'N', 'S', 90);
  const longitude = coordinate(tags, 'GPSLongitude', 'E', 'W', 180);
  // Cameras without a fix write 0/0, which is open sea.
  const placed = latitude !== null && longitude !== null && (latitude !== 0 || longitude !== 0);
  return {
    takenAt:
      clock(text(tags, 'DateTimeOriginal')) ??
      clock(text(tags, 'DateTimeDigitized')) ??
      clock(text(tags, 'DateTime')),
    camera: cameraName(text(tags, 'Make'), text(tags, 'Model')),
    lens: text(tags, 'LensModel') ?? text(tags, 'Lens'),
    exposureSeconds: within(number(tags, 'ExposureTime'), 1e-7, 1e5),
    fNumber: within(number(tags, 'FNumber'), 0.1, 1_000),
    iso: within(number(tags, 'ISOSpeedRatings') ?? number(tags, 'PhotographicSensitivity'), 1, 1e8),
    focalLengthMm: within(number(tags, 'FocalLength'), 0.1, 1e5),
    latitude: placed ? latitude : null,
    longitude: placed ? longitude : null,
  };
}

/** @returns EXIF's orientation, 1 to 8; null where the block has none or is damaged. */
export function readOrientation(block: Uint8Array): number | null {
  const tags = readTags(block);
  return tags === null ? null : within(number(tags, 'Orientation'), 1, 8);
}

function readTags(block: Uint8Array): Tags | null {
  try {
    const prefixed = Buffer.from(block.buffer, block.byteOffset, 6).toString('latin1') === 'Exif\0\0';
    // A bare EXIF block is a TIFF file, and the reader takes it as one. It wants a buffer of its own.
    const tiff = Uint8Array.from(prefixed ? block.subarray(6) : block);
    return (ExifReader.load(tiff.buffer, { expanded: true }).exif ?? {}) as Tags;
  } catch {
    // The reader throws on anything torn; the photo itself may still be whole.
    return null;
  }
}

type Tags = Readonly<Record<string, { readonly value?: unknown } | undefined>>;

function text(tags: Tags, name: string): string | null {
  const value = tags[name]?.value;
  const joined = Array.isArray(value) ? value.filter((part) => typeof part === 'string').join(' ') : value;
  if (typeof joined !== 'string') return null;
  // Cameras pad with NULs and spaces, and write "unknown" where they have nothing to say.
  const clean =
    joined
      .split('\0')[0]
      ?.replace(/[\x00-\x1f\x7f]+/g, ' ')
      .trim() ?? '';
  return clean === '' || /^(unknown|n\/a|-+)$/i.test(clean) ? null : clean.slice(0, 120);
}

/** EXIF rationals arrive as [numerator, denominator], lists of numbers as arrays. */
function number(tags: Tags, name: string): number | null {
  return asNumber(tags[name]?.value);
}

function asNumber(value: unknown): number | null {
  if (typeof value === 'number') return Number.isFinite(value) ? value : null;
  if (!Array.isArray(value)) return null;
  const [first, second] = value as readonly unknown[];
  if (Array.isArray(first)) return asNumber(first);
  if (typeof first !== 'number') return null;
  if (value.length !== 2 || typeof second !== 'number') return Number.isFinite(first) ? first : null;
  return second === 0 ? null : first / second;
}

function within(value: number | null, least: number, most: number): number | null {
  return value !== null && value >= least && value <= most ? value : null;
}

/** "2023:06:17 14:05:09" as if it were UTC: the camera's clock is what its owner remembers. */
function clock(written: string | null): number | null {
  const parts = /^(\d{4})[:/-](\d{1,2})[:/-](\d{1,2})[ T](\d{1,2}):(\d{1,2})(?::(\d{1,2}))?/.exec(
    written ?? '',
  );
  if (parts === null) return null;
  const [year, month, day, hour, minute, second] = parts.slice(1).map((part) => Number(part || 0));
  if (year === undefined || month === undefined || day === undefined) return null;
  if (year < 1900 || year > 2100 || month < 1 || month > 12 || day < 1 || day > 31) return null;
  const at = Date.UTC(year, month - 1, day, hour ?? 0, minute ?? 0, second ?? 0);
  // The 31st of a shorter month rolls over: not a date that a clock showed.
  return new Date(at).getUTCDate() === day || (hour ?? 0) > 23 ? at : null;
}

/** "NIKON CORPORATION" + "NIKON D70" is a NIKON D70; "Apple" + "iPhone 12" is an Apple iPhone 12. */
function cameraName(make: string | null, model: string | null): string | null {
  if (make === null || model === null) return model ?? make;
  const brand = make.split(/[\s,]+/)[0] ?? make;
  return model.toLowerCase().startsWith(brand.toLowerCase()) ? model : `${make} ${model}`;
}

function coordinate(
  tags: Tags,
  name: string,
  positive: string,
  negative: string,
  limit: number,
): number | null {
  const value = tags[name]?.value;
  const direction = text(tags, `${name}Ref`)?.[0]?.toUpperCase();
  // Without its hemisphere a place may be on the wrong side of the world: better none.
  if (!Array.isArray(value) || (direction !== positive && direction !== negative)) return null;
  const [degrees, minutes = 0, seconds = 0] = (value as readonly unknown[]).map((part) => asNumber(part));
  if (degrees === null || degrees === undefined) return null;
  const angle = degrees + (minutes ?? 0) / 60 + (seconds ?? 0) / 3600;
  if (!(angle >= 0 && angle <= limit)) return null;
  return direction === negative ? -angle : angle;
}
