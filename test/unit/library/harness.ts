/** A library over a real store and real files, with a decoder and an embedder that count and can be made to fail. */
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { utimes } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { TestContext } from 'node:test';
import sharp from 'sharp';
import type { IndexProgress, Root } from '../../../main/contract.ts';
import { AppError } from '../../../main/errors.ts';
import type { DecodedPhoto, Decoder, Embedder } from '../../../main/engine/inference/types.ts';
import { createLibrary } from '../../../main/engine/library/library.ts';
import type { Library, LibraryOptions, Notice, Timers } from '../../../main/engine/library/types.ts';
import { silentLog } from '../../../main/engine/log.ts';
import { openStore } from '../../../main/engine/store/store.ts';
import type { Store } from '../../../main/engine/store/types.ts';

export const dims = 8;
const side = 4;

/** Sixteen pixels of one picture never look like those of another: seeds give unlike colours. */
export async function writePhoto(path: string, seed: number, format: 'jpeg' | 'png' = 'png'): Promise<void> {
  mkdirSync(dirname(path), { recursive: true });
  const pixels = Uint8Array.from(
    { length: side * side * 3 },
    (_, i) => (seed * 7919 + i * i * 31 + seed * i * 17) % 256,
  );
  const image = sharp(pixels, { raw: { width: side, height: side, channels: 3 } });
  await (format === 'png' ? image.png() : image.jpeg({ quality: 95 })).toFile(path);
}

/** Times far apart, so that no edit hides in a clock tick. */
export async function setTime(path: string, seconds: number): Promise<void> {
  await utimes(path, 1_600_000_000 + seconds, 1_600_000_000 + seconds);
}

export interface FakeDecoder extends Decoder {
  decoded: string[];
  /** Runs before each decode; may throw or wait. */
  before: (name: string) => void | Promise<void>;
  inFlight: number;
  mostInFlight: number;
}

export function fakeDecoder(): FakeDecoder {
  const decoder: FakeDecoder = {
    concurrency: 2,
    decoded: [],
    before: () => undefined,
    inFlight: 0,
    mostInFlight: 0,
    async decode(source): Promise<DecodedPhoto> {
      const name = 'path' in source ? source.path : source.name;
      decoder.inFlight += 1;
      decoder.mostInFlight = Math.max(decoder.mostInFlight, decoder.inFlight);
      try {
        await decoder.before(name);
        decoder.decoded.push(name);
        const bytes = 'path' in source ? readFileSync(source.path) : source.bytes;
        const image = sharp(bytes).removeAlpha().toColourspace('srgb');
        const { width, height, format } = await image.metadata();
        const pixels = await image
          .clone()
          .resize(side, side, { fit: 'fill', kernel: 'nearest' })
          .raw()
          .toBuffer();
        const thumbnail = await image.webp().toBuffer();
        return {
          pixels: new Uint8Array(pixels),
          pixelWidth: side,
          pixelHeight: side,
          thumbnail: new Uint8Array(thumbnail),
          metadata: {
            ...{ width, height, format, takenAt: null, camera: null, lens: null, exposureSeconds: null },
            ...{ fNumber: null, iso: null, focalLengthMm: null, latitude: null, longitude: null },
          },
        };
      } catch (thrown) {
        if (thrown instanceof AppError) throw thrown;
        if ((thrown as NodeJS.ErrnoException).code !== undefined) throw AppError.from(thrown, name);
        throw new AppError('image-broken', `"${name}" is damaged.`, { cause: thrown });
      } finally {
        decoder.inFlight -= 1;
      }
    },
    close: () => Promise.resolve(),
  };
  return decoder;
}

export interface FakeEmbedder extends Embedder {
  /** Photos that went through inference. */
  inferences: number;
  batches: number[];
  before: (pixels: readonly Uint8Array[]) => void | Promise<void>;
}

/** A unit vector that only these pixels give. */
export function vectorOf(pixels: Uint8Array): Float32Array {
  const vector = new Float32Array(dims);
  for (const [i, value] of pixels.entries())
    vector[i % dims] = (vector[i % dims] ?? 0) + Math.sin(value * (i + 1));
  const length = Math.hypot(...vector);
  return vector.map((value) => value / length);
}

export function fakeEmbedder(fingerprint = 'fake'): FakeEmbedder {
  const refuse = (): never => {
    throw new Error('texts are not embedded here');
  };
  const embedder: FakeEmbedder = {
    fingerprint,
    packId: fingerprint,
    dims,
    imageSpec: {
      ...{ resize: { width: side, height: side }, crop: null, resample: 0, rescale: 1 / 255 },
      ...{ mean: [0, 0, 0], std: [1, 1, 1] },
    },
    batchSize: 8,
    scoring: {
      ...{ kind: 'softmax', logitScale: 1, logitBias: 0, promptTemplates: [], queryTemplates: [] },
      background: null,
    },
    provider: 'cpu',
    selfTest: { state: 'passed', message: '', checks: [] } as unknown as Embedder['selfTest'],
    inferences: 0,
    batches: [],
    before: () => undefined,
    async embedImages(images) {
      await embedder.before(images.map(({ pixels }) => pixels));
      embedder.inferences += images.length;
      embedder.batches.push(images.length);
      return images.map(({ pixels }) => vectorOf(pixels));
    },
    embedTexts: refuse,
    embedQuery: refuse,
    close: () => Promise.resolve(),
  };
  return embedder;
}

/** Timers that go off when a test says so. */
export interface HandTimers extends Timers {
  /** Lets time pass; what becomes due runs in order. */
  pass(ms: number): void;
}

export function handTimers(): HandTimers {
  let at = 0;
  let due: { at: number; run: () => void }[] = [];
  return {
    after(delayMs, run) {
      const timer = { at: at + delayMs, run };
      due.push(timer);
      return () => {
        due = due.filter((other) => other !== timer);
      };
    },
    pass(ms) {
      const end = at + ms;
      for (;;) {
        const [first] = due.filter((timer) => timer.at <= end).sort((a, b) => a.at - b.at);
        if (first === undefined) break;
        at = first.at;
        due = due.filter((timer) => timer !== first);
        first.run();
      }
      at = end;
    },
  };
}

export interface Harness {
  readonly folder: string;
  readonly store: Store;
  readonly library: Library;
  readonly decoder: FakeDecoder;
  readonly embedder: FakeEmbedder;
  readonly timers: HandTimers;
  readonly modelId: number;
  /** What the engine's index would hold: vectors by photo id. */
  readonly index: Map<number, Float32Array>;
  readonly notices: Notice[];
  readonly progress: IndexProgress[];
  roots: Root[];
  /** A path under the photo folder `photos`. */
  at(...parts: string[]): string;
  /** Makes the folder a root. @returns its id. */
  add(path?: string): Promise<number>;
  /** Paths of all photos in the library with their status. */
  photos(): Record<string, string>;
}

export function createHarness(t: TestContext, options: Partial<LibraryOptions> = {}): Harness {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'afterimage-library-')));
  const libraryFolder = join(folder, 'library');
  mkdirSync(join(folder, 'photos'));
  const store = openStore({ directory: libraryFolder, now: Date.now });
  const decoder = fakeDecoder();
  const embedder = fakeEmbedder();
  const timers = handTimers();
  const modelId = store.embeddings.model(embedder.fingerprint, embedder.packId, dims);
  store.embeddings.setActiveModel(modelId);
  const index = new Map<number, Float32Array>();
  const notices: Notice[] = [];
  const progress: IndexProgress[] = [];
  const library = createLibrary({
    store,
    decoder,
    model: () => ({ modelId, embedder }),
    libraryFolder,
    thumbnailsMaxBytes: () => 64 * 2 ** 20,
    log: silentLog,
    now: Date.now,
    timers,
    onCommitted(rows) {
      for (const { id, vector } of rows) index.set(id, vector);
    },
    onRemoved(ids) {
      for (const id of ids) index.delete(id);
    },
    onProgress: (next) => progress.push(next),
    onRootsChanged: (roots) => (harness.roots = roots),
    onNotice: (notice) => notices.push(notice),
    ...options,
  });
  const harness: Harness = {
    ...{ folder, store, library, decoder, embedder, timers, modelId, index, notices, progress, roots: [] },
    at: (...parts) => join(folder, 'photos', ...parts),
    async add(path = join(folder, 'photos')) {
      return (await library.addRoot(path)).root.id;
    },
    photos() {
      const all: Record<string, string> = {};
      for (const root of store.roots.list())
        for (const { relPath, status } of store.photos.files(root.id)) all[join(root.path, relPath)] = status;
      return all;
    },
  };
  t.after(async () => {
    await library.close();
    store.close();
    rmSync(folder, { recursive: true, force: true });
  });
  return harness;
}

/** Lets everything that is ready run until the condition holds. */
export async function until(condition: () => boolean, what: string): Promise<void> {
  const end = performance.now() + 8_000;
  while (!condition()) {
    if (performance.now() > end) throw new Error(`waited in vain for ${what}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}
