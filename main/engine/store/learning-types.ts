/** What the store keeps of learning: thumbs, past queries, taught names, runs and the heads that they made. */
import type { ErrorShape } from '../../errors.ts';
import type { HeadName, TuneRun, Vote } from '../../contract.ts';

export interface FeedbackRow {
  readonly photoId: number;
  /** As it was typed last. */
  readonly text: string;
  readonly vote: Vote;
  readonly at: number;
}

/**
 * One thumb per photo and query; queries are compared folded and with spaces put together. Thumbs belong to a photo's
 * bytes, as captions do: copies share them, and they are there again when a file comes back or is edited.
 */
export interface FeedbackTable {
  /** Null takes it back. @throws AppError not-found, input-invalid without words */
  set(photoId: number, text: string, vote: Vote | null, at: number): void;
  of(text: string, photoIds: readonly number[]): ReadonlyMap<number, Vote>;
  counts(): { up: number; down: number };
  /** Newest first; one indexed photo for each thumb, those without one left out. */
  list(options: { offset: number; limit: number }): FeedbackRow[];
  clear(): void;
}

export interface PastQueryTable {
  /** The 500 latest are kept. */
  remember(text: string, at: number): void;
  list(limit: number): { text: string; at: number; times: number }[];
  forget(text?: string): void;
}

export interface NameRow {
  readonly id: number;
  readonly name: string;
  readonly kind: string | null;
  /** Photos that carry it now. */
  readonly photos: number;
  readonly createdAt: number;
}

/** Taught names. Photos carry them by their bytes, as captions and albums. Changes count up `words.generation()`. */
export interface NameTable {
  list(): NameRow[];
  get(id: number): NameRow | undefined;
  /** By its folded name. */
  find(name: string): NameRow | undefined;
  /** @throws AppError input-invalid when the name is taken */
  add(name: { name: string; kind: string | null; createdAt: number }): NameRow;
  /** @throws AppError not-found, input-invalid when the name is taken */
  update(id: number, change: { name?: string | undefined; kind?: string | null | undefined }): NameRow;
  remove(id: number): void;
  /** @throws AppError not-found */
  put(id: number, photoIds: readonly number[]): void;
  take(id: number, photoIds: readonly number[]): void;
  /** Ids of indexed photos, ascending; copies of the same bytes once each. */
  photos(id: number): number[];
  ofPhoto(photoId: number): NameRow[];
}

/** What a run is besides its head: the contract's run without its id, kept as JSON. */
export type RunRecord = Omit<TuneRun, 'id'>;

export interface RunRow extends RunRecord {
  readonly id: number;
  /** Of the pack that it was trained over. */
  readonly fingerprint: string;
}

/** A head as it is stored: numbers by name, and all that must fit for it to be applied. */
export interface HeadRow {
  readonly runId: number;
  readonly head: HeadName;
  /** Of the pack (or, for heads that only order, of the model) that it was trained over. */
  readonly fingerprint: string;
  readonly dims: number;
  /** SHA-256 over kind, dims and parameters, hex. */
  readonly hash: string;
  readonly parameters: Readonly<
    Record<string, { readonly shape: readonly number[]; readonly values: Float32Array }>
  >;
}

export interface RunTable {
  /** Newest first. */
  list(): RunRow[];
  get(id: number): RunRow | undefined;
  add(fingerprint: string, run: RunRecord): RunRow;
  /** @throws AppError not-found */
  update(id: number, change: Partial<RunRecord>): RunRow;
  /** With its head and its checkpoint. A model that its head made must be dropped first. */
  remove(id: number): void;
  /** What a run needs to go on: opaque bytes, replaced each time, gone when `null`. */
  setCheckpoint(id: number, bytes: Uint8Array | null): void;
  checkpoint(id: number): Uint8Array | undefined;
  setHead(head: HeadRow): void;
  head(runId: number): HeadRow | undefined;
  /** The run whose head orders what is found (joint, fusion); null for none. Heads that move vectors are models. */
  ordering(): number | null;
  setOrdering(runId: number | null): void;
  /** Runs that say they are running although nobody runs them: a process ended. @returns how many became interrupted. */
  interruptRunning(error: ErrorShape, at: number): number;
}
