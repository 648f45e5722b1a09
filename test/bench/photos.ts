/** Makes photo-like JPEGs to measure with: distinct bytes for every file, real JPEG statistics, known size. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';

/** mulberry32, so that the same seed gives the same picture everywhere. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/**
 * One picture of smooth areas, edges and sensor noise, as JPEG of about 0.25 bytes a pixel.
 * @returns the file's bytes.
 */
async function picture(width: number, height: number, seed: number): Promise<Buffer> {
  const random = seeded(seed);
  const coarse = Buffer.from(Array.from({ length: 48 * 36 * 3 }, () => Math.floor(random() * 256)));
  const shapes = Array.from({ length: 24 }, () => {
    const at = (limit: number): number => Math.floor(random() * limit);
    return `<circle cx="${at(width)}" cy="${at(height)}" r="${20 + at(width / 8)}" fill="hsl(${at(360)} 60% ${20 + at(60)}%)"/>`;
  });
  const svg = Buffer.from(
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">${shapes.join('')}</svg>`,
  );
  const noise = await sharp({
    create: {
      width,
      height,
      channels: 3,
      background: '#808080',
      noise: { type: 'gaussian', mean: 128, sigma: 30 },
    },
  })
    .png({ compressionLevel: 0 })
    .toBuffer();
  return sharp(coarse, { raw: { width: 48, height: 36, channels: 3 } })
    .resize(width, height, { kernel: 'cubic', fit: 'fill' })
    .composite([{ input: svg }, { input: noise, blend: 'soft-light' }])
    .jpeg({ quality: 88 })
    .toBuffer();
}

/**
 * Writes `count` JPEGs into `directory`, in folders of 500. Eight pictures are drawn; the files differ by a
 * trailer after the end marker, which decoders ignore and content hashes don't.
 * @returns absolute paths in order.
 */
export async function makePhotos(
  directory: string,
  options: { count: number; width: number; height: number; seed?: number },
): Promise<string[]> {
  const drawn: Buffer[] = [];
  for (let i = 0; i < Math.min(8, options.count); i += 1) {
    drawn.push(await picture(options.width, options.height, (options.seed ?? 1) * 1_000 + i));
  }
  const paths: string[] = [];
  for (let i = 0; i < options.count; i += 1) {
    const folder = join(directory, `set-${String(Math.floor(i / 500)).padStart(3, '0')}`);
    if (i % 500 === 0) await mkdir(folder, { recursive: true });
    const path = join(folder, `photo-${String(i).padStart(6, '0')}.jpg`);
    await writeFile(path, Buffer.concat([drawn[i % drawn.length] as Buffer, Buffer.from(`#${i}`)]));
    paths.push(path);
  }
  return paths;
}
