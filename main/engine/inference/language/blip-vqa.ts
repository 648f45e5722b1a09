/** BLIP for questions: the question is read beside the picture, and a decoder writes the answer. */
import { AppError } from '../../../errors.ts';
import type { OpenAdapter } from './adapter.ts';
import { crossNames, named, openDecoder } from './cached-decoder.ts';
import { openGraph } from './model-graph.ts';
import { mostAnswers, questionFeeds } from './question-feeds.ts';
import { pixelSight, rememberLast } from './sight.ts';
import { cancelled, nextTurn } from './token-steps.ts';
import { longestText, openWords, refuseTooLong } from './words.ts';
import { writeTokens } from './write-tokens.ts';

/**
 * Vision: `pixel_values` (1, 3, H, W) to `image_embeds` (1, S, D). Question: `input_ids`, `attention_mask` (1, T) int64
 * and `image_embeds` to `cross.i.key` and `.value` of the decoder.
 */
export const openBlipAnswerer: OpenAdapter = async (pack, options) => {
  const { threads } = options;
  if (pack.vision === null || pack.question === null || pack.decoder === null)
    throw new AppError('internal', `The pack "${pack.name}" was opened without its parts.`);
  const [words, decoder, vision, reader] = await Promise.all([
    openWords(pack),
    openDecoder(pack, options),
    openGraph(pack, pack.vision, threads, { inputs: ['pixel_values'], outputs: ['image_embeds'] }),
    openGraph(pack, pack.question, threads, {
      inputs: ['input_ids', 'attention_mask', 'image_embeds'],
      outputs: crossNames(pack.decoder.layers),
    }),
  ]);
  const pixels = pixelSight(options);
  const see = rememberLast(async (picture) => vision.run(await pixels(picture)));
  const { tokens } = pack;
  const generation = {
    ...pack.generation,
    maxNewTokens: Math.min(pack.generation.maxNewTokens, decoder.maxLength),
  };

  return {
    async answer(picture, question, _turns, hooks) {
      refuseTooLong('question', question, {
        characters: longestText(pack),
        most: pack.maxLength,
        tokens: (text) => words.ids(text).length,
      });
      const image = named(await see(picture), 'image_embeds');
      await nextTurn();
      if (hooks.shouldStop()) throw cancelled();
      const cross = await reader.run({ ...questionFeeds(words.ids(question)), image_embeds: image });
      const written = await writeTokens({
        run: decoder.begin(cross),
        prompt: [tokens['bos'] ?? 0],
        end: tokens['eos'] ?? 0,
        generation,
        onTokens: (ids) => {
          hooks.onText(words.text(ids));
        },
        shouldStop: hooks.shouldStop,
      });
      const [best] = written;
      if (best === undefined) throw new AppError('internal', 'An answerer wrote nothing.');
      const text = words.text(best.ids);
      const probabilities = new Map<string, number>();
      for (const { ids, logProbability } of written) {
        const answer = words.text(ids);
        probabilities.set(answer, (probabilities.get(answer) ?? 0) + Math.exp(logProbability));
      }
      return {
        text,
        logProbability: best.logProbability / best.count,
        ids: best.ids,
        // The search goes by the mean of a text, so the one that it chose need not be the most probable.
        answers: [...probabilities]
          .map(([answer, probability]) => ({ answer, probability }))
          .sort(
            (a, b) => Number(b.answer === text) - Number(a.answer === text) || b.probability - a.probability,
          )
          .slice(0, mostAnswers),
      };
    },
  };
};
