/** The packs there are, as the engine shows, loads and checks them. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { EventPayload, Pack, PackProgress, ProviderState, SelfTest } from '../contract.ts';
import { readSettings } from './app-settings.ts';
import { loadEmbedder, type LoadedEmbedder } from './inference/embedder.ts';
import { loadLanguageModel } from './inference/language/language-model.ts';
import { selfTestLanguagePack } from './inference/language/language-self-test.ts';
import type { LanguageModel } from './inference/language/types.ts';
import { listProviders } from './inference/providers.ts';
import { selfTestPack } from './inference/self-test.ts';
import type { Decoder, Embedder, SpawnWorker, TextSide } from './inference/types.ts';
import type { Log } from './log.ts';
import { createCatalog, type CatalogEntry } from './packs/catalog.ts';
import { embedPack, languagePack } from './packs/pack.ts';
import { readGenericSet } from './packs/generic-set.ts';
import type { GenericSet, PackDescription } from './packs/types.ts';
import type { Store } from './store/types.ts';

export interface PackShelfOptions {
  readonly directory: string;
  readonly modelsDirectory: string;
  readonly spawn: SpawnWorker;
  readonly store: Store;
  readonly log: Log;
  readonly now: () => number;
  readonly notice: (notice: EventPayload<'notice'>) => void;
  /** What this pack is in use for. */
  readonly tasksInUse: (packId: string) => Pack['active'];
  readonly decoder: Decoder;
}

interface InstallOptions {
  readonly signal: AbortSignal;
  readonly onProgress: (progress: PackProgress) => void;
}

export interface PackShelf {
  readonly defaultPackId: string;
  readonly defaultLanguagePackIds: { readonly caption: string; readonly answer: string };
  list(): Promise<Pack[]>;
  /** Bytes of the packs in the library's folder, as of the last `list`. */
  bytes(): number;
  /** On the provider of the settings. @throws AppError pack-missing, pack-invalid, pack-unfit */
  load(packId: string, onText?: (side: TextSide) => void): Promise<Embedder>;
  /** A pack that captions or answers. @throws AppError pack-missing, pack-invalid, not-supported */
  loadLanguage(packId: string): Promise<LanguageModel>;
  /** That the files of the pack are there, in their sizes. @throws AppError pack-missing, pack-invalid */
  readable(packId: string): Promise<void>;
  /** What it ships to judge general search by; null for packs that ship nothing. @throws AppError pack-missing, pack-invalid */
  genericSet(packId: string): Promise<GenericSet | null>;
  /** @throws AppError not-found, download-failed, download-refused, disk-full, cancelled */
  install(packId: string, options: InstallOptions): Promise<void>;
  /** @returns the id that the pack got. @throws AppError pack-invalid, disk-full, cancelled */
  installFolder(path: string, options: InstallOptions): Promise<string>;
  /** Hashes every file and runs the pack once. @throws AppError pack-missing */
  verify(packId: string): Promise<SelfTest>;
  /** @throws AppError pack-missing, not-supported */
  remove(packId: string): Promise<void>;
  removeAll(): Promise<void>;
  providers(): ProviderState[];
}

export function createPackShelf(options: PackShelfOptions): PackShelf {
  const { directory, store, log, now, spawn, notice } = options;
  const installedDir = join(directory, 'packs');
  const catalog = createCatalog({ bundledDir: options.modelsDirectory, installedDir, log });
  const tests = new Map<string, SelfTest>();
  let active: LoadedEmbedder | undefined;
  let installedBytes = 0;

  const loading = (pack: PackDescription) => ({
    pack: embedPack(pack),
    spawn,
    log,
    now,
    // A library that is only searched embeds next to nothing: trying graphics cards would take longer.
    provider: store.readOnly ? ('cpu' as const) : readSettings(store).provider,
    cacheDir: join(directory, 'compiled'),
  });
  const writing = { packs: catalog, decoder: options.decoder, spawn, log, now };
  const tryOut = async (pack: PackDescription): Promise<SelfTest> => {
    const test =
      pack.kind === 'language'
        ? await selfTestLanguagePack({ ...writing, pack })
        : await selfTestPack(loading(pack));
    tests.set(pack.id, test);
    return test;
  };

  return {
    defaultPackId: 'starter',
    defaultLanguagePackIds: { caption: 'starter-captioner', answer: 'starter-answerer' },
    async list() {
      const entries = await catalog.list();
      installedBytes = entries.reduce(
        (sum, entry) => sum + (entry.installed && !entry.bundled ? entry.pack.bytes : 0),
        0,
      );
      return entries.map((entry) => describe(entry, { store, tests, tasksInUse: options.tasksInUse }));
    },
    bytes: () => installedBytes,
    async load(packId, onText) {
      active = await loadEmbedder({ ...loading(await catalog.get(packId)), onText });
      tests.set(packId, active.selfTest);
      for (const message of active.selfTest.messages)
        notice({ level: 'info', key: `self-test-${packId}`, code: 'provider-unavailable', message });
      return active;
    },
    async loadLanguage(packId) {
      return loadLanguageModel({ ...writing, pack: languagePack(await catalog.get(packId)) });
    },
    async readable(packId) {
      await catalog.get(packId);
    },
    genericSet: async (packId) => readGenericSet(embedPack(await catalog.get(packId))),
    async install(packId, { signal, onProgress }) {
      const pack = await catalog.install(packId, { signal, onProgress });
      onProgress({ packId, stage: 'self-test', done: 0, total: 1, bytesPerSecond: null });
      await tryOut(pack);
    },
    async installFolder(path, { signal, onProgress }) {
      const pack = await catalog.installFolder(path, { signal, onProgress });
      onProgress({ packId: pack.id, stage: 'self-test', done: 0, total: 1, bytesPerSecond: null });
      await tryOut(pack);
      return pack.id;
    },
    verify: async (packId) => tryOut(await catalog.get(packId)),
    remove: (packId) => catalog.remove(packId),
    removeAll: () => rm(installedDir, { recursive: true, force: true }),
    providers: () =>
      listProviders(readSettings(store).provider, active?.provider ?? null, active?.providerNotes ?? {}),
  };
}

function describe(
  entry: CatalogEntry,
  {
    store,
    tests,
    tasksInUse,
  }: Pick<PackShelfOptions, 'store' | 'tasksInUse'> & { tests: Map<string, SelfTest> },
): Pack {
  const { id, name, description } = entry.installed ? entry.pack : entry.offer;
  const common = {
    id,
    name,
    description,
    recommended: entry.installed ? entry.recommended : entry.offer.recommended,
    installed: entry.installed,
    active: tasksInUse(id),
    selfTest: tests.get(id) ?? null,
  };
  if (entry.installed) {
    const { pack } = entry;
    const { family, bytes, licence, source, fingerprint } = pack;
    const modelId = pack.kind === 'embed' ? store.embeddings.find(fingerprint) : undefined;
    return {
      ...common,
      tasks: [...pack.tasks],
      quality: pack.quality.map(shownQuality),
      family,
      dims: pack.kind === 'embed' ? pack.dims : 0,
      bytes,
      licence: { id: licence.id, name: licence.name, url: licence.url },
      source,
      photos: modelId === undefined ? 0 : store.embeddings.count(modelId),
      fingerprint,
    };
  }
  const { pack, repo } = entry.offer;
  return {
    ...common,
    tasks: 'tasks' in pack ? [...pack.tasks] : ['embed'],
    quality: pack.quality.map(shownQuality),
    family: pack.family,
    dims: 'dims' in pack ? pack.dims : 0,
    bytes: entry.bytes,
    licence: { id: pack.licence.id, name: pack.licence.name, url: pack.licence.url ?? null },
    source: repo,
    photos: 0,
    fingerprint: null,
  };
}

function shownQuality({ metric, dataset, value }: Pack['quality'][number]): Pack['quality'][number] {
  return { metric, dataset, value };
}
