/** One pass over the photos that lack tags: what changed, and no more, in slices that let a search through. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { z } from 'zod';
import { AppError } from '../../errors.ts';
import type { TagRow } from '../store/types.ts';
import { leastProbability, tagScale, tagVector, type TagScale } from './tags-probability.ts';
import type { TagsOptions } from './tags-types.ts';
import type { SearchModel } from './types.ts';

interface ScaledTag {
  readonly row: TagRow;
  readonly vector: Float32Array;
  readonly scale: TagScale;
}

/** The tags as one model sees this library. */
export interface TagScales {
  readonly model: SearchModel;
  readonly tags: readonly ScaledTag[];
}

interface GivenTag {
  readonly tagId: number;
  readonly probability: number;
}

export interface TagRun {
  /** Gives every photo the tags that it should carry. @throws AppError pack-missing, cancelled */
  work(signal: AbortSignal): Promise<void>;
  /** @throws AppError pack-missing, cancelled */
  scales(signal?: AbortSignal): Promise<TagScales>;
}

/** 64 photos by 91 tags of 256 numbers are 3 ms of a busy core, and their rows as much again (measured). */
const photosPerSlice = 64;
/** Ids are read in larger pages than they are worked on: finding the next ones costs 2 ms each time. */
const idsPerPage = 2_048;
/** Where many photos joined or left, the library's own scores may say something else of all of them. */
const renewAfterGrowth = 0.2;
const stateKey = 'tags.assigned';
/** What the photos were tagged with: the pack, the size of the library, and each tag's words. */
const stateShape = z.object({
  fingerprint: z.string(),
  size: z.number(),
  tags: z.record(z.string(), z.string()),
});

export function createTagRun(options: Pick<TagsOptions, 'store' | 'model' | 'onTags' | 'onTagged'>): TagRun {
  const { store, onTags, onTagged } = options;
  const vectors = new Map<string, Float32Array>();
  let vectorsOf: string | undefined;
  /** Judged against a library of about this size. */
  const known = new Map<string, { index: SearchModel['index']; size: number; scale: TagScale }>();

  const vectorOf = async (row: TagRow, model: SearchModel, signal?: AbortSignal): Promise<Float32Array> => {
    if (vectorsOf !== model.embedder.fingerprint) {
      vectors.clear();
      known.clear();
      vectorsOf = model.embedder.fingerprint;
    }
    const words = wordsOf(row);
    const vector = vectors.get(words) ?? (await tagVector(row, model.embedder, signal));
    vectors.set(words, vector);
    return vector;
  };
  const scales = async (signal?: AbortSignal): Promise<TagScales> => {
    const model = await options.model();
    const tags: ScaledTag[] = [];
    for (const row of store.tags.list()) {
      signal?.throwIfAborted();
      const vector = await vectorOf(row, model, signal);
      const words = wordsOf(row);
      const before = known.get(words);
      if (before?.index === model.index && !hasGrown(before.size, model.index.size)) {
        tags.push({ row, vector, scale: before.scale });
        continue;
      }
      const scale = tagScale(model, vector);
      known.set(words, { index: model.index, size: model.index.size, scale });
      tags.push({ row, vector, scale });
      await nextTurn();
    }
    return { model, tags };
  };

  const work = async (signal: AbortSignal): Promise<void> => {
    const active = store.embeddings.activeModel();
    if (active === undefined || store.readOnly) return;
    const { modelId, fingerprint } = active;
    const size = store.embeddings.count(modelId);
    const rows = store.tags.list();
    const parsed = stateShape.safeParse(store.settings.get(stateKey));
    const state = parsed.success && parsed.data.fingerprint === fingerprint ? parsed.data : undefined;
    const isNew = state === undefined || hasGrown(state.size, size);
    const stale = new Set(
      rows.filter((row) => isNew || state.tags[String(row.id)] !== wordsOf(row)).map(({ id }) => id),
    );
    if (stale.size === 0 && store.tags.untagged(modelId, { limit: 1 }).length === 0) return;
    const { model, tags } = await scales(signal);
    // The pack is being changed: the swap is told of as a change.
    if (model.embedder.fingerprint !== fingerprint) return;
    const least = leastProbability(model.embedder.scoring);
    /** Judges the photos by the tags of `todo`; other tags stay as they are. @returns whether to go on. */
    const assign = async (ids: readonly number[], todo: readonly ScaledTag[]): Promise<boolean> => {
      signal.throwIfAborted();
      if ((await options.model()).index !== model.index) return false;
      const indexed = ids.filter((id) => model.index.has(id));
      const scores = todo.map(({ vector }) => model.index.scores(vector, indexed));
      const judged = new Set(todo.map(({ row }) => row.id));
      const isWhole = todo.length === tags.length;
      const changed: { photoId: number; tags: GivenTag[] }[] = [];
      const told: number[] = [];
      indexed.forEach((photoId, i) => {
        const before = store.tags.ofPhoto(modelId, photoId);
        const after: GivenTag[] = before.filter(({ tagId }) => !judged.has(tagId));
        todo.forEach(({ row, scale }, t) => {
          const probability = scale(scores[t]?.[i] ?? -1);
          if (probability >= least) after.push({ tagId: row.id, probability });
        });
        const differs = !areAlike(before, after);
        if (differs) told.push(photoId);
        // A photo without tags is written down, too: it has been looked at.
        if (differs || (isWhole && fresh.has(photoId))) changed.push({ photoId, tags: after });
      });
      if (changed.length > 0) store.tags.assign(modelId, changed);
      if (told.length > 0) {
        onTagged(told);
        onTags();
      }
      await nextTurn();
      return true;
    };
    const assignAll = async (ids: readonly number[], todo: readonly ScaledTag[]): Promise<boolean> => {
      for (let start = 0; start < ids.length; start += photosPerSlice)
        if (!(await assign(ids.slice(start, start + photosPerSlice), todo))) return false;
      return true;
    };
    const fresh = new Set<number>();
    for (let after = 0; ;) {
      const ids = store.tags.untagged(modelId, { limit: idsPerPage, afterId: after });
      if (ids.length === 0) break;
      for (const id of ids) fresh.add(id);
      if (!(await assignAll(ids, tags))) return;
      after = ids.at(-1) ?? Infinity;
    }
    const todo = tags.filter(({ row }) => stale.has(row.id));
    const others = todo.length === 0 ? [] : store.photos.timeline().ids.filter((id) => !fresh.has(id));
    if (!(await assignAll(others, todo))) return;
    store.settings.set(stateKey, {
      fingerprint,
      size: isNew ? size : state.size,
      tags: Object.fromEntries(rows.map((row) => [row.id, wordsOf(row)])),
    });
    onTags();
  };
  return {
    scales,
    async work(signal) {
      try {
        await work(signal);
      } catch (thrown) {
        throw AppError.from(thrown, 'Tagging photos');
      }
    },
  };
}

/** What a tag is looked for by. */
function wordsOf({ name, prompts }: TagRow): string {
  return prompts.length === 0 ? name : JSON.stringify(prompts);
}

/** The same tags, as probable as before as far as anybody can see. */
function areAlike(before: readonly GivenTag[], after: readonly GivenTag[]): boolean {
  if (before.length !== after.length) return false;
  const known = new Map(before.map(({ tagId, probability }) => [tagId, probability]));
  return after.every(({ tagId, probability }) => Math.abs((known.get(tagId) ?? -1) - probability) < 0.01);
}

function hasGrown(before: number, now: number): boolean {
  return Math.abs(now - before) > before * renewAfterGrowth;
}
