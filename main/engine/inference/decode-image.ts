/** Decodes one photo with libvips, upright and in sRGB, into model pixels, a thumbnail and metadata. */
import { open } from 'node:fs/promises';
import sharp, { type Metadata, type Sharp, type SharpOptions } from 'sharp';
import { AppError } from '../../errors.ts';
import { sourceName, timedOut, type DecodeJob, type PhotoSource } from './decode-job.ts';
import { decodeHeic } from './decode-heic.ts';
import { displayP3ToSrgb, isDisplayP3 } from './display-p3.ts';
import { applyOrientation, exifFromPngText, remainingOrientation, swapsSides } from './orientation.ts';
import type { RgbImage } from './pillow-resample.ts';
import { noCameraMetadata, readCameraMetadata, type CameraMetadata } from './photo-metadata.ts';
import { decodeSize, toModelPixels, type Size } from './preprocess.ts';
import { sniffBytes, sniffFormat } from './sniff-format.ts';
import type { DecodedPhoto } from './types.ts';

/** Rows of the grid are 200 CSS pixels high; 1.8 device pixels each are sharp enough on any screen. */
const thumbnailShortSide = 360;
/** A panorama's thumbnail stays small. */
const thumbnailLongSide = 1_080;
const thumbnailQuality = 75;
/** libwebp's effort: 0 is 1.7x as fast as 2 and 6 % larger. */
const thumbnailEffort = 1;

/** TIFF directories are looked for within this much of the file's head and tail. */
const tiffWindowBytes = 256 * 1024;
const largestTiffForMetadata = 512 * 2 ** 20;

/** @throws AppError as `Decoder.decode` does. */
export async function decodeImage(job: DecodeJob): Promise<DecodedPhoto> {
  const { source, spec } = job;
  const name = sourceName(source);
  const deadline = performance.now() + job.timeoutMs;
  const head = await readHead(source, name);
  const sniffed = sniffFormat(head);
  if (sniffed.kind !== 'readable')
    throw unsupported(name, sniffed.kind === 'unsupported' ? sniffed.name : null);
  const input = 'path' in source ? source.path : source.bytes;
  const options: SharpOptions = {
    limitInputPixels: job.maxPixels,
    failOn: 'truncated',
    sequentialRead: true,
  };
  try {
    const info = await sharp(input, { ...options, failOn: 'none' }).metadata();
    if (info.format === 'svg') throw unsupported(name, 'SVG');
    const hevc = info.format === 'heif' && info.compression === 'hevc';
    const { image, upright } = hevc
      ? await decodeHevc(job, info, deadline)
      : await decodeUpright(job, info, input, options, deadline, name);
    const model = toModelPixels(image, upright, spec);
    return {
      pixels: model.data,
      pixelWidth: model.width,
      pixelHeight: model.height,
      thumbnail: job.thumbnail ? await encodeThumbnail(image, thumbnailSize(upright)) : null,
      metadata: {
        width: upright.width,
        height: upright.height,
        format: formatName(info),
        ...(await cameraMetadata(source, info)),
      },
    };
  } catch (thrown) {
    throw translate(thrown, name, job);
  }
}

async function readHead(source: PhotoSource, name: string): Promise<Uint8Array> {
  let head: Uint8Array;
  if ('bytes' in source) {
    head = source.bytes.subarray(0, sniffBytes);
  } else {
    try {
      const file = await open(source.path, 'r');
      try {
        const { buffer, bytesRead } = await file.read(Buffer.alloc(sniffBytes), 0, sniffBytes, 0);
        head = buffer.subarray(0, bytesRead);
      } finally {
        await file.close();
      }
    } catch (thrown) {
      throw AppError.from(thrown, `Reading "${name}"`);
    }
  }
  if (head.byteLength === 0) {
    throw new AppError(
      'image-broken',
      `"${name}" is empty (0 bytes). Restore it from a backup or delete it.`,
      {
        details: { name },
      },
    );
  }
  return head;
}

/** libvips' own pipeline: turned upright, to sRGB, alpha on white, shrunk to the size. */
function pipeline(image: Sharp, size: Size, upright: Size, deadline: number): Sharp {
  const seconds = Math.min(3_600, Math.max(1, Math.ceil((deadline - performance.now()) / 1_000)));
  const prepared = image.toColourspace('srgb').flatten({ background: '#ffffff' }).timeout({ seconds });
  return size.width === upright.width && size.height === upright.height
    ? prepared
    : prepared.resize({ ...size, fit: 'fill', kernel: 'cubic', fastShrinkOnLoad: false });
}

async function decodeWithVips(
  input: string | Uint8Array,
  options: SharpOptions,
  upright: Size,
  size: Size,
  deadline: number,
  name: string,
): Promise<RgbImage> {
  const attempt = (failOn: 'truncated' | 'none'): Promise<RgbImage> =>
    toRgb(pipeline(sharp(input, { ...options, failOn }).autoOrient(), size, upright, deadline));
  try {
    return await attempt('truncated');
  } catch (thrown) {
    if (/^(Input image exceeds pixel limit|timeout)/.test(thrown instanceof Error ? thrown.message : ''))
      throw thrown;
    // A photo that was cut short is still worth finding, as long as most of it is there.
    const image = await attempt('none').catch(() => {
      throw thrown;
    });
    if (blankShare(image) > 0.5) {
      throw new AppError(
        'image-broken',
        `"${name}" is cut short: less than half of the picture is there. Copy it again from where it came.`,
        { cause: thrown, details: { name } },
      );
    }
    return image;
  }
}

interface Decoded {
  readonly image: RgbImage;
  /** The photo's own size; the image may be smaller. */
  readonly upright: Size;
}

/** How large the decoded image has to be for the model and the thumbnail. */
function wantedSize(upright: Size, job: DecodeJob): Size {
  return decodeSize(upright, job.spec, job.thumbnail ? thumbnailSize(upright) : { width: 1, height: 1 });
}

async function decodeUpright(
  job: DecodeJob,
  info: Metadata,
  input: string | Uint8Array,
  options: SharpOptions,
  deadline: number,
  name: string,
): Promise<Decoded> {
  const stored = info.autoOrient;
  if (stored.width * stored.height > job.maxPixels) throw tooLarge(name, job.maxPixels);
  const turn = remainingOrientation(info);
  const flip = ({ width, height }: Size): Size => ({ width: height, height: width });
  const upright = swapsSides(turn) ? flip(stored) : stored;
  const wanted = wantedSize(upright, job);
  const size = swapsSides(turn) ? flip(wanted) : wanted;
  const image = await decodeWithVips(input, options, stored, size, deadline, name);
  return { image: applyOrientation(image, turn), upright };
}

/** libheif turns the picture itself, and knows nothing of its colour profile. */
async function decodeHevc(job: DecodeJob, info: Metadata, deadline: number): Promise<Decoded> {
  const { width, height, data } = await decodeHeic(job.source, { deadline, maxPixels: job.maxPixels });
  const upright = { width, height };
  const rgba = sharp(data, { raw: { width, height, channels: 4 } });
  const image = await toRgb(pipeline(rgba, wantedSize(upright, job), upright, deadline));
  return { image: isDisplayP3(info.icc) ? displayP3ToSrgb(image) : image, upright };
}

async function toRgb(image: Sharp): Promise<RgbImage> {
  const { data, info } = await image.raw({ depth: 'uchar' }).toBuffer({ resolveWithObject: true });
  const { width, height, channels } = info;
  if (channels === 3) return { data, width, height };
  const rgb = new Uint8Array(width * height * 3);
  for (let pixel = 0; pixel < width * height; pixel++) {
    for (let channel = 0; channel < 3; channel++) {
      rgb[pixel * 3 + channel] = data[pixel * channels + (channels < 3 ? 0 : channel)] ?? 0;
    }
  }
  return { data: rgb, width, height };
}

/** The share of rows at the bottom that are all the same: what libvips fills in for bytes that are not there. */
function blankShare({ data, width, height }: RgbImage): number {
  const stride = width * 3;
  const last = Buffer.from(data.buffer, data.byteOffset + (height - 1) * stride, stride);
  let rows = 1;
  while (
    rows < height &&
    last.equals(Buffer.from(data.buffer, data.byteOffset + (height - 1 - rows) * stride, stride))
  ) {
    rows++;
  }
  return rows / height;
}

function thumbnailSize(upright: Size): Size {
  const scale = Math.min(
    1,
    thumbnailShortSide / Math.min(upright.width, upright.height),
    thumbnailLongSide / Math.max(upright.width, upright.height),
  );
  return {
    width: Math.max(1, Math.round(upright.width * scale)),
    height: Math.max(1, Math.round(upright.height * scale)),
  };
}

function encodeThumbnail(image: RgbImage, size: Size): Promise<Uint8Array> {
  const { data, width, height } = image;
  return sharp(data, { raw: { width, height, channels: 3 } })
    .resize({ ...size, fit: 'fill' })
    .webp({ quality: thumbnailQuality, effort: thumbnailEffort })
    .toBuffer();
}

function formatName(info: Metadata): string {
  return info.format === 'heif' ? (info.compression === 'av1' ? 'avif' : 'heic') : info.format;
}

async function cameraMetadata(source: PhotoSource, info: Metadata): Promise<CameraMetadata> {
  const block = info.exif ?? exifFromPngText(info);
  if (block !== undefined) return readCameraMetadata(block);
  // In a TIFF the tags are the file's own directory, which libvips doesn't hand over.
  if (info.format !== 'tiff') return noCameraMetadata;
  return readCameraMetadata('bytes' in source ? source.bytes : await readTiffEnds(source.path));
}

/** Head and tail of a TIFF at their offsets, zeros between: its directory lies in one of them, the pixels don't matter. */
async function readTiffEnds(path: string): Promise<Uint8Array> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    if (size > largestTiffForMetadata) return new Uint8Array(0);
    const sparse = Buffer.alloc(size);
    await file.read(sparse, 0, Math.min(size, tiffWindowBytes), 0);
    const tail = Math.max(tiffWindowBytes, size - tiffWindowBytes);
    if (tail < size) await file.read(sparse, tail, size - tail, tail);
    return sparse;
  } finally {
    await file.close();
  }
}

/**
 * Only the first words of sharp's own messages are trusted: what libvips adds comes from an error buffer that all
 * decodes of the process share, and may speak of another photo.
 */
function translate(thrown: unknown, name: string, job: DecodeJob): AppError {
  if (thrown instanceof AppError) return thrown;
  const reason = thrown instanceof Error ? thrown.message : String(thrown);
  if (/^(Input image )?exceeds pixel limit/.test(reason)) return tooLarge(name, job.maxPixels);
  if (/^timeout/.test(reason)) return timedOut(name, job.timeoutMs);
  if (/^Input file is missing/.test(reason)) return AppError.from(missing, `Reading "${name}"`);
  return new AppError(
    'image-broken',
    `"${name}" is damaged and cannot be decoded. Restore it from a backup or copy it again.`,
    { cause: thrown, details: { name } },
  );
}

const missing = Object.assign(new Error('the file is not there any more'), { code: 'ENOENT' });

function tooLarge(name: string, maxPixels: number): AppError {
  const limitMegapixels = Math.round(maxPixels / 1e6);
  return new AppError(
    'image-too-large',
    `"${name}" has more than ${String(limitMegapixels)} megapixels, the limit. Save a smaller copy to index it.`,
    { details: { name, limitMegapixels } },
  );
}

function unsupported(name: string, format: string | null): AppError {
  return new AppError(
    'image-unsupported',
    format === null
      ? `"${name}" is not an image that Afterimage knows. Convert it to JPEG or PNG, or leave it out.`
      : `"${name}" is a ${format} file, which Afterimage does not read. Convert it to JPEG or PNG to index it.`,
    { details: { name, ...(format === null ? {} : { format }) } },
  );
}
