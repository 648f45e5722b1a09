/** From decoded pixels to a model's input: normalised by table, one plane a channel. */
import type { ImageSpec } from '../packs/types.ts';

/** For each channel, what each of the 256 pixel values becomes. */
export type PixelTables = readonly [Float32Array, Float32Array, Float32Array];

export function pixelTables({
  rescale,
  mean,
  std,
}: Pick<ImageSpec, 'rescale' | 'mean' | 'std'>): PixelTables {
  const table = (channel: 0 | 1 | 2): Float32Array =>
    Float32Array.from({ length: 256 }, (_, value) => (value * rescale - mean[channel]) / std[channel]);
  return [table(0), table(1), table(2)];
}

/** (count, height, width, 3) uint8 to (slots, 3, height, width) float32; slots beyond the images stay zero. */
export function toPlanes(
  images: Uint8Array,
  slots: number,
  area: number,
  tables: PixelTables,
): Float32Array<ArrayBuffer> {
  const planes = new Float32Array(slots * 3 * area);
  const [red, green, blue] = tables;
  /* eslint-disable @typescript-eslint/no-non-null-assertion -- indices stay inside by construction; `?? 0` costs half the speed */
  for (let image = 0; image * area * 3 < images.length; image++) {
    let from = image * area * 3;
    const to = image * area * 3;
    for (let i = 0; i < area; i++) {
      planes[to + i] = red[images[from]!]!;
      planes[to + area + i] = green[images[from + 1]!]!;
      planes[to + 2 * area + i] = blue[images[from + 2]!]!;
      from += 3;
    }
  }
  /* eslint-enable @typescript-eslint/no-non-null-assertion */
  return planes;
}
