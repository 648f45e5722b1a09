/** One run's dealings between pipeline and store: which photo is next, what is known by its bytes, what is written. */
import { lstat } from 'node:fs/promises';
import type { ErrorShape } from '../../errors.ts';
import type { DecodedPhoto } from '../inference/types.ts';
import type { PhotoRow } from '../store/types.ts';
import { sameStat, type HashedFile } from './content-hash.ts';
import { absolutePath } from './paths.ts';
import type { PipelineJob, Prepared } from './pipeline.ts';
import { decodeProbe } from './probe-picture.ts';
import { createGate, readPhoto, ReadFailure } from './read-photo.ts';
import { probeRoot } from './root-state.ts';
import type { ScanTools } from './scan.ts';
import type { ActiveModel, LibraryOptions } from './types.ts';
import { isGone } from './walk.ts';

interface IndexedPrepared extends Prepared {
  readonly hashed: HashedFile;
  readonly decoded: DecodedPhoto;
}

/** What a run has come to so far; the job counts, the run reports. */
export interface Tally {
  indexed: number;
  unchanged: number;
  moved: number;
  removed: number;
  /** By absolute path: a photo that fails again is still one failure. */
  readonly failed: Map<string, ErrorShape & { readonly path: string }>;
}

export interface IndexJobOptions {
  readonly tools: ScanTools;
  readonly library: Pick<LibraryOptions, 'decoder' | 'onCommitted' | 'onRemoved'>;
  readonly model: ActiveModel;
  /** Roots that this run works on; grows when a root is added meanwhile. */
  readonly scope: ReadonlySet<number>;
  readonly tally: Tally;
  /** True while something else should be done before the next photo. */
  readonly isHeld: () => boolean;
  /** The root is not there any more: its photos wait until it is. */
  readonly onOffline: (rootId: number) => void;
  /** A file is gone although its root is there: scanning tells whether it moved. Asked once per photo. */
  readonly onVanished: (rootId: number) => void;
  /** A photo is settled one way or the other. */
  readonly onSettled: (name: string) => void;
}

export interface IndexJob extends PipelineJob<IndexedPrepared> {
  /** Starts from the first pending photo again: after a scan, earlier ones may have become pending. */
  rewind(): void;
  /** True when photos changed under the run's hands since the last rewind, so that another pass is due. */
  needsRewind(): boolean;
}

const pageRows = 256;
/** Reads ahead of the decoder; more of them only compete for the disk. */
const hashesAtOnce = 4;

export function createIndexJob(options: IndexJobOptions): IndexJob {
  const { tools, library, model, tally } = options;
  const { store } = tools;
  const { photos, embeddings } = store;
  const gate = createGate(hashesAtOnce);
  let page: PhotoRow[] = [];
  let lastId = 0;
  let dropped = false;
  /** Photos begun since the last rewind and not settled: never begun twice. */
  const begun = new Set<number>();
  const vanished = new Set<number>();
  /** Photos whose bytes are in work already under another name; they are copied from it when it is done. */
  const followers = new Map<string, PhotoRow[]>();
  const released: PhotoRow[] = [];

  const next = (): PhotoRow | undefined => {
    if (options.isHeld()) return undefined;
    for (;;) {
      const row = released.pop() ?? page.shift();
      if (row === undefined) {
        page = photos.pending({ limit: pageRows, afterId: lastId, rootIds: [...options.scope] });
        lastId = page.at(-1)?.id ?? lastId;
        if (page.length === 0) return undefined;
        continue;
      }
      // A page is read ahead: what it says may have been overtaken.
      const now = begun.has(row.id) ? undefined : photos.get(row.id);
      if (now?.status === 'pending' && store.roots.get(now.rootId)?.online === true) {
        begun.add(now.id);
        return now;
      }
    }
  };

  const settled = (row: PhotoRow, hash: string | undefined): void => {
    begun.delete(row.id);
    options.onSettled(row.relPath);
    if (hash !== undefined) release(hash);
  };
  const release = (hash: string): void => {
    for (const row of followers.get(hash) ?? []) {
      begun.delete(row.id);
      released.push(row);
    }
    followers.delete(hash);
  };

  /** Settles the photo by what is known of its bytes. @returns false when they have to be looked at. */
  const settleByHash = async (row: PhotoRow, { hash, stat }: HashedFile): Promise<boolean> => {
    if (row.metadata !== null && row.hash === hash && embeddings.get(model.modelId, row.id) !== undefined) {
      photos.touch(row.id, stat);
      tally.unchanged += 1;
      settled(row, undefined);
      return true;
    }
    for (const twin of photos.byHash(hash)) {
      if (twin.id === row.id || twin.status !== 'indexed') continue;
      const vector = embeddings.get(model.modelId, twin.id);
      if (vector === undefined) continue;
      if (row.metadata === null && (await hasLeft(twin)) && isWhere(photos.get(twin.id), twin)) {
        photos.remove([row.id]);
        library.onRemoved([row.id], embeddings.generation());
        photos.move(twin.id, { rootId: row.rootId, relPath: row.relPath, stat });
        tools.onMoved([twin.id], embeddings.generation());
        tally.moved += 1;
      } else {
        const generation = photos.commitCopy(row.id, twin.id, stat);
        library.onCommitted([{ id: row.id, vector }], generation);
        tally.indexed += 1;
      }
      settled(row, undefined);
      return true;
    }
    return false;
  };

  /** A photo of a root that wasn't scanned in this run, and whose file is there no more: it has moved here. */
  const hasLeft = async (twin: PhotoRow): Promise<boolean> => {
    const root = store.roots.get(twin.rootId);
    if (root === undefined) return false;
    try {
      await lstat(absolutePath(root.path, twin.relPath));
      return false;
    } catch (thrown) {
      if (!isGone(thrown)) return false;
      return (await probeRoot(root.path, tools.identities.get(root.id), 1)).online;
    }
  };

  /** Not so when it was forgotten, moved or changed again since it was begun: then it is done once more. */
  const isCurrent = ({ row }: IndexedPrepared): boolean => {
    const now = photos.get(row.id);
    return now !== undefined && isWhere(now, row) && sameStat(now, row);
  };

  return {
    next,
    rewind() {
      page = [];
      lastId = 0;
      dropped = false;
    },
    needsRewind: () => dropped,
    hasNext() {
      if (page.length + released.length > 0) return true;
      return photos.pending({ limit: 1, afterId: lastId, rootIds: [...options.scope] }).length > 0;
    },
    async prepare(row, signal) {
      const root = store.roots.get(row.rootId);
      if (root === undefined) return undefined;
      let leads: string | undefined;
      try {
        const read = await readPhoto({
          path: absolutePath(root.path, row.relPath),
          name: row.relPath,
          decoder: library.decoder,
          spec: model.embedder.imageSpec,
          thumbnail: true,
          signal,
          gate,
          isSettled: async (hashed) => {
            if (leads !== undefined && leads !== hashed.hash) release(leads);
            if (await settleByHash(row, hashed)) return true;
            const waiting = followers.get(hashed.hash);
            if (waiting !== undefined && leads !== hashed.hash) {
              waiting.push(row);
              return true;
            }
            leads = hashed.hash;
            if (waiting === undefined) followers.set(leads, []);
            return false;
          },
        });
        if (read === undefined) return undefined;
        const { hashed, decoded } = read;
        const { pixels, pixelWidth, pixelHeight } = decoded;
        return { row, pixels, pixelWidth, pixelHeight, hashed, decoded };
      } catch (thrown) {
        if (leads !== undefined) release(leads);
        throw thrown;
      }
    },
    commit(done) {
      const good = done.filter(({ prepared }) => isCurrent(prepared));
      dropped ||= good.length < done.length;
      const generation = photos.commit(
        model.modelId,
        good.map(({ prepared: { row, hashed, decoded }, vector }) => ({
          photoId: row.id,
          hash: hashed.hash,
          stat: hashed.stat,
          metadata: decoded.metadata,
          thumbnail: decoded.thumbnail,
          vector,
        })),
        [],
      );
      tally.indexed += good.length;
      library.onCommitted(
        good.map(({ prepared, vector }) => ({ id: prepared.row.id, vector })),
        generation,
      );
      for (const { prepared } of done) settled(prepared.row, prepared.hashed.hash);
    },
    async fail(row, error, prepared) {
      const hashed = prepared?.hashed ?? (error instanceof ReadFailure ? error.hashed : undefined);
      if (hashed !== undefined) release(hashed.hash);
      const root = store.roots.get(row.rootId);
      if (root === undefined) return;
      if (error.code === 'file-vanished' || error.code === 'io-failed') {
        const known = tools.identities.get(root.id);
        if (!(await probeRoot(root.path, known, 1)).online) {
          begun.delete(row.id);
          options.onOffline(root.id);
          return;
        }
        if (error.code === 'file-vanished' && !vanished.has(row.id)) {
          vanished.add(row.id);
          begun.delete(row.id);
          options.onVanished(root.id);
          return;
        }
      }
      const shape = error.toShape();
      const stat = hashed?.stat ?? { bytes: row.bytes, mtimeMs: row.mtimeMs };
      const generation = photos.commit(
        model.modelId,
        [],
        [{ photoId: row.id, hash: hashed?.hash ?? null, stat, error: shape }],
      );
      if (row.metadata !== null) library.onRemoved([row.id], generation);
      const path = absolutePath(root.path, row.relPath);
      tally.failed.set(path, { ...shape, path });
      settled(row, undefined);
    },
    addDeath: (row) => photos.addDeath(row.id),
    probeDecoder: (signal) => decodeProbe(library.decoder, model.embedder.imageSpec, signal),
  };
}

function isWhere(now: PhotoRow | undefined, then: PhotoRow): boolean {
  return now?.rootId === then.rootId && now.relPath === then.relPath;
}
