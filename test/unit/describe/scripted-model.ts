/** A language model that says what tests want said, counts what it is asked, and can be held, cancelled and killed. */
import { basename } from 'node:path';
import { AppError } from '../../../main/errors.ts';
import type {
  GivenAnswer,
  LanguageModel,
  LanguageRequest,
  Picture,
  Turn,
  WrittenText,
} from '../../../main/engine/inference/language/types.ts';

export interface AskedOf {
  readonly name: string;
  readonly prompt?: string | undefined;
  readonly question?: string | undefined;
  readonly turns?: readonly Turn[] | undefined;
  readonly background: boolean;
}

export interface ScriptedModel extends LanguageModel {
  fingerprint: string;
  readonly requests: AskedOf[];
  closed: boolean;
  /** What it says; may throw, or wait. The default names the file. */
  write: (asked: AskedOf) => Partial<WrittenText> | Promise<Partial<WrittenText>>;
  reply: (asked: AskedOf) => Partial<GivenAnswer> | Promise<Partial<GivenAnswer>>;
  /** While set, requests wait for it, or for their cancel. */
  hold: Promise<void> | undefined;
}

export const died = (): AppError =>
  new AppError('worker-died', 'The language process ended unexpectedly.', {
    details: { culprit: 'unknown' },
  });

export function scriptedModel(
  parts: Partial<
    Pick<ScriptedModel, 'packId' | 'name' | 'fingerprint' | 'tasks' | 'followsTurns' | 'write' | 'reply'>
  > = {},
): ScriptedModel {
  const closing = new AbortController();
  const wait = async ({ signal }: LanguageRequest): Promise<void> => {
    if (model.closed) throw new AppError('engine-stopped', 'The language process has been closed.');
    signal?.throwIfAborted();
    if (model.hold === undefined) return;
    const gone = Promise.withResolvers<never>();
    const cancel = (): void => gone.reject(new AppError('cancelled', 'Cancelled.'));
    const close = (): void => gone.reject(new AppError('engine-stopped', 'Stopped.'));
    signal?.addEventListener('abort', cancel, { once: true });
    closing.signal.addEventListener('abort', close, { once: true });
    await Promise.race([model.hold, gone.promise]);
  };
  const asked = (picture: Picture, given: Partial<AskedOf>, request: LanguageRequest): AskedOf => ({
    name: 'path' in picture ? basename(picture.path) : picture.name,
    ...given,
    background: request.background ?? false,
  });
  const model: ScriptedModel = {
    packId: 'scripted',
    name: 'Scripted',
    fingerprint: 'a'.repeat(32),
    tasks: ['caption', 'answer'],
    followsTurns: false,
    longestText: 1_000,
    requests: [],
    closed: false,
    hold: undefined,
    write: ({ name, prompt }) => ({ text: `${prompt ?? ''}words about ${name}` }),
    reply: ({ question }) => ({ text: `${question ?? ''} yes` }),
    async caption(picture, request = {}) {
      const what = asked(picture, { prompt: request.prompt }, request);
      model.requests.push(what);
      await wait(request);
      const said = { text: '', sure: true, confidence: 0.8, ...(await model.write(what)) };
      for (let end = 1; end <= said.text.length; end += 8) request.onText?.(said.text.slice(0, end));
      return said;
    },
    async answer(picture, question, request = {}) {
      if (question.length > model.longestText)
        throw new AppError('input-invalid', `The question has ${question.length} characters; 1000 fit.`);
      const what = asked(picture, { question, turns: request.turns }, request);
      model.requests.push(what);
      await wait(request);
      const said = { text: '', sure: true, confidence: 0.8, ...(await model.reply(what)) };
      request.onText?.(said.text);
      return { answers: [{ answer: said.text, probability: said.confidence }], ...said };
    },
    release: () => undefined,
    close() {
      model.closed = true;
      closing.abort();
      return Promise.resolve();
    },
    ...parts,
  };
  return model;
}
