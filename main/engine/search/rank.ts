/** One query over the index: candidates, what is not wanted taken out, bands, exact duplicates folded. */
import type { Band, SearchResult } from '../../contract.ts';
import type { Neighbour } from '../index/types.ts';
import type { Scoring } from '../inference/types.ts';
import type { Store } from '../store/types.ts';
import { blend, type BlendedPhoto, type SeenPhoto } from './blend.ts';
import { bandOf, calibrate, type Thresholds } from './calibrate.ts';
import { sampleSize, type FusedQuery, type QueryPart } from './fuse.ts';
import { reorder } from './learnt-order.ts';
import type { LearntOrdering, SearchModel } from './types.ts';
import type { ReadWords, WordEvidence } from './word-evidence.ts';

export interface Ranking {
  readonly plan: SearchResult['plan'];
  /** Strong ones first, then likely, then weak; best first within each. */
  readonly photos: readonly BlendedPhoto[];
  /** Null where nothing was compared. */
  readonly thresholds: Thresholds | null;
}

export interface RankRequest {
  /** Undefined when only what is not wanted is known. */
  readonly query: FusedQuery | undefined;
  readonly unwanted: readonly QueryPart[];
  /** Photos that pass the filters; undefined for all. */
  readonly allowed: ReadonlySet<number> | undefined;
  /** Example photos themselves, which nobody searches for. */
  readonly exclude: ReadonlySet<number>;
  /** At least this many photos are ranked where there are as many. */
  readonly atLeast: number;
  /** Null for queries by example, whose cosines the pack's logits say nothing about. */
  readonly scoring: Scoring | null;
  /** What captions, tags and names say. */
  readonly words: ReadWords;
  /** Only for queries of words alone. */
  readonly ordering?: LearntOrdering | undefined;
}

/**
 * Nearest photos looked at before anything is known of the query. If relevance does not end within them, more
 * are; if it does, nothing below them is worth a place on the page.
 */
const usualCandidates = { hnsw: 500, exact: 2_000 };
/** Photos found by their words alone that are scored beside them; further ones are as common as the word is. */
const mostByWords = 5_000;
/** Each further look takes in this many times as many, so that all looks together cost little more than the last. */
const widening = 8;

export function rank(model: SearchModel, store: Store, request: RankRequest): Ranking {
  const usual = usualCandidates[model.index.state.kind];
  const unwanted = request.unwanted.map((part) => ({
    vector: part.vector,
    thresholds: thresholdsOf(model, part, nearest(model, part.vector, usual), model.embedder.scoring),
  }));
  const { query, allowed } = request;
  if (query === undefined) return rankByAbsence(model, store, request, unwanted);
  const k = Math.max(usual, request.atLeast);
  // How a query scores over the library does not depend on the filters beside it.
  const overall = nearest(model, query.vector, k);
  const thresholds = thresholdsOf(model, query, overall, request.scoring);
  let found = allowed === undefined ? overall : nearest(model, query.vector, k, allowed);
  let photos: readonly SeenPhoto[] = judge(model, found.neighbours, request, thresholds, unwanted);
  // Relevance may go on beyond the nearest that were asked for, or most of them were not wanted.
  const goesOn = (asked: number): boolean =>
    asked < model.index.size &&
    found.neighbours.length >= asked &&
    ((found.neighbours.at(-1)?.score ?? -1) >= thresholds.likelyAt || photos.length < k / 2);
  for (let asked = k; goesOn(asked);) {
    asked *= widening;
    found = nearest(model, query.vector, asked, allowed);
    photos = judge(model, found.neighbours, request, thresholds, unwanted);
  }
  const words = request.words(new Set(found.neighbours.map(({ id }) => id)));
  const byWords = unseen(model, query.vector, found.neighbours, words);
  if (byWords.length > 0)
    photos = judge(model, [...found.neighbours, ...byWords], request, thresholds, unwanted);
  if (words.out.size > 0) photos = photos.filter(({ id }) => !words.out.has(id));
  if (photos.length > k)
    photos = photos.filter(({ id, band }, place) => place < k || band !== 'weak' || words.hits.has(id));
  photos = foldCopies(store, photos, words);
  // A learnt order was learnt from words; beside example photos it says nothing.
  const alone = request.scoring !== null;
  const { extraScore, worth } = (alone ? request.ordering : undefined) ?? {};
  if (extraScore !== undefined) photos = reorder(photos, query.vector, model.index, extraScore);
  return { plan: found.method, photos: blend(photos, words, alone, worth), thresholds };
}

/** What words found beyond the nearest by looks, with its exact cosine; photos without a vector have none. */
function unseen(
  { index }: SearchModel,
  vector: Float32Array,
  seen: readonly Neighbour[],
  { hits }: WordEvidence,
): Neighbour[] {
  if (hits.size === 0) return [];
  const known = new Set(seen.map(({ id }) => id));
  const ids: number[] = [];
  for (const id of hits.keys()) {
    if (ids.length === mostByWords) break;
    if (!known.has(id)) ids.push(id);
  }
  const scores = index.scores(vector, ids);
  return ids.map((id, i) => ({ id, score: scores[i] ?? NaN })).filter(({ score }) => Number.isFinite(score));
}

interface Found {
  readonly neighbours: readonly Neighbour[];
  readonly method: 'exact' | 'hnsw';
}

function nearest(
  { index }: SearchModel,
  vector: Float32Array,
  k: number,
  allowed?: ReadonlySet<number>,
): Found {
  if (index.size === 0 || allowed?.size === 0) return { neighbours: [], method: 'exact' };
  return index.search(vector, { k: Math.min(k, index.size), ...(allowed === undefined ? {} : { allowed }) });
}

function thresholdsOf(
  { index }: SearchModel,
  { vector, prior }: FusedQuery,
  overall: Found,
  scoring: Scoring | null,
): Thresholds {
  const head = Float32Array.from(overall.neighbours, (neighbour) => neighbour.score);
  const sample = index.size === 0 ? new Float32Array(0) : index.sampleScores(vector, sampleSize);
  return calibrate({ sample, head, size: index.size }, prior, scoring);
}

interface Unwanted {
  readonly vector: Float32Array;
  readonly thresholds: Thresholds;
}

/**
 * Photos that strongly show what is not wanted are out. Those that may show it sink: from half way between
 * the background and strong on, by up to one and a half times the width of the query's likely band.
 */
function judge(
  { index }: SearchModel,
  neighbours: readonly Neighbour[],
  { exclude }: RankRequest,
  thresholds: Thresholds,
  unwanted: readonly Unwanted[],
): SeenPhoto[] {
  const kept = neighbours.filter(({ id }) => !exclude.has(id));
  const scores = kept.map(({ score }) => score);
  const out = new Set<number>();
  // Nothing is strong where strong begins at infinity.
  const bandWidth = Math.min(thresholds.strongAt - thresholds.likelyAt, 2 * thresholds.background.std) || 0;
  for (const { vector, thresholds: limits } of unwanted) {
    const shown = index.scores(
      vector,
      kept.map(({ id }) => id),
    );
    const width = Math.max(limits.strongAt - limits.background.mean, 1e-6);
    shown.forEach((score, i) => {
      if (score >= limits.strongAt) out.add(i);
      const doubt = (score - limits.background.mean) / width - 0.5;
      if (doubt > 0) scores[i] = (scores[i] ?? 0) - 3 * bandWidth * doubt;
    });
  }
  return kept
    .map(({ id }, i) => ({ id, score: scores[i] ?? 0 }))
    .filter((_, i) => !out.has(i))
    .sort((a, b) => b.score - a.score || a.id - b.id)
    .map((photo) => ({ ...photo, band: bandOf(photo.score, thresholds) }));
}

/** `-dog` alone: everything else by date, the doubtful ones last. */
function rankByAbsence(
  { index }: SearchModel,
  store: Store,
  { allowed, exclude, words }: RankRequest,
  unwanted: readonly Unwanted[],
): Ranking {
  const { out } = words();
  const ids = store.photos
    .timeline()
    .ids.filter((id) => (allowed?.has(id) ?? true) && !exclude.has(id) && !out.has(id) && index.has(id));
  const bands = new Array<Band | 'out'>(ids.length).fill('strong');
  const worst = new Float32Array(ids.length).fill(-1);
  for (const { vector, thresholds } of unwanted) {
    index.scores(vector, ids).forEach((score, i) => {
      worst[i] = Math.max(worst[i] ?? -1, score);
      const shown = bandOf(score, thresholds);
      if (shown === 'strong') bands[i] = 'out';
      else if (shown === 'likely' && bands[i] === 'strong') bands[i] = 'weak';
    });
  }
  const photos: BlendedPhoto[] = [];
  for (const band of ['strong', 'weak'] as const)
    ids.forEach((id, i) => {
      if (bands[i] === band) photos.push({ id, score: -(worst[i] ?? 0), band, foundBy: 'looks' });
    });
  return { plan: 'exact', photos, thresholds: null };
}

/**
 * Files with the same bytes have the same vector and so the very same score: only equal neighbours are compared.
 * They share captions, too, but not names: one that words found stands for the others.
 */
function foldCopies(store: Store, photos: readonly SeenPhoto[], words: WordEvidence): SeenPhoto[] {
  const twins = photos.filter(
    (photo, i) => photo.score === photos[i - 1]?.score || photo.score === photos[i + 1]?.score,
  );
  if (twins.length === 0) return [...photos];
  const hashes = new Map(store.photos.getMany(twins.map(({ id }) => id)).map((row) => [row.id, row.hash]));
  const kept = new Map<string, number>();
  for (const { id } of twins) {
    const hash = hashes.get(id) ?? null;
    if (hash === null) continue;
    const first = kept.get(hash);
    const better = (words.hits.get(id)?.score ?? 0) > (words.hits.get(first ?? id)?.score ?? 0);
    if (first === undefined || better) kept.set(hash, id);
  }
  return photos.filter(({ id }) => {
    const hash = hashes.get(id) ?? null;
    return hash === null || kept.get(hash) === id;
  });
}
