/** From the pack.json of an embedding pack to its description. */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { readImageSpec } from './image-spec.ts';
import type { EmbedJson } from './pack-json.ts';
import { commonFields, refuseUnlisted } from './pack-fields.ts';
import type { EmbedPack, ImageSpec } from './types.ts';

/** @throws AppError pack-invalid */
export async function describeEmbedPack(dir: string, json: EmbedJson): Promise<EmbedPack> {
  const generic = json.generic ?? null;
  refuseUnlisted(dir, json, [
    ...[json.image.file, json.text.file, 'tokenizer.json'],
    ...(generic === null ? [] : [generic.pairs, generic.images]),
  ]);
  const imageSpec = await readImageSpec(dir, json.family);
  const file = (path: string): string => join(dir, ...path.split('/'));
  const { image, text, golden, calibration } = json;
  return {
    kind: 'embed',
    tasks: ['embed'],
    ...commonFields(dir, json),
    family: json.family,
    dims: json.dims,
    fingerprint: fingerprint(json, imageSpec),
    image: {
      file: file(image.file),
      input: image.input ?? null,
      output: image.output ?? null,
      patchOutput: image.patchOutput ?? null,
      grid: image.grid ?? null,
    },
    text: {
      file: file(text.file),
      inputIds: text.inputIds ?? null,
      attentionMask: text.attentionMask ?? null,
      output: text.output ?? null,
      tokenOutput: text.tokenOutput ?? null,
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
    generic: generic === null ? null : { pairs: file(generic.pairs), images: file(generic.images) },
    halfPrecision: /fp16|f16/.test(image.file) || /fp16|f16/.test(text.file),
  };
}

/** Texts about the pack (name, licence, templates) may change without making stored vectors stale. */
function fingerprint(json: EmbedJson, imageSpec: ImageSpec): string {
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
