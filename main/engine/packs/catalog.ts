/** The packs there are: those that ship, those installed in the library's folder, and those on offer. */
import { copyFile, mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join, relative } from 'node:path';
import type { PackProgress } from '../../contract.ts';
import { AppError } from '../../errors.ts';
import type { Log } from '../log.ts';
import type { DownloadRules } from './hub-request.ts';
import { downloadPack } from './download-pack.ts';
import { packIdFrom } from './hub-folder.ts';
import { offerBytes, readManifest, type Manifest, type Offer } from './manifest.ts';
import { openPack, readPack, verifyPack } from './pack.ts';
import type { PackDescription } from './types.ts';

export type CatalogEntry =
  | {
      readonly installed: true;
      readonly bundled: boolean;
      readonly recommended: boolean;
      readonly pack: PackDescription;
    }
  | { readonly installed: false; readonly offer: Offer; readonly bytes: number };

interface InstallOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: PackProgress) => void) | undefined;
}

export interface Catalog {
  /** Installed packs first, then offers. A damaged installed pack is left out and logged; its offer is there again. */
  list(): Promise<CatalogEntry[]>;
  /** @throws AppError pack-missing, pack-invalid for one that is damaged */
  get(packId: string): Promise<PackDescription>;
  /** Downloads and verifies a pack on offer. @throws AppError not-found, download-failed, download-refused, disk-full, cancelled */
  install(packId: string, options?: InstallOptions): Promise<PackDescription>;
  /** Copies a folder in the Hugging Face layout. @throws AppError pack-invalid, disk-full, cancelled */
  installFolder(dir: string, options?: InstallOptions): Promise<PackDescription>;
  /** @throws AppError not-supported for a pack that ships, pack-missing */
  remove(packId: string): Promise<void>;
}

export interface CatalogOptions {
  /** Holds the packs that ship, one folder each, and manifest.json. */
  readonly bundledDir: string;
  /** Made when first needed. */
  readonly installedDir: string;
  readonly log: Log;
  /** manifest.json of `bundledDir` by default. */
  readonly manifestPath?: string | undefined;
  /** For tests: loopback hosts, short pauses. */
  readonly download?: Partial<DownloadRules> | undefined;
}

export function createCatalog(options: CatalogOptions): Catalog {
  const { bundledDir, installedDir, log } = options;
  const manifestPath = options.manifestPath ?? join(bundledDir, 'manifest.json');
  let manifest: Promise<Manifest> | undefined;
  const busy = new Set<string>();

  const offers = (): Promise<Manifest> => {
    manifest ??= readManifest(manifestPath);
    // A failure is not remembered.
    manifest.catch(() => {
      manifest = undefined;
    });
    return manifest;
  };

  const installed = async (): Promise<Map<string, { pack: PackDescription; bundled: boolean }>> => {
    const found = new Map<string, { pack: PackDescription; bundled: boolean }>();
    // A pack that was downloaded goes before one of the same id that ships: it is the newer one.
    for (const [parent, bundled] of [
      [installedDir, false],
      [bundledDir, true],
    ] as const) {
      for (const dir of await packFolders(parent)) {
        try {
          const pack = await readPack(dir);
          if (!found.has(pack.id)) found.set(pack.id, { pack, bundled });
        } catch (thrown) {
          const { message } = AppError.from(thrown);
          log.warn('a model pack was left out of the list', { folder: relative(parent, dir), message });
        }
      }
    }
    return found;
  };

  const once = async <T>(id: string, work: () => Promise<T>): Promise<T> => {
    if (busy.has(id)) {
      throw new AppError(
        'input-invalid',
        'This model pack is being installed already. Wait for it to finish.',
      );
    }
    busy.add(id);
    try {
      return await work();
    } finally {
      busy.delete(id);
    }
  };

  return {
    async list() {
      const [here, { packs }] = await Promise.all([installed(), offers()]);
      const recommended = new Set(packs.filter((offer) => offer.recommended).map((offer) => offer.id));
      return [
        ...[...here.values()].map(({ pack, bundled }): CatalogEntry => ({
          installed: true,
          bundled,
          recommended: recommended.has(pack.id),
          pack,
        })),
        ...packs
          .filter((offer) => !here.has(offer.id))
          .map((offer): CatalogEntry => ({ installed: false, offer, bytes: offerBytes(offer) })),
      ];
    },
    async get(packId) {
      const found = (await installed()).get(packId);
      if (found !== undefined) return found.pack;
      // One that is there but damaged says what is wrong with it.
      for (const parent of [installedDir, bundledDir]) {
        const dir = (await packFolders(parent)).find((path) => basename(path) === packId);
        if (dir !== undefined) return readPack(dir);
      }
      throw missing(packId);
    },
    install(packId, { signal, onProgress } = {}) {
      return once(packId, async () => {
        const here = (await installed()).get(packId);
        if (here !== undefined) return here.pack;
        const list = await offers();
        const offer = list.packs.find(({ id }) => id === packId);
        if (offer === undefined) {
          throw new AppError(
            'not-found',
            `There is no model pack "${packId}" on offer. See the list of packs.`,
            {
              details: { packId },
            },
          );
        }
        await mkdir(installedDir, { recursive: true });
        const dir = await downloadPack({
          manifest: list,
          offer,
          into: installedDir,
          ...(options.download === undefined ? {} : { rules: options.download }),
          signal,
          onProgress,
        });
        log.info('model pack installed', { packId, revision: offer.revision });
        return readPack(dir);
      });
    },
    async installFolder(dir, { signal, onProgress } = {}) {
      const opened = await openPack(dir, { signal });
      const { pack } = opened;
      return once(pack.id, async () => {
        const here = await installed();
        const same = [...here.values()].find((other) => other.pack.fingerprint === pack.fingerprint);
        if (same !== undefined) return same.pack;
        let id = packIdFrom(pack.id);
        for (let n = 2; here.has(id); n++) id = packIdFrom(`${pack.id}-${String(n)}`);
        const partial = join(installedDir, `.${id}.copying`);
        const finished = join(installedDir, id);
        try {
          await copyPack(opened, partial, id, { signal, onProgress });
          // The copy is what will be used: it is the one that is verified.
          await verifyPack({ ...pack, dir: partial }, signal === undefined ? {} : { signal });
          await rm(finished, { recursive: true, force: true });
          await rename(partial, finished);
        } catch (thrown) {
          await rm(partial, { recursive: true, force: true });
          throw AppError.from(thrown, `Installing the model pack "${pack.name}"`);
        }
        return readPack(finished);
      });
    },
    async remove(packId) {
      const found = (await installed()).get(packId);
      if (found === undefined) throw missing(packId);
      if (found.bundled) {
        throw new AppError('not-supported', `"${found.pack.name}" is part of Afterimage and stays.`, {
          details: { packId },
        });
      }
      await rm(found.pack.dir, { recursive: true, force: true });
    },
  };
}

async function packFolders(parent: string): Promise<string[]> {
  const entries = await readdir(parent, { withFileTypes: true }).catch(() => []);
  const folders: string[] = [];
  for (const entry of entries) {
    if (!entry.isDirectory() || entry.name.startsWith('.')) continue;
    const dir = join(parent, entry.name);
    // Folders beside packs (recipes, logs) say nothing of themselves.
    if ((await readdir(dir)).includes('pack.json')) folders.push(dir);
  }
  return folders.sort();
}

async function copyPack(
  { pack, json }: Awaited<ReturnType<typeof openPack>>,
  into: string,
  id: string,
  { signal, onProgress }: InstallOptions,
): Promise<void> {
  await rm(into, { recursive: true, force: true });
  await mkdir(into, { recursive: true });
  let done = 0;
  for (const [path, { bytes }] of Object.entries(pack.files)) {
    signal?.throwIfAborted();
    const target = join(into, ...path.split('/'));
    await mkdir(dirname(target), { recursive: true });
    await copyFile(join(pack.dir, ...path.split('/')), target);
    done += bytes;
    onProgress?.({ packId: id, stage: 'verify', done, total: pack.bytes, bytesPerSecond: null });
  }
  // A folder that had no pack.json gets one, so that it is hashed only once.
  await writeFile(join(into, 'pack.json'), `${JSON.stringify({ ...json, id }, null, 2)}\n`);
}

function missing(packId: string): AppError {
  return new AppError(
    'pack-missing',
    `The model pack "${packId}" is not installed. Install it, or choose another.`,
    { details: { packId } },
  );
}
