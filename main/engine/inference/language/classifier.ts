/** Answerers that choose from a list in one pass over picture and question: ViLT, and the one that ships. */
import { AppError } from '../../../errors.ts';
import type { LanguagePack } from '../../packs/types.ts';
import type { Adapter, AdapterOptions, OpenAdapter } from './adapter.ts';
import { named, numbers } from './cached-decoder.ts';
import { openGraph, type Tensors } from './model-graph.ts';
import { integers, mostAnswers, ones, questionFeeds } from './question-feeds.ts';
import { pixelSight, rememberLast, towerSight, type Sight } from './sight.ts';
import { highestFew, logSoftmax } from './token-scores.ts';
import { cancelled, nextTurn } from './token-steps.ts';
import { longestText, openWords, refuseTooLong } from './words.ts';

/**
 * Classifier: `input_ids`, `attention_mask`, `token_type_ids` (1, T) and `pixel_mask` (1, H, W) int64, `pixel_values`
 * (1, 3, H, W) to `logits` (1, answers).
 */
export const openVilt: OpenAdapter = (pack, options) => {
  const pixels = pixelSight(options);
  return openClassifier(pack, options, {
    inputs: ['input_ids', 'attention_mask', 'token_type_ids', 'pixel_values', 'pixel_mask'],
    sight: async (picture) => ({
      ...(await pixels(picture)),
      pixel_mask: ones([1, picture.height, picture.width]),
    }),
    feeds: (ids) => ({ ...questionFeeds(ids), token_type_ids: integers(ids.map(() => 0)) }),
  });
};

/** Classifier: `input_ids`, `attention_mask` (1, T) int64, `patch_embeds`, `pixel_values` to `logits` (1, answers). */
export const openStarterAnswerer: OpenAdapter = async (pack, options) =>
  openClassifier(pack, options, {
    inputs: ['input_ids', 'attention_mask', 'patch_embeds', 'pixel_values'],
    sight: await towerSight(options),
    feeds: questionFeeds,
  });

async function openClassifier(
  pack: LanguagePack,
  { threads }: AdapterOptions,
  family: {
    readonly inputs: readonly string[];
    readonly sight: Sight;
    readonly feeds: (ids: readonly number[]) => Tensors;
  },
): Promise<Adapter> {
  const { classifier } = pack;
  if (classifier === null)
    throw new AppError('internal', `The pack "${pack.name}" was opened without a classifier.`);
  const [words, graph] = await Promise.all([
    openWords(pack),
    openGraph(pack, classifier.file, threads, { inputs: family.inputs, outputs: ['logits'] }),
  ]);
  const see = rememberLast(family.sight);
  return {
    async answer(picture, question, _turns, hooks) {
      refuseTooLong('question', question, {
        characters: longestText(pack),
        most: pack.maxLength,
        tokens: (text) => words.ids(text).length,
      });
      const seen = await see(picture);
      await nextTurn();
      if (hooks.shouldStop()) throw cancelled();
      const results = await graph.run({ ...family.feeds(words.ids(question)), ...seen });
      const logits = numbers(named(results, 'logits'));
      if (logits.length !== classifier.answers.length) {
        throw new AppError(
          'pack-invalid',
          `The model of "${pack.name}" scores ${String(logits.length)} answers, and its list has ${String(classifier.answers.length)}. Install the pack again.`,
          { details: { pack: pack.id } },
        );
      }
      const logProbabilities = logSoftmax(logits.map((score) => score / classifier.temperature));
      const answers = highestFew(logProbabilities, mostAnswers).map((place) => ({
        answer: classifier.answers[place] ?? '',
        logProbability: logProbabilities[place] ?? -Infinity,
      }));
      const text = answers[0]?.answer ?? '';
      hooks.onText(text);
      return {
        text,
        logProbability: answers[0]?.logProbability ?? -Infinity,
        ids: [],
        answers: answers.map(({ answer, logProbability }) => ({
          answer,
          probability: Math.exp(logProbability),
        })),
      };
    },
  };
}
