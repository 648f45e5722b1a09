/** The shapes of learning: thumbs, taught names, runs and their proof, what a swap changes, the lab's table. */
import { z } from 'zod';
import { count, errorShape, id, photoSummary } from './contract-shapes.ts';

export const vote = z.enum(['up', 'down']);

export const feedbackEntry = z.object({
  photo: photoSummary.extend({ path: z.string() }),
  /** The query that found the photo, as it was typed. */
  text: z.string(),
  vote,
  at: z.number(),
});

/** A name that a person gave to something: a pet, a place, a thing of theirs. */
export const taughtName = z.object({
  id,
  name: z.string(),
  /** What it is in common words ("dog"): stands in for the name where the model reads the rest of a query. */
  kind: z.string().nullable(),
  photos: count,
  /** Photos that stand for it. */
  examples: z.array(id),
  createdAt: z.number(),
  /** Of its photos, those that the others alone find among the library's ten nearest; null with fewer than two, and until it is known. */
  check: z.object({ found: count, of: count }).nullable(),
  /** Why it cannot be searched for now; null when it can. */
  problem: errorShape.nullable(),
});

/** Recall at 1, 5 and 10 and mean reciprocal rank, mean of both directions; shares of 1. */
const retrieval = z.object({ r1: z.number(), r5: z.number(), r10: z.number(), mrr: z.number() });

/** `joint` and `fusion` leave the vectors alone and change how found photos are ordered. */
export const headName = z.enum(['cache', 'residual', 'linear', 'low-rank', 'mlp', 'joint', 'fusion']);
export const lossName = z.enum(['infonce', 'siglip', 'ntxent', 'triplet']);
export const pairSource = z.enum(['thumbs', 'names', 'captions', 'albums', 'file']);

const tuneSettings = z.object({
  head: headName,
  loss: lossName,
  epochs: z.int().min(1).max(500),
  seed: z.int().nonnegative(),
  batch: z.int().min(2).max(8_192),
  learningRate: z.number().positive(),
  sources: z.array(pairSource),
});

/** What there is to learn from, before anything is started. */
export const tuneSources = z.object({
  /** A photo with one text is a pair. */
  sources: z.array(z.object({ source: pairSource, pairs: count, photos: count })),
  pairs: count,
  /** Photos that differ: near-duplicates and bursts count once. */
  photos: count,
  /** How many different photos a proof needs. */
  needed: count,
  /** Thumbs down, which become negatives. */
  negatives: count,
  /** Left out: what was said of near-duplicates contradicts itself. */
  contradictions: count,
  /**
   * Lines of a captions file that could not be used, with the reason; the first hundred. Line 0 is about the library: a
   * photo without a usable vector, an album whose name says nothing.
   */
  skipped: z.array(z.object({ line: count, reason: z.string() })),
  skippedTotal: count,
  /** What else to know, e.g. that the captions file is not UTF-8 and was read as Windows-1252. */
  remarks: z.array(z.string()).optional(),
  /** What general search is judged by. */
  generic: z.object({ name: z.string(), pairs: count }),
  secondsEstimate: z.number(),
  /** Why a run would be refused at once; null when it can start. */
  problem: errorShape.nullable(),
});

const curvePoint = z.object({
  epoch: count,
  trainLoss: z.number(),
  heldOutLoss: z.number(),
  /** R@10 on the pairs that training is watched by. */
  r10: z.number(),
});

export const tuneRun = z.object({
  id,
  state: z.enum([
    'running',
    /** By the person; can go on. */
    'stopped',
    /** The app or its process ended meanwhile; can go on. */
    'interrupted',
    'failed',
    /** Proved no better: nothing is offered. */
    'refused',
    /** Proved better: waits for the person. */
    'offered',
    /** Declined by the person. */
    'declined',
    'active',
    /** Was in use once. */
    'retired',
  ]),
  startedAt: z.number(),
  endedAt: z.number().nullable(),
  /** Brought in from a file rather than trained here. */
  imported: z.boolean(),
  settings: tuneSettings,
  packId: z.string(),
  packName: z.string(),
  dims: count,
  /** SHA-256 of pairs, groups and weights, hex: equal hashes, settings and packs give equal heads on the CPU. */
  dataHash: z.string(),
  pairs: count,
  bySource: z.array(z.object({ source: pairSource, pairs: count })),
  split: z.object({ train: count, choose: count, prove: count }).nullable(),
  curve: z.array(curvePoint),
  bestEpoch: count.nullable(),
  before: retrieval.nullable(),
  after: retrieval.nullable(),
  /** 95 % bootstrap interval of the difference in R@10, after less before. */
  gain: z.object({ low: z.number(), high: z.number() }).nullable(),
  generic: z.object({ name: z.string(), before: retrieval, after: retrieval }).nullable(),
  /** How far from the start to the trained parameters the head goes, 0 to 1. */
  share: z.number().nullable(),
  /** The verdict of the proof; null before there is one. */
  accepted: z.boolean().nullable(),
  /** One or two sentences. */
  reason: z.string().nullable(),
  seconds: z.number(),
  error: errorShape.nullable(),
});

export const tuneProgress = z.object({
  runId: id,
  stage: z.enum(['gathering', 'training', 'proving']),
  epoch: count,
  epochs: count,
  curve: z.array(curvePoint),
  secondsLeft: z.number().nullable(),
});

export const swapProgress = z.object({
  stage: z.enum(['projecting', 'index', 'swap']),
  done: count,
  total: count,
});

const rankedPhoto = photoSummary.extend({
  /** From 1. */
  rank: count,
  /** Its rank on the other side; null where it is not among those looked at. */
  otherRank: count.nullable(),
});
/** One past query with the head and without it. */
export const queryComparison = z.object({
  text: z.string(),
  before: z.array(rankedPhoto),
  after: z.array(rankedPhoto),
  up: count,
  down: count,
});

/**
 * `pairs`: every photo of a batch is shown with every caption of it. `study`: with its own caption only, and halves of
 * different pairs are compared, as in the study; much cheaper, and some heads cheat.
 */
export const labScoring = z.enum(['pairs', 'study']);
export const labHead = z.object({
  name: z.string(),
  description: z.string(),
  parameters: count,
});
const labRow = z.object({
  head: z.string(),
  /** The photo that was asked about, and what each of the five captions scored, times the learnt scale. */
  similarities: z.array(z.number()),
  /** Index of the best of them, and whether that is the right one. */
  best: count,
  right: z.boolean(),
  /** Best over second best; null where the second is not positive. */
  ratio: z.number().nullable(),
  gap: z.number(),
  /** Own captions beat four drawn ones clearly more often than chance, and the five are told apart. */
  trained: z.boolean(),
  /** By gap among those that trained; null for the others. */
  rank: count.nullable(),
  retrieval,
  /** Share of held-out photos whose own caption beats four drawn ones. */
  bestOfFive: z.number(),
  /** First batch, mean of the last epoch, and kept aside with every photo shown every caption. */
  loss: z.object({ first: z.number(), last: z.number(), heldOut: z.number() }),
  seconds: z.number(),
  /** The head's own; every head has two projections and a scale besides. */
  parameters: count,
  /** What the remark is made of. */
  evidence: z.object({
    /** Mean cosine of right pairs and of wrong ones. */
    matched: z.number(),
    mismatched: z.number(),
    /** Standard deviation of a photo's cosines over captions. */
    spread: z.number(),
    /** Share of the variance of a side's features that its own modality explains. */
    own: z.object({ image: z.number(), text: z.number() }),
    /** R@1 when halves of right pairs are compared, as in the study's training. */
    shortcut: z.number(),
    /** Its length, before clipping: first batch, mean of the last epoch. */
    gradient: z.object({ first: z.number(), last: z.number() }),
    /** The epoch in which its numbers stopped being finite; null when they are. */
    ranAway: count.nullable(),
  }),
  /** What the study reported for this head; null for heads that it did not have. */
  study: z.object({ similarities: z.array(z.number()), trained: z.boolean() }).nullable(),
  /** Why it did not train, and how that differs from the study, from what was measured; empty where nothing is to be said. */
  remark: z.string(),
});
export const labReport = z.object({
  at: z.number(),
  seed: count,
  epochs: count,
  scoring: labScoring,
  /** Photos that compete in a step, and the optimiser's rate. */
  batch: count,
  learningRate: z.number(),
  pairs: z.object({ train: count, heldOut: count }),
  /** One of each where they were pooled. */
  tokens: z.object({ image: count, text: count, dims: count }),
  photo: z.object({ path: z.string(), photoId: id.nullable() }),
  captions: z.array(z.string()),
  rightCaption: count,
  rows: z.array(labRow),
});
export const labProgress = z.object({
  /** Empty while photos are read; `done` and `total` count photos then, and heads afterwards. */
  head: z.string(),
  done: count,
  total: count,
  epoch: count,
  epochs: count,
});

export type Vote = z.output<typeof vote>;
export type FeedbackEntry = z.output<typeof feedbackEntry>;
export type TaughtName = z.output<typeof taughtName>;
export type Retrieval = z.output<typeof retrieval>;
export type HeadName = z.output<typeof headName>;
export type LossName = z.output<typeof lossName>;
export type PairSource = z.output<typeof pairSource>;
export type TuneSettings = z.output<typeof tuneSettings>;
export type TuneSources = z.output<typeof tuneSources>;
export type TuneRun = z.output<typeof tuneRun>;
export type TuneProgress = z.output<typeof tuneProgress>;
export type SwapProgress = z.output<typeof swapProgress>;
export type QueryComparison = z.output<typeof queryComparison>;
export type CurvePoint = z.output<typeof curvePoint>;
export type LabHeadInfo = z.output<typeof labHead>;
export type LabRow = z.output<typeof labRow>;
export type LabReport = z.output<typeof labReport>;
export type LabProgress = z.output<typeof labProgress>;
