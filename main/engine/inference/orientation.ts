/** Orientation that libvips doesn't see: XMP tags, and the EXIF that ImageMagick writes into PNG text. */
import type { Metadata } from 'sharp';
import { readOrientation } from './photo-metadata.ts';
import type { RgbImage } from './pillow-resample.ts';

/** EXIF's eight values: how the stored picture was turned and mirrored. */
export type Orientation = 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8;

/** ImageMagick and others keep EXIF in PNGs as hexadecimal text under this keyword. @returns undefined without one. */
export function exifFromPngText(info: Metadata): Uint8Array | undefined {
  const text = info.comments?.find(({ keyword }) => keyword === 'Raw profile type exif')?.text;
  // The name of the profile, its length, and the bytes in lines of hexadecimal.
  const hex = /^\s*\w+\s+\d+\s+([0-9a-f\s]+)$/i.exec(text ?? '')?.[1];
  return hex === undefined ? undefined : Buffer.from(hex.replace(/\s+/g, ''), 'hex');
}

/** What is left to do after libvips has followed the EXIF orientation: EXIF goes before XMP. */
export function remainingOrientation(info: Metadata): Orientation {
  if (info.orientation !== undefined) return 1;
  const block = exifFromPngText(info);
  const written =
    (block === undefined ? null : readOrientation(block)) ??
    Number(/tiff:Orientation(?:>|=["'])([1-8])/.exec(info.xmpAsString ?? '')?.[1] ?? 1);
  return written >= 1 && written <= 8 ? (written as Orientation) : 1;
}

export function swapsSides(orientation: Orientation): boolean {
  return orientation >= 5;
}

/** Turns a stored picture upright. */
export function applyOrientation(image: RgbImage, orientation: Orientation): RgbImage {
  if (orientation === 1) return image;
  const width = swapsSides(orientation) ? image.height : image.width;
  const height = swapsSides(orientation) ? image.width : image.height;
  const data = new Uint8Array(width * height * 3);
  const lastX = image.width - 1;
  const lastY = image.height - 1;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const [fromX, fromY] = storedAt(orientation, x, y, lastX, lastY);
      const from = (fromY * image.width + fromX) * 3;
      data.set(image.data.subarray(from, from + 3), (y * width + x) * 3);
    }
  }
  return { data, width, height };
}

/** Where the upright pixel (x, y) lies in the stored picture, as EXIF 2.3 defines the values. */
function storedAt(
  orientation: Orientation,
  x: number,
  y: number,
  lastX: number,
  lastY: number,
): readonly [number, number] {
  switch (orientation) {
    case 1:
      return [x, y];
    case 2:
      return [lastX - x, y];
    case 3:
      return [lastX - x, lastY - y];
    case 4:
      return [x, lastY - y];
    case 5:
      return [y, x];
    case 6:
      return [y, lastY - x];
    case 7:
      return [lastX - y, lastY - x];
    case 8:
      return [lastX - y, x];
  }
}
