/** Florence-2 through Transformers.js: captions of three lengths, captions continued from words, and text in photos. */
import { Tensor } from '@huggingface/transformers';
import { AppError } from '../../../errors.ts';
import type { LanguagePicture, OpenAdapter } from './adapter.ts';
import { numbers } from './cached-decoder.ts';
import { pixelSight } from './sight.ts';
import { cancelled, nextTurn } from './token-steps.ts';
import { idTensor, onesTensor, openHubModel } from './transformers-model.ts';
import { beginHubRun, repeatedFor } from './transformers-run.ts';
import { longestText, openWords, refuseTooLong } from './words.ts';
import { writeText } from './write-tokens.ts';

/** What Florence2Processor asks for each task. */
const tasks = {
  '<CAPTION>': 'What does the image describe?',
  '<DETAILED_CAPTION>': 'Describe in detail what is shown in the image.',
  '<MORE_DETAILED_CAPTION>': 'Describe with a paragraph what is shown in the image.',
  '<OCR>': 'What is the text in the image?',
} as const;

/** Prompts that choose a task, beside the tags themselves; any other is where the caption begins. */
const spoken: Readonly<Record<string, keyof typeof tasks>> = {
  caption: '<CAPTION>',
  detailed: '<DETAILED_CAPTION>',
  'more detailed': '<MORE_DETAILED_CAPTION>',
  ocr: '<OCR>',
};
/** As its card runs it (microsoft/Florence-2-base-ft). */
const habits = { maxNewTokens: 1_024, beams: 3, noRepeatNgram: 3, earlyStopping: true };
/** Tokens. */
const longestPrompt = 64;

export const openFlorence2: OpenAdapter = async (pack, options) => {
  const [words, { model, generation }] = await Promise.all([
    openWords(pack),
    openHubModel(pack, options.threads, habits),
  ]);
  const sight = pixelSight(options);
  let last: { readonly picture: LanguagePicture; readonly features: Tensor } | undefined;
  const look = async (picture: LanguagePicture): Promise<Tensor> => {
    if (last !== undefined && samePixels(last.picture, picture)) return last.features;
    const seen = (await sight(picture))['pixel_values'];
    if (seen === undefined) throw new AppError('internal', 'A picture has no pixels.');
    const features = await model.encode_image({
      pixel_values: new Tensor('float32', numbers(seen), [...seen.dims]),
    });
    last = { picture, features };
    return features;
  };

  return {
    async caption(picture, prompt, hooks) {
      const idsOf = (text: string): number[] => (text === '' ? [] : words.bareIds(text));
      refuseTooLong('prompt', prompt, {
        characters: longestText(pack),
        most: longestPrompt,
        tokens: (text) => idsOf(text).length,
      });
      const { task, begun } = understand(prompt);
      const start = idsOf(begun);
      const features = await look(picture);
      await nextTurn();
      if (hooks.shouldStop()) throw cancelled();
      const question = words.ids(tasks[task]);
      const asked = await model.encode_text({ input_ids: idTensor(question) });
      const inputs = joined(features, asked);
      const mask = onesTensor([1, inputs.dims[1] ?? 0]);
      const { encoder_outputs: states } = await model._prepare_encoder_decoder_kwargs_for_generation({
        inputs_tensor: inputs,
        model_input_name: 'inputs_embeds',
        model_inputs: { inputs_embeds: inputs, attention_mask: mask },
        generation_config: { guidance_scale: null },
      });
      if (states === undefined) throw new AppError('internal', 'An encoder gave no states.');
      const [repeatedStates, repeatedMask] = [repeatedFor(states), repeatedFor(mask)];
      // Words to go on from stand behind the token that every text begins with.
      const first = generation.forcedFirst;
      const given = start.length === 0 ? [] : [...(first === null ? [] : [first]), ...start];
      const textOf = (ids: readonly number[]): string => words.text([...start, ...ids]);
      return writeText(
        {
          run: beginHubRun(
            model,
            ({ ids, rows, before }) => ({
              inputs_embeds: inputs,
              encoder_outputs: repeatedStates(rows),
              attention_mask: repeatedMask(rows),
              decoder_input_ids: ids,
              decoder_attention_mask: onesTensor([rows, before + (ids.dims[1] ?? 0)]),
            }),
            start.length === 0 ? first : null,
          ),
          prompt: [generation.start, ...given],
          end: generation.end,
          generation,
        },
        textOf,
        hooks,
      );
    },
  };
};

function understand(prompt: string): { task: keyof typeof tasks; begun: string } {
  const word = prompt.trim();
  const tag = Object.keys(tasks).find((name) => name === word.toUpperCase());
  const task = (tag as keyof typeof tasks | undefined) ?? spoken[word.toLowerCase()];
  return task === undefined ? { task: '<CAPTION>', begun: word } : { task, begun: '' };
}

/** (1, S, D) and (1, T, D) to (1, S + T, D): the picture stands before the question. */
function joined(image: Tensor, text: Tensor): Tensor {
  const [a, b] = [image.to('float32'), text.to('float32')];
  const [left, right] = [a.data, b.data];
  if (!(left instanceof Float32Array) || !(right instanceof Float32Array))
    throw new AppError('internal', 'Embeddings are not numbers.');
  const data = new Float32Array(left.length + right.length);
  data.set(left);
  data.set(right, left.length);
  return new Tensor('float32', data, [1, (a.dims[1] ?? 0) + (b.dims[1] ?? 0), a.dims[2] ?? 0]);
}

function samePixels(a: LanguagePicture, b: LanguagePicture): boolean {
  return a.width === b.width && a.height === b.height && Buffer.compare(a.pixels, b.pixels) === 0;
}
