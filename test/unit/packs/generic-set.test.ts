/** The generic set of a pack: read, and refused where its files don't fit. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { AppError } from '../../../main/errors.ts';
import { readGenericSet } from '../../../main/engine/packs/generic-set.ts';
import { readEmbedPack, verifyPack } from '../../../main/engine/packs/pack.ts';
import { makePack } from '../../fixtures/make-pack.ts';

const dims = 64;
const starter = join(import.meta.dirname, '../../../models/starter');

const invalid = (pattern: RegExp) => (thrown: unknown) => {
  assert.ok(thrown instanceof AppError && thrown.code === 'pack-invalid', String(thrown));
  assert.match(thrown.message, pattern);
  return true;
};
const bytesOf = (content: string | Uint8Array) => ({
  bytes: Buffer.byteLength(content),
  sha256: createHash('sha256').update(content).digest('hex'),
});

interface Changes {
  readonly pairs?: Record<string, unknown>;
  readonly images?: Int8Array;
  readonly unlisted?: boolean;
}

/** A pack with three judged pairs of two photos and one pair to replay. */
async function packWithSet(t: TestContext, changes: Changes = {}): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'afterimage-generic-'));
  t.after(() => rm(dir, { recursive: true }));
  await makePack({ dir, family: 'clip', shape: 'tiny', seed: 1 });
  const packPath = join(dir, 'pack.json');
  const json = JSON.parse(await readFile(packPath, 'utf8')) as {
    files: Record<string, { bytes: number; sha256: string }>;
    generic?: unknown;
  };
  const pairs = JSON.stringify({
    schema: 1,
    name: 'made photos',
    tower: json.files['onnx/vision_model.onnx']?.sha256,
    judged: { photos: [0, 0, 1], texts: ['a dog', 'an animal', 'a cat'] },
    replay: { photos: [0], texts: ['a boat'] },
    ...changes.pairs,
  });
  const images = Buffer.from(changes.images ?? Int8Array.from({ length: 3 * dims }, (_, i) => (i % 7) - 3));
  await writeFile(join(dir, 'pairs.json'), pairs);
  await writeFile(join(dir, 'images.i8'), images);
  json.generic = { pairs: 'pairs.json', images: 'images.i8' };
  if (changes.unlisted !== true)
    Object.assign(json.files, { 'pairs.json': bytesOf(pairs), 'images.i8': bytesOf(images) });
  await writeFile(packPath, JSON.stringify(json));
  return dir;
}

test('photos come as unit rows with their texts, those to replay apart', async (t) => {
  const pack = await readEmbedPack(await packWithSet(t));
  await verifyPack(pack);
  const set = await readGenericSet(pack);
  assert.ok(set !== null);
  assert.equal(set.name, 'made photos');
  assert.deepEqual([set.judged.images.length, set.replay.images.length], [2 * dims, dims]);
  assert.deepEqual([...set.judged.photos], [0, 0, 1]);
  assert.deepEqual(set.judged.texts, ['a dog', 'an animal', 'a cat']);
  assert.deepEqual(set.replay.texts, ['a boat']);
  for (const part of [set.judged, set.replay])
    for (let row = 0; row < part.images.length; row += dims)
      assert.ok(Math.abs(Math.hypot(...part.images.subarray(row, row + dims)) - 1) < 1e-6);
  // The stored bytes begin with -3, -2, -1.
  const [first = 0, second = 0] = set.judged.images;
  assert.ok(Math.abs(first / second - 1.5) < 1e-6);
});

test('a pack without one has none', async (t) => {
  const dir = await mkdtemp(join(tmpdir(), 'afterimage-generic-'));
  t.after(() => rm(dir, { recursive: true }));
  const pack = await readEmbedPack(await makePack({ dir, family: 'clip', shape: 'tiny', seed: 1 }));
  assert.equal(pack.generic, null);
  assert.equal(await readGenericSet(pack), null);
});

test('a set that does not fit its pack is refused with the reason', async (t) => {
  const read = async (changes: Changes) => readGenericSet(await readEmbedPack(await packWithSet(t, changes)));
  await assert.rejects(read({ images: new Int8Array(2 * dims).fill(1) }), invalid(/128 bytes of images/));
  await assert.rejects(read({ images: new Int8Array(3 * dims) }), invalid(/without a direction/));
  await assert.rejects(read({ pairs: { tower: 'a'.repeat(64) } }), invalid(/another image model/));
  await assert.rejects(
    read({ pairs: { judged: { photos: [0, 1], texts: ['a dog'] } } }),
    invalid(/as many photos as texts/),
  );
  await assert.rejects(read({ pairs: { schema: 2 } }), invalid(/malformed/));
  await assert.rejects(read({ unlisted: true }), invalid(/does not list its file pairs\.json/));
});

test('the set decides no embedding: the fingerprint is the same with it and without it', async (t) => {
  const dir = await packWithSet(t);
  const withSet = await readEmbedPack(dir);
  const bare = await mkdtemp(join(tmpdir(), 'afterimage-generic-'));
  t.after(() => rm(bare, { recursive: true }));
  await cp(dir, bare, { recursive: true });
  const json = JSON.parse(await readFile(join(bare, 'pack.json'), 'utf8')) as Record<string, unknown>;
  delete json['generic'];
  await writeFile(join(bare, 'pack.json'), JSON.stringify(json));
  assert.equal((await readEmbedPack(bare)).fingerprint, withSet.fingerprint);
});

test('the starter judges by a thousand photos that it ships as embeddings, in less than 1.6 MB', async () => {
  const pack = await readEmbedPack(starter);
  const set = await readGenericSet(pack);
  assert.ok(set !== null);
  assert.equal(set.judged.texts.length, 1_000);
  assert.equal(set.replay.texts.length, 2_000);
  const files = Object.entries(pack.files).filter(([path]) => path.startsWith('generic/'));
  assert.ok(files.reduce((sum, [, { bytes }]) => sum + bytes, 0) < 1.6e6);
  // Nothing is judged by that is also replayed.
  const row = (images: Float32Array, i: number): string =>
    Buffer.from(images.slice(i * set.dims, (i + 1) * set.dims).buffer).toString('latin1');
  const judged = new Set(Array.from({ length: 1_000 }, (_, i) => row(set.judged.images, i)));
  assert.ok(
    Array.from({ length: 2_000 }, (_, i) => row(set.replay.images, i)).every((each) => !judged.has(each)),
  );
});
