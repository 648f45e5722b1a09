/** The schema of pack.json: what a pack says of itself beyond the Hugging Face layout. */
import { z } from 'zod';

/** A path inside the pack: relative, '/' between parts, never upwards. */
export const insidePath = z
  .string()
  .min(1)
  .max(255)
  .refine((path) => !/^[/\\]|^[a-z]:|\\|\0/i.test(path) && !path.split('/').includes('..'), {
    message: 'must stay inside the pack',
  });
const positive = z.int().positive();
const unit = z.object({ mean: z.number(), std: z.number().positive() });
const embedding = z.array(z.number());
const template = z.string().includes('{}');
export const sha256 = z.string().regex(/^[0-9a-f]{64}$/);

const packFiles = z.record(insidePath, z.object({ bytes: z.int().nonnegative(), sha256 }));

export const licenceShape = z.object({
  id: z.string().min(1),
  name: z.string().min(1),
  url: z.string().nullish(),
  note: z.string().nullish(),
});

export const scoringShape = z.object({
  kind: z.enum(['softmax', 'sigmoid']),
  logitScale: z.number().positive(),
  logitBias: z.number(),
});

export const textShape = z.object({
  file: insidePath,
  inputIds: z.string().nullish(),
  attentionMask: z.string().nullish(),
  output: z.string().nullish(),
  maxLength: positive,
  padding: z.enum(['longest', 'max']),
  lowercase: z.boolean(),
  stripPunctuation: z.boolean().default(false),
});

export const imageShape = z.object({
  file: insidePath,
  input: z.string().nullish(),
  output: z.string().nullish(),
  patchOutput: z.string().nullish(),
  grid: z.tuple([positive, positive]).nullish(),
});

export const packId = z.string().regex(/^[a-z0-9][a-z0-9._-]{0,127}$/);

export const packJson = z.object({
  schema: z.literal(1),
  id: packId,
  name: z.string().min(1),
  version: z.string().default('1'),
  task: z.literal('embed'),
  family: z.enum(['clip', 'siglip', 'siglip2']),
  dims: positive,
  licence: licenceShape,
  source: z.record(z.string(), z.unknown()),
  description: z.string(),
  image: imageShape,
  text: textShape,
  scoring: scoringShape,
  promptTemplates: z.array(template).min(1),
  queryTemplates: z.array(template).min(1),
  calibration: z.object({ background: unit.nullish(), matching: unit.nullish() }).nullish(),
  golden: z
    .object({
      image: z.array(z.object({ file: insidePath, embedding })).default([]),
      text: z.array(z.object({ text: z.string(), ids: z.array(z.int()).nullish(), embedding })).default([]),
    })
    .nullish(),
  files: packFiles,
});
export type PackJson = z.output<typeof packJson>;
export type PackJsonInput = z.input<typeof packJson>;

/** The fields of preprocessor_config.json that decide pixels; older files give sizes as one number. */
const side = z.union([
  positive.transform((size) => ({ shortest_edge: size })),
  z.object({ shortest_edge: positive }),
  z.object({ height: positive, width: positive }),
]);
const cropSide = z.union([
  positive.transform((size) => ({ height: size, width: size })),
  z.object({ height: positive, width: positive }),
]);
const channels = z.tuple([z.number(), z.number(), z.number()]);

export const preprocessorConfig = z.object({
  image_processor_type: z.string().optional(),
  feature_extractor_type: z.string().optional(),
  do_resize: z.boolean().default(true),
  size: side,
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

/** The fields of config.json that a pack without pack.json is described by; configs leave out what is the default. */
export const modelConfig = z.object({
  model_type: z.string(),
  projection_dim: positive.optional(),
  vision_config: z.object({ hidden_size: positive.optional() }).default({}),
  text_config: z
    .object({
      max_position_embeddings: positive.optional(),
      vocab_size: positive.optional(),
      projection_size: positive.optional(),
    })
    .default({}),
});
export type ModelConfig = z.output<typeof modelConfig>;
