/** Reads packs that caption and answer, installs them, and notices what is wrong with them. */
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { AppError } from '../../../main/errors.ts';
import { silentLog } from '../../../main/engine/log.ts';
import { createCatalog } from '../../../main/engine/packs/catalog.ts';
import { manifestShape } from '../../../main/engine/packs/manifest.ts';
import { embedPack, languagePack, readPack, verifyPack } from '../../../main/engine/packs/pack.ts';
import {
  answers,
  makeLanguagePack,
  type MakeLanguagePackOptions,
} from '../../fixtures/make-language-pack.ts';

const shipped = join(import.meta.dirname, '../../../models');

async function folder(context: TestContext): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'afterimage-language-pack-'));
  context.after(() => rm(dir, { recursive: true }));
  return dir;
}

async function made(context: TestContext, options: Partial<MakeLanguagePackOptions> = {}): Promise<string> {
  return makeLanguagePack({ dir: await folder(context), family: 'blip-caption', seed: 1, ...options });
}

type Json = Record<string, unknown>;

async function edit(dir: string, change: (json: Json) => void): Promise<void> {
  const file = join(dir, 'pack.json');
  const json = JSON.parse(await readFile(file, 'utf8')) as Json;
  change(json);
  await writeFile(file, JSON.stringify(json));
}

const refused = (code: string, pattern: RegExp) => (thrown: unknown) => {
  assert.ok(thrown instanceof AppError && thrown.code === code, String(thrown));
  assert.match(thrown.message, pattern);
  return true;
};

test('a pack that writes is described as it says', async (context) => {
  const dir = await made(context, { generation: { beams: 3, maxNewTokens: 9 } });
  const pack = languagePack(await readPack(dir));
  assert.deepEqual(pack.tasks, ['caption']);
  assert.equal(pack.family, 'blip-caption');
  assert.deepEqual(pack.generation, {
    maxNewTokens: 9,
    beams: 3,
    lengthPenalty: 1,
    earlyStopping: false,
    repetitionPenalty: 1,
    noRepeatNgram: 0,
    sampling: null,
  });
  assert.equal(pack.decoder?.file, join(dir, 'onnx/decoder.onnx'));
  assert.deepEqual(pack.imageSpec?.resize, { width: 64, height: 64 });
  assert.deepEqual(pack.quality, [
    { metric: 'accuracy', dataset: 'nothing', value: 0.5, source: 'test/fixtures' },
  ]);
  assert.match(pack.fingerprint, /^[0-9a-f]{32}$/);
  await verifyPack(pack);
  assert.throws(() => embedPack(pack), refused('not-supported', /cannot search/));
});

test('answers come from a list or from id2label, in the order of the scores', async (context) => {
  const dir = await made(context, { family: 'vilt' });
  assert.deepEqual(languagePack(await readPack(dir)).classifier?.answers, answers);
  const config = JSON.stringify({ id2label: { 10: 'k', 2: 'c', 0: 'a', 1: 'b' } });
  await writeFile(join(dir, 'answers.json'), config);
  await edit(dir, ({ files }) => {
    (files as Json)['answers.json'] = { bytes: config.length, sha256: '0'.repeat(64) };
  });
  assert.deepEqual(languagePack(await readPack(dir)).classifier?.answers, ['a', 'b', 'c', 'k']);
});

test('the packs that ship read, verify, and see through the starter that ships', async () => {
  const starter = embedPack(await readPack(join(shipped, 'starter')));
  for (const [id, task] of [
    ['starter-captioner', 'caption'],
    ['starter-answerer', 'answer'],
  ] as const) {
    const pack = languagePack(await readPack(join(shipped, id)));
    assert.deepEqual(pack.tasks, [task]);
    assert.equal(pack.imageTower?.sha256, starter.files[pack.imageTower?.file ?? '']?.sha256);
    assert.ok(pack.golden.length > 0 && pack.confidence !== null && pack.quality.length > 0);
    await verifyPack(pack);
  }
});

test('the fingerprint follows what decides the words and nothing else', async (context) => {
  const dir = await made(context);
  const print = async (): Promise<string> => (await readPack(dir)).fingerprint;
  const first = await print();
  await edit(dir, (json) => {
    json['name'] = 'Another name';
    json['quality'] = [];
    const files = json['files'] as Json;
    files['golden/1.png'] = files['tokenizer.json'];
  });
  await mkdir(join(dir, 'golden'));
  await writeFile(join(dir, 'golden/1.png'), await readFile(join(dir, 'tokenizer.json')));
  assert.equal(await print(), first);
  const changes: ((json: Json) => void)[] = [
    (json) => (json['generation'] = { maxNewTokens: 12, beams: 2 }),
    (json) => (json['confidence'] = { slope: 1, intercept: 0, notSureBelow: 0.5 }),
    (json) => (json['tokens'] = { bos: 1, eos: 3 }),
    ({ files }) => (((files as Record<string, Json>)['tokenizer.json'] ??= {})['sha256'] = 'f'.repeat(64)),
  ];
  const seen = new Set([first]);
  for (const change of changes) {
    await edit(dir, change);
    seen.add(await print());
  }
  assert.equal(seen.size, changes.length + 1);
});

test('a pack that lacks something is refused with its name', async (context) => {
  const dir = await made(context);
  const whole = await readFile(join(dir, 'pack.json'));
  const cases: [RegExp, (json: Json) => void][] = [
    [/lacks "decoder"/, (json) => delete json['decoder']],
    [/lacks "generation"/, (json) => delete json['generation']],
    [/"tokens\.eos"/, (json) => (json['tokens'] = { bos: 1 })],
    [/can answer, which it cannot/, (json) => (json['tasks'] = ['answer'])],
    [/malformed \(family/, (json) => (json['family'] = 'gpt-5')],
    [/malformed \(encoder/, (json) => (json['encoder'] = { file: '../../secret.onnx' })],
    [/does not list its file onnx\/other\.onnx/, (json) => (json['encoder'] = { file: 'onnx/other.onnx' })],
  ];
  for (const [pattern, change] of cases) {
    await edit(dir, change);
    await assert.rejects(readPack(dir), refused('pack-invalid', pattern));
    await writeFile(join(dir, 'pack.json'), whole);
  }
  await truncate(join(dir, 'onnx/encoder.onnx'), 10);
  await assert.rejects(readPack(dir), refused('pack-invalid', /onnx\/encoder\.onnx.*10 bytes/));
  await rm(join(dir, 'onnx/encoder.onnx'));
  await assert.rejects(readPack(dir), refused('pack-invalid', /lacks its file onnx\/encoder\.onnx/));
});

test('a swapped file of the same size is found by verifying', async (context) => {
  const dir = await made(context);
  const file = join(dir, 'onnx/decoder.onnx');
  const bytes = await readFile(file);
  bytes.writeUInt8(bytes.readUInt8(9_000) ^ 8, 9_000);
  await writeFile(file, bytes);
  await assert.rejects(
    verifyPack(await readPack(dir)),
    refused('pack-invalid', /onnx\/decoder\.onnx.*checksum/),
  );
});

test('a folder is installed beside the packs that ship, and taken out again', async (context) => {
  const catalog = createCatalog({
    bundledDir: shipped,
    installedDir: await folder(context),
    log: silentLog,
  });
  const dir = await made(context, { family: 'vilt', id: 'my-answers' });
  const pack = languagePack(await catalog.installFolder(dir));
  assert.equal(pack.id, 'my-answers');
  assert.notEqual(pack.dir, dir);
  await verifyPack(pack);
  assert.equal(pack.fingerprint, (await readPack(dir)).fingerprint);
  const here = (await catalog.list()).flatMap((entry) => (entry.installed ? [entry.pack] : []));
  assert.deepEqual(
    here.filter(({ kind }) => kind === 'language').map(({ id }) => id),
    ['my-answers', 'starter-answerer', 'starter-captioner'],
  );
  await rm(join(pack.dir, 'tokenizer.json'));
  await assert.rejects(catalog.get('my-answers'), refused('pack-invalid', /lacks its file tokenizer\.json/));
  await writeFile(join(pack.dir, 'tokenizer.json'), await readFile(join(dir, 'tokenizer.json')));
  await catalog.remove('my-answers');
  await assert.rejects(catalog.get('my-answers'), refused('pack-missing', /my-answers/));
});

test('captioners from the Hub are recognised by their config, and only the weights in use are taken', async (context) => {
  const cases = [
    {
      model_type: 'vision-encoder-decoder',
      family: 'vit-gpt2',
      tasks: ['caption'],
      size: 224,
      parts: ['encoder_model', 'decoder_model_merged'],
      resize: { width: 224, height: 224 },
    },
    {
      model_type: 'florence2',
      family: 'florence2',
      tasks: ['caption'],
      size: { height: 768, width: 768 },
      parts: ['vision_encoder', 'embed_tokens', 'encoder_model', 'decoder_model_merged'],
      resize: { width: 768, height: 768 },
    },
    {
      model_type: 'idefics3',
      family: 'smolvlm',
      tasks: ['caption', 'answer'],
      size: { longest_edge: 2048 },
      parts: ['vision_encoder', 'embed_tokens', 'decoder_model_merged'],
      resize: { longestEdge: 2048, tile: 512 },
    },
  ];
  for (const { model_type, family, tasks, size, parts, resize } of cases) {
    const dir = await folder(context);
    await mkdir(join(dir, 'onnx'));
    const put = (name: string, content: unknown): Promise<void> =>
      writeFile(join(dir, name), JSON.stringify(content));
    await put('config.json', { model_type });
    await put('preprocessor_config.json', { size, max_image_size: { longest_edge: 512 } });
    await put('tokenizer.json', {});
    await put('generation_config.json', {});
    for (const part of parts) {
      await put(`onnx/${part}_q4.onnx`, part);
      await put(`onnx/${part}.onnx`, part);
      await put(`onnx/${part}.onnx_data`, part);
    }
    const pack = languagePack(await readPack(dir));
    assert.equal(pack.family, family);
    assert.deepEqual(pack.tasks, tasks);
    assert.deepEqual(pack.imageSpec?.resize, resize);
    const files = Object.keys(pack.files);
    assert.ok(files.includes('generation_config.json') && files.includes('tokenizer.json'));
    assert.deepEqual(
      files.filter((file) => file.startsWith('onnx/')).sort(),
      parts.flatMap((part) => [`onnx/${part}.onnx`, `onnx/${part}.onnx_data`]).sort(),
    );
    await rm(join(dir, `onnx/${parts[0] ?? ''}.onnx`));
    await rm(join(dir, `onnx/${parts[0] ?? ''}_q4.onnx`));
    await assert.rejects(
      readPack(dir),
      refused('pack-invalid', new RegExp(`no onnx/${parts[0] ?? ''}\\.onnx`)),
    );
  }
});

test('the manifest takes offers of packs that write', () => {
  const offer = {
    id: 'florence-2',
    name: 'Florence-2',
    description: 'Captions.',
    recommended: false,
    repo: 'owner/name',
    revision: '0'.repeat(40),
    files: [{ path: 'tokenizer.json', bytes: null, sha256: null }],
    pack: {
      tasks: ['caption'],
      family: 'florence2',
      licence: { id: 'MIT', name: 'MIT' },
      quality: [{ metric: 'CIDEr', dataset: 'COCO', value: 140 }],
    },
  };
  const manifest = { schema: 1, origin: 'https://example.org', hosts: ['example.org'] };
  const [parsed] = manifestShape.parse({ ...manifest, packs: [offer] }).packs;
  assert.ok(parsed !== undefined && 'tasks' in parsed.pack);
  assert.equal(parsed.pack.quality[0]?.value, 140);
  const without = { ...offer, pack: { ...offer.pack, tasks: [] } };
  assert.ok(!manifestShape.safeParse({ ...manifest, packs: [without] }).success);
});
