/** ViT-GPT2: a vision transformer read by GPT-2, through Transformers.js. Captions, also continued from words. */
import { Tensor } from '@huggingface/transformers';
import { AppError } from '../../../errors.ts';
import type { OpenAdapter } from './adapter.ts';
import { numbers } from './cached-decoder.ts';
import { pixelSight } from './sight.ts';
import { nextTurn, cancelled } from './token-steps.ts';
import { openHubModel } from './transformers-model.ts';
import { beginHubRun, repeatedFor } from './transformers-run.ts';
import { longestText, openWords, refuseTooLong } from './words.ts';
import { writeText } from './write-tokens.ts';

/** As its card runs it (nlpconnect/vit-gpt2-image-captioning): at most 16 tokens with the first, four beams. */
const habits = { maxNewTokens: 15, beams: 4, noRepeatNgram: 0, earlyStopping: false };
/** Tokens. */
const longestPrompt = 32;

export const openVitGpt2: OpenAdapter = async (pack, options) => {
  const [words, { model, generation }] = await Promise.all([
    openWords(pack),
    openHubModel(pack, options.threads, habits),
  ]);
  const sight = pixelSight(options);
  return {
    async caption(picture, prompt, hooks) {
      const idsOf = (text: string): number[] => (text === '' ? [] : words.bareIds(text));
      refuseTooLong('prompt', prompt, {
        characters: longestText(pack),
        most: longestPrompt,
        tokens: (text) => idsOf(text).length,
      });
      const begun = idsOf(prompt);
      const seen = (await sight(picture))['pixel_values'];
      if (seen === undefined) throw new AppError('internal', 'A picture has no pixels.');
      await nextTurn();
      if (hooks.shouldStop()) throw cancelled();
      const pixels = new Tensor('float32', numbers(seen), [...seen.dims]);
      const { encoder_outputs: states } = await model._prepare_encoder_decoder_kwargs_for_generation({
        inputs_tensor: pixels,
        model_input_name: 'pixel_values',
        model_inputs: { pixel_values: pixels },
        generation_config: { guidance_scale: null },
      });
      if (states === undefined) throw new AppError('internal', 'A vision model gave no states.');
      const repeated = repeatedFor(states);
      const textOf = (ids: readonly number[]): string => words.text([...begun, ...ids]);
      return writeText(
        {
          run: beginHubRun(model, ({ ids, rows }) => ({
            encoder_outputs: repeated(rows),
            decoder_input_ids: ids,
          })),
          prompt: [generation.start, ...begun],
          end: generation.end,
          generation,
        },
        textOf,
        hooks,
      );
    },
  };
};
