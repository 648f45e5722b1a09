/** Why a photo is where it is among the results: its score against the library's, words, tags, and where to look. */
import { join } from 'node:path';
import type { CallOutput, ParsedInput, Why } from '../../contract.ts';
import { AppError } from '../../errors.ts';
import { silentLog } from '../log.ts';
import type { PhotoRow } from '../store/types.ts';
import { bandOf, type Thresholds } from './calibrate.ts';
import { sampleSize } from './fuse.ts';
import { heatOf } from './heat.ts';
import { rankPlan, type QueryPlan, type QueryPlanner } from './query-plan.ts';
import type { Ranking } from './rank.ts';
import type { SearchOptions } from './types.ts';

interface WhyTools extends SearchOptions {
  readonly planner: QueryPlanner;
}

/** Steps of the histogram: fine enough for a shape, wide enough that 2,048 scores fill them. */
const histogramSteps = 32;

/** @throws AppError as Search.why */
export async function explain(
  input: ParsedInput<'search.why'>,
  tools: WhyTools,
  signal?: AbortSignal,
): Promise<CallOutput<'search.why'>> {
  const { store, planner, log = silentLog } = tools;
  const row = store.photos.get(input.photoId);
  if (row === undefined)
    throw new AppError('not-found', 'The photo is not in the library any more.', {
      details: { photoId: input.photoId },
    });
  // How sure a score is does not depend on the filters beside it.
  const plan = await planner.plan(input, signal, false);
  const query = plan?.request.query;
  if (plan === undefined || query === undefined)
    throw new AppError(
      'input-invalid',
      'There is nothing to compare the photo with. Search for words or a photo first.',
    );
  const { index } = plan.model;
  const [score = NaN] = index.scores(query.vector, [input.photoId]);
  if (!Number.isFinite(score))
    throw new AppError('not-found', 'The photo has not been looked at with this model yet.', {
      details: { photoId: input.photoId },
    });
  const ranking = rankPlan(plan, store, 1);
  const thresholds = ranking.thresholds ?? nothing;
  const standing = standingOf(row, plan, ranking, tools);
  const [tags, heat] = await Promise.all([
    tools.tagsOf?.(input.photoId, signal) ?? [],
    heatAt(row, plan, thresholds, tools, signal).catch((thrown: unknown): null => {
      signal?.throwIfAborted();
      // The photo is offline or damaged: the rest of the answer stands without it.
      log.info('no heat map for this photo', {
        photoId: input.photoId,
        error: AppError.from(thrown).toShape(),
      });
      return null;
    }),
  ]);
  signal?.throwIfAborted();
  return {
    score,
    ...(standing ?? { band: bandOf(score, thresholds), foundBy: 'looks' }),
    library: libraryScores(plan, query.vector, score, thresholds),
    tags: tags.slice(0, mostTags),
    words: [...store.words.hitsOf(plan.parsed.text, input.photoId)],
    heat,
  };
}

/** More say nothing about this photo. */
const mostTags = 8;
const nothing: Thresholds = { likelyAt: Infinity, strongAt: Infinity, background: { mean: 0, std: 1 } };

/** The photo's place among the results, or that of the copy that stands for it; undefined beyond the ranked ones. */
function standingOf(
  { id: photoId, hash }: PhotoRow,
  { request }: QueryPlan,
  { photos }: Ranking,
  { store }: WhyTools,
): Pick<Why, 'band' | 'foundBy'> | undefined {
  const same = new Set(hash === null ? [] : store.photos.byHash(hash).map(({ id }) => id)).add(photoId);
  const ranked = photos.find(({ id }) => id === photoId) ?? photos.find(({ id }) => same.has(id));
  if (ranked !== undefined) return { band: ranked.band, foundBy: ranked.foundBy };
  // Taken out by what is not wanted.
  const unwanted = request.unwanted.length > 0 && !request.exclude.has(photoId);
  return unwanted ? { band: 'weak', foundBy: 'looks' } : undefined;
}

async function heatAt(
  row: PhotoRow,
  plan: QueryPlan,
  thresholds: Thresholds,
  { store, embedder: loadEmbedder, decoder }: WhyTools,
  signal: AbortSignal | undefined,
): Promise<Why['heat']> {
  if (plan.text === undefined) return null;
  const root = store.roots.get(row.rootId);
  if (root?.online !== true)
    throw new AppError('root-offline', 'The folder of the photo is not mounted.', {
      details: { photoId: row.id },
    });
  const embedder = await loadEmbedder();
  signal?.throwIfAborted();
  if (embedder.fingerprint !== plan.model.embedder.fingerprint)
    throw new AppError('not-found', 'The model was changed meanwhile.');
  const photo = await decoder().decode(
    { path: join(root.path, row.relPath) },
    { spec: embedder.imageSpec, thumbnail: false, signal },
  );
  signal?.throwIfAborted();
  const [score = NaN] = plan.model.index.scores(plan.text, [row.id]);
  return heatOf(photo, { text: plan.text, thresholds, score, embedder, signal });
}

/** @param score the photo's own. */
function libraryScores(
  { model: { index } }: QueryPlan,
  vector: Float32Array,
  score: number,
  { likelyAt, strongAt }: Thresholds,
): Why['library'] {
  const scores = index.sampleScores(vector, sampleSize).filter(Number.isFinite).sort();
  const mean = scores.reduce((sum, value) => sum + value, 0) / Math.max(1, scores.length);
  const variance = scores.reduce((sum, value) => sum + (value - mean) ** 2, 0) / Math.max(1, scores.length);
  const below = scores.filter((value) => value < score).length;
  const finite = (value: number): number | null => (Number.isFinite(value) ? value : null);
  const marks = [likelyAt, strongAt].filter(Number.isFinite);
  const from = Math.min(score, scores[0] ?? score);
  const to = Math.max(score, scores.at(-1) ?? score, ...marks, from + 1e-6);
  const counts = new Array<number>(histogramSteps).fill(0);
  // A sample stands for the library.
  const each = scores.length === 0 ? 0 : index.size / scores.length;
  for (const value of scores) {
    const step = Math.min(histogramSteps - 1, Math.floor(((value - from) / (to - from)) * histogramSteps));
    counts[step] = (counts[step] ?? 0) + each;
  }
  return {
    photos: index.size,
    mean,
    std: Math.sqrt(variance),
    percentile: scores.length === 0 ? 0 : below / scores.length,
    likelyAt: finite(likelyAt),
    strongAt: finite(strongAt),
    histogram: { from, to, counts: counts.map(Math.round) },
  };
}
