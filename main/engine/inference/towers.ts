/** The two towers of a pack, each behind its worker process. */
import { availableParallelism } from 'node:os';
import type { Provider } from '../../contract.ts';
import { AppError } from '../../errors.ts';
import type { Log } from '../log.ts';
import type { EmbedPack } from '../packs/types.ts';
import { supervise } from './supervisor.ts';
import type { TextLoad } from './text-process.ts';
import type { SpawnWorker } from './types.ts';
import { toUnitVectors } from './unit-vectors.ts';
import type { VisionBatch, VisionLoad } from './vision-process.ts';

export interface ModelPixels {
  /** (height, width, 3) uint8 RGB. */
  readonly pixels: Uint8Array;
  readonly width: number;
  readonly height: number;
}

export interface VisionTower {
  readonly provider: Provider;
  /** Loads the model now rather than with the first batch. */
  open(): Promise<void>;
  /** Images of one size. @returns unit vectors. */
  embed(images: readonly ModelPixels[]): Promise<Float32Array[]>;
  embedFiles(files: readonly string[]): Promise<Float32Array[]>;
  /** @returns (cells, dims) float32 of one image, row by row; of any length. @throws AppError pack-invalid */
  embedPatches(image: ModelPixels): Promise<Float32Array>;
  close(): Promise<void>;
}

export interface TextTowerClient {
  open(): Promise<void>;
  encode(texts: readonly string[]): Promise<{ vectors: Float32Array[]; ids: number[][] }>;
  /** @returns per text (tokens, dims) float32, row by row; of any length. @throws AppError pack-invalid */
  encodeTokens(texts: readonly string[]): Promise<Float32Array[]>;
  close(): Promise<void>;
}

export interface TowerOptions {
  readonly pack: EmbedPack;
  readonly spawn: SpawnWorker;
  readonly log: Log;
  /** Folder for compiled models (CoreML). */
  readonly cacheDir?: string | undefined;
}

/** Operators of these sizes stop gaining beyond this. */
const mostVisionThreads = 8;
const mostTextThreads = 2;
/** A driver that hangs is ended; the slowest machine that was measured needs 6 s for a batch of ViT-L/14. */
const batchTimeoutMs = 120_000;

export function visionTower(options: TowerOptions, provider: Provider): VisionTower {
  const { pack } = options;
  const supervisor = supervise({
    name: 'vision',
    spawn: options.spawn,
    log: options.log,
    setup: {
      type: 'load',
      payload: {
        packName: pack.name,
        ...pack.image,
        dims: pack.dims,
        spec: pack.imageSpec,
        provider,
        threads: Math.min(mostVisionThreads, availableParallelism()),
        cacheDir: options.cacheDir,
      } satisfies VisionLoad,
    },
  });
  return {
    provider,
    async open() {
      await supervisor.request('ready', undefined);
    },
    async embed(images) {
      const [first] = images;
      if (first === undefined) return [];
      const { width, height } = first;
      const pixels = new Uint8Array(images.length * width * height * 3);
      for (const [i, image] of images.entries()) {
        if (image.width !== width || image.height !== height) {
          throw new AppError('internal', 'Images of different sizes were put into one batch.');
        }
        pixels.set(image.pixels, i * width * height * 3);
      }
      const batch: VisionBatch = { pixels, count: images.length, width, height };
      const data = (await supervisor.request('embed', batch, { timeoutMs: batchTimeoutMs })) as Float32Array;
      return toUnitVectors(data, pack.dims, pack.name);
    },
    async embedPatches({ pixels, width, height }) {
      const image: ModelPixels = { pixels, width, height };
      return (await supervisor.request('embedPatches', image, {
        timeoutMs: batchTimeoutMs,
      })) as Float32Array;
    },
    async embedFiles(files) {
      const found = (await supervisor.request('embedFiles', { files })) as Float32Array[];
      return found.flatMap((data) => toUnitVectors(data, pack.dims, pack.name));
    },
    close: () => supervisor.close(),
  };
}

export function textTower(options: TowerOptions): TextTowerClient {
  const { pack } = options;
  const supervisor = supervise({
    name: 'text',
    spawn: options.spawn,
    log: options.log,
    setup: {
      type: 'load',
      payload: {
        packName: pack.name,
        tower: pack.text,
        dims: pack.dims,
        threads: Math.min(mostTextThreads, availableParallelism()),
        spec: pack.imageSpec,
      } satisfies TextLoad,
    },
  });
  return {
    async open() {
      await supervisor.request('ready', undefined);
    },
    async encode(texts) {
      const reply = (await supervisor.request('encode', { texts }, { timeoutMs: batchTimeoutMs })) as {
        vectors: Float32Array;
        ids: number[][];
      };
      return { vectors: toUnitVectors(reply.vectors, pack.dims, pack.name), ids: reply.ids };
    },
    async encodeTokens(texts) {
      return (await supervisor.request(
        'encodeTokens',
        { texts },
        { timeoutMs: batchTimeoutMs },
      )) as Float32Array[];
    },
    close: () => supervisor.close(),
  };
}
