/** Holds the places of tags and albums until their rooms are there. */
import type { Albums, AlbumsOptions } from './search/albums-types.ts';
import type { Tags, TagsOptions } from './search/tags-types.ts';
import { AppError } from '../errors.ts';

const missing = (): never => {
  throw new AppError('not-supported', 'This is not built yet.');
};
const nothing = (): undefined => undefined;
const settled = (): Promise<void> => Promise.resolve();

export const createTags = (_options: TagsOptions): Tags => ({
  list: () => [],
  set: missing,
  remove: missing,
  restore: missing,
  shown: () => [],
  ofPhoto: missing,
  changed: nothing,
  settled,
  close: settled,
});
export const createAlbums = (_options: AlbumsOptions): Albums => ({
  list: () => Promise.resolve([]),
  current: () => [],
  create: missing,
  update: missing,
  remove: missing,
  add: missing,
  take: missing,
  photos: missing,
  changed: nothing,
  settled,
  close: settled,
});
