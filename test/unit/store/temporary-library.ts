/** Libraries in temp folders, and photos to put in them. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { noCameraMetadata } from '../../../main/engine/inference/photo-metadata.ts';
import { openStore } from '../../../main/engine/store/store.ts';
import type { IndexedPhoto, PhotoMetadata, Store } from '../../../main/engine/store/types.ts';

export const now = (): number => Date.UTC(2026, 0, 2, 3, 4, 5);
export const dims = 4;

export function temporaryFolder(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'afterimage-store-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** A store that is closed before its folder goes. */
export function temporaryStore(t: TestContext): { store: Store; directory: string } {
  const directory = mkdtempSync(join(tmpdir(), 'afterimage-store-'));
  const store = openStore({ directory, now });
  t.after(() => {
    store.close();
    rmSync(directory, { recursive: true, force: true });
  });
  return { store, directory };
}

/** A store with a root and a model of four dimensions in use. */
export function storeWithModel(t: TestContext): {
  store: Store;
  directory: string;
  rootId: number;
  modelId: number;
} {
  const { store, directory } = temporaryStore(t);
  const rootId = store.roots.add('/photos', now()).id;
  const modelId = store.embeddings.model('fingerprint-a', 'starter', dims);
  store.embeddings.setActiveModel(modelId);
  return { store, directory, rootId, modelId };
}

export function metadata(changes: Partial<PhotoMetadata> = {}): PhotoMetadata {
  return {
    width: 640,
    height: 480,
    format: 'jpeg',
    ...noCameraMetadata,
    ...changes,
  };
}

export const hashOf = (n: number): string => n.toString(16).padStart(32, '0');

/** A finished photo whose vector points along axis `photoId % dims`. */
export function finished(photoId: number, changes: Partial<IndexedPhoto> = {}): IndexedPhoto {
  const vector = new Float32Array(dims);
  vector[photoId % dims] = 1;
  return {
    photoId,
    hash: hashOf(photoId),
    stat: { bytes: 100 + photoId, mtimeMs: 1_000 + photoId },
    metadata: metadata(),
    vector,
    thumbnail: null,
    ...changes,
  };
}

export const file = (relPath: string): { relPath: string; bytes: number; mtimeMs: number } => ({
  relPath,
  bytes: 1,
  mtimeMs: 1.5,
});
