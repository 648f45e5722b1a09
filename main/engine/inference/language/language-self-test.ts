/** Compares what a pack writes here with what its makers got for the same pictures. */
import type { SelfTest } from '../../../contract.ts';
import { AppError } from '../../../errors.ts';
import { verifyPack } from '../../packs/pack.ts';
import type { GoldenWords, LanguagePack } from '../../packs/types.ts';
import { goldenBatch } from '../golden-batch.ts';
import type { ImageSpec } from '../types.ts';
import type { LanguagePicture, Written } from './adapter.ts';
import type { LoadLanguageModelOptions } from './language-model.ts';
import { openLanguageWorker, type LanguageWorker } from './language-worker.ts';

export interface LanguageSelfTestOptions extends LoadLanguageModelOptions {
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly signal?: AbortSignal | undefined;
}

/** Asked of packs that bring no examples: any answer will do. */
const plainQuestion = 'What is this?';

/**
 * For `packs.verify`: hashes every file, then runs the pack's examples in a process of its own.
 * @returns `passed: false` with the reason in words when the pack is damaged, or writes something else than it should.
 * @throws AppError cancelled
 */
export async function selfTestLanguagePack(options: LanguageSelfTestOptions): Promise<SelfTest> {
  const { pack, signal } = options;
  const messages: string[] = [];
  let worker: LanguageWorker | undefined;
  try {
    await verifyPack(pack, signal === undefined ? {} : { signal });
    worker = await openLanguageWorker(options);
    const { imageSpec } = worker;
    if (pack.golden.length === 0) await runOnce(pack, worker, signal);
    for (const [i, example] of pack.golden.entries()) {
      const { pixels, pixelWidth, pixelHeight } = await options.decoder.decode(
        { path: example.file },
        { spec: imageSpec, thumbnail: false, signal },
      );
      const picture = { pixels, width: pixelWidth, height: pixelHeight };
      const { text } = await write(worker, picture, example, signal);
      if (text === example.text) continue;
      messages.push(
        `Example ${String(i + 1)} comes out as "${text}" here and as "${example.text}" for the pack's makers. Install the pack again.`,
      );
    }
  } catch (thrown) {
    const error = AppError.from(thrown, `Testing the model pack "${pack.name}"`);
    if (error.code === 'cancelled') throw error;
    messages.push(error.message);
  } finally {
    await worker?.close();
  }
  return { at: options.now(), passed: messages.length === 0, provider: 'cpu', minCosine: null, messages };
}

function write(
  worker: LanguageWorker,
  picture: LanguagePicture,
  { prompt, question }: Pick<GoldenWords, 'prompt' | 'question'>,
  signal: AbortSignal | undefined,
): Promise<Written> {
  return question === null
    ? worker.caption({ picture, prompt: prompt ?? '' }, { signal })
    : worker.answer({ picture, question, turns: [] }, { signal });
}

/** Without examples the pack must at least write something about a made-up picture, for each of its tasks. */
async function runOnce(
  pack: LanguagePack,
  worker: LanguageWorker,
  signal: AbortSignal | undefined,
): Promise<void> {
  const [picture] = goldenBatch(oneSize(worker.imageSpec), 1);
  if (picture === undefined) return;
  for (const task of pack.tasks) {
    await write(
      worker,
      picture,
      { prompt: null, question: task === 'answer' ? plainQuestion : null },
      signal,
    );
  }
}

/** The made-up picture is of one size, whatever real ones become. */
function oneSize(spec: ImageSpec): ImageSpec {
  const { resize } = spec;
  if (resize === null || !('tile' in resize)) return spec;
  return { ...spec, resize: { width: resize.tile, height: resize.tile } };
}
