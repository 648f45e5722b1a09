/** Reads and verifies a model pack: a folder in the Hugging Face layout, with or without pack.json. */
import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { z } from 'zod';
import { AppError } from '../../errors.ts';
import { describeHubFolder } from './hub-folder.ts';
import { sha256File } from './pack-files.ts';
import { packJson, preprocessorConfig, type PackJson } from './pack-json.ts';
import type { ImageSpec, PackDescription } from './types.ts';

/** Means and deviations that CLIPImageProcessor and SiglipImageProcessor assume when a config leaves them out. */
const processorDefaults = {
  clip: {
    resample: 3,
    crop: true,
    mean: [0.48145466, 0.4578275, 0.40821073],
    std: [0.26862954, 0.26130258, 0.27577711],
  },
  siglip: { resample: 3, crop: false, mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] },
} as const;

/**
 * Reads what a pack says of itself; the sizes of its files are checked, their contents only by `verifyPack`, so that
 * opening costs nothing. Without pack.json the files are hashed, about 2 s a gigabyte.
 * @throws AppError pack-missing, pack-invalid, cancelled
 */
export async function readPack(
  dir: string,
  options: { readonly signal?: AbortSignal | undefined } = {},
): Promise<PackDescription> {
  const about = basename(dir);
  const description = await readPackJson(dir, options.signal);
  for (const [path, { bytes }] of Object.entries(description.files)) {
    const found = await stat(join(dir, path)).catch(() => undefined);
    if (found?.size === bytes) continue;
    throw new AppError(
      'pack-invalid',
      found === undefined
        ? `The model pack "${about}" lacks its file ${path}. Install the pack again.`
        : `The file ${path} of the model pack "${about}" has ${String(found.size)} bytes instead of ${String(bytes)}. Install the pack again.`,
      { details: { pack: about, file: path } },
    );
  }
  for (const needed of [description.image.file, description.text.file, 'tokenizer.json']) {
    if (description.files[needed] === undefined) {
      throw new AppError(
        'pack-invalid',
        `The pack.json of "${about}" does not list its file ${needed}. Install the pack again.`,
        { details: { pack: about, file: needed } },
      );
    }
  }
  const imageSpec = await readImageSpec(dir, description.family);
  return toDescription(dir, description, imageSpec);
}

/**
 * Hashes every file again.
 * @param onProgress bytes hashed so far, of `pack.bytes`.
 * @throws AppError pack-invalid naming the first file that differs, cancelled
 */
export async function verifyPack(
  pack: PackDescription,
  options: { readonly signal?: AbortSignal; readonly onProgress?: (bytes: number) => void } = {},
): Promise<void> {
  let done = 0;
  for (const [path, expected] of Object.entries(pack.files)) {
    let found: string;
    try {
      found = await sha256File(join(pack.dir, path), options.signal);
    } catch (thrown) {
      throw AppError.from(thrown, `Reading ${path} of the model pack "${pack.name}"`);
    }
    if (found !== expected.sha256) {
      throw new AppError(
        'pack-invalid',
        `The file ${path} of the model pack "${pack.name}" is damaged: its checksum is not the recorded one. Install the pack again.`,
        { details: { pack: pack.id, file: path } },
      );
    }
    done += expected.bytes;
    options.onProgress?.(done);
  }
}

async function readPackJson(dir: string, signal?: AbortSignal): Promise<PackJson> {
  const about = basename(dir);
  let content: string;
  try {
    if (!(await stat(dir)).isDirectory()) throw new Error('not a folder');
    content = await readFile(join(dir, 'pack.json'), 'utf8');
  } catch (thrown) {
    const isFolder = await stat(dir).then(
      (found) => found.isDirectory(),
      () => false,
    );
    if (isFolder && (thrown as NodeJS.ErrnoException).code === 'ENOENT')
      return describeHubFolder(dir, signal);
    throw new AppError(
      'pack-missing',
      `There is no model pack at "${about}". Install it again, or choose another on the models page.`,
      { cause: thrown, details: { pack: about } },
    );
  }
  return parse(packJson, content, `pack.json of "${about}"`);
}

async function readImageSpec(dir: string, family: PackJson['family']): Promise<ImageSpec> {
  const about = `preprocessor_config.json of "${basename(dir)}"`;
  let content: string;
  try {
    content = await readFile(join(dir, 'preprocessor_config.json'), 'utf8');
  } catch (thrown) {
    throw new AppError('pack-invalid', `The ${about} cannot be read. Install the pack again.`, {
      cause: thrown,
    });
  }
  const config = parse(preprocessorConfig, content, about);
  const processor = config.image_processor_type ?? config.feature_extractor_type ?? '';
  // NaFlex checkpoints take patches of many sizes, which no fixed-size export does.
  if (/^Siglip2ImageProcessor/.test(processor)) {
    throw new AppError(
      'pack-invalid',
      'SigLIP 2 models with flexible resolution (NaFlex) are not supported. Choose a fixed-resolution one such as siglip2-base-patch16-224.',
    );
  }
  const defaults = processorDefaults[family === 'clip' ? 'clip' : 'siglip'];
  const crop = config.do_center_crop ?? (defaults.crop && config.crop_size != null);
  const { size } = config;
  return {
    resize: !config.do_resize
      ? null
      : 'shortest_edge' in size
        ? { shortestEdge: size.shortest_edge }
        : { width: size.width, height: size.height },
    crop: crop && config.crop_size != null ? config.crop_size : null,
    resample: config.resample ?? defaults.resample,
    rescale: config.do_rescale ? config.rescale_factor : 1,
    mean: config.do_normalize ? (config.image_mean ?? defaults.mean) : [0, 0, 0],
    std: config.do_normalize ? (config.image_std ?? defaults.std) : [1, 1, 1],
  };
}

function parse<T extends z.ZodType>(schema: T, content: string, about: string): z.output<T> {
  let json: unknown;
  try {
    json = JSON.parse(content);
  } catch (thrown) {
    throw new AppError('pack-invalid', `The ${about} is not JSON. Install the pack again.`, {
      cause: thrown,
    });
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const where = issue === undefined ? '' : ` (${issue.path.join('.')}: ${issue.message})`;
  throw new AppError('pack-invalid', `The ${about} is malformed${where}. Install the pack again.`, {
    cause: parsed.error,
  });
}

function toDescription(dir: string, json: PackJson, imageSpec: ImageSpec): PackDescription {
  const file = (path: string): string => join(dir, ...path.split('/'));
  const { image, text, golden, calibration } = json;
  return {
    dir,
    id: json.id,
    name: json.name,
    version: json.version,
    description: json.description,
    family: json.family,
    dims: json.dims,
    bytes: Object.values(json.files).reduce((sum, entry) => sum + entry.bytes, 0),
    licence: {
      id: json.licence.id,
      name: json.licence.name,
      url: json.licence.url ?? null,
      note: json.licence.note ?? null,
    },
    source: sourceText(json.source),
    fingerprint: fingerprint(json, imageSpec),
    image: { file: file(image.file), input: image.input ?? null, output: image.output ?? null },
    text: {
      file: file(text.file),
      inputIds: text.inputIds ?? null,
      attentionMask: text.attentionMask ?? null,
      output: text.output ?? null,
      maxLength: text.maxLength,
      padding: text.padding,
      lowercase: text.lowercase,
      stripPunctuation: text.stripPunctuation,
      tokenizer: file('tokenizer.json'),
      tokenizerConfig:
        json.files['tokenizer_config.json'] === undefined ? null : file('tokenizer_config.json'),
    },
    imageSpec,
    scoring: {
      ...json.scoring,
      promptTemplates: json.promptTemplates,
      queryTemplates: json.queryTemplates,
      background: calibration?.background ?? null,
      matching: calibration?.matching ?? null,
    },
    golden: {
      images: (golden?.image ?? []).map((example) => ({ ...example, file: file(example.file) })),
      texts: (golden?.text ?? []).map((example) => ({ ...example, ids: example.ids ?? null })),
    },
    halfPrecision: /fp16|f16/.test(image.file) || /fp16|f16/.test(text.file),
    files: json.files,
  };
}

function sourceText(source: Readonly<Record<string, unknown>>): string {
  const { url, repo, recipe, name, kind } = source;
  const found = [url, repo, recipe, name, kind].find((value) => typeof value === 'string');
  return typeof found === 'string' ? found : '';
}

/** Texts about the pack (name, licence, templates) may change without making stored vectors stale. */
function fingerprint(json: PackJson, imageSpec: ImageSpec): string {
  const towers = new Set([json.image.file, json.text.file]);
  const deciding = Object.entries(json.files)
    .filter(
      ([path]) =>
        path === 'tokenizer.json' ||
        [...towers].some((tower) => path === tower || path.startsWith(`${tower}_data`)),
    )
    .map(([path, { sha256 }]) => [path, sha256])
    .sort();
  const { maxLength, padding, lowercase, stripPunctuation, output } = json.text;
  const content = JSON.stringify({
    deciding,
    imageSpec,
    dims: json.dims,
    imageOutput: json.image.output ?? null,
    text: { maxLength, padding, lowercase, stripPunctuation, output: output ?? null },
  });
  return createHash('sha256').update(content).digest('hex').slice(0, 32);
}
