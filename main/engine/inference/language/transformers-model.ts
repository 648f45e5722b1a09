/** Opens a pack in the Hugging Face layout with Transformers.js: from the pack's own folder, never from the network. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  env,
  Florence2ForConditionalGeneration,
  Idefics3ForConditionalGeneration,
  SmolVLMForConditionalGeneration,
  Tensor,
  VisionEncoderDecoderModel,
} from '@huggingface/transformers';
import { z } from 'zod';
import { AppError } from '../../../errors.ts';
import type { Generation, LanguagePack } from '../../packs/types.ts';
import { parseJson } from '../../packs/parse-json.ts';

export type HubTensors = Readonly<Record<string, Tensor>>;

/** The part of Transformers.js' models that the adapters use; its own declarations say `any`. */
export interface HubModel {
  forward(feeds: Readonly<Record<string, Tensor | HubTensors | null>>): Promise<HubTensors>;
  encode_image(feeds: HubTensors): Promise<Tensor>;
  encode_text(feeds: HubTensors): Promise<Tensor>;
  /** Runs the encoder of an encoder-decoder model. */
  _prepare_encoder_decoder_kwargs_for_generation(args: {
    readonly inputs_tensor: Tensor;
    readonly model_input_name: string;
    readonly model_inputs: HubTensors;
    readonly generation_config: { readonly guidance_scale: null };
  }): Promise<HubTensors>;
}

/** What generation_config.json or config.json decide; the last of several end tokens ends a text, a turn of a chat after that of the base model. */
export interface HubGeneration extends Generation {
  readonly start: number;
  readonly end: number;
  /** The first token whatever the scores, as BART's children have it. */
  readonly forcedFirst: number | null;
}

const classes = {
  'vision-encoder-decoder': VisionEncoderDecoderModel,
  florence2: Florence2ForConditionalGeneration,
  idefics3: Idefics3ForConditionalGeneration,
  smolvlm: SmolVLMForConditionalGeneration,
} as const;

/** Endings of weight files with Transformers.js' names for them. */
const dtypes = {
  _fp16: 'fp16',
  _quantized: 'q8',
  _int8: 'int8',
  _uint8: 'uint8',
  _q4f16: 'q4f16',
  _q4: 'q4',
  _bnb4: 'bnb4',
} as const;

const tokenIds = z.union([z.int(), z.array(z.int()).min(1)]).nullish();
const generationFields = z.object({
  decoder_start_token_id: z.int().nullish(),
  bos_token_id: z.int().nullish(),
  eos_token_id: tokenIds,
  forced_bos_token_id: z.int().nullish(),
  max_length: z.int().positive().nullish(),
  max_new_tokens: z.int().positive().nullish(),
  num_beams: z.int().positive().nullish(),
  length_penalty: z.number().nullish(),
  early_stopping: z.union([z.boolean(), z.string()]).nullish(),
  repetition_penalty: z.number().positive().nullish(),
  no_repeat_ngram_size: z.int().nonnegative().nullish(),
});
const configShape = generationFields.extend({
  model_type: z.enum(['vision-encoder-decoder', 'florence2', 'idefics3', 'smolvlm']),
  image_token_id: z.int().nullish(),
  text_config: generationFields.nullish(),
  decoder: generationFields.nullish(),
});

/** How a family's makers let it write, where its configs don't say. */
export interface HubHabits {
  readonly maxNewTokens: number;
  readonly beams: number;
  readonly noRepeatNgram: number;
  readonly earlyStopping: boolean;
}

/** What transformers writes into configs of models that say nothing of it; it would cut most texts short. */
const unsaidLength = 20;

/** @throws AppError pack-invalid */
export async function openHubModel(
  pack: LanguagePack,
  threads: number,
  habits: HubHabits,
): Promise<{ model: HubModel; generation: HubGeneration; imageToken: number | null }> {
  const config = await readConfig(pack, 'config.json', configShape);
  const own = pack.files['generation_config.json']
    ? await readConfig(pack, 'generation_config.json', generationFields)
    : null;
  const generation = generationOf([own, config], [config.decoder, config.text_config], habits);
  env.allowRemoteModels = false;
  env.allowLocalModels = true;
  env.useFSCache = false;
  env.useBrowserCache = false;
  try {
    const weights = Object.keys(pack.files).filter((path) => path.endsWith('.onnx'));
    const loaded: unknown = await classes[config.model_type].from_pretrained(pack.dir, {
      local_files_only: true,
      device: 'cpu',
      subfolder: weights.some((path) => path.startsWith('onnx/')) ? 'onnx' : '',
      dtype: dtypesOf(weights),
      session_options: {
        intraOpNumThreads: threads,
        interOpNumThreads: 1,
        // As model-session.ts has it: spinning threads take other work's cores.
        extra: { session: { intra_op: { allow_spinning: '0' }, inter_op: { allow_spinning: '0' } } },
      },
    });
    return { model: loaded as HubModel, generation, imageToken: config.image_token_id ?? null };
  } catch (thrown) {
    const reason = thrown instanceof Error ? (thrown.message.split('\n')[0] ?? '') : String(thrown);
    throw new AppError(
      'pack-invalid',
      `The model of "${pack.name}" cannot be loaded (${reason}). Install the pack again, or choose another.`,
      { cause: thrown, details: { pack: pack.id } },
    );
  }
}

async function readConfig<T extends z.ZodType>(
  pack: LanguagePack,
  file: string,
  shape: T,
): Promise<z.output<T>> {
  const content = await readFile(join(pack.dir, file), 'utf8').catch((thrown: unknown) => {
    throw new AppError(
      'pack-invalid',
      `The ${file} of "${pack.name}" cannot be read. Install the pack again.`,
      { cause: thrown, details: { pack: pack.id, file } },
    );
  });
  return parseJson(shape, content, `${file} of "${pack.name}"`);
}

type Fields = z.output<typeof generationFields>;

/** The first config that says something decides it, as in transformers; the parts' configs know tokens only. */
function generationOf(
  configs: readonly (Fields | null)[],
  parts: readonly (Fields | null | undefined)[],
  habits: HubHabits,
): HubGeneration {
  const first = <K extends keyof Fields>(
    from: readonly (Fields | null | undefined)[],
    key: K,
  ): NonNullable<Fields[K]> | undefined =>
    from.map((config) => config?.[key]).find((value) => value != null) ?? undefined;
  const said = <K extends keyof Fields>(key: K): NonNullable<Fields[K]> | undefined => first(configs, key);
  const token = (
    key: 'decoder_start_token_id' | 'bos_token_id' | 'forced_bos_token_id',
  ): number | undefined => first([...configs, ...parts], key);
  const ends = first([...configs, ...parts], 'eos_token_id') ?? 0;
  const start = token('decoder_start_token_id');
  // Only where a text is written apart from what it is about does its length count nothing else.
  const length = start === undefined ? undefined : said('max_length');
  const limit = said('max_new_tokens') ?? (length === unsaidLength ? undefined : length && length - 1);
  const stopping = said('early_stopping');
  return {
    start: start ?? token('bos_token_id') ?? 0,
    end: typeof ends === 'number' ? ends : (ends.at(-1) ?? 0),
    forcedFirst: token('forced_bos_token_id') ?? null,
    maxNewTokens: Math.max(1, Math.min(habits.maxNewTokens, limit ?? habits.maxNewTokens)),
    beams: said('num_beams') ?? habits.beams,
    lengthPenalty: said('length_penalty') ?? 1,
    earlyStopping: stopping === undefined ? habits.earlyStopping : stopping === true,
    repetitionPenalty: said('repetition_penalty') ?? 1,
    noRepeatNgram: said('no_repeat_ngram_size') ?? habits.noRepeatNgram,
    sampling: null,
  };
}

type Dtype = (typeof dtypes)[keyof typeof dtypes] | 'fp32';

/** `onnx/decoder_model_merged_q4.onnx` is the part `decoder_model_merged` in `q4`. */
function dtypesOf(weights: readonly string[]): Record<string, Dtype> {
  return Object.fromEntries(
    weights.map((path): [string, Dtype] => {
      const stem = (path.split('/').at(-1) ?? path).slice(0, -'.onnx'.length);
      for (const [suffix, dtype] of Object.entries(dtypes))
        if (stem.endsWith(suffix)) return [stem.slice(0, -suffix.length), dtype];
      return [stem, 'fp32'];
    }),
  );
}

/** (1, T) int64. */
export function idTensor(ids: readonly number[]): Tensor {
  return new Tensor('int64', BigInt64Array.from(ids, BigInt), [1, ids.length]);
}

/** Ones, int64. */
export function onesTensor(shape: number[]): Tensor {
  const size = shape.reduce((a, b) => a * b, 1);
  return new Tensor('int64', new BigInt64Array(size).fill(1n), shape);
}
