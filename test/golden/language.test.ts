/**
 * BLIP and ViLT against Hugging Face transformers on PyTorch: small random checkpoints of the true architecture, made
 * and exported by models/export (`tiny`, then the recipe). Pixels, logits, greedy and beam tokens, words and answers.
 */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { z } from 'zod';
import { decodeImage } from '../../main/engine/inference/decode-image.ts';
import { defaultMaxPixels, defaultTimeoutMs } from '../../main/engine/inference/decode-job.ts';
import type { AdapterOptions, LanguagePicture } from '../../main/engine/inference/language/adapter.ts';
import { openAdapter } from '../../main/engine/inference/language/adapters.ts';
import {
  crossNames,
  named,
  numbers,
  openDecoder,
} from '../../main/engine/inference/language/cached-decoder.ts';
import { openGraph, type Tensors } from '../../main/engine/inference/language/model-graph.ts';
import { ones, integers, questionFeeds } from '../../main/engine/inference/language/question-feeds.ts';
import { pixelSight } from '../../main/engine/inference/language/sight.ts';
import { openWords } from '../../main/engine/inference/language/words.ts';
import { languagePack, readPack } from '../../main/engine/packs/pack.ts';
import type { LanguagePack } from '../../main/engine/packs/types.ts';

const ids = z.array(z.int());
const writtenCase = z.object({
  file: z.string(),
  prompt: z.string().optional(),
  question: z.string().optional(),
  questionIds: ids.optional(),
  inputIds: ids,
  greedy: z.object({ ids, text: z.string() }),
  beam: z.object({ beams: z.int(), ids, text: z.string() }),
  logits: z.array(z.array(z.number())),
});
const chosenCase = z.object({
  file: z.string(),
  question: z.string(),
  questionIds: ids,
  size: z.tuple([z.int(), z.int()]),
  logits: z.array(z.number()),
  answers: z.array(z.object({ answer: z.string(), probability: z.number() })),
});

/** What float32 in another order of summing explains. */
const tolerance = 1e-3;
const hooks = { onText: (): void => undefined, shouldStop: (): boolean => false };

async function open(name: string): Promise<{ pack: LanguagePack; options: AdapterOptions; golden: unknown }> {
  const dir = join(import.meta.dirname, name);
  const pack = languagePack(await readPack(dir));
  assert.ok(pack.imageSpec !== null);
  const { rescale, mean, std } = pack.imageSpec;
  return {
    pack,
    options: { threads: 1, imageTower: null, normalise: { rescale, mean, std }, cache: true },
    golden: JSON.parse(await readFile(join(dir, 'golden.json'), 'utf8')),
  };
}

async function look(pack: LanguagePack, file: string): Promise<LanguagePicture> {
  assert.ok(pack.imageSpec !== null);
  const { pixels, pixelWidth, pixelHeight } = await decodeImage({
    source: { path: join(pack.dir, file) },
    spec: pack.imageSpec,
    thumbnail: false,
    maxPixels: defaultMaxPixels,
    timeoutMs: defaultTimeoutMs,
  });
  return { pixels, width: pixelWidth, height: pixelHeight };
}

function furthest(found: ArrayLike<number>, expected: readonly number[]): number {
  assert.equal(found.length, expected.length);
  return expected.reduce((most, value, i) => Math.max(most, Math.abs(value - (found[i] ?? NaN))), 0);
}

/** Feeds the reference's own tokens one by one. @returns the largest difference of any logit. */
async function compareLogits(
  pack: LanguagePack,
  options: AdapterOptions,
  cross: Tensors,
  { inputIds, greedy, logits }: z.output<typeof writtenCase>,
): Promise<number> {
  const run = (await openDecoder(pack, options)).begin(cross);
  let most = 0;
  for (const [step, expected] of logits.entries()) {
    const fed = step === 0 ? inputIds : greedy.ids.slice(step - 1, step);
    const [scores] = await run.next([fed]);
    most = Math.max(most, furthest(scores ?? [], expected));
  }
  return most;
}

/** Greedy and by beams: the same tokens and words as the reference. */
async function compareWords(
  { pack, options }: Awaited<ReturnType<typeof open>>,
  found: z.output<typeof writtenCase>,
  picture: LanguagePicture,
): Promise<void> {
  const end = pack.tokens['eos'];
  for (const { beams, ids: expected, text } of [{ beams: 1, ...found.greedy }, found.beam]) {
    const adapter = await openAdapter({ ...pack, generation: { ...pack.generation, beams } }, options);
    const written =
      found.question === undefined
        ? await adapter.caption?.(picture, found.prompt ?? '', hooks)
        : await adapter.answer?.(picture, found.question, [], hooks);
    assert.deepEqual(
      written?.ids,
      expected.filter((id) => id !== end),
      `${found.file}, ${String(beams)} beams`,
    );
    assert.equal(written.text, text.trim());
  }
}

function notAllAlike(context: TestContext, texts: readonly string[], difference: number): void {
  context.diagnostic(`largest difference of a logit ${difference.toExponential(1)}`);
  assert.ok(difference < tolerance, String(difference));
  assert.ok(new Set(texts).size > 1, 'pictures and questions make a difference');
}

test('BLIP captions, plain and continued from a prompt, are the reference’s', async (context) => {
  const opened = await open('blip-caption-tiny');
  const { pack, options } = opened;
  const { cases } = z.object({ cases: z.array(writtenCase) }).parse(opened.golden);
  assert.ok(pack.encoder !== null && pack.decoder !== null);
  assert.ok(cases.some(({ prompt }) => prompt !== undefined));
  const encoder = await openGraph(pack, pack.encoder, 1, {
    inputs: ['pixel_values'],
    outputs: crossNames(pack.decoder.layers),
  });
  let most = 0;
  for (const found of cases) {
    const picture = await look(pack, found.file);
    const cross = await encoder.run(await pixelSight(options)(picture));
    most = Math.max(most, await compareLogits(pack, options, cross, found));
    await compareWords(opened, found, picture);
  }
  notAllAlike(
    context,
    cases.map(({ beam }) => beam.text),
    most,
  );
});

test('BLIP answers are the reference’s', async (context) => {
  const opened = await open('blip-vqa-tiny');
  const { pack, options } = opened;
  const { cases } = z.object({ cases: z.array(writtenCase) }).parse(opened.golden);
  assert.ok(pack.vision !== null && pack.question !== null && pack.decoder !== null);
  const words = await openWords(pack);
  const vision = await openGraph(pack, pack.vision, 1, {
    inputs: ['pixel_values'],
    outputs: ['image_embeds'],
  });
  const reader = await openGraph(pack, pack.question, 1, {
    inputs: ['input_ids', 'attention_mask', 'image_embeds'],
    outputs: crossNames(pack.decoder.layers),
  });
  let most = 0;
  for (const found of cases) {
    const picture = await look(pack, found.file);
    const questionIds = words.ids(found.question ?? '');
    assert.deepEqual(questionIds, found.questionIds);
    const seen = await vision.run(await pixelSight(options)(picture));
    const cross = await reader.run({ ...seen, ...questionFeeds(questionIds) });
    most = Math.max(most, await compareLogits(pack, options, cross, found));
    await compareWords(opened, found, picture);
  }
  notAllAlike(
    context,
    cases.map(({ beam }) => beam.text),
    most,
  );
});

test('ViLT answers are the reference’s, for pictures of every shape', async (context) => {
  const opened = await open('vilt-tiny');
  const { pack, options } = opened;
  const { cases } = z.object({ cases: z.array(chosenCase) }).parse(opened.golden);
  assert.ok(pack.classifier !== null);
  const words = await openWords(pack);
  const graph = await openGraph(pack, pack.classifier.file, 1, {
    inputs: ['input_ids', 'attention_mask', 'token_type_ids', 'pixel_values', 'pixel_mask'],
    outputs: ['logits'],
  });
  const adapter = await openAdapter(pack, options);
  let most = 0;
  for (const found of cases) {
    const picture = await look(pack, found.file);
    assert.deepEqual([picture.height, picture.width], found.size, found.file);
    const questionIds = words.ids(found.question);
    assert.deepEqual(questionIds, found.questionIds);
    const results = await graph.run({
      ...(await pixelSight(options)(picture)),
      ...questionFeeds(questionIds),
      token_type_ids: integers(questionIds.map(() => 0)),
      pixel_mask: ones([1, picture.height, picture.width]),
    });
    most = Math.max(most, furthest(numbers(named(results, 'logits')), found.logits));
    const answered = await adapter.answer?.(picture, found.question, [], hooks);
    assert.deepEqual(
      answered?.answers.map(({ answer }) => answer),
      found.answers.map(({ answer }) => answer),
    );
    const probabilities = answered.answers.map(({ probability }) => probability);
    assert.ok(
      furthest(
        probabilities,
        found.answers.map(({ probability }) => probability),
      ) < tolerance,
    );
  }
  assert.ok(new Set(cases.map(({ size }) => size.join())).size > 1, 'landscape, portrait and square');
  notAllAlike(
    context,
    cases.map(({ answers }) => answers[0]?.answer ?? ''),
    most,
  );
});
