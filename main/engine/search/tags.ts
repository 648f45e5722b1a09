/** Zero-shot tags: the person's list of them, and which photos carry them, kept up in the background. */
import { z } from 'zod';
import type { Tag } from '../../contract.ts';
import { AppError } from '../../errors.ts';
import { dot } from '../inference/unit-vectors.ts';
import { foldText } from '../store/fold-text.ts';
import type { TagRow } from '../store/types.ts';
import { createCatchUp } from './catch-up.ts';
import { createTagRun, type TagScales } from './tags-run.ts';
import { defaultTags } from './tags-defaults.ts';
import type { Tags, TagsOptions } from './tags-types.ts';

/** Many batches of photos are tagged at once. */
const delayMs = 1_500;
const seededKey = 'tags.seeded';

/** A library that is opened for the first time gets the default list. */
export function createTags(options: TagsOptions): Tags {
  const { store, log, onTags, onTagged } = options;
  const run = createTagRun(options);
  const catchUp = createCatchUp({
    timers: options.timers,
    delayMs,
    background: options.background,
    work: (signal) => run.work(signal),
    onProblem: (error) => log.warn('photos could not be tagged', { message: error.message }),
  });
  const addMissing = (): void => {
    const taken = new Set(store.tags.list().map(({ name }) => foldText(name)));
    for (const { name, prompts } of defaultTags)
      if (!taken.has(foldText(name))) store.tags.set({ name, prompts });
  };
  if (!store.readOnly && !z.literal(true).safeParse(store.settings.get(seededKey)).success) {
    addMissing();
    store.settings.set(seededKey, true);
  }
  const activeModel = (): number | undefined => store.embeddings.activeModel()?.modelId;
  const toTag = (row: TagRow, counts: ReadonlyMap<number, number>): Tag => ({
    id: row.id,
    name: row.name,
    prompts: [...row.prompts],
    photos: counts.get(row.id) ?? 0,
  });
  const list = (): Tag[] => {
    const modelId = activeModel();
    const counts = modelId === undefined ? new Map<number, number>() : store.tags.counts(modelId);
    return store.tags.list().map((row) => toTag(row, counts));
  };
  const carriers = (tagId: number): number[] => {
    const modelId = activeModel();
    return modelId === undefined ? [] : store.tags.photos(modelId, tagId);
  };
  /** A command line ends soon: it waits. A tag is set even where no pack can be loaded to look for it. */
  const listChanged = async (signal?: AbortSignal): Promise<void> => {
    catchUp.changed();
    onTags();
    if (options.background) return;
    try {
      await catchUp.settled(signal);
    } catch (thrown) {
      const error = AppError.from(thrown, 'Tagging photos');
      if (error.code === 'cancelled') throw error;
      log.warn('photos could not be tagged', { message: error.message });
    }
  };
  const scalesFor = async (signal?: AbortSignal): Promise<TagScales> => run.scales(signal);

  return {
    list,
    async set({ tagId, name, prompts }, signal) {
      const clean = tidy(name);
      if (clean === '') throw new AppError('input-invalid', 'A tag needs a name. Type one.');
      const sentences = [...new Set(prompts.map(tidy).filter((prompt) => prompt !== ''))];
      const { id } = store.tags.set({ id: tagId, name: clean, prompts: sentences });
      onTagged(carriers(id));
      await listChanged(signal);
      const tag = list().find((each) => each.id === id);
      if (tag === undefined) throw new AppError('not-found', 'The tag was removed while it was being set.');
      return tag;
    },
    remove(tagId) {
      if (!store.tags.list().some(({ id }) => id === tagId))
        return Promise.reject(
          new AppError('not-found', 'The tag is not there any more.', { details: { tagId } }),
        );
      const photoIds = carriers(tagId);
      store.tags.remove(tagId);
      onTagged(photoIds);
      onTags();
      return Promise.resolve();
    },
    async restore(signal) {
      addMissing();
      await listChanged(signal);
      return list();
    },
    shown(photoId) {
      const modelId = activeModel();
      return modelId === undefined ? [] : store.tags.ofPhoto(modelId, photoId);
    },
    async ofPhoto(photoId, signal) {
      const row = store.photos.get(photoId);
      const root = row === undefined ? undefined : store.roots.get(row.rootId);
      if (row === undefined || root === undefined)
        throw new AppError('not-found', 'The photo is not in the library any more.', {
          details: { photoId },
        });
      const scales = await scalesFor(signal);
      const vector = scales.model.index.vector(photoId);
      if (vector === undefined)
        throw new AppError('not-found', `${row.relPath} is not indexed yet. Index its folder first.`, {
          details: { photoId },
        });
      const tags = scales.tags.map(({ row: { id, name }, vector: words, scale }) => ({
        tagId: id,
        name,
        probability: scale(dot(vector, words)),
      }));
      tags.sort((a, b) => b.probability - a.probability || a.tagId - b.tagId);
      return { path: `${root.path}/${row.relPath}`, tags };
    },
    changed: () => catchUp.changed(),
    settled: (signal) => catchUp.settled(signal),
    close: () => catchUp.close(),
  };
}

function tidy(text: string): string {
  return text.replace(/\s+/g, ' ').trim();
}
