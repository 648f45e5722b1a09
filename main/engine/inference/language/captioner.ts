/** Captioners that write with a cached decoder about what an encoder saw: BLIP, and the one that ships. */
import { AppError } from '../../../errors.ts';
import type { LanguagePack } from '../../packs/types.ts';
import type { Adapter, AdapterOptions, OpenAdapter } from './adapter.ts';
import { crossNames, openDecoder } from './cached-decoder.ts';
import { openGraph } from './model-graph.ts';
import { pixelSight, rememberLast, towerSight, type Sight } from './sight.ts';
import { cancelled, nextTurn } from './token-steps.ts';
import { longestText, openWords, refuseTooLong } from './words.ts';
import { writeText } from './write-tokens.ts';

/** A prompt leaves room for at least this many tokens after it. */
const leastRoom = 8;

/** Encoder: `pixel_values` (1, 3, H, W) to `cross.i.key` and `.value`. */
export const openBlipCaptioner: OpenAdapter = (pack, options) =>
  openCaptioner(pack, options, ['pixel_values'], pixelSight(options));

/** Encoder: `patch_embeds` (1, cells, dims) and `pixel_values` to `cross.i.key` and `.value`. */
export const openStarterCaptioner: OpenAdapter = async (pack, options) =>
  openCaptioner(pack, options, ['patch_embeds', 'pixel_values'], await towerSight(options));

async function openCaptioner(
  pack: LanguagePack,
  options: AdapterOptions,
  inputs: readonly string[],
  sight: Sight,
): Promise<Adapter> {
  if (pack.encoder === null || pack.decoder === null)
    throw new AppError('internal', `The pack "${pack.name}" was opened without an encoder.`);
  const [words, decoder, encoder] = await Promise.all([
    openWords(pack),
    openDecoder(pack, options),
    openGraph(pack, pack.encoder, options.threads, { inputs, outputs: crossNames(pack.decoder.layers) }),
  ]);
  const { generation, tokens } = pack;
  const start = tokens['bos'] ?? 0;
  const end = tokens['eos'] ?? 0;
  const longestPrompt = Math.max(1, Math.min(pack.maxLength, decoder.maxLength - leastRoom));
  const see = rememberLast(async (picture) => encoder.run(await sight(picture)));

  return {
    async caption(picture, prompt, hooks) {
      const tokensOf = (text: string): number[] => [start, ...(text === '' ? [] : words.bareIds(text))];
      refuseTooLong('prompt', prompt, {
        characters: longestText(pack),
        most: longestPrompt,
        tokens: (text) => tokensOf(text).length,
      });
      const begun = tokensOf(prompt);
      const cross = await see(picture);
      await nextTurn();
      if (hooks.shouldStop()) throw cancelled();
      const textOf = (ids: readonly number[]): string => words.text([...begun.slice(1), ...ids]);
      return writeText(
        {
          run: decoder.begin(cross),
          prompt: begun,
          end,
          // The last token written is never read, so it needs no position.
          generation: {
            ...generation,
            maxNewTokens: Math.min(generation.maxNewTokens, decoder.maxLength - begun.length + 1),
          },
        },
        textOf,
        hooks,
      );
    },
  };
}
