/** Where in a photo a text is: by the pack's patch embeddings, else by covering parts of the picture. */
import type { Why } from '../../contract.ts';
import { AppError } from '../../errors.ts';
import { resizedSize } from '../inference/preprocess.ts';
import { cosine } from '../inference/unit-vectors.ts';
import type { DecodedPhoto, Embedder, ImageSpec } from '../inference/types.ts';
import type { Thresholds } from './calibrate.ts';

export interface HeatOptions {
  /** Unit vector (dims,) of the words. */
  readonly text: Float32Array;
  /** Of the query over the library. */
  readonly thresholds: Thresholds;
  /** Cosine of the whole photo with the words: how far it shows them at all. */
  readonly score: number;
  readonly embedder: Pick<Embedder, 'patches' | 'embedImages' | 'imageSpec' | 'batchSize'>;
  readonly signal: AbortSignal | undefined;
}

type Heat = NonNullable<Why['heat']>;

/** @throws AppError worker-died, pack-invalid, cancelled */
export async function heatOf(photo: DecodedPhoto, options: HeatOptions): Promise<Heat> {
  const { patches, imageSpec } = options.embedder;
  const picture = { pixels: photo.pixels, width: photo.pixelWidth, height: photo.pixelHeight };
  const window = seenWindow(photo.metadata, imageSpec);
  const cells = patches === undefined ? undefined : await patches.embed(picture).catch(unlessUnfit);
  options.signal?.throwIfAborted();
  if (patches !== undefined && cells !== undefined) {
    const { rows, columns } = patches;
    return { method: 'patches', rows, columns, values: patchHeat(cells, rows * columns, options), window };
  }
  return {
    method: 'occlusion',
    rows: occlusionSteps,
    columns: occlusionSteps,
    values: await byOcclusion(picture, options),
    window,
  };
}

/** The part of an upright photo that is left after the resize and crop of the preprocessing, in fractions of it. */
export function seenWindow(upright: { width: number; height: number }, spec: ImageSpec): Heat['window'] {
  const size = resizedSize(upright, spec);
  const crop = spec.crop ?? size;
  return {
    left: Math.floor((size.width - crop.width) / 2) / size.width,
    top: Math.floor((size.height - crop.height) / 2) / size.height,
    width: crop.width / size.width,
    height: crop.height / size.height,
  };
}

interface Picture {
  /** (height, width, 3) uint8 RGB. */
  readonly pixels: Uint8Array;
  readonly width: number;
  readonly height: number;
}

/**
 * In a photo that doesn't show the query a part is hot from the cosine on at which a whole photo would be likely, and
 * as hot as can be from this share of the way between background and strong above it: it stays cold, which stretching
 * its own lowest and highest to 0 and 1 would not do. Measured with the starter pack on 373 mosaics of four validation
 * photos each: the warmest quarter is the right one in 80 % (chance: 25 %).
 */
const fullHeat = 0.4;
/** In one that is likely or better its warmest part is fully hot, and what is little above its own mean is cold. */
const ownCold = 0.2;
/** Yet heat never grows from cold to full within less than this share of the way between background and strong. */
const leastSpan = 0.15;

/** @param cells (count, dims) float32. */
function patchHeat(cells: Float32Array, count: number, { text, thresholds, score }: HeatOptions): number[] {
  const cosines = Array.from({ length: count }, (_, cell) =>
    cosine(cells.subarray(cell * text.length, (cell + 1) * text.length), text),
  );
  const numbers = cosines.filter(Number.isFinite);
  const strict = heatRange(thresholds);
  const most = Math.max(...numbers, strict.background);
  const mean = numbers.reduce((sum, value) => sum + value, 0) / Math.max(1, numbers.length);
  const own = {
    from: Math.min(strict.from, mean + ownCold * (most - mean)),
    to: Math.min(strict.to, most),
  };
  // Half of the way to likely it is still doubtful that the photo shows the query anywhere.
  const doubtful = (strict.background + strict.from) / 2;
  const shown = clamp((score - doubtful) / (strict.from - doubtful));
  const from = strict.from + shown * (own.from - strict.from);
  const to = Math.max(
    strict.to + shown * (own.to - strict.to),
    from + (leastSpan / fullHeat) * (strict.to - strict.from),
  );
  return cosines.map((value) => clamp((value - from) / (to - from)));
}

/** A pack may promise parts that its model doesn't give; it can still be asked with parts covered. */
function unlessUnfit(thrown: unknown): undefined {
  if (thrown instanceof AppError && thrown.code === 'pack-invalid') return undefined;
  throw thrown;
}

/** @returns cosines where heat begins and where it is full; finite whatever the thresholds are. */
function heatRange({ likelyAt, strongAt, background }: Thresholds): {
  from: number;
  to: number;
  background: number;
} {
  const from = Number.isFinite(likelyAt) ? likelyAt : background.mean + 2 * background.std;
  const strong = Number.isFinite(strongAt) ? strongAt : background.mean + 2.5 * background.std;
  return {
    from,
    to: from + Math.max(fullHeat * (strong - background.mean), 1e-4),
    background: background.mean,
  };
}

/** A grid fine enough to point with, at 49 runs of the image side. */
const occlusionSteps = 7;
/** Side of the cover in steps: an object that it hides in part still shows, so covers overlap (Zeiler and Fergus 2014). */
const coverSteps = 2.5;
/** Share of the way from background to strong that the cosine loses by any cover, and that counts as all of it. */
const loss = { usual: 0.1, full: 0.7 };

async function byOcclusion(
  picture: Picture,
  { text, thresholds: { strongAt, background }, embedder, signal }: HeatOptions,
): Promise<number[]> {
  const covered = Array.from({ length: occlusionSteps ** 2 }, (_, i) =>
    cover(picture, i % occlusionSteps, Math.floor(i / occlusionSteps)),
  );
  const scores: number[] = [];
  for (let start = 0; start <= covered.length; start += embedder.batchSize) {
    // One batch at a time, so that giving up frees the model soon.
    const batch = [picture, ...covered].slice(start, start + embedder.batchSize);
    for (const vector of await embedder.embedImages(batch)) scores.push(cosine(vector, text));
    signal?.throwIfAborted();
  }
  const [whole = 0, ...without] = scores;
  const strong = Number.isFinite(strongAt) ? strongAt : background.mean + 2.5 * background.std;
  const scale = Math.max(strong, whole) - background.mean;
  // Below the background nothing is lost: a photo that doesn't show the query stays cold.
  const above = (score: number): number => Math.max(score, background.mean);
  return without.map((score) =>
    clamp(((above(whole) - above(score)) / scale - loss.usual) / (loss.full - loss.usual)),
  );
}

/** The picture with a square around one step of the grid in its own mean colour. */
function cover({ pixels, width, height }: Picture, column: number, row: number): Picture {
  const mean = [0, 0, 0];
  for (let i = 0; i < pixels.length; i++) mean[i % 3] = (mean[i % 3] ?? 0) + (pixels[i] ?? 0);
  const colour = mean.map((sum) => Math.round((sum * 3) / Math.max(1, pixels.length)));
  const span = (at: number, size: number): { from: number; to: number } => ({
    from: Math.max(0, Math.round(((at + 0.5 - coverSteps / 2) / occlusionSteps) * size)),
    to: Math.min(size, Math.round(((at + 0.5 + coverSteps / 2) / occlusionSteps) * size)),
  });
  const [across, down] = [span(column, width), span(row, height)];
  const copy = pixels.slice();
  for (let y = down.from; y < down.to; y++)
    for (let x = across.from; x < across.to; x++) copy.set(colour, (y * width + x) * 3);
  return { pixels: copy, width, height };
}

/** Into 0 to 1; 0 for what is no number (a part without any direction). */
function clamp(value: number): number {
  return value > 0 ? Math.min(1, value) : 0;
}
