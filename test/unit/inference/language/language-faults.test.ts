/** What packs that caption and answer refuse and why: questions, photos, files and models that are not what they should be. */
import assert from 'node:assert/strict';
import { readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import { selfTestLanguagePack } from '../../../../main/engine/inference/language/language-self-test.ts';
import { createNodeSpawner } from '../../../../main/engine/inference/node-spawner.ts';
import { silentLog } from '../../../../main/engine/log.ts';
import { languagePack, readPack } from '../../../../main/engine/packs/pack.ts';
import { makeLanguagePack } from '../../../fixtures/make-language-pack.ts';
import { code, languageHarness, packs } from './language-harness.ts';

const { dir, decoder, picture, made, load } = await languageHarness();
const captioner = await made('captioner', { family: 'blip-caption' });

test('questions that are empty or too long are refused in words; other scripts are read', async (context) => {
  const { model } = await load(context, await made('questions', { family: 'vilt' }));
  await assert.rejects(model.answer(picture, ' \n\t '), code('input-invalid', /empty/));
  await assert.rejects(
    model.answer(picture, 'what is this '.repeat(769)),
    code('input-invalid', /9,9\d\d characters.*first \d+\./),
  );
  // One word without end is a single token, and still too long.
  await assert.rejects(model.answer(picture, 'x'.repeat(10_000)), code('input-invalid', /10,000 characters/));
  for (const question of ['这是什么颜色？', 'كم كلبا هناك؟', '🙂', '\u0000 what', "it's <b>bold</b>"]) {
    assert.equal((await model.answer(picture, question)).answers.length, 5, question);
  }
  await assert.rejects(model.caption(picture), code('not-supported', /does not caption/));

  const writer = await load(context, captioner);
  await assert.rejects(
    writer.model.caption(picture, { prompt: 'a photo of a dog '.repeat(600) }),
    code('input-invalid', /This prompt has/),
  );
  assert.equal((await writer.model.caption(picture, { prompt: '照片' })).sure, true);
  await assert.rejects(writer.model.answer(picture, 'what is this'), code('not-supported'));
});

test('what fits just fits, and one token more is refused with how much would', async (context) => {
  const { model } = await load(context, await made('limits', { family: 'vilt' }));
  // 24 tokens, two of them the tokenizer's own.
  const question = Array.from({ length: 22 }, () => 'dog').join(' ');
  await model.answer(picture, question);
  await assert.rejects(
    model.answer(picture, `${question} cat`),
    code(
      'input-invalid',
      new RegExp(`${String(question.length + 4)} characters.*first ${String(question.length + 1)}`),
    ),
  );
});

test('a photo that cannot be decoded says why, and the pack goes on', async (context) => {
  const { model } = await load(context, captioner);
  const broken = join(dir, 'broken.jpg');
  await writeFile(broken, Buffer.concat([Buffer.from([0xff, 0xd8, 0xff, 0xe0]), Buffer.alloc(100)]));
  await assert.rejects(model.caption({ path: broken }), code('image-broken', /broken\.jpg/));
  await assert.rejects(model.caption({ path: join(dir, 'no.jpg') }), code('file-vanished', /no\.jpg/));
  assert.ok((await model.caption({ bytes: await readFile(picture.path), name: 'photo.png' })).sure);
});

test('an unsure pack writes nothing, and says how unsure it is', async (context) => {
  const confidence = { slope: 1, intercept: -50, notSureBelow: 0.4 };
  const unsure = await load(context, await made('unsure', { family: 'blip-caption', confidence }));
  const caption = await unsure.model.caption(picture);
  assert.deepEqual([caption.text, caption.sure], ['', false]);
  assert.ok(caption.confidence < 1e-10);
  const answering = await load(context, await made('unsure-answers', { family: 'vilt', confidence }));
  const answer = await answering.model.answer(picture, 'what is this');
  assert.deepEqual([answer.text, answer.sure, answer.answers.length], ['', false, 5]);
});

test('a model that is not what pack.json says is named with what it lacks', async (context) => {
  const folder = join(dir, 'misfit');
  await makeLanguagePack({ dir: folder, family: 'blip-caption', seed: 1 });
  const pack = languagePack(await readPack(folder));
  assert.ok(pack.decoder !== null && pack.encoder !== null);
  const deeper = { ...pack, decoder: { ...pack.decoder, layers: 3 } };
  const { model } = await load(context, deeper);
  await assert.rejects(
    model.caption(picture),
    code('pack-invalid', /onnx\/\w+\.onnx.*"(past|cross)\.2\.key"/),
  );
  const swapped = { ...pack, encoder: pack.decoder.file, decoder: { ...pack.decoder, file: pack.encoder } };
  const other = await load(context, swapped);
  await assert.rejects(other.model.caption(picture), code('pack-invalid', /has no (in|out)put/));
  const wide = { ...pack, decoder: { ...pack.decoder, heads: 4 } };
  const third = await load(context, wide);
  await assert.rejects(third.model.caption(picture), code('pack-invalid', /onnx\/decoder\.onnx.*Install/));
  await truncate(join(folder, 'onnx/decoder.onnx'), 2_000);
  const fourth = await load(context, pack);
  await assert.rejects(
    fourth.model.caption(picture),
    code('pack-invalid', /decoder\.onnx.*cannot be loaded/),
  );
});

test('the self-test runs the examples of a pack and names the one that differs', async () => {
  const folder = join(dir, 'tested');
  await makeLanguagePack({ dir: folder, family: 'blip-caption', seed: 2 });
  const pack = languagePack(await readPack(folder));
  const common = {
    packs,
    decoder,
    spawn: createNodeSpawner({ log: silentLog }),
    log: silentLog,
    now: () => 7,
  };
  const plain = await selfTestLanguagePack({ ...common, pack });
  assert.deepEqual(plain, { at: 7, passed: true, provider: 'cpu', minCosine: null, messages: [] });
  const example = {
    file: picture.path,
    prompt: 'a dog',
    question: null,
    text: 'a cat',
    ids: null,
    confidence: null,
  };
  const differing = await selfTestLanguagePack({ ...common, pack: { ...pack, golden: [example] } });
  assert.equal(differing.passed, false);
  assert.match(differing.messages.join(), /Example 1 comes out as "a dog.*" here and as "a cat"/);

  const file = join(folder, 'onnx/decoder.onnx');
  const bytes = await readFile(file);
  bytes.writeUInt8(bytes.readUInt8(5_000) ^ 1, 5_000);
  await writeFile(file, bytes);
  const damaged = await selfTestLanguagePack({ ...common, pack });
  assert.equal(damaged.passed, false);
  assert.match(damaged.messages.join(), /onnx\/decoder\.onnx.*checksum/);
});
