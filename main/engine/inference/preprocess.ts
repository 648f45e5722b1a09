/**
 * From an upright RGB image to the model's pixels: the size and crop rules of Hugging Face's CLIPImageProcessor and
 * SiglipImageProcessor, ViltImageProcessor and Idefics3ImageProcessor (transformers, image_processing_*.py and
 * image_transforms.py) over Pillow's resampler.
 */
import { resampleLikePillow, type RgbImage } from './pillow-resample.ts';
import type { ImageSpec } from './types.ts';

export interface Size {
  readonly width: number;
  readonly height: number;
}

/**
 * How far libvips may shrink a photo before Pillow's resampler takes over, as a multiple of the final size. At 3 the
 * mean difference from a full-size decode is 0.2 of 255 and libjpeg's cheap shrink-on-load still applies.
 */
const preShrinkFactor = 3;
/** Photos up to a megapixel are decoded whole: exact, and 10 ms at most. */
const exactPixels = 2 ** 20;

/** Size after the spec's resize: a shortest edge keeps the aspect, the longer side truncated as `int()` does. */
export function resizedSize(image: Size, spec: ImageSpec): Size {
  const { resize } = spec;
  if (resize === null) return { width: image.width, height: image.height };
  if ('tile' in resize) return tiledSize(image, resize.longestEdge, resize.tile);
  if (!('shortestEdge' in resize)) return resize;
  if (resize.multipleOf !== undefined) return cappedSize(image, resize);
  const short = resize.shortestEdge;
  const long = (side: number, other: number): number => Math.max(1, Math.trunc((short * side) / other));
  return image.width <= image.height
    ? { width: short, height: long(image.height, image.width) }
    : { width: long(image.width, image.height), height: short };
}

/** As ViltImageProcessor: rounded, then cut down to multiples; a sliver keeps at least one multiple. */
function cappedSize(
  image: Size,
  {
    shortestEdge,
    longestEdge = Infinity,
    multipleOf = 1,
  }: { shortestEdge: number; longestEdge?: number; multipleOf?: number },
): Size {
  const scale = shortestEdge / Math.min(image.width, image.height);
  const longest = scale * Math.max(image.width, image.height);
  const shrink = longest > longestEdge ? longestEdge / longest : 1;
  const side = (pixels: number): number =>
    Math.max(multipleOf, Math.floor(Math.trunc(pixels * scale * shrink + 0.5) / multipleOf) * multipleOf);
  return { width: side(image.width), height: side(image.height) };
}

/** As Idefics3ImageProcessor: the longer side scaled, the other made even, then both up to whole tiles. */
function tiledSize(image: Size, longestEdge: number, tile: number): Size {
  const wide = image.width >= image.height;
  const aspect = image.width / image.height;
  const other = Math.max(1, Math.trunc(wide ? longestEdge / aspect : longestEdge * aspect));
  const even = other + (other % 2);
  const ratio = wide ? longestEdge / even : even / longestEdge;
  const up = (pixels: number): number => Math.ceil(pixels / tile) * tile;
  const long = up(longestEdge);
  return wide
    ? { width: long, height: up(Math.trunc(long / ratio)) }
    : { width: up(Math.trunc(long * ratio)), height: long };
}

/** Size of what the model sees, whatever the photo's size; null when it depends on the photo. */
export function modelSize(spec: ImageSpec): Size | null {
  if (spec.crop !== null) return spec.crop;
  return spec.resize !== null && 'width' in spec.resize ? spec.resize : null;
}

/**
 * The size to decode to: the photo's own where it is small (then preprocessing is exact), else `preShrinkFactor`
 * times the final size, and never below `atLeast` (the thumbnail).
 */
export function decodeSize(upright: Size, spec: ImageSpec, atLeast: Size): Size {
  if (spec.resize === null || upright.width * upright.height <= exactPixels) return upright;
  const target = resizedSize(upright, spec);
  const scale = Math.max(
    (preShrinkFactor * target.width) / upright.width,
    (preShrinkFactor * target.height) / upright.height,
    atLeast.width / upright.width,
    atLeast.height / upright.height,
  );
  // Shrinking by less than a quarter saves next to nothing and costs exactness.
  if (scale > 0.75) return upright;
  return {
    width: Math.max(1, Math.round(upright.width * scale)),
    height: Math.max(1, Math.round(upright.height * scale)),
  };
}

/**
 * @param image upright RGB, full size or pre-shrunk by `decodeSize`.
 * @param upright the photo's own size, which decides the rounding of the final one.
 * @returns (height, width, 3) uint8; rescaling and normalising happen in the vision worker.
 */
export function toModelPixels(image: RgbImage, upright: Size, spec: ImageSpec): RgbImage {
  const size = resizedSize(upright, spec);
  const crop = spec.crop ?? size;
  // The reference floors a crop's offset and rounds a padding's up: both are a floor of the signed half.
  const left = Math.floor((size.width - crop.width) / 2);
  const top = Math.floor((size.height - crop.height) / 2);
  const window = {
    left: Math.max(0, left),
    top: Math.max(0, top),
    width: Math.min(size.width, crop.width),
    height: Math.min(size.height, crop.height),
  };
  const resized = resampleLikePillow(image, size.width, size.height, spec.resample, window);
  return pad(resized, crop, Math.max(0, -left), Math.max(0, -top));
}

/** Black around an image that is smaller than the crop. */
function pad(image: RgbImage, to: Size, left: number, top: number): RgbImage {
  if (image.width === to.width && image.height === to.height) return image;
  const data = new Uint8Array(to.width * to.height * 3);
  for (let y = 0; y < image.height; y++) {
    const row = image.data.subarray(y * image.width * 3, (y + 1) * image.width * 3);
    data.set(row, ((y + top) * to.width + left) * 3);
  }
  return { data, width: to.width, height: to.height };
}
