/** Packs that caption and answer, in real processes: streaming, cancelling, releasing and dying. */
import assert from 'node:assert/strict';
import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import { AppError } from '../../../../main/errors.ts';
import { goldenBatch } from '../../../../main/engine/inference/golden-batch.ts';
import type { Written } from '../../../../main/engine/inference/language/adapter.ts';
import { openAdapter } from '../../../../main/engine/inference/language/adapters.ts';
import type { ImageSpec } from '../../../../main/engine/inference/types.ts';
import { readPack } from '../../../../main/engine/packs/pack.ts';
import { answers } from '../../../fixtures/make-language-pack.ts';
import { code, languageHarness, starter } from './language-harness.ts';

const { dir, picture, made, load } = await languageHarness();
const captioner = await made('captioner', { family: 'blip-caption' });
const endless = await made('endless', {
  family: 'blip-caption',
  endless: true,
  generation: { maxNewTokens: 300 },
});

function plain(spec: ImageSpec | null): ImageSpec {
  assert.ok(spec !== null);
  return spec;
}

test('a caption is streamed word by word, and nothing starts before it is asked for', async (context) => {
  const { model, workers } = await load(context, captioner);
  assert.equal(workers.started, 0);
  const texts: string[] = [];
  const { text, sure, confidence } = await model.caption(picture, { onText: (so) => texts.push(so) });
  assert.equal(workers.started, 1);
  assert.ok(texts.length > 3, String(texts.length));
  assert.equal(texts.at(-1)?.trim(), text);
  for (const [i, so] of texts.entries()) assert.ok(i === 0 || so.length >= (texts[i - 1] ?? '').length);
  assert.ok(sure && confidence > 0 && confidence <= 1);
  assert.deepEqual(await model.caption(picture), { text, sure, confidence });
});

test('a caption goes on from the words it is given', async (context) => {
  const { model } = await load(context, captioner);
  const plain = await model.caption(picture);
  const { text } = await model.caption(picture, { prompt: '  A photo   of ' });
  assert.match(text, /^a photo of./);
  assert.notEqual(text, plain.text);
});

test('keeping keys and values changes nothing but the time', async () => {
  const [photo] = goldenBatch(plain(captioner.imageSpec), 1);
  assert.ok(photo !== undefined);
  const { rescale, mean, std } = plain(captioner.imageSpec);
  const hooks = { onText: (): void => undefined, shouldStop: (): boolean => false };
  for (const beams of [1, 3]) {
    const pack = { ...captioner, generation: { ...captioner.generation, beams, maxNewTokens: 20 } };
    const write = async (cache: boolean): Promise<Written | undefined> => {
      const options = { threads: 1, imageTower: null, normalise: { rescale, mean, std }, cache };
      const adapter = await openAdapter(pack, options);
      return adapter.caption?.(photo, 'a photo', hooks);
    };
    const kept = await write(true);
    const computed = await write(false);
    assert.ok(kept !== undefined && computed !== undefined && kept.ids.length > 5);
    assert.deepEqual(kept.ids, computed.ids);
    assert.ok(Math.abs(kept.logProbability - computed.logProbability) < 1e-4);
  }
});

test('an answer comes with others, most probable first', async (context) => {
  const { model } = await load(context, await made('vilt', { family: 'vilt' }));
  const found = await model.answer(picture, 'What colour is this?');
  assert.equal(found.answers.length, 5);
  assert.equal(found.text, found.answers[0]?.answer);
  assert.equal(found.confidence, found.answers[0]?.probability);
  const sum = found.answers.reduce((total, { probability }) => total + probability, 0);
  assert.ok(sum > 0.5 && sum <= 1.0001);
  for (const { answer } of found.answers) assert.ok((answers as readonly string[]).includes(answer));
  const other = await model.answer(picture, 'how many dogs are there');
  assert.notDeepEqual(other.answers, found.answers);
});

test('answers that are written come from the same decoder', async (context) => {
  const pack = await made('blip-vqa', { family: 'blip-vqa', generation: { beams: 3, maxNewTokens: 5 } });
  const { model } = await load(context, pack);
  const found = await model.answer(picture, 'what is this');
  assert.equal(found.text, found.answers[0]?.answer);
  assert.ok(found.answers.length > 1);
});

test('a pack that sees through the starter needs just that starter', async (context) => {
  const pack = await made('towered', { family: 'starter-captioner', tower: starter });
  const { model } = await load(context, pack);
  assert.notEqual((await model.caption(picture)).text, '');
  const swapped = join(dir, 'swapped-starter');
  await cp(starter, swapped, { recursive: true });
  const file = join(swapped, 'onnx/vision_model.onnx');
  const bytes = await readFile(file);
  bytes.writeUInt8(bytes.readUInt8(5_000) ^ 1, 5_000);
  await writeFile(file, bytes);
  await assert.rejects(
    load(context, pack, { packs: { get: () => readPack(swapped) } }),
    code('pack-invalid', /onnx\/vision_model\.onnx.*Install/),
  );
  const missing = { get: () => Promise.reject(new AppError('pack-missing', 'not there')) };
  await assert.rejects(load(context, pack, { packs: missing }), code('pack-missing', /"starter"/));
});

test('cancelling rejects at once and frees the process for the next request', async (context) => {
  const { model, workers } = await load(context, endless);
  const controller = new AbortController();
  let heard = 0;
  const cancelled = model.caption(picture, {
    signal: controller.signal,
    onText: () => {
      if (++heard === 3) controller.abort();
    },
  });
  await assert.rejects(cancelled, code('cancelled'));
  assert.equal(heard, 3, 'nothing is streamed after the cancel');
  const said = workers.progress.length;
  const second = new AbortController();
  let again = 0;
  await assert.rejects(
    model.caption(picture, {
      signal: second.signal,
      onText: () => {
        if (++again === 2) second.abort();
      },
    }),
    code('cancelled'),
  );
  // The first request has long stopped: all but the tokens of the second were under way when it was cancelled.
  assert.ok(workers.progress.length - said < 30, `${String(workers.progress.length - said)} of 300 tokens`);
  assert.equal(workers.started, 1, 'the process lives on');
  await assert.rejects(model.caption(picture, { signal: AbortSignal.abort() }), code('cancelled'));
});

test('one request at a time, those that someone waits for first', async (context) => {
  const { model } = await load(context, captioner);
  const order: string[] = [];
  const ask = async (name: string, background: boolean): Promise<void> => {
    await model.caption(picture, { background });
    order.push(name);
  };
  // Decoding is done by then: the pictures of the others are small and there is one decoder.
  const first = ask('first', true);
  const rest = [ask('background', true), ask('background too', true), ask('now', false)];
  await Promise.all([first, ...rest]);
  assert.deepEqual([...order].sort(), ['background', 'background too', 'first', 'now']);
  assert.ok(order.indexOf('now') < order.indexOf('background too'), order.join());
});

test('released and idle packs give their process back, and the next request starts it again', async (context) => {
  const { model, workers } = await load(context, captioner);
  const { text } = await model.caption(picture);
  assert.equal(workers.running, 1);
  model.release();
  await workers.gone();
  assert.equal((await model.caption(picture)).text, text);
  assert.equal(workers.started, 2);

  const brief = await load(context, captioner, { idleMs: 20 });
  await brief.model.caption(picture);
  await brief.workers.gone();
  assert.equal((await brief.model.caption(picture)).text, text);
  assert.equal(brief.workers.started, 2);
});

test('a process that dies fails its request, and the next has a new one', async (context) => {
  const { model, workers } = await load(context, endless);
  await assert.rejects(
    model.caption(picture, {
      onText: () => {
        workers.crash();
      },
    }),
    code('worker-died', /language process/),
  );
  const controller = new AbortController();
  let heard = 0;
  await assert.rejects(
    model.caption(picture, {
      signal: controller.signal,
      onText: () => {
        heard++;
        controller.abort();
      },
    }),
    code('cancelled'),
  );
  assert.equal(heard, 1);
  assert.equal(workers.started, 2);
});

test('closing ends what is under way', async (context) => {
  const { model, workers } = await load(context, endless);
  let closing: Promise<void> | undefined;
  await assert.rejects(
    model.caption(picture, {
      onText: () => {
        closing ??= model.close();
      },
    }),
    code('engine-stopped'),
  );
  await closing;
  assert.equal(workers.running, 0);
  await assert.rejects(model.caption(picture), code('engine-stopped'));
});
