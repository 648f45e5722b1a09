/** Fills a library with photos that exist only as rows and vectors, for benchmarks at 100,000. */
import { createHash } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { noCameraMetadata } from '../../main/engine/inference/photo-metadata.ts';
import { openStore } from '../../main/engine/store/store.ts';
import { makeCloud } from './vectors.ts';

export interface VectorLibrary {
  readonly directory: string;
  readonly photos: number;
  readonly dims: number;
  readonly fingerprint: string;
  readonly packId: string;
}

/** @returns the row of the model that the vectors belong to; it is made the active one. */
export function fillLibrary(options: VectorLibrary & { seed: number }): number {
  const store = openStore({ directory: options.directory, now: Date.now });
  try {
    const photosFolder = join(options.directory, 'photos');
    mkdirSync(photosFolder, { recursive: true });
    const root = store.roots.add(photosFolder, 0);
    const modelId = store.embeddings.model(options.fingerprint, options.packId, options.dims);
    const cloud = makeCloud(options.dims, 400, options.seed);
    const chunk = 2_000;
    for (let start = 0; start < options.photos; start += chunk) {
      const files = Array.from({ length: Math.min(chunk, options.photos - start) }, (_, i) => ({
        relPath: `${2000 + ((start + i) % 25)}/photo-${String(start + i)}.jpg`,
        bytes: 3_000_000,
        mtimeMs: Date.UTC(2000 + ((start + i) % 25), (start + i) % 12, 1 + ((start + i) % 28)),
      }));
      const ids = store.photos.add(root.id, files);
      store.photos.commit(
        modelId,
        ids.map((photoId, i) => {
          const file = files[i]!;
          return {
            photoId,
            hash: createHash('sha256').update(file.relPath).digest('hex').slice(0, 32),
            stat: { bytes: file.bytes, mtimeMs: file.mtimeMs },
            metadata: {
              width: 4000,
              height: 3000,
              format: 'jpeg',
              ...noCameraMetadata,
              takenAt: file.mtimeMs,
              camera: 'Bench One',
            },
            vector: cloud.image(),
            thumbnail: null,
          };
        }),
        [],
      );
    }
    store.embeddings.setActiveModel(modelId);
    return modelId;
  } finally {
    store.close();
  }
}
