/** Queries that this library has good answers to, for the first-run hint. */
import { calibrate, textPrior } from './calibrate.ts';
import { sampleSize } from './fuse.ts';
import type { SearchModel } from './types.ts';

/** What people photograph, in words that any pack knows. */
const candidates = [
  ...['beach', 'dog', 'cat', 'mountains', 'people', 'food', 'flowers', 'snow', 'forest', 'sunset', 'car'],
  ...['city street', 'buildings', 'sea', 'lake', 'bird', 'horse', 'boat', 'bicycle', 'motorbike', 'train'],
  ...['airplane', 'football', 'swimming', 'kitchen', 'living room', 'garden', 'tree', 'clouds', 'rain'],
];
const most = 5;
/** Fewer strong photos than this are no good first impression. */
const fewest = 2;
const nearest = 200;
/** While photos are being indexed, asking again sooner would cost more than it tells. */
const renewAfterGrowth = 0.2;

export function createSuggestions(): (
  model: SearchModel,
  generation: number,
  signal?: AbortSignal,
) => Promise<string[]> {
  let known: { index: SearchModel['index']; size: number; generation: number; queries: string[] } | undefined;
  return async (model, generation, signal) => {
    const { index, embedder } = model;
    if (
      known?.index === index &&
      (known.generation === generation || Math.abs(index.size - known.size) < known.size * renewAfterGrowth)
    )
      return known.queries;
    if (index.size === 0) return [];
    const vectors = await Promise.all(candidates.map((words) => embedder.embedQuery(words, signal)));
    signal?.throwIfAborted();
    const prior = textPrior(embedder.scoring);
    const judged = vectors.map((vector, i) => {
      const head = Float32Array.from(
        index.search(vector, { k: Math.min(nearest, index.size) }).neighbours,
        (neighbour) => neighbour.score,
      );
      const distribution = { sample: index.sampleScores(vector, sampleSize), head, size: index.size };
      const { strongAt, background } = calibrate(distribution, prior, embedder.scoring);
      const strong = head.filter((score) => score >= strongAt).length;
      const best = ((head[0] ?? 0) - background.mean) / background.std;
      return { words: candidates[i] ?? '', strong, best };
    });
    const queries = judged
      .filter(({ strong }) => strong >= fewest)
      // A subject of most photos is no discovery, one of two is a poor show: how clear the best is decides.
      .sort((a, b) => b.best - a.best)
      .slice(0, most)
      .map(({ words }) => words);
    known = { index, size: index.size, generation, queries };
    return queries;
  };
}
