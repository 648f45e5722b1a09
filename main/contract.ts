/**
 * Every call, event and error code of Afterimage: one typed list, parsed at the edges.
 * Electron IPC, loopback HTTP and the CLI are adapters over it; the renderer imports its types only.
 */
import { z } from 'zod';
import { errorCodes, type ErrorCode } from './errors.ts';

const id = z.int().nonnegative();
const count = z.int().nonnegative();
const text = z.string().max(2_000);
const none = z.strictObject({});
const limit = z.int().min(1).max(5_000);

export const errorShape = z.object({
  code: z.enum(Object.keys(errorCodes) as [ErrorCode, ...ErrorCode[]]),
  message: z.string(),
  details: z.record(z.string(), z.union([z.string(), z.number()])).optional(),
});

/** How sure: bands come from this library's own score distribution, never from a fixed cosine. */
const band = z.enum(['strong', 'likely', 'weak']);

const provider = z.enum(['cuda', 'webgpu', 'dml', 'coreml', 'cpu']);

const root = z.object({
  id,
  /** Absolute path, for showing only: no call takes a path from the renderer. */
  path: z.string(),
  name: z.string(),
  state: z.enum(['online', 'offline']),
  photos: count,
  failed: count,
  lastScanAt: z.number().nullable(),
});

const indexProgress = z.object({
  phase: z.enum(['idle', 'scanning', 'indexing', 'paused', 'finishing']),
  /** Photos finished (indexed or failed) in this run, of those found so far that need work. */
  done: count,
  total: count,
  failed: count,
  imagesPerSecond: z.number(),
  secondsLeft: z.number().nullable(),
  /** Name of a file being worked on, for the pill. */
  current: z.string().nullable(),
});

const photoFailure = z.object({ photoId: id, path: z.string(), ...errorShape.shape });

const indexReport = z.object({
  photos: count,
  indexed: count,
  unchanged: count,
  moved: count,
  removed: count,
  failed: z.array(errorShape.extend({ path: z.string() })),
  seconds: z.number(),
  imagesPerSecond: z.number(),
});

const photoSummary = z.object({
  id,
  name: z.string(),
  /** Pixels, upright. */
  width: count,
  height: count,
  /** Milliseconds since 1970 of the camera's local clock read as UTC; file time where EXIF has none. */
  takenAt: z.number(),
});

const photoDetail = photoSummary.extend({
  path: z.string(),
  folder: z.string(),
  rootId: id,
  rootState: root.shape.state,
  bytes: count,
  format: z.string(),
  status: z.enum(['pending', 'indexed', 'failed']),
  takenAtSource: z.enum(['exif', 'file']),
  camera: z.string().nullable(),
  lens: z.string().nullable(),
  exposure: z
    .object({
      seconds: z.number().nullable(),
      fNumber: z.number().nullable(),
      iso: z.number().nullable(),
      focalLengthMm: z.number().nullable(),
    })
    .nullable(),
  gps: z.object({ latitude: z.number(), longitude: z.number() }).nullable(),
  /** Other files with the same bytes. */
  copies: z.array(z.object({ id, path: z.string() })),
  error: errorShape.nullable(),
});

/** One chip of the search bar: a part of the query that means something beyond its words. */
const chip = z.object({
  kind: z.enum(['text', 'without', 'phrase', 'in', 'after', 'before', 'camera', 'type', 'is', 'like']),
  value: z.string(),
  weight: z.number(),
  /** Span in the typed text, in UTF-16 units, end exclusive; null for photos used as examples. */
  span: z.tuple([count, count]).nullable(),
  /** Set when the chip could not be understood, e.g. `after:someday`. */
  problem: z.string().nullable(),
});

const example = z.union([
  z.strictObject({ photoId: id, weight: z.number().min(-2).max(2).default(1) }),
  z.strictObject({ exampleId: z.string().max(64), weight: z.number().min(-2).max(2).default(1) }),
]);

const hit = photoSummary.extend({
  path: z.string(),
  rootId: id,
  offline: z.boolean(),
  /** Cosine similarity of query and photo after exact rescoring, -1 to 1. */
  score: z.number(),
  band,
  /** How many more files have the same bytes. */
  copies: count,
});

const searchResult = z.object({
  query: z.string(),
  chips: z.array(chip),
  /** Photos that pass the filters and are ranked; `hits` is the page of them asked for. */
  total: count,
  bands: z.object({ strong: count, likely: count, weak: count }),
  /** True when nothing stands out from the library: the nearest are shown, not matches. */
  thin: z.boolean(),
  hits: z.array(hit),
  timings: z.object({ encodeMs: z.number(), searchMs: z.number() }),
  plan: z.enum(['empty', 'exact', 'hnsw', 'filter-only']),
});

const licence = z.object({ id: z.string(), name: z.string(), url: z.string().nullable() });

const selfTest = z.object({
  at: z.number(),
  passed: z.boolean(),
  provider,
  /** Smallest cosine between the provider's and the CPU's embeddings of the golden batch. */
  minCosine: z.number().nullable(),
  messages: z.array(z.string()),
});

const pack = z.object({
  id: z.string(),
  name: z.string(),
  description: z.string(),
  task: z.enum(['embed', 'caption', 'answer']),
  family: z.string(),
  dims: count,
  bytes: count,
  licence,
  source: z.string(),
  recommended: z.boolean(),
  installed: z.boolean(),
  active: z.boolean(),
  /** Photos already embedded with this pack. */
  photos: count,
  fingerprint: z.string().nullable(),
  selfTest: selfTest.nullable(),
});

const packProgress = z.object({
  packId: z.string(),
  stage: z.enum(['download', 'verify', 'self-test', 'index', 'swap']),
  done: z.number(),
  total: z.number(),
  bytesPerSecond: z.number().nullable(),
});

const providerState = z.object({
  name: provider,
  available: z.boolean(),
  chosen: z.boolean(),
  message: z.string(),
});

export const settings = z.object({
  language: z.enum(['system', 'en', 'zh-CN']),
  theme: z.enum(['system', 'light', 'dark']),
  provider: z.union([z.literal('auto'), provider]),
  /** Pictures a row's height, CSS pixels. */
  rowHeight: z.int().min(80).max(480),
  thumbnailsMaxBytes: z.int().min(16 * 2 ** 20),
  watchFolders: z.boolean(),
});

const appInfo = z.object({
  version: z.string(),
  platform: z.string(),
  shell: z.enum(['electron', 'web', 'cli']),
  /** What this shell can do for the renderer beyond the engine's calls. */
  can: z.object({
    pickFolder: z.boolean(),
    browseFolders: z.boolean(),
    reveal: z.boolean(),
    openFile: z.boolean(),
  }),
  libraryPath: z.string(),
});

const libraryStatus = z.object({
  path: z.string(),
  roots: z.array(root),
  photos: count,
  indexed: count,
  failed: count,
  pending: count,
  /** Increases whenever what a search can find changes. */
  generation: count,
  activePack: pack.nullable(),
  provider: provider.nullable(),
  index: z.object({ kind: z.enum(['hnsw', 'exact']), size: count, building: z.boolean() }),
  bytes: z.object({ library: count, thumbnails: count, packs: count }),
  readOnly: z.boolean(),
});

const folderEntry = z.object({ grant: z.string(), name: z.string(), path: z.string() });

type Place = 'engine' | 'shell';
interface CallShape<I extends z.ZodType, O extends z.ZodType, P extends z.ZodType, At extends Place> {
  readonly input: I;
  readonly output: O;
  /** Set on long calls: they take an AbortSignal and report progress of this shape. */
  readonly progress: P;
  /** `engine` calls run in the engine; `shell` calls need the operating system's desktop. */
  readonly at: At;
}
const call = <I extends z.ZodType, O extends z.ZodType>(
  input: I,
  output: O,
): CallShape<I, O, z.ZodNever, 'engine'> => ({
  input,
  output,
  progress: z.never(),
  at: 'engine',
});
const longCall = <I extends z.ZodType, O extends z.ZodType, P extends z.ZodType>(
  input: I,
  output: O,
  progress: P,
): CallShape<I, O, P, 'engine'> => ({ input, output, progress, at: 'engine' });
const shellCall = <I extends z.ZodType, O extends z.ZodType>(
  input: I,
  output: O,
): CallShape<I, O, z.ZodNever, 'shell'> => ({
  input,
  output,
  progress: z.never(),
  at: 'shell',
});
const done = z.object({});
const packId = z.string().max(128);
const classLabels = z.array(z.string().min(1).max(200)).min(1).max(1_000);

/** The calls. A new one is added here and in one handler; the compiler finds the rest. */
export const calls = {
  'app.info': shellCall(none, appInfo),
  'library.status': call(none, libraryStatus),
  /** Forgets every photo, thumbnail and downloaded pack; originals are never touched. */
  'library.erase': call(z.strictObject({ confirm: z.literal('erase') }), done),

  'roots.list': call(none, z.object({ roots: z.array(root) })),
  /** A grant is an opaque string for a folder the person chose (dialog, drop, folder browser, CLI). */
  'roots.add': call(
    z.strictObject({ grant: z.string().max(4_096) }),
    z.object({ root, alreadyCovered: z.boolean() }),
  ),
  'roots.remove': call(z.strictObject({ rootId: id }), z.object({ removedPhotos: count })),

  'indexing.run': longCall(z.strictObject({ rootIds: z.array(id).optional() }), indexReport, indexProgress),
  'indexing.state': call(none, indexProgress),
  'indexing.pause': call(none, done),
  'indexing.resume': call(none, done),
  'indexing.failures': call(
    z.strictObject({ offset: count.default(0), limit: limit.default(200) }),
    z.object({ total: count, failures: z.array(photoFailure) }),
  ),
  /** Tries failed photos again (all of them without ids), quarantined ones included. */
  'indexing.retry': call(z.strictObject({ photoIds: z.array(id).optional() }), z.object({ queued: count })),

  /** Every photo, newest first, as columns: 100,000 photos are about 1.5 MB of JSON. */
  'photos.timeline': call(
    none,
    z.object({
      generation: count,
      ids: z.array(id),
      /** Width over height, times 100, rounded. */
      aspects: z.array(count),
      months: z.array(z.object({ month: z.string(), count })),
    }),
  ),
  'photos.get': call(z.strictObject({ photoId: id }), photoDetail),
  'photos.duplicates': call(
    z.strictObject({ offset: count.default(0), limit: limit.default(100) }),
    z.object({
      total: count,
      groups: z.array(z.object({ photos: z.array(photoSummary.extend({ path: z.string() })) })),
    }),
  ),

  'search.query': call(
    z.strictObject({
      text: text.default(''),
      examples: z.array(example).max(16).default([]),
      offset: count.default(0),
      limit: limit.default(200),
    }),
    searchResult,
  ),
  'search.parse': call(z.strictObject({ text }), z.object({ chips: z.array(chip) })),
  /** A dropped picture to search by: base64 of the file's bytes, at most 48 MiB decoded, kept for the session. */
  'search.addExample': call(
    z.strictObject({ image: z.string().max(64 * 2 ** 20), name: z.string().max(255) }),
    z.object({ exampleId: z.string(), name: z.string(), width: count, height: count }),
  ),
  /** Zero-shot probabilities over the labels given; they sum to 1 for CLIP packs. */
  'search.classify': call(
    z.union([
      z.strictObject({ photoId: id, labels: classLabels }),
      z.strictObject({ exampleId: z.string().max(64), labels: classLabels }),
    ]),
    z.object({ path: z.string(), labels: z.array(z.object({ label: z.string(), probability: z.number() })) }),
  ),
  /** Queries that this library has good answers to, for the first-run hint. */
  'search.suggestions': call(none, z.object({ queries: z.array(z.string()) })),

  'packs.list': call(none, z.object({ packs: z.array(pack) })),
  'packs.install': longCall(z.strictObject({ packId }), z.object({ pack }), packProgress),
  /** Installs a local folder in the Hugging Face layout. */
  'packs.installFolder': longCall(
    z.strictObject({ grant: z.string().max(4_096) }),
    z.object({ pack }),
    packProgress,
  ),
  /** Embeds the library with this pack beside the current one, then swaps. */
  'packs.use': longCall(z.strictObject({ packId }), z.object({ pack }), packProgress),
  'packs.verify': call(z.strictObject({ packId }), z.object({ selfTest })),
  'packs.remove': call(z.strictObject({ packId }), done),
  'providers.list': call(none, z.object({ providers: z.array(providerState) })),

  'settings.get': call(none, settings),
  'settings.set': call(settings.partial().strict(), settings),

  'folders.pick': shellCall(none, z.object({ folders: z.array(folderEntry) })),
  'folders.browse': shellCall(
    z.strictObject({ grant: z.string().max(4_096).nullable() }),
    z.object({
      current: folderEntry.nullable(),
      parent: folderEntry.nullable(),
      children: z.array(folderEntry),
    }),
  ),
  'photos.openFile': shellCall(z.strictObject({ photoId: id }), done),
  'photos.reveal': shellCall(z.strictObject({ photoId: id }), done),
} as const;

type Calls = typeof calls;
export type CallName = keyof Calls;
export type EngineCallName = { [K in CallName]: Calls[K]['at'] extends 'engine' ? K : never }[CallName];
/** What a caller passes (defaults may be left out). */
export type CallInput<K extends CallName> = z.input<Calls[K]['input']>;
/** What a handler receives (defaults filled in). */
export type ParsedInput<K extends CallName> = z.output<Calls[K]['input']>;
export type CallOutput<K extends CallName> = z.output<Calls[K]['output']>;
export type CallProgress<K extends CallName> = z.output<Calls[K]['progress']>;

/** Events that the engine sends to every client. */
export const events = {
  indexing: indexProgress,
  /** What can be found has changed. */
  library: z.object({ generation: count, photos: count }),
  roots: z.object({ roots: z.array(root) }),
  packs: packProgress.nullable(),
  /** Something a person should know: GPU refused, drive gone, disk full, index rebuilt. */
  notice: errorShape.extend({ level: z.enum(['info', 'warning', 'error']), key: z.string() }),
  /** The engine process was restarted; clients fetch their state again. */
  restarted: z.object({ reason: z.string() }),
} as const;
type Events = typeof events;
export type EventName = keyof Events;
export type EventPayload<K extends EventName> = z.output<Events[K]>;

export interface CallOptions<K extends CallName> {
  signal?: AbortSignal | undefined;
  onProgress?: ((progress: CallProgress<K>) => void) | undefined;
}

/** What every adapter offers its client, and what the contract suite runs against. */
export interface Client {
  call<K extends CallName>(name: K, input: CallInput<K>, options?: CallOptions<K>): Promise<CallOutput<K>>;
  /** @returns a function that stops listening. */
  on<K extends EventName>(name: K, listener: (payload: EventPayload<K>) => void): () => void;
  close(): Promise<void>;
}

export type Band = z.output<typeof band>;
export type Provider = z.output<typeof provider>;
export type Root = z.output<typeof root>;
export type IndexProgress = z.output<typeof indexProgress>;
export type IndexReport = z.output<typeof indexReport>;
export type PhotoSummary = z.output<typeof photoSummary>;
export type PhotoDetail = z.output<typeof photoDetail>;
export type PhotoFailure = z.output<typeof photoFailure>;
export type Chip = z.output<typeof chip>;
export type Example = z.output<typeof example>;
export type Hit = z.output<typeof hit>;
export type SearchResult = z.output<typeof searchResult>;
export type Pack = z.output<typeof pack>;
export type PackProgress = z.output<typeof packProgress>;
export type SelfTest = z.output<typeof selfTest>;
export type ProviderState = z.output<typeof providerState>;
export type Settings = z.output<typeof settings>;
export type AppInfo = z.output<typeof appInfo>;
export type LibraryStatus = z.output<typeof libraryStatus>;
