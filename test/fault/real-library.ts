/** A library with the real decoder and a real (tiny, random-weight) pack in processes of their own. */
import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { createDecoder } from '../../main/engine/inference/decoder.ts';
import { loadEmbedder } from '../../main/engine/inference/embedder.ts';
import { createNodeSpawner } from '../../main/engine/inference/node-spawner.ts';
import type { Decoder, Embedder } from '../../main/engine/inference/types.ts';
import { createLibrary } from '../../main/engine/library/library.ts';
import type { Library } from '../../main/engine/library/types.ts';
import { silentLog } from '../../main/engine/log.ts';
import { readEmbedPack } from '../../main/engine/packs/pack.ts';
import { openStore } from '../../main/engine/store/store.ts';
import type { Store } from '../../main/engine/store/types.ts';
import { makePack } from '../fixtures/make-pack.ts';

export interface RealLibrary {
  readonly folder: string;
  readonly store: Store;
  readonly library: Library;
  readonly decoder: Decoder;
  readonly embedder: Embedder;
  readonly modelId: number;
  /** Ids that an index would hold. */
  readonly index: Set<number>;
}

export async function createRealLibrary(t: TestContext): Promise<RealLibrary> {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'afterimage-fault-')));
  const spawn = createNodeSpawner({ log: silentLog });
  const decoder = createDecoder({ spawn, log: silentLog });
  const packFolder = await makePack({ dir: join(folder, 'pack'), family: 'clip', shape: 'tiny', seed: 1 });
  const pack = await readEmbedPack(packFolder);
  const embedder = await loadEmbedder({ pack, spawn, log: silentLog, now: Date.now, provider: 'cpu' });
  const store = openStore({ directory: join(folder, 'library'), now: Date.now });
  const modelId = store.embeddings.model(embedder.fingerprint, embedder.packId, embedder.dims);
  store.embeddings.setActiveModel(modelId);
  const index = new Set<number>();
  const library = createLibrary({
    store,
    decoder,
    model: () => ({ modelId, embedder }),
    libraryFolder: join(folder, 'library'),
    thumbnailsMaxBytes: () => 64 * 2 ** 20,
    log: silentLog,
    now: Date.now,
    timers: { after: () => () => undefined },
    onCommitted(rows) {
      for (const { id } of rows) index.add(id);
    },
    onRemoved(ids) {
      for (const id of ids) index.delete(id);
    },
    onProgress: () => undefined,
    onRootsChanged: () => undefined,
    onNotice: () => undefined,
  });
  t.after(async () => {
    await library.close();
    await Promise.all([embedder.close(), decoder.close()]);
    store.close();
    rmSync(folder, { recursive: true, force: true });
  });
  return { folder, store, library, decoder, embedder, modelId, index };
}
