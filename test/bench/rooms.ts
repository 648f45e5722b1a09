/** Opens the rooms that benchmarks measure, the same way the engine does, and stand-ins that count calls. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { noCameraMetadata } from '../../main/engine/inference/photo-metadata.ts';
import { createNodeSpawner } from '../../main/engine/inference/node-spawner.ts';
import { loadEmbedder } from '../../main/engine/inference/embedder.ts';
import type { Decoder, Embedder } from '../../main/engine/inference/types.ts';
import { createLibrary } from '../../main/engine/library/library.ts';
import type { Library } from '../../main/engine/library/types.ts';
import { silentLog } from '../../main/engine/log.ts';
import { readEmbedPack } from '../../main/engine/packs/pack.ts';
import { openStore } from '../../main/engine/store/store.ts';

export const modelsDirectory = fileURLToPath(new URL('../../models', import.meta.url));
export const starterPack = join(modelsDirectory, 'starter');
export const spawn = createNodeSpawner({ log: silentLog });

export async function openEmbedder(
  packDir: string,
  provider: 'auto' | 'cpu' | 'webgpu' | 'cuda' = 'cpu',
): Promise<Embedder> {
  return loadEmbedder({ pack: await readEmbedPack(packDir), spawn, log: silentLog, provider, now: Date.now });
}

export function openBenchLibrary(
  directory: string,
  decoder: Decoder,
  embedder: Embedder,
): { library: Library; close(): Promise<void> } {
  const store = openStore({ directory, now: Date.now });
  const modelId = store.embeddings.model(embedder.fingerprint, embedder.packId, embedder.dims);
  store.embeddings.setActiveModel(modelId);
  const library = createLibrary({
    store,
    decoder,
    model: () => ({ modelId, embedder }),
    libraryFolder: directory,
    thumbnailsMaxBytes: () => 2 ** 30,
    log: silentLog,
    now: Date.now,
    timers: {
      after: (delayMs, run) => {
        const timer = setTimeout(run, delayMs);
        return () => clearTimeout(timer);
      },
    },
    onCommitted: () => {},
    onRemoved: () => {},
    onProgress: () => {},
    onRootsChanged: () => {},
    onNotice: () => {},
  });
  return {
    library,
    close: async () => {
      await library.close();
      store.close();
    },
  };
}

/** A decoder that decodes nothing: for measuring what is round it. */
export function countingDecoder(): Decoder & { calls(): number } {
  let calls = 0;
  return {
    concurrency: 4,
    calls: () => calls,
    decode: async () => {
      calls += 1;
      await Promise.resolve();
      return {
        pixels: new Uint8Array(32 * 32 * 3),
        pixelWidth: 32,
        pixelHeight: 32,
        metadata: {
          width: 160,
          height: 120,
          format: 'jpeg',
          ...noCameraMetadata,
        },
        thumbnail: null,
      };
    },
    close: () => Promise.resolve(),
  };
}

export function countingEmbedder(): Embedder & { calls(): number } {
  let calls = 0;
  const unit = (): Float32Array => Float32Array.from({ length: 64 }, () => 1 / 8);
  return {
    fingerprint: 'counting',
    packId: 'counting',
    dims: 64,
    imageSpec: {
      resize: { width: 32, height: 32 },
      crop: null,
      resample: 3,
      rescale: 1 / 255,
      mean: [0.5, 0.5, 0.5],
      std: [0.5, 0.5, 0.5],
    },
    batchSize: 8,
    scoring: {
      kind: 'softmax',
      logitScale: 1,
      logitBias: 0,
      promptTemplates: ['{}'],
      queryTemplates: ['{}'],
      background: null,
    },
    provider: 'cpu',
    selfTest: { at: 0, passed: true, provider: 'cpu', minCosine: null, messages: [] },
    calls: () => calls,
    embedImages: (images) => {
      calls += images.length;
      return Promise.resolve(images.map(unit));
    },
    embedTexts: (texts) => Promise.resolve(texts.map(unit)),
    embedQuery: () => Promise.resolve(unit()),
    close: () => Promise.resolve(),
  };
}
