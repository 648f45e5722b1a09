/** What the engine is to its host: every `engine` call of the contract, its events, and the grants behind them. */
import type {
  CallInput,
  CallOutput,
  CallProgress,
  EngineCallName,
  EventName,
  EventPayload,
  ParsedInput,
} from '../contract.ts';
import type { LanguageModel } from './inference/language/types.ts';
import type { SpawnWorker } from './inference/types.ts';
import type { Timers } from './library/types.ts';
import type { Log } from './log.ts';

export interface EngineOptions {
  /** Folder of the library: library.db, thumbnails.db, packs/, backups/. Made when missing. */
  readonly directory: string;
  /** Folder with manifest.json and the packs that ship (starter/). */
  readonly modelsDirectory: string;
  /** Starts the decoder, vision, text and language processes; they are started when first needed. */
  readonly spawn: SpawnWorker;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly log: Log;
  /** Opens beside a live owner: searching works, everything that writes is refused. */
  readonly readOnly?: boolean | undefined;
  /** The default is the process's own. */
  readonly timers?: Timers | undefined;
  /** Watches roots and indexes what changes, as the setting says; a command line that ends soon says false. */
  readonly watch?: boolean | undefined;
  /** For tests: a model in place of the pack of this id. */
  readonly loadLanguageModel?: ((packId: string) => Promise<LanguageModel>) | undefined;
}

export interface CallContext<K extends EngineCallName> {
  readonly signal: AbortSignal;
  readonly progress: (progress: CallProgress<K>) => void;
}

/** One function per call of the contract. Input is parsed already; what is thrown becomes an AppError. */
export type Handlers = {
  readonly [K in EngineCallName]: (
    input: ParsedInput<K>,
    context: CallContext<K>,
  ) => CallOutput<K> | Promise<CallOutput<K>>;
};

/** An original on disk that a shell may stream: checked to lie inside its root, links resolved. */
export interface PhotoFile {
  readonly path: string;
  readonly rootPath: string;
  readonly mime: string;
}

/** What shells need of the engine besides the contract; none of it may reach a renderer. */
interface ShellServices {
  /** Turns a folder that a person chose into an opaque string for `roots.add` and `packs.installFolder`. */
  grant(path: string): string;
  /** @throws AppError not-found, root-offline, file-vanished, permission-denied */
  photoFile(photoId: number): Promise<PhotoFile>;
  /** WebP bytes, made again when they were evicted. @throws AppError not-found, root-offline, image-* */
  thumbnail(photoId: number): Promise<Uint8Array>;
  /**
   * The photo upright as JPEG, its longer side at most `maxEdge` pixels: for formats that no browser shows.
   * See displayImage of display-image.ts.
   */
  displayImage(photoId: number, maxEdge: number): Promise<Uint8Array>;
  /** The photo that lies at an absolute path, links in folders resolved; null when it is not in the library. */
  photoAt(path: string): Promise<number | null>;
}

export type ShellServiceName = keyof ShellServices;

export interface Engine extends ShellServices {
  /** Parses the input, then runs the handler. @throws AppError */
  call<K extends EngineCallName>(
    name: K,
    input: CallInput<K>,
    context?: Partial<CallContext<K>>,
  ): Promise<CallOutput<K>>;
  /** As `call`, for names and inputs that came over a wire. @throws AppError input-invalid */
  callUnknown(
    name: string,
    input: unknown,
    context: { signal: AbortSignal; progress: (progress: unknown) => void },
  ): Promise<unknown>;
  on<K extends EventName>(name: K, listener: (payload: EventPayload<K>) => void): () => void;
  /** Every event under its name, for a host that forwards them. */
  onAny(listener: (name: EventName, payload: unknown) => void): () => void;
  /** Stops indexing after the batch in flight, saves the index and ends the workers. */
  close(): Promise<void>;
}
