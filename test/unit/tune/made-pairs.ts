/** Pairs of made embeddings: images are their texts, turned in a part of the space, with noise. */
import type { TrainingPairs } from '../../../main/engine/tune/train-head.ts';
import type { GatheredPairs, HeadParameters, LearningTask } from '../../../main/engine/tune/types.ts';
import { seededNormal } from '../search/seeded-random.ts';

export interface MadeOptions {
  readonly dims?: number;
  /** How many of the first coordinates are reversed in the images; 0 for images that lie where their texts are. */
  readonly turned?: number;
  readonly noise?: number;
}

export function madePairs(
  count: number,
  seed: number,
  { dims = 24, turned = 0, noise = 0.15 }: MadeOptions = {},
): TrainingPairs {
  const normal = seededNormal(seed);
  const unit = (row: number[]): number[] => row.map((value) => value / Math.hypot(...row));
  const images: number[] = [];
  const texts: number[] = [];
  for (let i = 0; i < count; i++) {
    const text = unit(Array.from({ length: dims }, normal));
    const seen = unit(text.map((value) => value + noise * normal()));
    texts.push(...text);
    images.push(...seen.slice(0, turned).reverse(), ...seen.slice(turned));
  }
  return {
    images: Float32Array.from(images),
    texts: Float32Array.from(texts),
    dims,
    weights: new Float32Array(count).fill(1),
    groups: Int32Array.from({ length: count }, (_, i) => i),
  };
}

export const noPairs = (dims: number): TrainingPairs => madePairs(0, 1, { dims });

export function madeTask(
  pairs: TrainingPairs,
  change: {
    readonly settings?: Partial<LearningTask['settings']>;
    readonly gathered?: Partial<GatheredPairs>;
    readonly threads?: number;
  } = {},
): LearningTask {
  const { dims, groups } = pairs;
  return {
    settings: {
      head: 'linear',
      loss: 'infonce',
      epochs: 6,
      seed: 7,
      batch: 64,
      learningRate: 0.01,
      sources: ['thumbs'],
      ...change.settings,
    },
    gathered: {
      pairs,
      kin: groups,
      sources: Array.from(groups, () => 'thumbs' as const),
      replay: noPairs(dims),
      generic: { ...madePairs(120, 99, { dims, turned: 4 }), name: 'made' },
      evidence: [],
      dataHash: 'made',
      ...change.gathered,
    },
    dims,
    threads: change.threads ?? 1,
  };
}

/** Values of parameters by name, for comparing bits. */
export function bitsOf(parameters: HeadParameters): Record<string, Uint32Array> {
  return Object.fromEntries(
    Object.entries(parameters).map(([name, { values }]) => [name, new Uint32Array(values.slice().buffer)]),
  );
}
