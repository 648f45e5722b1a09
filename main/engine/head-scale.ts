/** A head moves photos nearer to texts, or farther: what the pack's makers measured is told in the head's cosines. */
import { z } from 'zod';
import type { VectorIndex } from './index/types.ts';
import type { Scoring } from './inference/types.ts';
import { dot } from './inference/unit-vectors.ts';
import type { HeadRow, Store } from './store/types.ts';

const scaleShape = z.object({
  runId: z.number(),
  /** The head's. */
  hash: z.string(),
  /** A cosine of the pack, times this and plus that, is one of the head. */
  slope: z.number().positive(),
  offset: z.number(),
  /** Deviation of all cosines over that with the pack. */
  spread: z.number().positive(),
});
export type HeadScale = Omit<z.output<typeof scaleShape>, 'runId' | 'hash'>;

const key = 'head.scale';
/** Photos that are compared: 40 texts each give 10,000 cosines. */
const sampled = 256;
/** With fewer photos the best cosines say nothing. */
const leastPhotos = 50;
/** Share of a text's cosines that stand for matches. */
const best = 0.04;
/** Beyond these nothing was measured that could be relied on. */
const [leastFactor, mostFactor] = [0.25, 4];

/**
 * Compares the pack's cosines with the head's by their mean and by the mean of the best: of whatever photos they are,
 * since a good head finds others.
 * @param index of the head's vectors
 * @param texts unit vectors (dims,)
 * @returns null where there is too little to compare.
 */
export function measureScale(
  { embeddings }: Pick<Store, 'embeddings'>,
  { baseId, index }: { baseId: number; index: Pick<VectorIndex, 'sampleIds' | 'vector'> },
  texts: readonly Float32Array[],
): HeadScale | null {
  const vectors = index.sampleIds(sampled).flatMap((id) => {
    const [base, moved] = [embeddings.get(baseId, id), index.vector(id)];
    return base === undefined || moved === undefined ? [] : [{ base, moved }];
  });
  if (vectors.length < leastPhotos || texts.length === 0) return null;
  const before = { all: [] as number[], best: [] as number[] };
  const after = { all: [] as number[], best: [] as number[] };
  for (const text of texts) {
    note(
      before,
      vectors.map(({ base }) => dot(base, text)),
    );
    note(
      after,
      vectors.map(({ moved }) => dot(moved, text)),
    );
  }
  const [from, to] = [mean(before.all), mean(after.all)];
  const slope = bounded((mean(after.best) - to) / (mean(before.best) - from));
  const spread = bounded(deviation(after.all, to) / deviation(before.all, from));
  return Number.isFinite(slope) && Number.isFinite(spread)
    ? { slope, spread, offset: to - slope * from }
    : null;
}

/** As the pack's makers would have measured it through the head. Probabilities of labels stay what they were. */
export function rescaled(scoring: Scoring, { slope, offset, spread }: HeadScale): Scoring {
  const { background, matching, logitScale, logitBias } = scoring;
  const moved = (value: number): number => value * slope + offset;
  return {
    ...scoring,
    logitScale: logitScale / slope,
    logitBias: logitBias - (logitScale / slope) * offset,
    background: background === null ? null : { mean: moved(background.mean), std: background.std * spread },
    ...(matching == null ? {} : { matching: { mean: moved(matching.mean), std: matching.std * slope } }),
  };
}

/** Kept for the next start, when no text has been embedded yet. */
export function keepScale({ settings }: Store, { runId, hash }: HeadRow, scale: HeadScale | null): void {
  settings.set(key, scale === null ? null : { runId, hash, ...scale });
}

/** @returns null where none was kept for this head. */
export function keptScale({ settings }: Store, { runId, hash }: HeadRow): HeadScale | null {
  const { data } = scaleShape.safeParse(settings.get(key));
  if (data?.runId !== runId || data.hash !== hash) return null;
  return { slope: data.slope, offset: data.offset, spread: data.spread };
}

function note(into: { all: number[]; best: number[] }, cosines: readonly number[]): void {
  into.all.push(...cosines);
  const sorted = [...cosines].sort((a, b) => b - a);
  into.best.push(...sorted.slice(0, Math.max(1, Math.round(cosines.length * best))));
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function deviation(values: readonly number[], around: number): number {
  return Math.sqrt(values.reduce((sum, value) => sum + (value - around) ** 2, 0) / values.length);
}

function bounded(factor: number): number {
  return Math.min(mostFactor, Math.max(leastFactor, factor));
}
