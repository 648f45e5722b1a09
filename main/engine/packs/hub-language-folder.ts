/** Describes a folder from the Hugging Face Hub whose model captions or answers, from its own configs. */
import { AppError } from '../../errors.ts';
import type { LanguageJson } from './language-json.ts';
import type { LanguageTask } from './types.ts';

type HubFamily = 'vit-gpt2' | 'florence2' | 'smolvlm';

interface HubModel {
  readonly name: string;
  readonly tasks: LanguageTask[];
  /** ONNX files without suffix and extension. */
  readonly parts: readonly string[];
}

const models: Readonly<Record<HubFamily, HubModel>> = {
  'vit-gpt2': { name: 'ViT-GPT2', tasks: ['caption'], parts: ['encoder_model', 'decoder_model_merged'] },
  florence2: {
    name: 'Florence-2',
    tasks: ['caption'],
    parts: ['vision_encoder', 'embed_tokens', 'encoder_model', 'decoder_model_merged'],
  },
  smolvlm: {
    name: 'SmolVLM',
    tasks: ['caption', 'answer'],
    parts: ['vision_encoder', 'embed_tokens', 'decoder_model_merged'],
  },
};

/** What config.json calls them; SmolVLM is Idefics 3 by another name. */
const byModelType: Readonly<Record<string, HubFamily>> = {
  'vision-encoder-decoder': 'vit-gpt2',
  florence2: 'florence2',
  idefics3: 'smolvlm',
  smolvlm: 'smolvlm',
};

/** Null for a model of another kind. */
export function hubLanguageFamily(modelType: string): HubFamily | null {
  return Object.hasOwn(byModelType, modelType) ? (byModelType[modelType] ?? null) : null;
}

/**
 * What pack.json would say, and the files that are used.
 * @param all paths relative to the folder.
 * @param suffixes of weights, the preferred first.
 * @throws AppError pack-invalid
 */
export function describeHubLanguage(
  family: HubFamily,
  all: readonly string[],
  suffixes: readonly string[],
  folder: string,
): { readonly json: Pick<LanguageJson, 'family' | 'tasks' | 'description'>; readonly files: string[] } {
  const { name, tasks, parts } = models[family];
  const weights = parts.map((part) => {
    const found = suffixes
      .flatMap((suffix) => [`onnx/${part}${suffix}.onnx`, `${part}${suffix}.onnx`])
      .find((path) => all.includes(path));
    if (found !== undefined) return found;
    throw new AppError(
      'pack-invalid',
      `The folder "${folder}" has no onnx/${part}.onnx. Choose the folder of an ONNX export of ${name}, with all its files.`,
      { details: { file: `onnx/${part}.onnx` } },
    );
  });
  const files = all.filter(
    (path) =>
      // Configs, vocabularies and chat templates lie beside config.json.
      (!path.includes('/') && /\.(json|jinja|txt|model)$/.test(path)) ||
      // Weights beyond protobuf's 2 GB lie beside their model.
      weights.some((file) => path === file || path.startsWith(`${file}_data`)),
  );
  return { json: { family, tasks, description: `A local ${name} model.` }, files };
}
