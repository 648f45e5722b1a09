/** A pack that captions or answers, in use: photos decoded in the decoder's process, words from a process of its own. */
import { AppError } from '../../../errors.ts';
import type { Decoder } from '../types.ts';
import type { LanguagePicture } from './adapter.ts';
import { confidenceOf } from './confidence.ts';
import { openLanguageWorker, type LanguageWorkerOptions } from './language-worker.ts';
import type { LanguageModel, LanguageRequest, Picture } from './types.ts';
import { longestText } from './words.ts';

export interface LoadLanguageModelOptions extends LanguageWorkerOptions {
  readonly decoder: Pick<Decoder, 'decode'>;
}

/**
 * Nothing is started yet: the process begins with the first request.
 * @throws AppError pack-missing, pack-invalid
 */
export async function loadLanguageModel(options: LoadLanguageModelOptions): Promise<LanguageModel> {
  const { pack, decoder } = options;
  const worker = await openLanguageWorker(options);

  const look = async (picture: Picture, { signal }: LanguageRequest): Promise<LanguagePicture> => {
    const { pixels, pixelWidth, pixelHeight } = await decoder.decode(picture, {
      spec: worker.imageSpec,
      thumbnail: false,
      signal,
    });
    return { pixels, width: pixelWidth, height: pixelHeight };
  };
  const refuse = (task: 'caption' | 'answer'): void => {
    if (pack.tasks.includes(task)) return;
    throw new AppError(
      'not-supported',
      `"${pack.name}" does not ${task === 'caption' ? 'caption photos' : 'answer questions'}. Choose a pack that does.`,
      { details: { pack: pack.id } },
    );
  };

  return {
    packId: pack.id,
    name: pack.name,
    fingerprint: pack.fingerprint,
    tasks: pack.tasks,
    followsTurns: pack.family === 'smolvlm',
    longestText: longestText(pack),
    async caption(picture, request = {}) {
      refuse('caption');
      const prompt = clean(request.prompt ?? '');
      const { text, logProbability } = await worker.caption(
        { picture: await look(picture, request), prompt },
        request,
      );
      const { confidence, sure } = confidenceOf(pack, 'caption', logProbability);
      const said = sure && text !== '';
      return { text: said ? text : '', sure: said, confidence };
    },
    async answer(picture, question, request = {}) {
      refuse('answer');
      const asked = clean(question);
      if (asked === '')
        throw new AppError('input-invalid', 'The question is empty. Ask something about the photo.');
      const { text, logProbability, answers } = await worker.answer(
        { picture: await look(picture, request), question: asked, turns: request.turns ?? [] },
        request,
      );
      const { confidence, sure } = confidenceOf(pack, 'answer', logProbability);
      const said = sure && text !== '';
      return { text: said ? text : '', sure: said, confidence, answers };
    },
    release() {
      worker.release();
    },
    close: () => worker.close(),
  };
}

/** Line breaks and runs of spaces mean nothing to any of the models. */
function clean(text: string): string {
  return text.replace(/\s+/gu, ' ').trim();
}
