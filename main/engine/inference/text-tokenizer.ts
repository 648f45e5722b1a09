/** Texts to token ids as the pack's own tokenizer gives them, with the pack's rules before and after. */
import { readFile } from 'node:fs/promises';
import { Tokenizer } from '@huggingface/tokenizers';
import { z } from 'zod';
import { AppError } from '../../errors.ts';
import type { TextTower } from '../packs/types.ts';

export interface TextTokenizer {
  /** At most `maxLength` ids, the last one the end token even when the text was cut; not padded. */
  ids(text: string): number[];
  readonly padId: number;
}

const tokenizerConfig = z.object({
  pad_token: z.union([z.string(), z.object({ content: z.string() })]).nullish(),
});

/** Python's string.punctuation, which SigLIP's reference tokenizer deletes before splitting. */
const punctuation = /[!"#$%&'()*+,\-./:;<=>?@[\\\]^_`{|}~]/g;

/** @throws AppError pack-invalid */
export async function openTokenizer(tower: TextTower, packName: string): Promise<TextTokenizer> {
  const { tokenizer, padId } = await readTokenizer(tower.tokenizer, tower.tokenizerConfig, packName);
  return {
    padId,
    ids(text) {
      const { ids } = tokenizer.encode(prepare(text, tower));
      if (ids.length <= tower.maxLength) return ids;
      const last = ids.at(-1);
      return [...ids.slice(0, tower.maxLength - 1), ...(last === undefined ? [] : [last])];
    },
  };
}

/**
 * @param file absolute path of tokenizer.json; `configFile` of tokenizer_config.json, where there is one.
 * @throws AppError pack-invalid
 */
export async function readTokenizer(
  file: string,
  configFile: string | null,
  packName: string,
): Promise<{ tokenizer: Tokenizer; padId: number }> {
  let tokenizer: Tokenizer;
  let config: z.output<typeof tokenizerConfig>;
  try {
    const json: unknown = JSON.parse(await readFile(file, 'utf8'));
    const rawConfig: unknown = configFile === null ? {} : JSON.parse(await readFile(configFile, 'utf8'));
    config = tokenizerConfig.parse(rawConfig);
    tokenizer = new Tokenizer(json, rawConfig);
    tokenizer.encode('a');
  } catch (thrown) {
    throw new AppError(
      'pack-invalid',
      `The tokenizer of the model pack "${packName}" cannot be used. Install the pack again.`,
      { cause: thrown, details: { pack: packName } },
    );
  }
  const padToken = typeof config.pad_token === 'object' ? config.pad_token?.content : config.pad_token;
  return { tokenizer, padId: (padToken === undefined ? undefined : tokenizer.token_to_id(padToken)) ?? 0 };
}

function prepare(text: string, tower: TextTower): string {
  const lower = tower.lowercase ? text.toLowerCase() : text;
  return tower.stripPunctuation ? lower.replace(punctuation, '').replace(/\s+/g, ' ').trim() : lower;
}
