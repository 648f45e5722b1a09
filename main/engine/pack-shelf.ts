/** The packs there are: those that ship, those in the library's folder, and those that can be downloaded. */
import { existsSync } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { EventPayload, Pack, PackProgress, Provider, ProviderState, SelfTest } from '../contract.ts';
import { AppError } from '../errors.ts';
import { readSettings } from './app-settings.ts';
import { loadEmbedder, type LoadedEmbedder } from './inference/embedder.ts';
import { listProviders } from './inference/providers.ts';
import type { Embedder, SpawnWorker } from './inference/types.ts';
import type { Log } from './log.ts';
import { readPack, verifyPack } from './packs/pack.ts';
import type { PackDescription } from './packs/types.ts';
import type { Store } from './store/types.ts';

export interface PackShelfOptions {
  readonly directory: string;
  readonly modelsDirectory: string;
  readonly spawn: SpawnWorker;
  readonly store: Store;
  readonly log: Log;
  readonly now: () => number;
  readonly notice: (notice: EventPayload<'notice'>) => void;
  readonly isActive: (packId: string) => boolean;
}

interface InstallOptions {
  readonly signal: AbortSignal;
  readonly onProgress: (progress: PackProgress) => void;
}

export interface PackShelf {
  readonly defaultPackId: string;
  list(): Promise<Pack[]>;
  /** Bytes of the downloaded packs. */
  bytes(): number;
  /** @throws AppError pack-missing, pack-invalid, pack-unfit */
  load(packId: string): Promise<Embedder>;
  install(packId: string, options: InstallOptions): Promise<void>;
  /** @returns the id that the pack got. */
  installFolder(path: string, options: InstallOptions): Promise<string>;
  /** Hashes every file and runs the pack once, on the provider of the settings. */
  verify(packId: string): Promise<SelfTest>;
  remove(packId: string): Promise<void>;
  removeAll(): Promise<void>;
  providers(): ProviderState[];
}

export function createPackShelf(options: PackShelfOptions): PackShelf {
  const { modelsDirectory, directory, store, log, now, spawn, notice } = options;
  const installedDirectory = join(directory, 'packs');
  const tests = new Map<string, SelfTest>();
  let active: LoadedEmbedder | undefined;
  let downloadedBytes = 0;

  const shelf = async (): Promise<Map<string, { pack: PackDescription; ships: boolean }>> => {
    const found = new Map<string, { pack: PackDescription; ships: boolean }>();
    downloadedBytes = 0;
    for (const [parent, ships] of [
      [installedDirectory, false],
      [modelsDirectory, true],
    ] as const)
      for (const dir of await packFolders(parent)) {
        try {
          const pack = await readPack(dir);
          if (!ships) downloadedBytes += pack.bytes;
          found.set(pack.id, { pack, ships });
        } catch (thrown) {
          // A half-copied pack must not hide the others; using it tells what is wrong with it.
          log.warn('a model pack was left out', { dir, message: AppError.from(thrown).message });
        }
      }
    return found;
  };
  const find = async (packId: string): Promise<PackDescription> => {
    const found = (await shelf()).get(packId);
    if (found !== undefined) return found.pack;
    throw new AppError(
      'pack-missing',
      `The model pack ${packId} is not installed. Install it, or choose another.`,
      {
        details: { packId },
      },
    );
  };
  const provider = (): 'auto' | Provider => readSettings(store).provider;
  const load = async (packId: string): Promise<LoadedEmbedder> => {
    const pack = await find(packId);
    const embedder = await loadEmbedder({
      pack,
      spawn,
      log,
      now,
      provider: provider(),
      cacheDir: join(directory, 'compiled'),
    });
    tests.set(packId, embedder.selfTest);
    return embedder;
  };

  return {
    defaultPackId: 'starter',
    async list() {
      const packs = [...(await shelf()).values()];
      return packs.map(({ pack }) => {
        const isActive = options.isActive(pack.id);
        return {
          id: pack.id,
          name: pack.name,
          description: pack.description,
          task: 'embed',
          family: pack.family,
          dims: pack.dims,
          bytes: pack.bytes,
          licence: { id: pack.licence.id, name: pack.licence.name, url: pack.licence.url },
          source: pack.source,
          recommended: false,
          installed: true,
          active: isActive,
          photos: photosOf(store, pack),
          fingerprint: pack.fingerprint,
          selfTest: tests.get(pack.id) ?? null,
        };
      });
    },
    bytes: () => downloadedBytes,
    async load(packId) {
      active = await load(packId);
      for (const message of active.selfTest.messages)
        notice({ level: 'info', key: `provider-${packId}`, code: 'provider-unavailable', message });
      return active;
    },
    install: (packId) => Promise.reject(new AppError('not-found', `There is no pack ${packId} to download.`)),
    installFolder: (path) => Promise.reject(new AppError('not-found', `There is no pack at ${path}.`)),
    async verify(packId) {
      await verifyPack(await find(packId));
      const embedder = await load(packId);
      await embedder.close();
      return embedder.selfTest;
    },
    async remove(packId) {
      const found = (await shelf()).get(packId);
      if (found === undefined) return;
      if (found.ships)
        throw new AppError('input-invalid', `${found.pack.name} ships with the app and cannot be removed.`);
      await rm(found.pack.dir, { recursive: true, force: true });
    },
    async removeAll() {
      await rm(installedDirectory, { recursive: true, force: true });
    },
    providers: () => listProviders(provider(), active?.provider ?? null, active?.providerNotes ?? {}),
  };
}

/** Folders beside the packs (the training recipe) are none. */
async function packFolders(parent: string): Promise<string[]> {
  const entries = await readdir(parent, { withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
    .map(({ name }) => join(parent, name))
    .filter((dir) => existsSync(join(dir, 'pack.json')));
}

/** Photos that have a vector of this pack already. */
function photosOf(store: Store, pack: PackDescription): number {
  const active = store.embeddings.activeModel();
  if (active?.fingerprint === pack.fingerprint) return store.embeddings.count(active.modelId);
  return 0;
}
