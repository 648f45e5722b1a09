/** The shapes that calls and events are made of: one schema each, and the type it parses to. */
import { z } from 'zod';
import { errorCodes, type ErrorCode } from './errors.ts';

export const id = z.int().nonnegative();
export const count = z.int().nonnegative();
export const text = z.string().max(2_000);
export const none = z.strictObject({});
export const limit = z.int().min(1).max(5_000);

export const errorShape = z.object({
  code: z.enum(Object.keys(errorCodes) as [ErrorCode, ...ErrorCode[]]),
  message: z.string(),
  details: z.record(z.string(), z.union([z.string(), z.number()])).optional(),
});

/** How sure: bands come from this library's own score distribution, never from a fixed cosine. */
const band = z.enum(['strong', 'likely', 'weak']);

const provider = z.enum(['cuda', 'webgpu', 'dml', 'coreml', 'cpu']);

export const root = z.object({
  id,
  /** Absolute path, for showing only: no call takes a path from the renderer. */
  path: z.string(),
  name: z.string(),
  state: z.enum(['online', 'offline']),
  photos: count,
  failed: count,
  lastScanAt: z.number().nullable(),
});

export const indexProgress = z.object({
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

export const photoFailure = z.object({ photoId: id, path: z.string(), ...errorShape.shape });

export const indexReport = z.object({
  photos: count,
  indexed: count,
  unchanged: count,
  moved: count,
  removed: count,
  failed: z.array(errorShape.extend({ path: z.string() })),
  seconds: z.number(),
  imagesPerSecond: z.number(),
});

export const photoSummary = z.object({
  id,
  name: z.string(),
  /** Pixels, upright. */
  width: count,
  height: count,
  /** Milliseconds since 1970 of the camera's local clock read as UTC; file time where EXIF has none. */
  takenAt: z.number(),
});

/** What is said of a photo: by hand, or by a model, whose words give way to a person's. */
export const caption = z.object({
  text: z.string(),
  by: z.enum(['hand', 'model']),
  /** False when the model was not sure enough to say anything: `text` is empty then. */
  sure: z.boolean(),
  /** Probability that it names the main thing, calibrated on the pack's validation photos; null by hand. */
  confidence: z.number().nullable(),
  packId: z.string().nullable(),
  at: z.number(),
});

/** A zero-shot tag on a photo. */
export const photoTag = z.object({ tagId: id, name: z.string(), probability: z.number() });

export const photoDetail = photoSummary.extend({
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
  caption: caption.nullable(),
  /** Most probable first; those above the tag's threshold only. */
  tags: z.array(photoTag),
  /** Albums that it is in. */
  albums: z.array(z.object({ id, name: z.string() })),
  error: errorShape.nullable(),
});

/** One chip of the search bar: a part of the query that means something beyond its words. */
export const chip = z.object({
  kind: z.enum([
    'text',
    'without',
    'phrase',
    'in',
    'after',
    'before',
    'camera',
    'type',
    'is',
    'album',
    'tag',
    'like',
  ]),
  value: z.string(),
  weight: z.number(),
  /** Span in the typed text, in UTF-16 units, end exclusive; null for photos used as examples. */
  span: z.tuple([count, count]).nullable(),
  /** Set when the chip could not be understood, e.g. `after:someday`. */
  problem: z.string().nullable(),
});

export const example = z.union([
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
  /** What found it: its looks, the words of its caption, tags or name, or both. */
  foundBy: z.enum(['looks', 'words', 'both']),
  /** How many more files have the same bytes. */
  copies: count,
});

export const searchResult = z.object({
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

export const selfTest = z.object({
  at: z.number(),
  passed: z.boolean(),
  provider,
  /** Smallest cosine between the provider's and the CPU's embeddings of the golden batch. */
  minCosine: z.number().nullable(),
  messages: z.array(z.string()),
});

export const pack = z.object({
  id: z.string(),
  name: z.string(),
  description: z.string(),
  /** What it can do: search (embed), captions, questions. One pack may do two. */
  tasks: z.array(z.enum(['embed', 'caption', 'answer'])).min(1),
  family: z.string(),
  /** Of its embeddings; 0 for packs that write. */
  dims: count,
  /** Quality as published, or as measured by our own recipe. */
  quality: z.array(z.object({ metric: z.string(), dataset: z.string(), value: z.number() })),
  bytes: count,
  licence,
  source: z.string(),
  recommended: z.boolean(),
  installed: z.boolean(),
  /** Tasks that it is in use for. */
  active: z.array(z.enum(['embed', 'caption', 'answer'])),
  /** Photos already embedded with this pack. */
  photos: count,
  fingerprint: z.string().nullable(),
  selfTest: selfTest.nullable(),
});

export const packProgress = z.object({
  packId: z.string(),
  stage: z.enum(['download', 'verify', 'self-test', 'index', 'swap']),
  done: z.number(),
  total: z.number(),
  bytesPerSecond: z.number().nullable(),
});

export const providerState = z.object({
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
  /** Captions new photos when there is nothing better to do. */
  captionInBackground: z.boolean(),
});

export const appInfo = z.object({
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

export const libraryStatus = z.object({
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
  /** The run whose head is in use; null for the model as it came. */
  activeRun: id.nullable(),
  index: z.object({ kind: z.enum(['hnsw', 'exact']), size: count, building: z.boolean() }),
  bytes: z.object({ library: count, thumbnails: count, packs: count }),
  /** Photos that are indexed, and how many of them have a caption (or were found too unsure for one). */
  captions: z.object({ total: count, captioned: count }),
  readOnly: z.boolean(),
});

export const captionProgress = z.object({
  phase: z.enum(['idle', 'captioning', 'paused', 'waiting']),
  done: count,
  total: count,
  failed: count,
  photosPerMinute: z.number(),
  secondsLeft: z.number().nullable(),
  /** Name of the photo being captioned, for the pill. */
  current: z.string().nullable(),
});

export const captionReport = z.object({
  captioned: count,
  /** Looked at, and the model was not sure enough to say anything. */
  unsure: count,
  /** Had a caption already (by hand, or of the same model). */
  skipped: count,
  failed: z.array(errorShape.extend({ photoId: id, path: z.string() })),
  seconds: z.number(),
});

const answerChoice = z.object({ answer: z.string(), probability: z.number() });

export const photoAnswer = z.object({
  question: z.string(),
  /** Empty when the model is not sure enough; `answers` still shows what it considered. */
  answer: z.string(),
  sure: z.boolean(),
  /** Probability that the answer is right, calibrated where the pack says how. */
  confidence: z.number(),
  /** Most probable first, at most five; generative packs give the one they wrote. */
  answers: z.array(answerChoice),
  packId: z.string(),
  at: z.number(),
});

export const smartQuery = z.object({
  text,
  examples: z.array(example).max(16).default([]),
  /** The weakest band that belongs. */
  band: z.enum(['strong', 'likely']).default('likely'),
});

export const album = z.object({
  id,
  name: z.string(),
  /** A smart album holds what its query finds and follows the library; a plain one what was put in. */
  kind: z.enum(['plain', 'smart']),
  query: smartQuery.nullable(),
  photos: count,
  /** The photo that stands for it; null when it is empty. */
  cover: id.nullable(),
  createdAt: z.number(),
  /** Why a smart album could not be brought up to date; null when it is. */
  problem: errorShape.nullable(),
});

export const tag = z.object({
  id,
  name: z.string(),
  /** Sentences that describe it to the model, averaged; the name itself in the model's templates when empty. */
  prompts: z.array(z.string()),
  /** Photos that carry it. */
  photos: count,
});

export const why = z.object({
  /** Cosine after exact rescoring, and its band. */
  score: z.number(),
  band,
  foundBy: hit.shape.foundBy,
  /** The library's own scores for this query: what the photo is compared with. */
  library: z.object({
    photos: count,
    mean: z.number(),
    std: z.number(),
    /** Share of the library's photos that score lower, 0 to 1. */
    percentile: z.number(),
    likelyAt: z.number().nullable(),
    strongAt: z.number().nullable(),
    /** Photos by score, in equal steps from `from` to `to`. */
    histogram: z.object({ from: z.number(), to: z.number(), counts: z.array(count) }),
  }),
  /** The nearest tags, most probable first. */
  tags: z.array(photoTag),
  /** Words of the query that stand in its caption, tags or file name. */
  words: z.array(z.object({ word: z.string(), where: z.enum(['caption', 'tag', 'name']), text: z.string() })),
  /** Where in the photo the query is, row by row from the top left, 0 to 1; null for queries without words to see. */
  heat: z
    .object({
      method: z.enum(['patches', 'occlusion']),
      rows: count,
      columns: count,
      values: z.array(z.number()),
      /** The part of the upright photo that the model sees, in fractions of its width and height. */
      window: z.object({ left: z.number(), top: z.number(), width: z.number(), height: z.number() }),
    })
    .nullable(),
});

const resultEvidence = z.object({ photo: hit, answer: z.string(), confidence: z.number() });
export const resultsAnswer = z.object({
  question: z.string(),
  /** One sentence over all of them, e.g. "3 of 12 photos". */
  answer: z.string(),
  /** yes-no questions: photos for which the answer is yes; others: photos with the commonest answer. */
  supporting: z.array(resultEvidence),
  opposing: z.array(resultEvidence),
  unsure: z.array(resultEvidence),
  failed: z.array(errorShape.extend({ photoId: id, path: z.string() })),
  /** How often each answer was given, commonest first. */
  tally: z.array(z.object({ answer: z.string(), photos: count })),
  seconds: z.number(),
});

export const folderEntry = z.object({ grant: z.string(), name: z.string(), path: z.string() });

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
export type Caption = z.output<typeof caption>;
export type CaptionProgress = z.output<typeof captionProgress>;
export type CaptionReport = z.output<typeof captionReport>;
export type PhotoAnswer = z.output<typeof photoAnswer>;
export type ResultsAnswer = z.output<typeof resultsAnswer>;
export type Album = z.output<typeof album>;
export type SmartQuery = z.output<typeof smartQuery>;
export type Tag = z.output<typeof tag>;
export type PhotoTag = z.output<typeof photoTag>;
export type Why = z.output<typeof why>;
