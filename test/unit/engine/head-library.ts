/** A library of made vectors with everything round it that putting heads into use needs, and heads made by hand. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import Database from 'better-sqlite3';
import { catchUpHead } from '../../../main/engine/derive.ts';
import {
  createHeadSwitch,
  type HeadSwitch,
  type HeadSwitchOptions,
} from '../../../main/engine/head-switch.ts';
import { projectionOf } from '../../../main/engine/learning-rooms.ts';
import { openIndex } from '../../../main/engine/index/open-index.ts';
import type { Embedder } from '../../../main/engine/inference/types.ts';
import { silentLog } from '../../../main/engine/log.ts';
import { createModelKeeper, type ModelKeeper } from '../../../main/engine/model-keeper.ts';
import { openHead } from '../../../main/engine/open-head.ts';
import { headHash } from '../../../main/engine/store/head-hash.ts';
import { openStore } from '../../../main/engine/store/store.ts';
import type { HeadRow, Store } from '../../../main/engine/store/types.ts';
import { createProjection } from '../../../main/engine/tune/projection.ts';
import type { TuneProcess } from '../../../main/engine/tune/types.ts';
import { createTurns, type InTurn } from '../../../main/engine/turns.ts';
import { AppError, type ErrorShape } from '../../../main/errors.ts';
import { seeded, vectorSource } from '../index/vector-library.ts';
import { run } from '../store/learning-fixtures.ts';

export interface Opened {
  readonly store: Store;
  readonly models: ModelKeeper;
  readonly heads: HeadSwitch;
  readonly inTurn: InTurn;
  readonly notices: ErrorShape[];
  /** How often the rest of the engine was told that other vectors are in use. */
  readonly swaps: () => number;
  /** Vectors that went through the process. */
  readonly projected: () => number;
  readonly catchUpHead: (signal?: AbortSignal) => Promise<number>;
  /** Ids and scores of the nearest photos, by what is in use. */
  readonly search: (query: Float32Array, k?: number) => { id: number; score: number }[];
  close(): Promise<void>;
}

export interface OpenParts {
  readonly readOnly?: boolean;
  readonly fingerprint?: string;
  readonly freeBytes?: HeadSwitchOptions['freeBytes'];
  /** Applies heads to many vectors at once. */
  readonly process?: Pick<TuneProcess, 'project'>;
  /** Called with each part of the vectors before it is projected. */
  readonly beforeProject?: (signal: AbortSignal | undefined) => Promise<void> | void;
  /** The image side takes this long to load. */
  readonly imageSide?: Promise<void>;
}

export interface HeadLibrary {
  readonly directory: string;
  readonly dims: number;
  readonly next: () => Float32Array;
  /** Opens store, keeper and head switch; closed with the test at the latest. */
  open(parts?: OpenParts): Opened;
  /** Photos with vectors of the pack, as indexing commits them. @returns ids */
  add(store: Store, vectors: readonly Float32Array[]): number[];
  /** Changes the file behind the store's back; it must be closed. */
  change(sql: string): void;
  /** A run with a linear head. */
  addHead(store: Store, weight: Float32Array, changes?: Partial<HeadRow>): number;
}

/** With this few photos a graph is used, so that its links are, too. */
const exactBelow = 1_000;

/** Opens store, keeper and head switch over a fake pack; heads are applied here unless `parts.process` does it. */
export function openWithHeads(directory: string, dims: number, parts: OpenParts = {}): Opened {
  const readOnly = parts.readOnly ?? false;
  const store = openStore({ directory, now: () => 0, readOnly });
  const embedder = fakeEmbedder(dims, parts.fingerprint ?? 'pack');
  const notices: ErrorShape[] = [];
  const openIndexOf: HeadSwitchOptions['openIndex'] = (modelId, size, linksOf) =>
    openIndex({ store, modelId, dims: size, log: silentLog, exactBelow, linksOf });
  const models = createModelKeeper({
    store,
    log: silentLog,
    defaultPackId: 'starter',
    loadEmbedder: async (_packId, onText) => {
      onText({
        fingerprint: embedder.fingerprint,
        packId: 'starter',
        dims,
        scoring: embedder.scoring,
        embedTexts: (texts) => embedder.embedTexts(texts),
        embedQuery: (text) => embedder.embedQuery(text),
      });
      await parts.imageSide;
      return embedder;
    },
    openIndex: openIndexOf,
    openHead: (runId, base) => openHead({ store, projectionOf }, runId, base),
    onProblem: (error) => void notices.push(error),
    onHeadLost: (error) => void notices.push(error),
  });
  let swaps = 0;
  let projected = 0;
  const process: Pick<TuneProcess, 'project'> = parts.process ?? {
    async project(head, rows, signal) {
      await parts.beforeProject?.(signal);
      if (signal?.aborted === true) throw new AppError('cancelled', 'Cancelled.');
      const projection = createProjection(head.head, head.dims, head.parameters);
      const out = new Float32Array(rows.length);
      for (let at = 0; at < rows.length; at += dims)
        out.set(projection.project(rows.subarray(at, at + dims)), at);
      projected += rows.length / dims;
      return out;
    },
  };
  const inTurn = createTurns();
  const options: HeadSwitchOptions = {
    store,
    models,
    process,
    projectionOf,
    openIndex: openIndexOf,
    inTurn,
    log: silentLog,
    now: () => performance.now(),
    onSwapped: () => (swaps += 1),
    freeBytes: parts.freeBytes,
  };
  let closed = false;
  const opened: Opened = {
    store,
    models,
    heads: createHeadSwitch(options),
    inTurn,
    notices,
    swaps: () => swaps,
    projected: () => projected,
    catchUpHead: async (signal) => catchUpHead(options, await models.ready(), signal),
    search: (query, k = 10) => [...models.index()!.search(query, { k }).neighbours],
    async close() {
      if (closed) return;
      closed = true;
      await models.close();
      store.close();
    },
  };
  return opened;
}

/** @param parent folder in which the library's own is made. */
export function headLibrary(t: TestContext, photos: number, dims = 16, parent = tmpdir()): HeadLibrary {
  const directory = mkdtempSync(join(parent, 'afterimage-heads-'));
  const closing: (() => Promise<void>)[] = [];
  t.after(async () => {
    for (const close of closing) await close();
    rmSync(directory, { recursive: true, force: true });
  });
  const next = vectorSource(dims, 3);
  let files = 0;

  const place: HeadLibrary = {
    directory,
    dims,
    next,
    open(parts = {}) {
      const opened = openWithHeads(directory, dims, parts);
      closing.push(() => opened.close());
      return opened;
    },
    add(store, vectors) {
      const rootId = store.roots.list()[0]?.id ?? store.roots.add('/photos', 0).id;
      const modelId = store.embeddings.model('pack', 'starter', dims);
      const seen = vectors.map(() => ({ relPath: `${++files}.jpg`, bytes: 1, mtimeMs: 1 }));
      const ids = store.photos.add(rootId, seen);
      store.photos.commit(
        modelId,
        ids.map((photoId, i) => indexed(photoId, vectors[i]!)),
        [],
      );
      return ids;
    },
    change(sql) {
      const raw = new Database(join(directory, 'library.db'));
      raw.exec(sql);
      raw.close();
    },
    addHead(store, weight, changes = {}) {
      const runId = store.runs.add('pack', run({ dims })).id;
      const head = {
        runId,
        head: 'linear' as const,
        fingerprint: 'pack',
        dims,
        parameters: { weight: { shape: [dims, dims], values: weight } },
        ...changes,
      };
      store.runs.setHead({ hash: headHash(head), ...head });
      return runId;
    },
  };
  const store = openStore({ directory, now: () => 0 });
  place.add(store, Array.from({ length: photos }, next));
  store.embeddings.setActiveModel(store.embeddings.model('pack', 'starter', dims));
  store.close();
  return place;
}

/** As indexing commits a photo; another hash when its bytes are others. */
export function indexed(photoId: number, vector: Float32Array, version = 0) {
  const nothing = { camera: null, lens: null, exposureSeconds: null, fNumber: null, iso: null };
  return {
    photoId,
    hash: `${photoId}-${version}`.padStart(32, '0'),
    stat: { bytes: 1, mtimeMs: 1 + version },
    metadata: {
      ...nothing,
      width: 4,
      height: 3,
      format: 'jpeg',
      takenAt: photoId,
      focalLengthMm: null,
      latitude: null,
      longitude: null,
    },
    vector,
    thumbnail: null,
  };
}

/** The identity with some noise: `amount` 0 changes nothing, 0.3 moves neighbours a little, 5 mixes everything up. */
export function noisyIdentity(dims: number, amount: number, seed = 1): Float32Array {
  const random = seeded(seed);
  return Float32Array.from(
    { length: dims * dims },
    (_, i) => (i % (dims + 1) === 0 ? 1 : 0) + (amount * (random() - 0.5) * 2) / Math.sqrt(dims),
  );
}

/** Embeds a picture to the direction of its first pixel values, a text to a direction of its letters. */
function fakeEmbedder(dims: number, fingerprint: string): Embedder & { closed: boolean } {
  const toUnit = (values: ArrayLike<number>): Float32Array => {
    const vector = Float32Array.from({ length: dims }, (_, i) => (values[i] ?? 0) + 1);
    const length = Math.hypot(...vector);
    return vector.map((value) => value / length);
  };
  const embedText = (text: string): Float32Array => toUnit(Array.from(text, (c) => c.charCodeAt(0) - 96));
  const embedder: Embedder & { closed: boolean } = {
    closed: false,
    fingerprint,
    packId: 'starter',
    dims,
    scoring: {
      kind: 'softmax',
      logitScale: 10,
      logitBias: 1,
      promptTemplates: ['{}'],
      queryTemplates: ['{}'],
      background: { mean: 0.1, std: 0.1 },
      matching: { mean: 0.4, std: 0.1 },
    },
    imageSpec: {
      resize: { width: 2, height: 2 },
      crop: null,
      resample: 3,
      rescale: 1 / 255,
      mean: [0.5, 0.5, 0.5],
      std: [0.5, 0.5, 0.5],
    },
    batchSize: 8,
    provider: 'cpu',
    selfTest: { at: 0, passed: true, provider: 'cpu', minCosine: null, messages: [] },
    embedTexts: (texts) => Promise.resolve(texts.map(embedText)),
    embedQuery: (text) => Promise.resolve(embedText(text)),
    embedImages: (images) => Promise.resolve(images.map(({ pixels }) => toUnit(pixels))),
    patches: {
      rows: 1,
      columns: 2,
      embed({ pixels }) {
        const cells = new Float32Array(2 * dims);
        cells.set(
          toUnit(pixels).map((value) => value * 3),
          0,
        );
        return Promise.resolve(cells);
      },
    },
    close() {
      embedder.closed = true;
      return Promise.resolve();
    },
  };
  return embedder;
}
