/**
 * Keeps decoder and vision worker busy at once: photos are prepared ahead of the batch being embedded, never
 * more than a fixed number of them, and a worker that dies is traced to the photo that killed it.
 */
import { AppError } from '../../errors.ts';
import type { Embedder } from '../inference/types.ts';
import type { PhotoRow } from '../store/types.ts';

/** A photo that is decoded and waits for its vector. */
export interface Prepared {
  readonly row: PhotoRow;
  readonly pixels: Uint8Array;
  readonly pixelWidth: number;
  readonly pixelHeight: number;
}

/** Where photos come from and where they go; the pipeline knows nothing of the store. */
export interface PipelineJob<P extends Prepared> {
  /** The next photo to work on; undefined when there is none for now. */
  next(): PhotoRow | undefined;
  /** Asked while paused: whether there is anything to wait for. */
  hasNext(): boolean;
  /** @returns undefined when the photo is settled without inference. What it throws goes to `fail`. */
  prepare(row: PhotoRow, signal: AbortSignal): Promise<P | undefined>;
  /** Writes a batch as a whole. What it throws ends the run. */
  commit(done: readonly { readonly prepared: P; readonly vector: Float32Array }[]): void;
  /** Settles a photo that failed. What it throws ends the run. */
  fail(row: PhotoRow, error: AppError, prepared: P | undefined): void | Promise<void>;
  /** @returns deaths now blamed on the photo. */
  addDeath(row: PhotoRow): number;
  /** Resolves if the decoder still works on a picture known to be good. */
  probeDecoder(signal: AbortSignal): Promise<unknown>;
}

/** Wakes the pipeline when something outside changed: pause, resume, another scan wanted. */
export interface Wakeup {
  wake(): void;
  wait(): Promise<void>;
}

export function createWakeup(): Wakeup {
  let resolve: (() => void) | undefined;
  let pending = false;
  return {
    wake() {
      pending = true;
      resolve?.();
      resolve = undefined;
    },
    async wait() {
      if (!pending) await new Promise<void>((done) => (resolve = done));
      pending = false;
    },
  };
}

export interface PipelineOptions {
  readonly embedder: Pick<Embedder, 'embedImages' | 'batchSize' | 'imageSpec'>;
  /** How many decodes run at once. */
  readonly concurrency: number;
  /** While true no photo is begun; those in flight are finished. */
  readonly isPaused: () => boolean;
  /** While paused: true ends the pipeline, so that its owner can do something else first. */
  readonly mayReturn: () => boolean;
  readonly wakeup: Wakeup;
  readonly signal: AbortSignal;
}

/** A photo that ends a worker this many times is left alone. */
const deathsBeforeQuarantine = 2;

/** The next batch waits in the vision worker's queue while the one before is written. */
const batchesAtOnce = 2;

/** Four decodes a worker, and a batch each being filled, waiting and running (measured: more gains nothing). */
function lookAhead(concurrency: number, batchSize: number): number {
  return Math.min(128, Math.max(16, 4 * concurrency + 3 * batchSize));
}

/** Resolves when `next` has no more and everything begun is settled. */
export async function runPipeline<P extends Prepared>(
  job: PipelineJob<P>,
  options: PipelineOptions,
): Promise<void> {
  const { embedder, wakeup, signal } = options;
  const most = lookAhead(options.concurrency, embedder.batchSize);
  const stop = new AbortController();
  let fatal: AppError | undefined;
  let preparing = 0;
  let lone = false;
  let embedding = 0;
  let embeddingPhotos = 0;
  const ready: P[] = [];
  /** Rows whose decoder died, and photos whose vision worker died, in company: each is tried by itself. */
  const loneRows: PhotoRow[] = [];
  const lonePhotos: P[] = [];

  const die = (thrown: unknown, about: string): void => {
    fatal ??= AppError.from(thrown, about);
    stop.abort();
  };
  const onAbort = (): void => {
    die(signal.reason instanceof AppError ? signal.reason : new DOMException('', 'AbortError'), 'Indexing');
    wakeup.wake();
  };
  if (signal.aborted) onAbort();
  else signal.addEventListener('abort', onAbort, { once: true });

  const fail = async (row: PhotoRow, error: AppError, prepared: P | undefined): Promise<void> => {
    try {
      await job.fail(row, error, prepared);
    } catch (thrown) {
      die(thrown, 'Saving the library');
    }
  };

  /** Blames the photo only after a picture known to be good went through the same worker. */
  const blame = async (
    row: PhotoRow,
    error: AppError,
    prepared: P | undefined,
    probe: () => Promise<unknown>,
  ): Promise<'again' | 'settled'> => {
    try {
      if (error.code === 'worker-died' && job.addDeath(row) < deathsBeforeQuarantine) return 'again';
      await probe();
    } catch (thrown) {
      die(thrown, 'Indexing');
      return 'settled';
    }
    await fail(row, error.code === 'worker-died' ? quarantined(row, error) : error, prepared);
    return 'settled';
  };

  const prepare = async (row: PhotoRow, alone: boolean): Promise<void> => {
    try {
      const prepared = await job.prepare(row, stop.signal);
      if (prepared !== undefined && fatal === undefined) ready.push(prepared);
    } catch (thrown) {
      const error = AppError.from(thrown, `Reading "${row.relPath}"`);
      if (isStop(error) || fatal !== undefined) die(error, 'Indexing');
      else if (error.code !== 'worker-died') await fail(row, error, undefined);
      else if (!alone) loneRows.push(row);
      else if ((await blame(row, error, undefined, () => job.probeDecoder(stop.signal))) === 'again')
        loneRows.unshift(row);
    } finally {
      preparing -= 1;
      if (alone) lone = false;
      wakeup.wake();
    }
  };

  const embed = async (batch: P[], alone: boolean): Promise<void> => {
    try {
      let vectors: Float32Array[];
      try {
        vectors = await embedder.embedImages(
          batch.map(({ pixels, pixelWidth, pixelHeight }) => ({
            pixels,
            width: pixelWidth,
            height: pixelHeight,
          })),
        );
      } catch (thrown) {
        await trace(batch, alone, AppError.from(thrown, 'Embedding'));
        return;
      }
      job.commit(
        batch.map((prepared, index) => {
          const vector = vectors[index];
          if (vector === undefined) throw new Error('the vision worker returned fewer vectors than photos');
          return { prepared, vector };
        }),
      );
    } catch (thrown) {
      die(thrown, 'Saving the library');
    } finally {
      embedding -= 1;
      embeddingPhotos -= batch.length;
      wakeup.wake();
    }
  };

  const trace = async (batch: P[], alone: boolean, error: AppError): Promise<void> => {
    const [only] = batch;
    if (isStop(error) || fatal !== undefined) die(error, 'Indexing');
    else if (!alone || only === undefined) lonePhotos.push(...batch);
    else if (
      (await blame(only.row, error, only, () => embedder.embedImages([grey(embedder.imageSpec)]))) === 'again'
    )
      lonePhotos.unshift(only);
  };

  const startPreparing = (): void => {
    while (fatal === undefined && !lone) {
      if (loneRows.length > 0) {
        if (preparing > 0) return;
        lone = true;
        preparing += 1;
        void prepare(loneRows.shift() as PhotoRow, true);
        return;
      }
      const inFlight = preparing + ready.length + lonePhotos.length + embeddingPhotos;
      if (inFlight >= most || options.isPaused()) return;
      const row = job.next();
      if (row === undefined) return;
      // It ended a worker before, perhaps in an earlier run: no company for it.
      if (row.deaths > 0) loneRows.push(row);
      else {
        preparing += 1;
        void prepare(row, false);
      }
    }
  };

  const startEmbedding = (): void => {
    while (fatal === undefined) {
      const alone = lonePhotos.length > 0;
      if (embedding >= (alone ? 1 : batchesAtOnce)) return;
      // A batch that isn't full goes only when nothing more is coming that could fill it.
      if (!alone && (ready.length === 0 || (ready.length < embedder.batchSize && preparing > 0))) return;
      const batch = alone ? lonePhotos.splice(0, 1) : ready.splice(0, embedder.batchSize);
      const byItself = embedding === 0 && batch.length === 1;
      embedding += 1;
      embeddingPhotos += batch.length;
      void embed(batch, byItself);
      if (alone || byItself) return;
    }
  };

  try {
    for (;;) {
      startPreparing();
      startEmbedding();
      const busy = preparing + embedding > 0;
      if (!busy && fatal !== undefined) throw fatal;
      if (!busy && ready.length + loneRows.length + lonePhotos.length === 0) {
        if (!options.isPaused() || options.mayReturn() || !job.hasNext()) return;
      }
      await wakeup.wait();
    }
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

function isStop(error: AppError): boolean {
  return error.code === 'cancelled' || error.code === 'engine-stopped' || error.code === 'disk-full';
}

function quarantined(row: PhotoRow, cause: AppError): AppError {
  return new AppError(
    'photo-quarantined',
    `"${row.relPath}" ended the process that works on it twice and is left alone now. Retry it from the list of failures, or convert it to JPEG.`,
    { cause, details: { path: row.relPath } },
  );
}

/** A picture that no sound model stumbles over. */
function grey(spec: Embedder['imageSpec']): { pixels: Uint8Array; width: number; height: number } {
  const { crop, resize } = spec;
  const side = resize !== null && 'shortestEdge' in resize ? resize.shortestEdge : 224;
  const width = crop?.width ?? (resize !== null && 'width' in resize ? resize.width : side);
  const height = crop?.height ?? (resize !== null && 'height' in resize ? resize.height : side);
  return { pixels: new Uint8Array(width * height * 3).fill(128), width, height };
}
