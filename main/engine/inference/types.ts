/** What inference offers: decoded photos, unit vectors, and workers that may die without harm. */
import type { Provider, SelfTest } from '../../contract.ts';
import type { GenericPairs, GenericSet, ImageSpec, Scoring } from '../packs/types.ts';
import type { PhotoMetadata } from '../store/types.ts';

export type { GenericPairs, GenericSet, ImageSpec, Scoring };

/** A process that runs one of our entry files and exchanges structured-clone messages. Electron and Node differ only here. */
export interface WorkerProcess {
  post(message: unknown): void;
  onMessage(listener: (message: unknown) => void): void;
  /** Called once; code is null when a signal ended it. */
  onExit(listener: (code: number | null, signal: string | null) => void): void;
  kill(): void;
}
/** `language` runs packs that caption and answer, `tune` trains heads. */
export type WorkerName = 'decoder' | 'vision' | 'text' | 'language' | 'tune';
export type SpawnWorker = (name: WorkerName) => WorkerProcess;

export interface DecodedPhoto {
  /** (H, W, 3) uint8 RGB, resized and cropped as the spec says; normalised only inside the vision worker. */
  readonly pixels: Uint8Array;
  readonly pixelWidth: number;
  readonly pixelHeight: number;
  readonly metadata: PhotoMetadata;
  /** WebP, or null when none was asked for. */
  readonly thumbnail: Uint8Array | null;
}

export interface Decoder {
  /**
   * Decodes one photo upright, in sRGB, alpha flattened on white, and makes its thumbnail.
   * @throws AppError image-broken, image-unsupported, image-too-large, image-timeout, file-vanished,
   *   permission-denied, worker-died
   */
  decode(
    source: { readonly path: string } | { readonly bytes: Uint8Array; readonly name: string },
    options: {
      readonly spec: ImageSpec;
      readonly thumbnail: boolean;
      readonly signal?: AbortSignal | undefined;
    },
  ): Promise<DecodedPhoto>;
  /** How many decodes run at once; callers keep about four times as many queued. */
  readonly concurrency: number;
  close(): Promise<void>;
}

/** What photos that were taught say of a query, beside its vector. */
export interface TaughtQuery {
  /** Cosines from which on a photo shows what is asked for, and may show it: words' own figures say nothing here. */
  readonly strongAt: number;
  readonly likelyAt: number;
  /** Photos that are what the whole query asks for, because a person said so. */
  readonly photoIds: readonly number[];
}

/** The text side of a pack: all that searching by words needs, there long before a graphics card is tried out. */
export interface TextSide {
  readonly fingerprint: string;
  readonly packId: string;
  readonly dims: number;
  readonly scoring: Scoring;
  /** One unit vector per text, in a process of its own: never behind a batch of images. Cached (LRU). */
  embedTexts(texts: readonly string[], signal?: AbortSignal): Promise<Float32Array[]>;
  /** A query's vector: the pack's query templates averaged and normalised. */
  embedQuery(text: string, signal?: AbortSignal): Promise<Float32Array>;
  /** For queries with a taught name; resolves with undefined for others. Left out where no names are known. */
  readonly taught?: ((text: string, signal?: AbortSignal) => Promise<TaughtQuery | undefined>) | undefined;
  /**
   * An embedding for each word piece, special tokens included, in the space of the photos and of any length. Not cached.
   * Left out by packs that give one embedding for the whole text.
   * @throws AppError pack-invalid where the model gives another shape, cancelled, worker-died
   */
  embedTokens?(texts: readonly string[], signal?: AbortSignal): Promise<TextTokens>;
}

export interface TextTokens {
  /** (texts, tokens, dims) float32, row-major; zeros where the mask is 0. `tokens` is that of the longest text. */
  readonly values: Float32Array;
  /** (texts, tokens): 1 for a token, 0 for padding. */
  readonly mask: Float32Array;
}

/** What a pack tells of the parts of a picture. */
interface PatchSide {
  readonly columns: number;
  readonly rows: number;
  /**
   * @param image (H, W, 3) uint8, as the decoder gave it.
   * @returns (rows * columns, dims) float32, row by row from the top left, in the space of the texts; of any length.
   * @throws AppError pack-invalid where the model gives another shape, worker-died
   */
  embed(image: { pixels: Uint8Array; width: number; height: number }): Promise<Float32Array>;
}

/** An embedding pack, loaded: images and texts to unit vectors of one space. */
export interface Embedder extends TextSide {
  readonly imageSpec: ImageSpec;
  /** Images per run that serve this provider best. */
  readonly batchSize: number;
  readonly provider: Provider;
  readonly selfTest: SelfTest;
  /**
   * @param images (H, W, 3) uint8 each, as the decoder gave them.
   * @returns one unit vector (dims,) float32 per image; rejects with worker-died when the process ended,
   *   in which case the caller retries one by one to find the culprit.
   */
  embedImages(
    images: readonly { pixels: Uint8Array; width: number; height: number }[],
  ): Promise<Float32Array[]>;
  /** Left out by packs that give one embedding for the whole picture. */
  readonly patches?: PatchSide;
  close(): Promise<void>;
}
