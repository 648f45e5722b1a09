/** Every photo kept aside with every caption kept aside: how well a trained head tells them apart, and by what. */
import type { Retrieval } from '../../../contract.ts';
import { AppError } from '../../../errors.ts';
import { bothWays, createRankCounter } from '../evaluate.ts';
import { drawnOrder, randomOf } from '../seeded.ts';
import type { LabJudge } from './train-lab-head.ts';
import type { LabPairs } from './tokens.ts';

export interface Judgement {
  /** Photos kept aside. */
  readonly count: number;
  /** (count, count) cosines: row photo, column caption. */
  readonly cosines: Float32Array;
  readonly retrieval: Retrieval;
  /** Share of photos whose own caption beats four drawn ones. */
  readonly bestOfFive: number;
  /** Mean cross-entropy over blocks of as many photos as training had. */
  readonly heldOutLoss: number;
  /** Mean cosine of right pairs and of wrong ones. */
  readonly matched: number;
  readonly mismatched: number;
  /** Standard deviation of a photo's cosines over the captions, mean over photos. */
  readonly spread: number;
  /** Of the variance of what the head makes of photos (captions), the share that the photo (caption) itself explains. */
  readonly own: { readonly image: number; readonly text: number };
  /** R@1 when, as in the study's training, the halves of right pairs are compared across pairs. */
  readonly shortcut: number;
}

interface JudgingOptions {
  /** Photos and captions that the judge takes at once. */
  readonly block: number;
  /** Photos that compete in the loss, as in training. */
  readonly batch: number;
  /** Draws the four captions that each own one is set beside. */
  readonly seed: number;
  readonly signal?: AbortSignal | undefined;
}

/** @throws AppError cancelled */
export async function judgeHead(
  judge: LabJudge,
  { photos, captions }: LabPairs,
  { block, batch, seed, signal }: JudgingOptions,
): Promise<Judgement> {
  const count = photos.length;
  const cosines = new Float32Array(count * count);
  const sides = { images: sideSums(count), texts: sideSums(count) };
  // The last block is filled up with the last photo; what it says twice is left out.
  const at = (from: number, rows: readonly number[]): number[] =>
    Array.from({ length: block }, (_, i) => rows[Math.min(count - 1, from + i)] ?? 0);
  for (let row = 0; row < count; row += block)
    for (let column = 0; column < count; column += block) {
      if (signal?.aborted === true) throw new AppError('cancelled', 'The lab was stopped.');
      const found = await judge.block({ photos: at(row, photos), captions: at(column, captions) });
      const width = found.images.length / block ** 2;
      for (let i = 0; i < block && row + i < count; i++)
        for (let j = 0; j < block && column + j < count; j++) {
          const place = i * block + j;
          cosines[(row + i) * count + column + j] = found.cosines[place] ?? 0;
          const of = (values: Float32Array): Float32Array =>
            values.subarray(place * width, (place + 1) * width);
          sides.images.add(row + i, column + j, of(found.images));
          sides.texts.add(row + i, column + j, of(found.texts));
        }
      await new Promise(setImmediate);
    }
  const ranked = retrievalOf(cosines, count);
  return {
    count,
    cosines,
    retrieval: ranked,
    bestOfFive: shareOfBest(cosines, count, randomOf(seed, 'sample')),
    heldOutLoss: lossOf(cosines, count, Math.min(batch, count), judge.scale),
    ...spreadOf(cosines, count),
    own: { image: sides.images.shares().photo, text: sides.texts.shares().caption },
    shortcut: retrievalOf(crossCosines(sides.images.right, sides.texts.right, count), count).r1,
  };
}

function retrievalOf(cosines: Float32Array, count: number): Retrieval {
  const counter = createRankCounter(count);
  const rows = Array.from({ length: count }, (_, row) => row);
  return bothWays({
    textToImage: Int32Array.from(rows, (row) =>
      counter.ofText(
        row,
        Float32Array.from(rows, (photo) => cosines[photo * count + row] ?? 0),
      ),
    ),
    imageToText: Int32Array.from(rows, (row) =>
      counter.ofImage(row, cosines.subarray(row * count, (row + 1) * count)),
    ),
  });
}

/** Captions that each own one is set beside. */
const rivals = 4;

/** A tie with the right caption is a miss: a head to which all captions are one has not found any. */
function shareOfBest(cosines: Float32Array, count: number, random: () => number): number {
  let best = 0;
  for (let row = 0; row < count; row++) {
    const own = cosines[row * count + row] ?? 0;
    const others = [...drawnOrder(count, random)].filter((other) => other !== row).slice(0, rivals);
    if (others.every((other) => (cosines[row * count + other] ?? 0) < own)) best++;
  }
  return best / count;
}

function lossOf(cosines: Float32Array, count: number, batch: number, scale: number): number {
  let sum = 0;
  let rows = 0;
  for (let from = 0; from + batch <= count; from += batch)
    for (let i = from; i < from + batch; i++) {
      const right = cosines[i * count + i] ?? 0;
      let alongRow = 0;
      let alongColumn = 0;
      for (let j = from; j < from + batch; j++) {
        alongRow += Math.exp(scale * ((cosines[i * count + j] ?? 0) - right));
        alongColumn += Math.exp(scale * ((cosines[j * count + i] ?? 0) - right));
      }
      sum += (Math.log(alongRow) + Math.log(alongColumn)) / 2;
      rows++;
    }
  return sum / Math.max(1, rows);
}

function spreadOf(
  cosines: Float32Array,
  count: number,
): Pick<Judgement, 'matched' | 'mismatched' | 'spread'> {
  let [matched, all, spread] = [0, 0, 0];
  for (let row = 0; row < count; row++) {
    const here = cosines.subarray(row * count, (row + 1) * count);
    const mean = here.reduce((sum, value) => sum + value, 0) / count;
    const variance = here.reduce((sum, value) => sum + (value - mean) ** 2, 0) / count;
    matched += (here[row] ?? 0) / count;
    all += mean * count;
    spread += Math.sqrt(variance) / count;
  }
  return { matched, mismatched: (all - matched * count) / Math.max(1, count * (count - 1)), spread };
}

const none = new Float32Array(0);
const dot = (a: Float32Array, b: Float32Array): number =>
  a.reduce((sum, value, i) => sum + value * (b[i] ?? 0), 0);

/** (count, count) dot products of rows of two matrices (count, width). */
function crossCosines(a: Float32Array[], b: Float32Array[], count: number): Float32Array {
  const found = new Float32Array(count * count);
  for (let i = 0; i < count; i++)
    for (let j = 0; j < count; j++) found[i * count + j] = dot(a[i] ?? none, b[j] ?? none);
  return found;
}

/**
 * Gathers one side's features of all pairs (i, j) and splits their variance as a two-way analysis of variance does: into
 * what the photo i explains by itself, what the caption j does, and the rest, which needs both.
 */
function sideSums(count: number): {
  readonly right: Float32Array[];
  add(photo: number, caption: number, feature: Float32Array): void;
  shares(): { readonly photo: number; readonly caption: number };
} {
  const byPhoto: Float64Array[] = [];
  const byCaption: Float64Array[] = [];
  const right: Float32Array[] = [];
  let squares = 0;
  const addTo = (sums: Float64Array[], place: number, feature: Float32Array): void => {
    const sum = (sums[place] ??= new Float64Array(feature.length));
    for (let k = 0; k < feature.length; k++) sum[k] = (sum[k] ?? 0) + (feature[k] ?? 0);
  };
  const length = (sum: Float64Array): number => sum.reduce((total, value) => total + value * value, 0);
  return {
    right,
    add(photo, caption, feature) {
      addTo(byPhoto, photo, feature);
      addTo(byCaption, caption, feature);
      if (photo === caption) right[photo] = feature.slice();
      for (const value of feature) squares += value * value;
    },
    shares() {
      const whole = new Float64Array(byPhoto[0]?.length ?? 0);
      for (const sum of byPhoto) sum.forEach((value, k) => (whole[k] = (whole[k] ?? 0) + value));
      const centre = length(whole) / count ** 2;
      const total = squares - centre;
      const explained = (sums: readonly Float64Array[]): number =>
        total <= 1e-9 * squares
          ? 0
          : (sums.reduce((all, sum) => all + length(sum), 0) / count - centre) / total;
      return { photo: explained(byPhoto), caption: explained(byCaption) };
    },
  };
}
