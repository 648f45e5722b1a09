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
export const positive = z.int().positive();
const unit = z.object({ mean: z.number(), std: z.number().positive() });
const embedding = z.array(z.number());
const template = z.string().includes('{}');
export const sha256 = z.string().regex(/^[0-9a-f]{64}$/);

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
  tokenOutput: z.string().nullish(),
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

export const qualityShape = z.object({
  metric: z.string().min(1),
  dataset: z.string().min(1),
  value: z.number(),
  source: z.string().nullish(),
});

/** What every pack says of itself. */
export const packBase = z.object({
  schema: z.literal(1),
  id: packId,
  name: z.string().min(1),
  version: z.string().default('1'),
  licence: licenceShape,
  source: z.record(z.string(), z.unknown()),
  description: z.string(),
  quality: z.array(qualityShape).default([]),
  files: z.record(insidePath, z.object({ bytes: z.int().nonnegative(), sha256 })),
});

/** A pack that searching uses. */
export const embedJson = packBase.extend({
  task: z.literal('embed'),
  family: z.enum(['clip', 'siglip', 'siglip2']),
  dims: positive,
  image: imageShape,
  text: textShape,
  scoring: scoringShape,
  promptTemplates: z.array(template).min(1),
  queryTemplates: z.array(template).min(1),
  calibration: z.object({ background: unit.nullish(), matching: unit.nullish() }).nullish(),
  /** Photos with texts that general search is judged by; see generic-set.ts. Decides no embedding. */
  generic: z.object({ pairs: insidePath, images: insidePath }).nullish(),
  golden: z
    .object({
      image: z.array(z.object({ file: insidePath, embedding })).default([]),
      text: z.array(z.object({ text: z.string(), ids: z.array(z.int()).nullish(), embedding })).default([]),
    })
    .nullish(),
});
export type EmbedJson = z.output<typeof embedJson>;
export type EmbedJsonInput = z.input<typeof embedJson>;

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
