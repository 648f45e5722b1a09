/** Describes a folder in the Hugging Face layout that has no pack.json, from its own configs. */
import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { AppError } from '../../errors.ts';
import { hashFiles, listFiles } from './pack-files.ts';
import { describeHubLanguage, hubLanguageFamily } from './hub-language-folder.ts';
import { languageJson, type LanguageJson } from './language-json.ts';
import { modelConfig, type ModelConfig, type EmbedJson } from './pack-json.ts';
import type { PackFamily } from './types.ts';

/** Weights in order of preference: full precision decides recall, the others are for those who chose them. */
const suffixes = ['', '_fp16', '_quantized', '_int8', '_uint8', '_q4', '_bnb4', '_q4f16'] as const;

/** Gemma's vocabulary: fixed-resolution SigLIP 2 checkpoints call themselves "siglip" and differ in the tokenizer. */
const gemmaVocabulary = 256_000;

/**
 * Trained scale and bias of each family; exports of single towers don't carry them. CLIP's scale ended at its cap of
 * 100 (Radford et al. 2021); SigLIP's are those of siglip-base-patch16-224 and siglip2-base-patch16-224.
 */
const familyScoring: Readonly<Record<PackFamily, EmbedJson['scoring']>> = {
  clip: { kind: 'softmax', logitScale: 100, logitBias: 0 },
  siglip: { kind: 'sigmoid', logitScale: 117.33, logitBias: -12.93 },
  siglip2: { kind: 'sigmoid', logitScale: 112.6689, logitBias: -16.7717 },
};

const defaultTemplates = {
  promptTemplates: ['a photo of a {}.', 'a photo of the {}.', 'a picture of {}.'],
  queryTemplates: ['{}', 'a photo of {}.'],
};

/** @throws AppError pack-invalid when the folder is not an export of a model that is known here. */
export async function describeHubFolder(
  dir: string,
  signal?: AbortSignal,
): Promise<EmbedJson | LanguageJson> {
  const all = await listFiles(dir);
  const config = await readConfig(dir);
  const writing = hubLanguageFamily(config.model_type);
  if (writing === null) return describeSearching(dir, all, config, signal);
  const { json, files } = describeHubLanguage(writing, all, suffixes, basename(dir));
  return languageJson.parse({ ...common(dir), ...json, files: await hashFiles(dir, files, signal) });
}

function common(
  dir: string,
): Pick<EmbedJson, 'schema' | 'id' | 'name' | 'version' | 'licence' | 'source' | 'quality'> {
  const name = basename(dir);
  return {
    schema: 1,
    id: packIdFrom(name),
    name,
    version: '1',
    licence: { id: 'unknown', name: 'As its publisher states' },
    source: { kind: 'folder', name },
    quality: [],
  };
}

async function describeSearching(
  dir: string,
  all: readonly string[],
  config: ModelConfig,
  signal: AbortSignal | undefined,
): Promise<EmbedJson> {
  const family = familyOf(config);
  const { image, text } = chooseModels(dir, all);
  const siglip = family !== 'clip';
  const wanted = [image, text, 'config.json', 'preprocessor_config.json', 'tokenizer.json'];
  const used = all.filter(
    (path) =>
      wanted.includes(path) ||
      path === 'tokenizer_config.json' ||
      // Weights beyond protobuf's 2 GB, or split off by the exporter.
      path.startsWith(`${image}_data`) ||
      path.startsWith(`${text}_data`),
  );
  const missing = wanted.find((path) => !all.includes(path));
  if (missing !== undefined) throw lacks(dir, missing);
  return {
    ...common(dir),
    task: 'embed',
    family,
    dims: dimsOf(config, family),
    description: `A local ${familyNames[family]} model.`,
    image: { file: image },
    text: {
      file: text,
      maxLength: config.text_config.max_position_embeddings ?? (siglip ? 64 : 77),
      padding: siglip ? 'max' : 'longest',
      lowercase: siglip,
      stripPunctuation: family === 'siglip',
    },
    scoring: familyScoring[family],
    ...defaultTemplates,
    files: await hashFiles(dir, used, signal),
  };
}

const familyNames: Readonly<Record<PackFamily, string>> = {
  clip: 'CLIP',
  siglip: 'SigLIP',
  siglip2: 'SigLIP 2',
};

/** A folder name as a pack id: "CLIP ViT (large)" becomes "clip-vit-large". */
export function packIdFrom(name: string): string {
  const id = name
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[^a-z0-9._]+/g, '-')
    .replace(/^[^a-z0-9]+|[^a-z0-9]+$/g, '')
    .slice(0, 128);
  return id === '' ? 'local-pack' : id;
}

async function readConfig(dir: string): Promise<ModelConfig> {
  let content: unknown;
  try {
    content = JSON.parse(await readFile(join(dir, 'config.json'), 'utf8'));
  } catch (thrown) {
    throw lacks(dir, 'config.json', thrown);
  }
  const parsed = modelConfig.safeParse(content);
  if (parsed.success) return parsed.data;
  throw new AppError(
    'pack-invalid',
    `The config.json in "${basename(dir)}" does not describe a model. Choose a folder downloaded from the Hugging Face Hub.`,
    { cause: parsed.error },
  );
}

function familyOf(config: ModelConfig): PackFamily {
  switch (config.model_type) {
    case 'clip':
    case 'siglip2':
      return config.model_type;
    case 'siglip':
      return config.text_config.vocab_size === gemmaVocabulary ? 'siglip2' : 'siglip';
    default:
      throw new AppError(
        'pack-invalid',
        `This is a "${config.model_type}" model. Afterimage searches with CLIP, SigLIP and SigLIP 2, and writes with ViT-GPT2, Florence-2 and SmolVLM. Choose one of those.`,
        { details: { family: config.model_type } },
      );
  }
}

function dimsOf(config: ModelConfig, family: PackFamily): number {
  // The defaults of CLIPConfig and SiglipVisionConfig, which published configs leave out.
  if (family === 'clip') return config.projection_dim ?? 512;
  return config.text_config.projection_size ?? config.vision_config.hidden_size ?? 768;
}

function chooseModels(dir: string, all: readonly string[]): { image: string; text: string } {
  for (const folder of ['onnx/', '']) {
    for (const suffix of suffixes) {
      const image = `${folder}vision_model${suffix}.onnx`;
      const text = `${folder}text_model${suffix}.onnx`;
      if (all.includes(image) && all.includes(text)) return { image, text };
    }
    for (const suffix of suffixes) {
      const both = `${folder}model${suffix}.onnx`;
      if (all.includes(both)) return { image: both, text: both };
    }
  }
  throw lacks(dir, 'onnx/vision_model.onnx and onnx/text_model.onnx');
}

function lacks(dir: string, file: string, cause?: unknown): AppError {
  return new AppError(
    'pack-invalid',
    `The folder "${basename(dir)}" has no readable ${file}. Choose the folder of an ONNX export of CLIP or SigLIP, with all its files.`,
    { cause, details: { file } },
  );
}
