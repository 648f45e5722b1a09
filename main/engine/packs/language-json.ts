/** The schema of pack.json for packs that write: captions, answers or both. */
import { z } from 'zod';
import { insidePath, packBase, positive, sha256 } from './pack-json.ts';
import type { LanguageFamily } from './types.ts';

const languageFamilies = [
  'starter-captioner',
  'starter-answerer',
  'blip-caption',
  'blip-vqa',
  'vilt',
  'vit-gpt2',
  'florence2',
  'smolvlm',
] as const satisfies readonly LanguageFamily[];

const oneFile = z.object({ file: insidePath });
const probability = z.number().min(0).max(1);

/** What a language pack says beyond the common fields; an offer of the manifest says the same. */
export const languageFields = z.object({
  tasks: z.array(z.enum(['caption', 'answer'])).min(1),
  family: z.enum(languageFamilies),
  imageTower: z.object({ pack: z.string().min(1), file: insidePath, sha256 }).nullish(),
  encoder: oneFile.nullish(),
  vision: oneFile.nullish(),
  question: oneFile.nullish(),
  decoder: z
    .object({
      file: insidePath,
      layers: positive,
      heads: positive,
      headDim: positive,
      maxLength: positive.nullish(),
    })
    .nullish(),
  classifier: z
    .object({
      file: insidePath,
      /** An array of strings, or a config.json with id2label. */
      answers: insidePath,
      maxLength: positive.nullish(),
    })
    .nullish(),
  /** Scores of answers are divided by it before they become probabilities. */
  temperature: z.number().positive().default(1),
  /** Tokens of a question or prompt, special ones included. */
  maxLength: positive.nullish(),
  tokens: z.record(z.string(), z.int().nonnegative()).default({}),
  generation: z
    .object({
      maxNewTokens: positive.max(4_096),
      beams: positive.max(32).default(1),
      lengthPenalty: z.number().default(1),
      earlyStopping: z.boolean().nullish(),
      repetitionPenalty: z.number().positive().default(1),
      noRepeatNgram: z.int().nonnegative().default(0),
      sampling: z
        .object({
          temperature: z.number().positive().default(1),
          topK: z.int().nonnegative().default(0),
          topP: z.number().positive().max(1).default(1),
          seed: z.int().nonnegative().default(0),
        })
        .nullish(),
    })
    .nullish(),
  confidence: z.object({ slope: z.number(), intercept: z.number(), notSureBelow: probability }).nullish(),
});

export const languageJson = packBase.extend(languageFields.shape).extend({
  golden: z
    .array(
      z.object({
        file: insidePath,
        prompt: z.string().nullish(),
        question: z.string().nullish(),
        text: z.string(),
        ids: z.array(z.int()).nullish(),
        confidence: probability.nullish(),
      }),
    )
    .default([]),
});
export type LanguageJson = z.output<typeof languageJson>;
export type LanguageJsonInput = z.input<typeof languageJson>;
