/** A pack's tokenizer both ways, and the limit on how much text its model reads. */
import { AppError } from '../../../errors.ts';
import type { LanguagePack } from '../../packs/types.ts';
import { readTokenizer } from '../text-tokenizer.ts';

export interface Words {
  /** With the special tokens that the tokenizer puts around a text. */
  ids(text: string): number[];
  /** Without them. */
  bareIds(text: string): number[];
  /** Special tokens left out, trimmed. */
  text(ids: readonly number[]): string;
}

/** @throws AppError pack-invalid */
export async function openWords(pack: LanguagePack): Promise<Words> {
  if (pack.tokenizer === null) {
    throw new AppError(
      'pack-invalid',
      `The pack "${pack.name}" has no tokenizer.json. Install the pack again.`,
    );
  }
  const { tokenizer } = await readTokenizer(pack.tokenizer, pack.tokenizerConfig, pack.name);
  return {
    ids: (text) => tokenizer.encode(text).ids,
    bareIds: (text) => tokenizer.encode(text, { add_special_tokens: false }).ids,
    text: (ids) => (ids.length === 0 ? '' : tokenizer.decode([...ids], { skip_special_tokens: true }).trim()),
  };
}

/** A long word may be a single token; no model means anything by a text of such words. */
const charactersPerToken = 10;

/** Characters beyond which no text is read, whatever its tokens. */
export function longestText(pack: Pick<LanguagePack, 'maxLength'>): number {
  return pack.maxLength * charactersPerToken;
}

/**
 * Nothing is cut in silence: what doesn't fit is refused with how much would.
 * @param tokens how many tokens a text makes, of which `most` fit.
 * @throws AppError input-invalid
 */
export function refuseTooLong(
  what: 'question' | 'prompt',
  text: string,
  limits: { readonly characters: number; readonly most: number; readonly tokens: (text: string) => number },
): void {
  const { characters, most, tokens } = limits;
  const fits = (part: string): boolean => part.length <= characters && tokens(part) <= most;
  if (fits(text)) return;
  let least = 0;
  let beyond = Math.min(text.length, characters + 1);
  while (beyond - least > 1) {
    const middle = (least + beyond) >> 1;
    if (fits(text.slice(0, middle))) least = middle;
    else beyond = middle;
  }
  throw new AppError(
    'input-invalid',
    `This ${what} has ${text.length.toLocaleString('en')} characters, and this model reads about the first ${least.toLocaleString('en')}. Put it in fewer words.`,
    { details: { characters: text.length, fit: least } },
  );
}
