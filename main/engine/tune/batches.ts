/** Batches for training a head: which pairs each epoch takes, and what a step is fed for them. */
import { drawnOrder, randomOf } from './seeded.ts';
import type { TrainingPairs } from './train-head.ts';

export interface BatchPlan {
  /** Own pairs first, those that are only kept from being forgotten after them. */
  readonly pairs: TrainingPairs;
  /** Rows of a batch, and how many of them are own pairs. */
  readonly batch: number;
  readonly own: number;
  readonly stepsPerEpoch: number;
  /** Rows of each batch of an epoch, from 1: own ones first. The same for the same seed, whatever ran before. */
  rowsOf(seed: number, epoch: number): number[][];
}

/** Added to the logits of pairs that are no true negatives, and of hard negatives that are absent. */
const excluded = -1e4;

/** @param replay about half of each batch comes from here where there are any. */
export function planBatches(own: TrainingPairs, replay: TrainingPairs | undefined, batch: number): BatchPlan {
  const [ownCount, replayCount] = [own.weights.length, replay?.weights.length ?? 0];
  const size = Math.min(batch, ownCount + Math.min(ownCount, replayCount));
  const replayed = Math.min(Math.floor(size / 2), replayCount);
  const ownPart = Math.min(size - replayed, ownCount);
  const stepsPerEpoch = Math.max(1, Math.floor(ownCount / ownPart));
  return {
    pairs: replay === undefined || replayCount === 0 ? own : joined(own, replay),
    batch: ownPart + replayed,
    own: ownPart,
    stepsPerEpoch,
    rowsOf(seed, epoch) {
      const order = drawnOrder(ownCount, randomOf(seed, 'order', epoch));
      const again = drawnOrder(replayCount, randomOf(seed, 'replay', epoch));
      return Array.from({ length: stepsPerEpoch }, (_, step) => [
        ...order.subarray(step * ownPart, (step + 1) * ownPart),
        ...Array.from(
          { length: replayed },
          (_unused, i) => ownCount + (again[(step * replayed + i) % replayCount] ?? 0),
        ),
      ]);
    },
  };
}

/** Whether any two pairs are no true negatives of each other. */
export function hasAlike({ groups, wordings }: TrainingPairs): boolean {
  return [groups, wordings].some((alike) => alike !== undefined && new Set(alike).size < alike.length);
}

/**
 * @param own how many of the rows are own pairs; the others are weighted so that, on average, they count as much.
 * @returns images and texts (rows, dims), weights (rows,), mask (rows, rows), hard images (rows * each, dims) and hard
 *   mask (rows, each).
 */
export function batchFeeds(
  pairs: TrainingPairs,
  rows: readonly number[],
  { own = rows.length, masked, each }: { own?: number; masked: boolean; each: number },
): Record<string, Float32Array> {
  const { dims } = pairs;
  const feeds: Record<string, Float32Array> = {
    images: takeRows(pairs.images, rows, dims),
    texts: takeRows(pairs.texts, rows, dims),
    weights: balanced(
      Float32Array.from(rows, (row) => pairs.weights[row] ?? 0),
      own,
    ),
  };
  if (masked) feeds['mask'] = maskOf([pairs.groups, pairs.wordings], rows);
  if (each > 0) {
    const { hard } = pairs;
    feeds['hard images'] =
      hard === undefined
        ? new Float32Array(rows.length * each * dims)
        : takeRows(hard.images, rows, each * dims);
    feeds['hard mask'] = Float32Array.from({ length: rows.length * each }, (_, i) =>
      hard?.present[(rows[Math.floor(i / each)] ?? 0) * each + (i % each)] === 1 ? 0 : excluded,
    );
  }
  return feeds;
}

/** Some of the pairs, in this order. */
export function takePairs(pairs: TrainingPairs, rows: readonly number[]): TrainingPairs {
  const { images, texts, dims, weights, groups, wordings, hard } = pairs;
  return {
    images: takeRows(images, rows, dims),
    texts: takeRows(texts, rows, dims),
    dims,
    weights: Float32Array.from(rows, (row) => weights[row] ?? 0),
    groups: Int32Array.from(rows, (row) => groups[row] ?? row),
    ...(wordings === undefined ? {} : { wordings: Int32Array.from(rows, (row) => wordings[row] ?? row) }),
    ...(hard === undefined
      ? {}
      : {
          hard: {
            each: hard.each,
            images: takeRows(hard.images, rows, hard.each * dims),
            present: Uint8Array.from(
              rows.flatMap((row) => [...hard.present.subarray(row * hard.each, (row + 1) * hard.each)]),
            ),
          },
        }),
  };
}

/** Rows of a matrix (any, width), in this order. */
function takeRows(matrix: Float32Array, rows: readonly number[], width: number): Float32Array {
  const taken = new Float32Array(rows.length * width);
  rows.forEach((row, i) => {
    taken.set(matrix.subarray(row * width, (row + 1) * width), i * width);
  });
  return taken;
}

function balanced(weights: Float32Array, own: number): Float32Array {
  if (own === weights.length) return weights;
  const mean = (part: Float32Array): number => part.reduce((a, b) => a + b, 0) / part.length;
  const factor = mean(weights.subarray(0, own)) / mean(weights.subarray(own));
  if (Number.isFinite(factor))
    for (let i = own; i < weights.length; i++) weights[i] = factor * (weights[i] ?? 0);
  return weights;
}

/** Only rows that share a group or a wording are visited: a batch of 1,024 has a million pairs. */
function maskOf(alike: readonly (Int32Array | undefined)[], rows: readonly number[]): Float32Array {
  const mask = new Float32Array(rows.length ** 2);
  for (const numbers of alike) {
    if (numbers === undefined) continue;
    const members = new Map<number, number[]>();
    rows.forEach((row, i) => {
      const number = numbers[row] ?? -1;
      const list = members.get(number);
      if (list === undefined) members.set(number, [i]);
      else list.push(i);
    });
    for (const list of members.values())
      for (const a of list) for (const b of list) if (a !== b) mask[a * rows.length + b] = excluded;
  }
  return mask;
}

/** Pairs of one numbering behind each other. */
export function appendPairs(first: TrainingPairs, second: TrainingPairs): TrainingPairs {
  const both = (a: Float32Array, b: Float32Array): Float32Array => {
    const whole = new Float32Array(a.length + b.length);
    whole.set(a);
    whole.set(b, a.length);
    return whole;
  };
  const each = first.hard?.each ?? 0;
  const wordings = [first, second].map(
    (pairs) => pairs.wordings ?? Int32Array.from({ length: pairs.weights.length }, (_, i) => i),
  );
  return {
    images: both(first.images, second.images),
    texts: both(first.texts, second.texts),
    dims: first.dims,
    weights: both(first.weights, second.weights),
    groups: Int32Array.from([...first.groups, ...second.groups]),
    ...(first.wordings === undefined && second.wordings === undefined
      ? {}
      : { wordings: Int32Array.from(wordings.flatMap((numbers) => [...numbers])) }),
    ...(first.hard === undefined
      ? {}
      : {
          hard: {
            each,
            images: both(
              first.hard.images,
              second.hard?.images ?? new Float32Array(second.images.length * each),
            ),
            present: Uint8Array.from([
              ...first.hard.present,
              ...(second.hard?.present ?? new Uint8Array(second.weights.length * each)),
            ]),
          },
        }),
  };
}

/** One set of pairs, whose groups and wordings stay apart, but for the very same words. */
function joined(own: TrainingPairs, replay: TrainingPairs): TrainingPairs {
  const ownWordings = own.wordings ?? Int32Array.from({ length: own.weights.length }, (_, i) => i);
  const known = new Map(Array.from(ownWordings, (wording, row) => [wordsOf(own, row), wording]));
  const free = (numbers: Int32Array): number => numbers.reduce((a, b) => Math.max(a, b), -1) + 1;
  const [firstGroup, firstWording] = [free(own.groups), free(ownWordings)];
  return appendPairs(
    { ...own, wordings: ownWordings },
    {
      ...replay,
      groups: replay.groups.map((group) => firstGroup + group),
      wordings: replay.groups.map(
        (_, row) => known.get(wordsOf(replay, row)) ?? firstWording + (replay.wordings?.[row] ?? row),
      ),
      hard: undefined,
    },
  );
}

/** The bytes of a text's vector: equal for equal words. */
function wordsOf({ texts, dims }: TrainingPairs, row: number): string {
  const { buffer, byteOffset } = texts;
  return Buffer.from(buffer, byteOffset + row * dims * 4, dims * 4).toString('latin1');
}
