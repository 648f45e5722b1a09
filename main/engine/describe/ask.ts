/** Questions about single photos: answered from what is kept, or by the model, and remembered. */
import type { CallOutput, ParsedInput } from '../../contract.ts';
import { AppError } from '../../errors.ts';
import type { LanguageModel } from '../inference/language/types.ts';
import type { AnswerRow } from '../store/types.ts';
import { knownPhoto, lookAt } from './look-at-photo.ts';
import { answerKey, cleanQuestion } from './questions.ts';
import type { DescribeOptions, Listening } from './types.ts';

type AskInput = ParsedInput<'ask.photo'>;

export interface Asking {
  /** @throws AppError input-invalid (empty, too long), not-found, root-offline, image-*, pack-missing, cancelled */
  photo(input: AskInput, listening: Listening): Promise<CallOutput<'ask.photo'>>;
  history(photoId: number): CallOutput<'ask.history'>;
  forget(photoId: number): void;
}

export function createAsking(options: DescribeOptions): Asking {
  const { store, now, courtesy } = options;

  const answer = async (
    model: LanguageModel,
    { photoId, question, turns }: Pick<AskInput, 'photoId' | 'question' | 'turns'>,
    key: string,
    { signal, onText }: Listening,
  ): Promise<AnswerRow> => {
    const { seen, current } = await lookAt(options, photoId, (path) =>
      courtesy.urgent(() => model.answer({ path }, question, { turns, signal, onText })),
    );
    const row: AnswerRow = {
      question,
      answer: seen.sure ? seen.text : '',
      sure: seen.sure,
      confidence: seen.confidence,
      answers: seen.answers.slice(0, 5),
      packId: model.packId,
      at: now(),
    };
    if (current && !store.readOnly) {
      store.answers.put(photoId, model.fingerprint, key, row);
      options.onDescribed([photoId]);
    }
    return row;
  };

  return {
    async photo(input, listening) {
      const question = cleanQuestion(input.question);
      if (question === '')
        throw new AppError('input-invalid', 'The question is empty. Ask something about the photo.');
      const { path } = knownPhoto(store, input.photoId);
      const startedAt = now();
      return options.useModel('answer', async (model) => {
        const turns = model.followsTurns ? input.turns : [];
        const key = answerKey(question, turns);
        const kept = input.again ? undefined : store.answers.find(input.photoId, model.fingerprint, key);
        const row = kept ?? (await answer(model, { ...input, question, turns }, key, listening));
        const seconds = kept === undefined ? (now() - startedAt) / 1_000 : 0;
        return { ...answerOf(row), question, path, cached: kept !== undefined, seconds };
      });
    },
    history(photoId) {
      knownPhoto(store, photoId);
      return { answers: store.answers.history(photoId).map(answerOf) };
    },
    forget(photoId) {
      knownPhoto(store, photoId);
      store.answers.forget(photoId);
      options.onDescribed([photoId]);
    },
  };
}

function answerOf(row: AnswerRow): CallOutput<'ask.history'>['answers'][number] {
  const { question, answer, sure, confidence, answers, packId, at } = row;
  return { question, answer, sure, confidence, answers: [...answers], packId, at };
}
