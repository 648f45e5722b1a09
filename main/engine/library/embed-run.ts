/** Embeds photos indexed before with another pack, beside the vectors they have: a shadow that is swapped in when whole. */
import { stat } from 'node:fs/promises';
import { AppError, type ErrorShape } from '../../errors.ts';
import type { PhotoRow, Store } from '../store/types.ts';
import { sameStat } from './content-hash.ts';
import { absolutePath } from './paths.ts';
import { createWakeup, runPipeline, type Prepared } from './pipeline.ts';
import { decodeProbe } from './probe-picture.ts';
import { createRate } from './rate.ts';
import type { ActiveModel, EmbedProgress, EmbedReport, LibraryOptions } from './types.ts';

export interface EmbedRunOptions {
  readonly store: Store;
  readonly decoder: LibraryOptions['decoder'];
  readonly now: () => number;
  readonly model: ActiveModel;
  readonly signal: AbortSignal;
  readonly onProgress: ((progress: EmbedProgress) => void) | undefined;
}

const pageRows = 256;

/** @throws AppError cancelled, disk-full, worker-died */
export async function embedMissing(options: EmbedRunOptions): Promise<EmbedReport> {
  const { store, decoder, model, signal } = options;
  const { photos, embeddings } = store;
  const { modelId, embedder } = model;
  const rate = createRate(options.now);
  const total = Math.max(0, photos.counts().indexed - embeddings.count(modelId));
  const failed: (ErrorShape & { photoId: number; path: string })[] = [];
  let page: PhotoRow[] = [];
  let lastId = 0;
  let embedded = 0;
  let offline = 0;

  const note = (): void => {
    const done = embedded + offline + failed.length;
    rate.note(done);
    const all = Math.max(total, done);
    const [imagesPerSecond, secondsLeft] = [rate.perSecond(), rate.secondsFor(all - done)];
    options.onProgress?.({ done, total: all, imagesPerSecond, secondsLeft });
  };
  const fail = (row: PhotoRow, error: AppError): void => {
    const path = absolutePath(store.roots.get(row.rootId)?.path ?? '', row.relPath);
    failed.push({ ...error.toShape(), photoId: row.id, path });
    note();
  };

  await runPipeline<Prepared>(
    {
      next() {
        for (;;) {
          const row = page.shift();
          if (row === undefined) {
            page = photos.withoutVector(modelId, { limit: pageRows, afterId: lastId });
            lastId = page.at(-1)?.id ?? lastId;
            if (page.length === 0) return undefined;
          } else if (store.roots.get(row.rootId)?.online === true) return row;
          else offline += 1;
        }
      },
      hasNext: () => true,
      async prepare(row, stop) {
        const twin = photos
          .byHash(row.hash ?? '')
          .find(({ id }) => id !== row.id && embeddings.get(modelId, id) !== undefined);
        const vector = twin === undefined ? undefined : embeddings.get(modelId, twin.id);
        if (vector !== undefined) {
          embeddings.put(modelId, [{ photoId: row.id, vector }]);
          embedded += 1;
          note();
          return undefined;
        }
        const root = store.roots.get(row.rootId);
        if (root === undefined) return undefined;
        const path = absolutePath(root.path, row.relPath);
        const { size, mtimeMs } = await stat(path).catch((thrown: unknown) => {
          throw AppError.from(thrown, `Reading "${row.relPath}"`);
        });
        if (!sameStat({ bytes: size, mtimeMs }, row))
          throw new AppError(
            'file-changed',
            `"${row.relPath}" was changed since it was indexed. Scan its folder, and it is indexed afresh.`,
            { details: { path: row.relPath } },
          );
        const decoded = await decoder.decode(
          { path },
          { spec: embedder.imageSpec, thumbnail: false, signal: stop },
        );
        const { pixels, pixelWidth, pixelHeight } = decoded;
        return { row, pixels, pixelWidth, pixelHeight };
      },
      commit(done) {
        // A photo that was forgotten meanwhile has nowhere to put a vector.
        const there = done.filter(({ prepared }) => photos.get(prepared.row.id) !== undefined);
        embeddings.put(
          modelId,
          there.map(({ prepared, vector }) => ({ photoId: prepared.row.id, vector })),
        );
        embedded += there.length;
        note();
      },
      fail,
      addDeath: (row) => photos.addDeath(row.id),
      probeDecoder: (stop) => decodeProbe(decoder, embedder.imageSpec, stop),
    },
    {
      embedder,
      concurrency: decoder.concurrency,
      isPaused: () => false,
      mayReturn: () => true,
      wakeup: createWakeup(),
      signal,
    },
  );
  note();
  return { embedded, offline, failed };
}
