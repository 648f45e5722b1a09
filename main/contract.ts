/**
 * Every call, event and error code of Afterimage: one typed list, parsed at the edges.
 * Electron IPC, loopback HTTP and the CLI are adapters over it; the renderer imports its types only.
 */
import { z } from 'zod';
import {
  id,
  count,
  text,
  none,
  limit,
  errorShape,
  root,
  indexProgress,
  photoFailure,
  indexReport,
  photoSummary,
  caption,
  photoTag,
  photoDetail,
  chip,
  example,
  searchResult,
  selfTest,
  pack,
  packProgress,
  providerState,
  settings,
  appInfo,
  libraryStatus,
  captionProgress,
  captionReport,
  photoAnswer,
  smartQuery,
  album,
  tag,
  why,
  resultsAnswer,
  folderEntry,
} from './contract-shapes.ts';
import {
  feedbackEntry,
  headName,
  labHead,
  labProgress,
  labReport,
  labScoring,
  lossName,
  pairSource,
  queryComparison,
  swapProgress,
  taughtName,
  tuneProgress,
  tuneRun,
  tuneSources,
  vote,
} from './contract-tuning.ts';

export { errorShape, settings } from './contract-shapes.ts';
export type * from './contract-shapes.ts';
export type * from './contract-tuning.ts';

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
const photoIds = z.array(id).max(1_000_000);
/** Long enough for anything that is pasted: how much a model reads is for the engine to say, in words. */
const question = z.string().max(100_000);
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

  /** Why a photo is among the results of a query, or is not. */
  'search.why': call(
    z.strictObject({ photoId: id, text: text.default(''), examples: z.array(example).max(16).default([]) }),
    why,
  ),

  /** Captions one photo now and streams the words. A caption by hand is left as it is unless `again`. */
  'captions.make': longCall(
    z.strictObject({
      photoId: id,
      /** The caption goes on from these words, e.g. "a photo of"; such captions are shown, not stored. */
      prompt: z.string().max(10_000).optional(),
      again: z.boolean().default(false),
    }),
    z.object({
      path: z.string(),
      caption,
      pack: z.object({ id: z.string(), name: z.string() }).nullable(),
      /** True when nothing had to be computed. */
      cached: z.boolean(),
      seconds: z.number(),
    }),
    z.object({ text: z.string() }),
  ),
  /** What is said of these photos, for the names that screen readers give them; photos without words are left out. */
  'captions.of': call(
    z.strictObject({ photoIds: z.array(id).max(1_000) }),
    z.object({ captions: z.array(z.object({ photoId: id, text: z.string() })) }),
  ),
  /** A caption by hand; empty text takes it away, and the model's own is there again. */
  'captions.set': call(z.strictObject({ photoId: id, text }), z.object({ caption: caption.nullable() })),
  /** Captions these photos, or the whole library without ids. Joins or widens a run under way. */
  'captions.run': longCall(
    z.strictObject({ photoIds: photoIds.optional(), again: z.boolean().default(false) }),
    captionReport,
    captionProgress,
  ),
  'captions.state': call(none, captionProgress),
  'captions.pause': call(none, done),
  'captions.resume': call(none, done),
  /** Ends the run; what it wrote stays. */
  'captions.stop': call(none, done),
  /**
   * Writes captions and tags out: XMP sidecars (photo.jpg.xmp) or one captions.csv. Into the granted folder, or
   * for XMP beside the photos where there is no grant. Originals and sidecars of other programs are never touched.
   */
  'captions.export': longCall(
    z.strictObject({
      format: z.enum(['xmp', 'csv']),
      grant: z.string().max(4_096).nullable(),
      photoIds: photoIds.optional(),
    }),
    z.object({
      written: count,
      /** Sidecars that other programs wrote and that were left alone, and photos that could not be written beside. */
      skipped: z.array(z.object({ path: z.string(), reason: z.string() })),
      path: z.string().nullable(),
    }),
    z.object({ done: count, total: count }),
  ),

  /** Asks about one photo and streams the answer. */
  'ask.photo': longCall(
    z.strictObject({
      photoId: id,
      question,
      /** What was said before in this conversation, for packs that can follow one. */
      turns: z
        .array(z.strictObject({ question, answer: z.string().max(10_000) }))
        .max(16)
        .default([]),
      again: z.boolean().default(false),
    }),
    photoAnswer.extend({ path: z.string(), cached: z.boolean(), seconds: z.number() }),
    z.object({ text: z.string() }),
  ),
  /** Questions that make sense for this photo, the likeliest to have an answer first. */
  'ask.suggestions': call(z.strictObject({ photoId: id }), z.object({ questions: z.array(z.string()) })),
  /** Answers kept for this photo, oldest first. */
  'ask.history': call(z.strictObject({ photoId: id }), z.object({ answers: z.array(photoAnswer) })),
  'ask.forget': call(z.strictObject({ photoId: id }), done),
  /** Asks the same of the top hits of a query; without a query, of the photos given. */
  'ask.results': longCall(
    z.strictObject({
      text: text.default(''),
      examples: z.array(example).max(16).default([]),
      photoIds: photoIds.optional(),
      question,
      /** At most this many photos are asked. */
      limit: z.int().min(1).max(500).default(60),
    }),
    resultsAnswer,
    z.object({ done: count, total: count, early: resultsAnswer }),
  ),

  'tags.list': call(none, z.object({ tags: z.array(tag) })),
  /** Makes a tag, or changes the one of this id. */
  'tags.set': call(
    z.strictObject({
      tagId: id.optional(),
      name: z.string().min(1).max(100),
      prompts: z.array(z.string().min(1).max(300)).max(20).default([]),
    }),
    z.object({ tag }),
  ),
  'tags.remove': call(z.strictObject({ tagId: id }), done),
  /** The tags that a new library has: those that were removed are there again, others stay. */
  'tags.restore': call(none, z.object({ tags: z.array(tag) })),
  /** Every tag with its probability for one photo, whether it passes or not. */
  'tags.ofPhoto': call(
    z.strictObject({ photoId: id }),
    z.object({ path: z.string(), tags: z.array(photoTag) }),
  ),

  'albums.list': call(none, z.object({ albums: z.array(album) })),
  'albums.create': call(
    z.union([
      z.strictObject({ name: z.string().min(1).max(200), photoIds }),
      z.strictObject({ name: z.string().min(1).max(200), query: smartQuery }),
    ]),
    z.object({ album }),
  ),
  'albums.update': call(
    z.strictObject({
      albumId: id,
      name: z.string().min(1).max(200).optional(),
      query: smartQuery.optional(),
      cover: id.nullable().optional(),
    }),
    z.object({ album }),
  ),
  /** Photos stay where they are. */
  'albums.remove': call(z.strictObject({ albumId: id }), done),
  /** Puts photos in. In a smart album they stay, whatever the query says. */
  'albums.add': call(z.strictObject({ albumId: id, photoIds }), z.object({ album })),
  /** Takes photos out. From a smart album they stay away, whatever the query says. */
  'albums.take': call(z.strictObject({ albumId: id, photoIds }), z.object({ album })),
  /** Its photos, newest first, as the columns of `photos.timeline`. */
  'albums.photos': call(
    z.strictObject({ albumId: id }),
    z.object({
      ids: z.array(id),
      aspects: z.array(count),
      months: z.array(z.object({ month: z.string(), count })),
    }),
  ),

  /** A thumb for a photo among a query's results; null takes it back. The last one counts. */
  'feedback.set': call(
    z.strictObject({ photoId: id, text: text.min(1), vote: vote.nullable() }),
    z.object({ up: count, down: count }),
  ),
  /** The thumbs that these photos have for a query; case and spaces don't count. */
  'feedback.of': call(
    z.strictObject({ text, photoIds: z.array(id).max(5_000) }),
    z.object({ votes: z.array(z.object({ photoId: id, vote })) }),
  ),
  'feedback.list': call(
    z.strictObject({ offset: count.default(0), limit: limit.default(200) }),
    z.object({ up: count, down: count, entries: z.array(feedbackEntry) }),
  ),
  'feedback.clear': call(none, done),

  /** Notes a query whose results were looked at, for "before and after"; nothing leaves the library. */
  'queries.remember': call(z.strictObject({ text: text.min(1) }), done),
  /** The latest first. */
  'queries.list': call(
    z.strictObject({ limit: limit.default(50) }),
    z.object({ queries: z.array(z.object({ text: z.string(), at: z.number(), times: count })) }),
  ),
  /** One of them, or all without a text. */
  'queries.forget': call(z.strictObject({ text: text.optional() }), done),

  'names.list': call(none, z.object({ names: z.array(taughtName) })),
  /** Gives photos a name, making it when it is new. It can be searched for at once, alone and among other words. */
  'names.teach': call(
    z.strictObject({
      name: z.string().min(1).max(100),
      kind: z.string().max(100).optional(),
      photoIds,
    }),
    z.object({ name: taughtName }),
  ),
  'names.update': call(
    z.strictObject({
      nameId: id,
      name: z.string().min(1).max(100).optional(),
      kind: z.string().max(100).nullable().optional(),
    }),
    z.object({ name: taughtName }),
  ),
  'names.photos': call(z.strictObject({ nameId: id }), z.object({ photoIds: z.array(id) })),
  'names.take': call(z.strictObject({ nameId: id, photoIds }), z.object({ name: taughtName })),
  'names.remove': call(z.strictObject({ nameId: id }), done),

  /** What a run would learn from. `grant`: a folder with captions.txt or a CSV, or such a file itself. */
  'tune.sources': call(
    z.strictObject({
      grant: z.string().max(4_096).nullable().default(null),
      sources: z.array(pairSource).optional(),
    }),
    tuneSources,
  ),
  /**
   * Trains a head and proves it on pairs kept aside; it changes nothing until it is accepted. With `resume`, goes on
   * with a run that was stopped or interrupted, with its own settings.
   */
  'tune.run': longCall(
    z.strictObject({
      head: headName.default('cache'),
      loss: lossName.default('infonce'),
      epochs: z.int().min(1).max(500).default(20),
      seed: z.int().min(0).max(4_294_967_295).default(1),
      batch: z.int().min(2).max(8_192).optional(),
      learningRate: z.number().positive().max(1).optional(),
      sources: z.array(pairSource).min(1).optional(),
      grant: z.string().max(4_096).nullable().default(null),
      resume: id.optional(),
    }),
    z.object({ run: tuneRun }),
    tuneProgress,
  ),
  'tune.state': call(none, z.object({ progress: tuneProgress.nullable() })),
  /** Ends the run under way; it can go on later. */
  'tune.stop': call(none, done),
  /** The newest first. */
  'tune.runs': call(none, z.object({ runs: z.array(tuneRun), active: id.nullable() })),
  /** The latest past queries, with the run's head and without it, side by side. */
  'tune.compare': call(
    z.strictObject({
      runId: id,
      queries: z.array(text.min(1)).max(20).optional(),
      limit: z.int().min(1).max(100).default(12),
    }),
    z.object({ comparisons: z.array(queryComparison) }),
  ),
  /** Puts a head that was offered, or was in use before, into use: vectors and index are made beside the old ones. */
  'tune.accept': longCall(
    z.strictObject({ runId: id }),
    z.object({ run: tuneRun, seconds: z.number() }),
    swapProgress,
  ),
  'tune.decline': call(z.strictObject({ runId: id }), z.object({ run: tuneRun })),
  /** Back to what was in use before the head that is in use now. */
  'tune.undo': longCall(none, z.object({ active: id.nullable(), seconds: z.number() }), swapProgress),
  /** Forgets a run with its head. The one in use must be undone first. */
  'tune.remove': call(z.strictObject({ runId: id }), done),
  /** Writes a head into a granted folder as one file. */
  'tune.export': call(
    z.strictObject({ runId: id, grant: z.string().max(4_096) }),
    z.object({ path: z.string() }),
  ),
  /** Takes a head from such a file (or the only one of a folder); it is offered, with the proof that it came with. */
  'tune.import': call(z.strictObject({ grant: z.string().max(4_096) }), z.object({ run: tuneRun })),

  'lab.heads': call(none, z.object({ heads: z.array(labHead) })),
  /** Trains heads of the alignment lab on captioned photos, all with the same seed and budget. */
  'lab.run': longCall(
    z.strictObject({
      /** All of them when left out. */
      heads: z.array(z.string().max(64)).min(1).max(64).optional(),
      epochs: z.int().min(1).max(200).default(5),
      seed: z.int().min(0).max(4_294_967_295).default(1),
      /** A folder with captions.txt or a CSV; the library's own captions without one. */
      grant: z.string().max(4_096).nullable().default(null),
      /** Asks which of five captions fits this photo; one is drawn from those kept aside without it. */
      photoId: id.optional(),
      /** At most this many photos are used. All heads over 600 photos take half an hour on two cores. */
      limit: z.int().min(20).max(10_000).default(600),
      scoring: labScoring.default('pairs'),
      /** `mean` pools each side to one token, as the study did. */
      tokens: z.enum(['all', 'mean']).default('all'),
    }),
    labReport,
    labProgress,
  ),
  'lab.last': call(none, z.object({ report: labReport.nullable() })),

  'packs.list': call(none, z.object({ packs: z.array(pack) })),
  'packs.install': longCall(z.strictObject({ packId }), z.object({ pack }), packProgress),
  /** Installs a local folder in the Hugging Face layout. */
  'packs.installFolder': longCall(
    z.strictObject({ grant: z.string().max(4_096) }),
    z.object({ pack }),
    packProgress,
  ),
  /**
   * Uses a pack for what it can do. One for searching first embeds the library beside the current vectors, then
   * swaps; one that captions or answers is taken at once.
   */
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
  captions: captionProgress,
  /** Captions, tags or answers of these photos changed. */
  described: z.object({ photoIds: z.array(id) }),
  albums: z.object({ albums: z.array(album) }),
  tags: z.object({ tags: z.array(tag) }),
  names: z.object({ names: z.array(taughtName) }),
  feedback: z.object({ up: count, down: count }),
  /** The run under way; null when there is none (any more). */
  tune: tuneProgress.nullable(),
  runs: z.object({ runs: z.array(tuneRun), active: id.nullable() }),
  swap: swapProgress.nullable(),
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
