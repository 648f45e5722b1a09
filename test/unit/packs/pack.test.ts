/** Reads packs with and without pack.json, and notices what is wrong with them. */
import assert from 'node:assert/strict';
import { cp, mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { AppError } from '../../../main/errors.ts';
import { readEmbedPack, verifyPack } from '../../../main/engine/packs/pack.ts';
import { makePack, type MakePackOptions } from '../../fixtures/make-pack.ts';

async function made(context: TestContext, options: Partial<MakePackOptions> = {}): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'afterimage-pack-'));
  context.after(() => rm(dir, { recursive: true }));
  return makePack({ dir, family: 'clip', shape: 'tiny', seed: 1, ...options });
}

async function edit(file: string, change: (json: Record<string, unknown>) => void): Promise<void> {
  const json = JSON.parse(await readFile(file, 'utf8')) as Record<string, unknown>;
  change(json);
  await writeFile(file, JSON.stringify(json));
}

const invalid = (pattern: RegExp) => (thrown: unknown) => {
  assert.ok(thrown instanceof AppError && thrown.code === 'pack-invalid', String(thrown));
  assert.match(thrown.message, pattern);
  return true;
};

test('a pack with pack.json is described as it says', async (context) => {
  const dir = await made(context);
  const pack = await readEmbedPack(dir);
  assert.equal(pack.family, 'clip');
  assert.equal(pack.dims, 64);
  assert.deepEqual(pack.imageSpec.resize, { shortestEdge: 32 });
  assert.deepEqual(pack.imageSpec.crop, { width: 32, height: 32 });
  assert.equal(pack.imageSpec.resample, 3);
  assert.equal(pack.text.maxLength, 77);
  assert.equal(pack.scoring.background, null);
  assert.match(pack.fingerprint, /^[0-9a-f]{32}$/);
  await verifyPack(pack);
});

test('a folder from the Hub without pack.json is described by its own configs', async (context) => {
  for (const family of ['clip', 'siglip'] as const) {
    const pack = await readEmbedPack(await made(context, { family, packJson: false }));
    assert.equal(pack.family, family);
    assert.equal(pack.dims, 64);
    assert.equal(pack.scoring.kind, family === 'clip' ? 'softmax' : 'sigmoid');
    assert.equal(pack.text.padding, family === 'clip' ? 'longest' : 'max');
    assert.equal(pack.text.maxLength, family === 'clip' ? 77 : 64);
    assert.equal(pack.text.stripPunctuation, family === 'siglip');
    assert.deepEqual(pack.imageSpec.crop, family === 'clip' ? { width: 32, height: 32 } : null);
  }
});

test('a combined export is used for both towers', async (context) => {
  const pack = await readEmbedPack(await made(context, { layout: 'combined', packJson: false }));
  assert.equal(pack.image.file, pack.text.file);
  assert.match(pack.image.file, /model\.onnx$/);
});

test("SigLIP 2 is told from SigLIP by Gemma's vocabulary", async (context) => {
  const dir = await made(context, { family: 'siglip2', packJson: false });
  await edit(join(dir, 'config.json'), (config) => {
    config['text_config'] = { vocab_size: 256_000 };
  });
  const pack = await readEmbedPack(dir);
  assert.equal(pack.family, 'siglip2');
  assert.equal(pack.text.lowercase, true);
  assert.equal(pack.text.stripPunctuation, false);
  assert.equal(pack.imageSpec.resample, 2);
});

test('full precision is preferred to quantised weights', async (context) => {
  const dir = await made(context, { packJson: false });
  for (const tower of ['vision', 'text']) {
    await cp(join(dir, `onnx/${tower}_model.onnx`), join(dir, `onnx/${tower}_model_quantized.onnx`));
  }
  assert.match((await readEmbedPack(dir)).image.file, /vision_model\.onnx$/);
});

test('the fingerprint follows what decides an embedding and nothing else', async (context) => {
  const dir = await made(context);
  const { fingerprint } = await readEmbedPack(dir);
  await edit(join(dir, 'pack.json'), (json) => {
    json['name'] = 'Another name';
  });
  assert.equal((await readEmbedPack(dir)).fingerprint, fingerprint);
  await edit(join(dir, 'pack.json'), (json) => {
    (json['text'] as { lowercase: boolean }).lowercase = true;
  });
  assert.notEqual((await readEmbedPack(dir)).fingerprint, fingerprint);
  const other = await readEmbedPack(await made(context, { seed: 2 }));
  assert.notEqual(other.fingerprint, fingerprint);
});

test('a file that is missing or cut short is named', async (context) => {
  const dir = await made(context);
  await truncate(join(dir, 'onnx/vision_model.onnx'), 100);
  await assert.rejects(readEmbedPack(dir), invalid(/vision_model\.onnx.*100 bytes/));
  await rm(join(dir, 'onnx/vision_model.onnx'));
  await assert.rejects(readEmbedPack(dir), invalid(/lacks its file onnx\/vision_model\.onnx/));
});

test('a flipped byte is found by verifying', async (context) => {
  const dir = await made(context);
  const pack = await readEmbedPack(dir);
  const path = join(dir, 'onnx/text_model.onnx');
  const bytes = await readFile(path);
  bytes[bytes.byteLength >> 1] = (bytes[bytes.byteLength >> 1] ?? 0) ^ 1;
  await writeFile(path, bytes);
  await assert.rejects(verifyPack(pack), invalid(/text_model\.onnx.*checksum/));
});

test('a path that leads out of the pack is refused', async (context) => {
  for (const path of ['../secret.onnx', '/etc/passwd', 'onnx/../../x', 'C:/x', 'a\\b']) {
    const dir = await made(context);
    await edit(join(dir, 'pack.json'), (json) => {
      (json['image'] as { file: string }).file = path;
    });
    await assert.rejects(readEmbedPack(dir), invalid(/malformed/), path);
  }
});

test('other models, missing configs and broken JSON are refused in words', async (context) => {
  const dir = await made(context, { packJson: false });
  await edit(join(dir, 'config.json'), (config) => {
    config['model_type'] = 'bert';
  });
  await assert.rejects(readEmbedPack(dir), invalid(/"bert" model/));
  await writeFile(join(dir, 'config.json'), '{');
  await assert.rejects(readEmbedPack(dir), invalid(/config\.json/));
  await assert.rejects(
    readEmbedPack(join(dir, 'nowhere')),
    (thrown: unknown) => thrown instanceof AppError && thrown.code === 'pack-missing',
  );
});

test('older and sparser preprocessor configs mean what the reference takes them to mean', async (context) => {
  const dir = await made(context, { packJson: false });
  await writeFile(
    join(dir, 'preprocessor_config.json'),
    JSON.stringify({ feature_extractor_type: 'CLIPFeatureExtractor', size: 24, crop_size: 24, resample: 3 }),
  );
  const { imageSpec } = await readEmbedPack(dir);
  assert.deepEqual(imageSpec.resize, { shortestEdge: 24 });
  assert.deepEqual(imageSpec.crop, { width: 24, height: 24 });
  assert.equal(imageSpec.mean[0], 0.48145466);
});
