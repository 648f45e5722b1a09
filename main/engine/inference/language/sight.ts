/** How a model is given a picture: its pixels, and for the packs that ship the starter's patch embeddings beside them. */
import { Tensor } from 'onnxruntime-node';
import { AppError } from '../../../errors.ts';
import { pixelTables, toPlanes } from '../pixel-planes.ts';
import type { AdapterOptions, LanguagePicture } from './adapter.ts';
import { named } from './cached-decoder.ts';
import { openGraph, type Tensors } from './model-graph.ts';

/** What a picture becomes before it is fed. */
export type Sight = (picture: LanguagePicture) => Promise<Tensors>;

/** @returns `pixel_values` (1, 3, height, width) float32. */
export function pixelSight({ normalise }: Pick<AdapterOptions, 'normalise'>): Sight {
  const tables = pixelTables(normalise);
  return ({ pixels, width, height }) =>
    Promise.resolve({
      pixel_values: new Tensor('float32', toPlanes(pixels, 1, width * height, tables), [1, 3, height, width]),
    });
}

/**
 * @returns `patch_embeds` (1, cells, dims) float32 beside `pixel_values`.
 * @throws AppError pack-invalid
 */
export async function towerSight(options: AdapterOptions): Promise<Sight> {
  const { imageTower, threads } = options;
  if (imageTower === null) throw new AppError('internal', 'A pack was opened without its image tower.');
  const { pack, file, input, patchOutput } = imageTower;
  const tower = await openGraph(pack, file, threads, { inputs: [input], outputs: [patchOutput] });
  const pixels = pixelSight(options);
  return async (picture) => {
    const feeds = await pixels(picture);
    const seen = await tower.run({ [input]: named(feeds, 'pixel_values') });
    return { ...feeds, patch_embeds: named(seen, patchOutput) };
  };
}

/** Questions about one photo come in a row: what was seen last is not looked at again. */
export function rememberLast(sight: Sight): Sight {
  let last: { readonly picture: LanguagePicture; readonly seen: Tensors } | undefined;
  return async (picture) => {
    const same =
      last?.picture.width === picture.width &&
      last.picture.height === picture.height &&
      Buffer.compare(last.picture.pixels, picture.pixels) === 0;
    if (last !== undefined && same) return last.seen;
    const seen = await sight(picture);
    last = { picture, seen };
    return seen;
  };
}
