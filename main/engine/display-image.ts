/** Makes a picture that every browser shows of a photo in a format that none does (HEIC, TIFF). */
import sharp from 'sharp';
import type { Decoder, ImageSpec } from './inference/types.ts';

/** Pillow's number of Lanczos, the sharpest of its kernels for making pictures smaller. */
const lanczos = 1;

/**
 * @param size of the photo upright, pixels, as its metadata has it.
 * @param maxEdge of the longer side, pixels; smaller photos keep their size.
 * @returns JPEG bytes, upright, sRGB.
 * @throws AppError as Decoder.decode: the bytes are decoded in the decoder's process, never here.
 */
export async function displayImage(
  decoder: Pick<Decoder, 'decode'>,
  path: string,
  size: { readonly width: number; readonly height: number },
  maxEdge: number,
): Promise<Uint8Array> {
  const scale = Math.min(1, maxEdge / Math.max(size.width, size.height));
  const fitted = (edge: number): number => Math.max(1, Math.round(edge * scale));
  const spec: ImageSpec = {
    resize: { width: fitted(size.width), height: fitted(size.height) },
    crop: null,
    resample: lanczos,
    rescale: 1 / 255,
    mean: [0, 0, 0],
    std: [1, 1, 1],
  };
  const { pixels, pixelWidth, pixelHeight } = await decoder.decode({ path }, { spec, thumbnail: false });
  return sharp(pixels, { raw: { width: pixelWidth, height: pixelHeight, channels: 3 } })
    .jpeg({ quality: 90, mozjpeg: false })
    .toBuffer();
}
