/** Part of tuning-quality: pairs of the data's photos and words, and what heads learn from them. */
import { settle } from '../../main/engine/tune-record.ts';
import { createHead } from '../../main/engine/tune/heads.ts';
import { bothWays, rankPairs, type Retrieval } from '../../main/engine/tune/evaluate.ts';
import { learn } from '../../main/engine/tune/learn.ts';
import { createProjection } from '../../main/engine/tune/projection.ts';
import { normalOf, randomOf } from '../../main/engine/tune/seeded.ts';
import { trainHead, type TrainingPairs } from '../../main/engine/tune/train-head.ts';
import type { GatheredPairs, LearntHead } from '../../main/engine/tune/types.ts';
import type { HeadName } from '../../main/contract.ts';
import { seeded } from './photos.ts';
import type { DataRow } from './starter-data.ts';

/** One text of one photo. */
export interface Said {
  /** Place of the photo among the data's rows. */
  readonly row: number;
  readonly text: string;
}

/** What the data says of each photo: a caption where it has one, else its label. */
export function saidOf(rows: readonly DataRow[], which: (row: DataRow) => boolean): Said[] {
  return rows.flatMap((each, row) => {
    const text = each.captions?.[0] ?? each.label;
    return text === undefined || !which(each) ? [] : [{ row, text }];
  });
}

/** Embeds what is said. @param texts unit vectors by text */
export function pairsOf(
  said: readonly Said[],
  photos: Float32Array,
  texts: ReadonlyMap<string, Float32Array>,
  dims: number,
): TrainingPairs {
  const wordings = new Map([...new Set(said.map(({ text }) => text))].map((text, i) => [text, i]));
  const images = new Float32Array(said.length * dims);
  const words = new Float32Array(said.length * dims);
  for (const [i, { row, text }] of said.entries()) {
    images.set(photos.subarray(row * dims, (row + 1) * dims), i * dims);
    words.set(texts.get(text) ?? new Float32Array(dims), i * dims);
  }
  return {
    images,
    texts: words,
    dims,
    weights: new Float32Array(said.length).fill(1),
    groups: Int32Array.from(said, ({ row }) => row),
    wordings: Int32Array.from(said, ({ text }) => wordings.get(text) ?? 0),
  };
}

export function judge(pairs: TrainingPairs, project?: (vector: Float32Array) => Float32Array): Retrieval {
  const images = pairs.images.slice();
  if (project !== undefined)
    for (let from = 0; from < images.length; from += pairs.dims)
      images.set(project(images.slice(from, from + pairs.dims)), from);
  return bothWays(rankPairs({ ...pairs, images }, pairs.groups, pairs.wordings));
}

/** (dims, dims) orthogonal, drawn evenly: Gram and Schmidt over normal numbers. */
export function randomRotation(dims: number, seed: number): Float32Array {
  const normal = normalOf(seeded(seed));
  const rows = Array.from({ length: dims }, () => Float64Array.from({ length: dims }, normal));
  for (const [at, row] of rows.entries()) {
    for (const other of rows.slice(0, at)) {
      const along = row.reduce((sum, value, d) => sum + value * (other[d] ?? 0), 0);
      row.forEach((value, d) => (row[d] = value - along * (other[d] ?? 0)));
    }
    const length = Math.hypot(...row);
    row.forEach((value, d) => (row[d] = value / length));
  }
  return Float32Array.from(rows.flatMap((row) => [...row]));
}

export function rotate(vectors: Float32Array, rotation: Float32Array, dims: number): Float32Array {
  const rotated = new Float32Array(vectors.length);
  for (let from = 0; from < vectors.length; from += dims)
    for (let k = 0; k < dims; k += 1) {
      const value = vectors[from + k] ?? 0;
      for (let d = 0; d < dims; d += 1)
        rotated[from + d] = (rotated[from + d] ?? 0) + value * (rotation[k * dims + d] ?? 0);
    }
  return rotated;
}

export interface RotationSettings {
  readonly epochs: number;
  readonly batch: number;
  readonly learningRate: number;
  readonly threads: number;
}

/** (a): the linear head learns back a hidden rotation of the photos. */
export async function learnRotation(
  train: TrainingPairs,
  heldOut: TrainingPairs,
  val: TrainingPairs,
  settings: RotationSettings,
): Promise<{ unrotated: Retrieval; rotated: Retrieval; learnt: Retrieval; epochs: number; seconds: number }> {
  const rotation = randomRotation(train.dims, 41);
  const turned = (pairs: TrainingPairs): TrainingPairs => ({
    ...pairs,
    images: rotate(pairs.images, rotation, pairs.dims),
  });
  const startedAt = performance.now();
  const head = createHead('linear', { dims: train.dims, normal: normalOf(randomOf(1, 'start')) });
  const trained = await trainHead({
    head,
    loss: 'infonce',
    train: turned(train),
    heldOut: turned(heldOut),
    seed: 1,
    patience: settings.epochs,
    ...settings,
  });
  const weight = {
    shape: [train.dims, train.dims],
    values: trained.parameters['weight'] ?? new Float32Array(0),
  };
  const projection = createProjection('linear', train.dims, { weight });
  return {
    unrotated: judge(val),
    rotated: judge(turned(val)),
    learnt: judge(turned(val), (vector) => projection.project(vector)),
    epochs: trained.epochs.length,
    seconds: (performance.now() - startedAt) / 1_000,
  };
}

export interface Lesson {
  readonly head: HeadName;
  readonly seed: number;
  readonly threads: number;
}

/** One run as the app makes it, with the app's own settings: split by photo, trained, proved, accepted or not. */
export async function prove(
  pairs: TrainingPairs,
  replay: TrainingPairs,
  generic: TrainingPairs,
  { head, seed, threads }: Lesson,
): Promise<LearntHead> {
  const gathered: GatheredPairs = {
    pairs,
    kin: pairs.groups,
    sources: Array.from(pairs.weights, () => 'captions' as const),
    replay,
    generic: { ...generic, name: 'general' },
    evidence: [],
    dataHash: '',
  };
  const settings = settle({ head, loss: 'infonce', epochs: 20, seed }, pairs.weights.length, ['captions']);
  return learn({ settings, gathered, dims: pairs.dims, threads });
}
