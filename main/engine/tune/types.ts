/** What the parts of tuning hand to each other: gathered pairs, a task for the process that trains, what it learnt. */
import type { HeadName, LabProgress, LabRow, PairSource, Retrieval, TuneSettings } from '../../contract.ts';
import type { Interval } from './evaluate.ts';
import type { LabTask } from './lab/lab-run.ts';
import type { TrainingPairs } from './train-head.ts';

/** Pairs of one library in the space of a pack (never of a head), with all that training and proof need to know. */
export interface GatheredPairs {
  readonly pairs: TrainingPairs;
  /** (pairs,): pairs that share a number stay on one side of the split (near-duplicates, bursts, copies). */
  readonly kin: Int32Array;
  /** (pairs,): where each came from. */
  readonly sources: readonly PairSource[];
  /** Kept beside the pairs while training, so that general search is not forgotten; may be empty. */
  readonly replay: TrainingPairs;
  /** Never trained on. */
  readonly generic: TrainingPairs & { readonly name: string };
  /** For the head `fusion`: what each kind of evidence said of photos that got thumbs. */
  readonly evidence: readonly Evidence[];
  /** SHA-256 over all of the above, hex. */
  readonly dataHash: string;
}

/** What search knew of a photo when it got a thumb for a query. */
export interface Evidence {
  /** Equal for all photos of one query. */
  readonly query: number;
  /** 1 for a thumb up, 0 for one down. */
  readonly wanted: 0 | 1;
  /** Standard deviations of the cosine above the library's background for the query. */
  readonly looks: number;
  /** Shares of the query's words that stand in a caption by hand, of a model, in tags, in the name: 0 to 1. */
  readonly words: Readonly<Record<'hand' | 'caption' | 'tag' | 'name', number>>;
  readonly kin: number;
}

/** Parameters of a head by name. */
export type HeadParameters = Readonly<
  Record<string, { readonly shape: readonly number[]; readonly values: Float32Array }>
>;

/** One run, whole: what is sent to the process that trains. */
export interface LearningTask {
  readonly settings: TuneSettings;
  readonly gathered: GatheredPairs;
  /** Of the pack's vectors. */
  readonly dims: number;
  readonly threads: number;
  /** From `LearningEpoch`, of a run with the same settings and data: it ends with the very bits of one never stopped. */
  readonly checkpoint?: Uint8Array | undefined;
}

export interface LearningEpoch {
  /** From 1. */
  readonly epoch: number;
  readonly trainLoss: number;
  readonly heldOutLoss: number;
  readonly r10: number;
  /** Opaque; all that is needed to go on after this epoch. */
  readonly checkpoint: Uint8Array;
}

/** A head with its proof. */
export interface LearntHead {
  readonly head: HeadName;
  readonly parameters: HeadParameters;
  readonly share: number;
  readonly bestEpoch: number;
  readonly split: { readonly train: number; readonly choose: number; readonly prove: number };
  readonly before: Retrieval;
  readonly after: Retrieval;
  readonly gain: Interval;
  readonly generic: { readonly before: Retrieval; readonly after: Retrieval };
  readonly accepted: boolean;
  readonly reason: string;
}

export interface LearningOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onEpoch?: ((epoch: LearningEpoch) => void) | undefined;
  /** Training is over and the proof has begun. */
  readonly onProving?: (() => void) | undefined;
}

/** A head that moves vectors, as the rest of the engine applies it. */
export interface Projection {
  readonly dims: number;
  /** @param vector unit (dims,). @returns unit (dims,). For single photos: about 0.1 ms at 256. */
  project(vector: Float32Array): Float32Array;
}

/** A head that orders what was found, as search applies it. */
export interface Ordering {
  /** joint: what is added to the cosine. @param query unit (dims,) */
  readonly extraScore?: ((query: Float32Array) => (photo: Float32Array) => number) | undefined;
  /** fusion: what each kind of evidence is worth beside looks. */
  readonly worth?: Readonly<Record<'hand' | 'caption' | 'tag' | 'name', number>> | undefined;
}

/** Training in a process of its own; see tune-process.ts. Nothing runs in it unless asked. */
export interface TuneProcess {
  /** @throws AppError cancelled, input-invalid (data that cannot be learnt from), worker-died */
  learn(task: LearningTask, options?: LearningOptions): Promise<LearntHead>;
  /**
   * Trains heads of the lab and judges them; nothing of it is kept.
   * @throws AppError cancelled, worker-died
   */
  lab(
    task: LabTask,
    options?: {
      readonly signal?: AbortSignal | undefined;
      readonly onProgress?: ((progress: LabProgress) => void) | undefined;
    },
  ): Promise<LabRow[]>;
  /**
   * @param rows (n, dims) unit rows; any n, sent in parts. @returns as many unit rows.
   * @throws AppError internal when the parameters don't fit, cancelled, worker-died
   */
  project(
    head: { readonly head: HeadName; readonly dims: number; readonly parameters: HeadParameters },
    rows: Float32Array,
    signal?: AbortSignal,
  ): Promise<Float32Array>;
  /** Ends the process; the next request starts a fresh one. */
  stop(): void;
  close(): Promise<void>;
}
