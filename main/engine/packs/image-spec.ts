/** Reads preprocessor_config.json: how a photo becomes a model's pixels. */
import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { z } from 'zod';
import { AppError } from '../../errors.ts';
import { positive } from './pack-json.ts';
import { parseJson } from './parse-json.ts';
import type { ImageSpec, LanguageFamily, PackFamily } from './types.ts';

const cropSide = z.union([
  positive.transform((size) => ({ height: size, width: size })),
  z.object({ height: positive, width: positive }),
]);
const channels = z.tuple([z.number(), z.number(), z.number()]);

/** The fields of preprocessor_config.json that decide pixels; older files give sizes as one number. */
const preprocessorConfig = z.object({
  image_processor_type: z.string().optional(),
  feature_extractor_type: z.string().optional(),
  do_resize: z.boolean().default(true),
  size: z.union([
    positive,
    z.object({ shortest_edge: positive }),
    z.object({ longest_edge: positive }),
    z.object({ height: positive, width: positive }),
  ]),
  size_divisor: positive.nullish(),
  /** Of the squares that Idefics 3 cuts pictures into. */
  max_image_size: z.object({ longest_edge: positive }).nullish(),
  resample: z.union([z.literal(0), z.literal(1), z.literal(2), z.literal(3)]).optional(),
  do_center_crop: z.boolean().optional(),
  crop_size: cropSide.nullish(),
  do_rescale: z.boolean().default(true),
  rescale_factor: z
    .number()
    .positive()
    .default(1 / 255),
  do_normalize: z.boolean().default(true),
  image_mean: channels.nullish(),
  image_std: channels.nullish(),
});
type PreprocessorConfig = z.output<typeof preprocessorConfig>;

interface ProcessorDefaults {
  readonly resample: ImageSpec['resample'];
  readonly crop: boolean;
  readonly mean: readonly [number, number, number];
  readonly std: readonly [number, number, number];
}

/** The means and deviations of OpenAI's CLIP. */
const clipColours = {
  mean: [0.48145466, 0.4578275, 0.40821073],
  std: [0.26862954, 0.26130258, 0.27577711],
} as const;
const plainColours = { mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] } as const;

/** What each family's image processor in transformers assumes when a config leaves it out. */
const defaults: Readonly<Record<PackFamily | LanguageFamily, ProcessorDefaults>> = {
  clip: { resample: 3, crop: true, ...clipColours },
  siglip: { resample: 3, crop: false, ...plainColours },
  siglip2: { resample: 3, crop: false, ...plainColours },
  'starter-captioner': { resample: 3, crop: true, ...clipColours },
  'starter-answerer': { resample: 3, crop: true, ...clipColours },
  'blip-caption': { resample: 3, crop: false, ...clipColours },
  'blip-vqa': { resample: 3, crop: false, ...clipColours },
  vilt: { resample: 3, crop: false, ...plainColours },
  'vit-gpt2': { resample: 2, crop: false, ...plainColours },
  florence2: { resample: 3, crop: false, ...clipColours },
  smolvlm: { resample: 1, crop: false, ...plainColours },
};

/** ViltImageProcessor caps the longer side at this ratio to the shorter: 1333 to 800, COCO's habit. */
const viltAspect = 1333 / 800;
/** What ViltImageProcessor and Idefics3ImageProcessor assume. */
const defaultDivisor = 32;
const defaultTile = 364;

/** @throws AppError pack-invalid */
export async function readImageSpec(dir: string, family: PackFamily | LanguageFamily): Promise<ImageSpec> {
  const about = `preprocessor_config.json of "${basename(dir)}"`;
  let content: string;
  try {
    content = await readFile(join(dir, 'preprocessor_config.json'), 'utf8');
  } catch (thrown) {
    throw new AppError('pack-invalid', `The ${about} cannot be read. Install the pack again.`, {
      cause: thrown,
    });
  }
  const config = parseJson(preprocessorConfig, content, about);
  const processor = config.image_processor_type ?? config.feature_extractor_type ?? '';
  // NaFlex checkpoints take patches of many sizes, which no fixed-size export does.
  if (/^Siglip2ImageProcessor/.test(processor)) {
    throw new AppError(
      'pack-invalid',
      'SigLIP 2 models with flexible resolution (NaFlex) are not supported. Choose a fixed-resolution one such as siglip2-base-patch16-224.',
    );
  }
  const assumed = defaults[family];
  const crop = config.do_center_crop ?? (assumed.crop && config.crop_size != null);
  return {
    resize: config.do_resize ? resizeOf(config, family) : null,
    crop: crop && config.crop_size != null ? config.crop_size : null,
    resample: config.resample ?? assumed.resample,
    rescale: config.do_rescale ? config.rescale_factor : 1,
    mean: config.do_normalize ? (config.image_mean ?? assumed.mean) : [0, 0, 0],
    std: config.do_normalize ? (config.image_std ?? assumed.std) : [1, 1, 1],
  };
}

function resizeOf(config: PreprocessorConfig, family: PackFamily | LanguageFamily): ImageSpec['resize'] {
  const { size } = config;
  if (family === 'vilt') {
    const short = typeof size === 'number' ? size : 'shortest_edge' in size ? size.shortest_edge : undefined;
    if (short !== undefined)
      return {
        shortestEdge: short,
        longestEdge: Math.trunc(viltAspect * short),
        multipleOf: config.size_divisor ?? defaultDivisor,
      };
  }
  // A single number is the shorter side for CLIP's processor, and both sides for ViT's.
  if (typeof size === 'number')
    return family === 'vit-gpt2' ? { width: size, height: size } : { shortestEdge: size };
  if ('shortest_edge' in size) return { shortestEdge: size.shortest_edge };
  if ('longest_edge' in size)
    return { longestEdge: size.longest_edge, tile: config.max_image_size?.longest_edge ?? defaultTile };
  return { width: size.width, height: size.height };
}
