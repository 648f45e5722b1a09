/** Loads made-up packs in real processes: vectors, caching, fall-backs, self-tests and packs that don't fit. */
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { after, before } from 'node:test';
import { AppError, type ErrorCode } from '../../../main/errors.ts';
import { chooseProvider } from '../../../main/engine/inference/choose-provider.ts';
import { loadEmbedder, type LoadedEmbedder } from '../../../main/engine/inference/embedder.ts';
import { goldenBatch } from '../../../main/engine/inference/golden-batch.ts';
import { createNodeSpawner } from '../../../main/engine/inference/node-spawner.ts';
import { listProviders } from '../../../main/engine/inference/providers.ts';
import { selfTestPack } from '../../../main/engine/inference/self-test.ts';
import type { SpawnWorker, WorkerName } from '../../../main/engine/inference/types.ts';
import { cosine } from '../../../main/engine/inference/unit-vectors.ts';
import { silentLog } from '../../../main/engine/log.ts';
import { readEmbedPack } from '../../../main/engine/packs/pack.ts';
import type { EmbedPack } from '../../../main/engine/packs/types.ts';
import { makePack } from '../../fixtures/make-pack.ts';

const realSpawn = createNodeSpawner({ log: silentLog });
/** Counts processes and what is sent to them, so that caching and clean ends can be seen. */
const counts = { alive: 0, encodes: 0 };
const spawn: SpawnWorker = (name) => {
  const worker = realSpawn(name);
  counts.alive++;
  worker.onExit(() => counts.alive--);
  return {
    ...worker,
    post: (message) => {
      if ((message as { type: string }).type === 'encode') counts.encodes++;
      worker.post(message);
    },
  };
};
const common = { spawn, log: silentLog, now: (): number => 1_700_000_000_000, provider: 'cpu' as const };

let dir: string;
let clip: EmbedPack;
let embedder: LoadedEmbedder;
before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'afterimage-embed-'));
  clip = await readEmbedPack(
    await makePack({ dir: join(dir, 'clip'), family: 'clip', shape: 'tiny', seed: 3 }),
  );
  embedder = await loadEmbedder({ ...common, pack: clip });
});
after(async () => {
  await embedder.close();
  assert.equal(counts.alive, 0, 'no process is left behind');
  await rm(dir, { recursive: true });
});

const length = (vector: Float32Array): number => Math.hypot(...vector);
const code = (wanted: ErrorCode) => (thrown: unknown) => {
  assert.ok(thrown instanceof AppError, String(thrown));
  assert.equal(thrown.code, wanted, thrown.message);
  return true;
};

test('images and texts become unit vectors of one size', async () => {
  const images = await embedder.embedImages(goldenBatch(clip.imageSpec, 11));
  const texts = await embedder.embedTexts(['a dog', 'a cat on the street']);
  assert.equal(images.length, 11);
  for (const vector of [...images, ...texts]) {
    assert.equal(vector.length, 64);
    assert.ok(Math.abs(length(vector) - 1) < 1e-5);
  }
});

test('an image gives the same vector alone and in a batch', async () => {
  const batch = goldenBatch(clip.imageSpec, 8);
  const together = await embedder.embedImages(batch);
  for (const [i, image] of batch.entries()) {
    const [alone] = await embedder.embedImages([image]);
    assert.ok(cosine(alone ?? [], together[i] ?? []) > 0.999999);
  }
});

test('a text gives the same vector alone and among longer ones', async () => {
  const texts = ['dog', 'a photo of a dog and a cat', 'the red car of the man on the street'];
  const fresh = await loadEmbedder({ ...common, pack: clip });
  try {
    const together = await fresh.embedTexts(texts);
    const [alone] = await embedder.embedTexts(['dog']);
    assert.ok(cosine(alone ?? [], together[0] ?? []) > 0.999999);
    assert.ok(cosine(together[0] ?? [], together[1] ?? []) < 0.9999);
  } finally {
    await fresh.close();
  }
});

test('a text is encoded once and handed out as a copy', async () => {
  const before = counts.encodes;
  const [first, same] = await embedder.embedTexts(['the quick fox', 'the quick fox']);
  first?.fill(0);
  const [again] = await embedder.embedTexts(['the quick fox']);
  assert.equal(counts.encodes, before + 1);
  assert.ok(cosine(same ?? [], again ?? []) > 0.999999);
});

test("a query is the mean direction of the pack's templates", async () => {
  const query = await embedder.embedQuery('red car');
  const [plain, photo] = await embedder.embedTexts(['red car', 'a photo of red car']);
  const sum = (plain ?? new Float32Array()).map((value, i) => value + (photo?.[i] ?? 0));
  assert.ok(cosine(query, sum) > 0.999999);
  assert.ok(Math.abs(length(query) - 1) < 1e-5);
});

test('a text longer than the model takes is cut, not refused', async () => {
  const [vector] = await embedder.embedTexts(['dog '.repeat(500)]);
  assert.ok(Math.abs(length(vector ?? new Float32Array()) - 1) < 1e-5);
});

test('a search that was given up is cancelled while the worker goes on', async () => {
  const cancel = new AbortController();
  const waiting = embedder.embedQuery('something new', cancel.signal);
  cancel.abort();
  await assert.rejects(waiting, code('cancelled'));
  assert.equal((await embedder.embedTexts(['still here'])).length, 1);
});

test('texts are answered while a batch of images is being worked on', async () => {
  const images = embedder.embedImages(goldenBatch(clip.imageSpec, 64));
  const first = await Promise.race([
    images.then(() => 'images'),
    embedder.embedTexts(['now']).then(() => 'text'),
  ]);
  await images;
  // The tiny model is fast: either may win, but both come from processes of their own.
  assert.ok(['images', 'text'].includes(first));
});

test('a vision process that is killed is missed and comes back with its model', async () => {
  let kill: (() => void) | undefined;
  const fragile = await loadEmbedder({
    ...common,
    pack: clip,
    spawn: (name: WorkerName) => {
      const worker = realSpawn(name);
      return name === 'vision'
        ? {
            ...worker,
            post: (message) => {
              worker.post(message);
              if (kill !== undefined) worker.kill();
              kill = undefined;
            },
          }
        : worker;
    },
  });
  try {
    const batch = goldenBatch(clip.imageSpec, 2);
    const expected = await fragile.embedImages(batch);
    kill = () => undefined;
    await assert.rejects(fragile.embedImages(batch), code('worker-died'));
    const again = await fragile.embedImages(batch);
    assert.ok(cosine(again[0] ?? [], expected[0] ?? []) > 0.999999);
  } finally {
    await fragile.close();
  }
});

test('a combined export and its two halves give the same embeddings', async () => {
  const seed = 9;
  const pack = await readEmbedPack(
    await makePack({ dir: join(dir, 'both'), family: 'clip', shape: 'tiny', seed, layout: 'combined' }),
  );
  const both = await loadEmbedder({ ...common, pack });
  try {
    const [image] = await both.embedImages(goldenBatch(pack.imageSpec, 1));
    const [text] = await both.embedTexts(['a dog']);
    assert.equal(image?.length, 64);
    assert.equal(text?.length, 64);
  } finally {
    await both.close();
  }
});

test('SigLIP packs are padded to their full length and say so in their scoring', async () => {
  const pack = await readEmbedPack(
    await makePack({ dir: join(dir, 'siglip'), family: 'siglip', shape: 'tiny', seed: 4, packJson: false }),
  );
  const siglip = await loadEmbedder({ ...common, pack });
  try {
    assert.equal(siglip.scoring.kind, 'sigmoid');
    const [shouted, spoken] = await siglip.embedTexts(['A DOG!', 'a dog']);
    assert.ok(cosine(shouted ?? [], spoken ?? []) > 0.999999, 'case and punctuation make no difference');
  } finally {
    await siglip.close();
  }
});

test('a provider that cannot be had falls back to the CPU and says so', async () => {
  // No system has both of these.
  const absent = process.platform === 'darwin' ? 'dml' : 'coreml';
  const fallen = await loadEmbedder({ ...common, pack: clip, provider: absent });
  try {
    assert.equal(fallen.provider, 'cpu');
    assert.equal(fallen.selfTest.passed, true);
    assert.match(fallen.selfTest.messages.join(' '), /the CPU is used/i);
    assert.ok(fallen.providerNotes[absent] !== undefined);
  } finally {
    await fallen.close();
  }
});

test('a provider that gives other embeddings than the CPU is refused', async () => {
  // Stands in for a driver with a wrong kernel: a process that claims WebGPU and loads another model on the CPU.
  const wrong = await makePack({ dir: join(dir, 'wrong'), family: 'clip', shape: 'tiny', seed: 99 });
  const lying: SpawnWorker = (name) => {
    const worker = realSpawn(name);
    return {
      ...worker,
      post: (message) => {
        const request = message as { type: string; payload: { provider?: string; file?: string } };
        worker.post(
          request.type === 'load' && request.payload.provider === 'webgpu'
            ? {
                ...request,
                payload: {
                  ...request.payload,
                  provider: 'cpu',
                  file: join(wrong, 'onnx/vision_model.onnx'),
                },
              }
            : message,
        );
      },
    };
  };
  const chosen = await chooseProvider({ pack: clip, spawn: lying, log: silentLog }, 'webgpu', [
    'webgpu',
    'cpu',
  ]);
  try {
    assert.equal(chosen.tower.provider, 'cpu');
    assert.match(chosen.notes.webgpu ?? '', /other embeddings than the CPU/);
  } finally {
    await chosen.tower.close();
  }
});

test('the self-test compares with what the makers of the pack got', async () => {
  const folder = await makePack({ dir: join(dir, 'golden'), family: 'clip', shape: 'tiny', seed: 3 });
  const [text] = await embedder.embedTexts(['a dog']);
  const path = join(folder, 'pack.json');
  const write = async (embedding: number[], ids: number[] | null): Promise<void> => {
    const json = JSON.parse(await readFile(path, 'utf8')) as Record<string, unknown>;
    await writeFile(
      path,
      JSON.stringify({ ...json, golden: { image: [], text: [{ text: 'a dog', ids, embedding }] } }),
    );
  };
  await write([...(text ?? [])], null);
  const good = await selfTestPack({ ...common, pack: await readEmbedPack(folder) });
  assert.equal(good.passed, true);
  assert.ok((good.minCosine ?? 0) > 0.9999);

  await write([...(text ?? [])].reverse(), [1, 2, 3]);
  const bad = await selfTestPack({ ...common, pack: await readEmbedPack(folder) });
  assert.equal(bad.passed, false);
  assert.match(bad.messages.join(' '), /splits "a dog"/);
  assert.match(bad.messages.join(' '), /comes out differently/);
  await assert.rejects(loadEmbedder({ ...common, pack: await readEmbedPack(folder) }), code('pack-unfit'));
});

test('a model file that is not one is reported and leaves no process behind', async () => {
  const folder = await makePack({ dir: join(dir, 'broken'), family: 'clip', shape: 'tiny', seed: 5 });
  const file = join(folder, 'onnx/vision_model.onnx');
  const bytes = await readFile(file);
  await writeFile(file, Buffer.alloc(bytes.byteLength, 0x5a));
  const pack = await readEmbedPack(folder);
  await assert.rejects(loadEmbedder({ ...common, pack }), code('pack-invalid'));
  const verdict = await selfTestPack({ ...common, pack });
  assert.equal(verdict.passed, false);
  assert.match(verdict.messages.join(' '), /vision_model\.onnx.*checksum/);
});

test('a pack that says other dimensions than its model has is refused', async () => {
  const pack = { ...clip, dims: 63 };
  await assert.rejects(loadEmbedder({ ...common, pack }), code('pack-invalid'));
});

test('every provider is listed with a word on why it is or is not used', () => {
  const states = listProviders('auto', 'cpu', { webgpu: 'WebGPU found no graphics card.' });
  assert.deepEqual(
    states.map(({ name }) => name),
    ['cuda', 'webgpu', 'dml', 'coreml', 'cpu'],
  );
  const cpu = states.find(({ name }) => name === 'cpu');
  assert.equal(cpu?.available, true);
  assert.equal(cpu.message, 'In use.');
  assert.ok(states.every(({ message }) => message !== ''));
});
