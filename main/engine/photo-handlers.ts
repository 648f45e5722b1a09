/** Calls about photos: the timeline as columns, one photo with all that is known, duplicates. */
import { join } from 'node:path';
import type { CallOutput, PhotoDetail, PhotoSummary } from '../contract.ts';
import { AppError } from '../errors.ts';
import { captionOf } from './describe/captions.ts';
import type { Rooms } from './rooms.ts';
import type { PhotoRow, Store } from './store/types.ts';
import type { Handlers } from './types.ts';

type PhotoCalls = 'photos.timeline' | 'photos.get' | 'photos.duplicates';

export function photoHandlers({ store, tags }: Pick<Rooms, 'store' | 'tags'>): Pick<Handlers, PhotoCalls> {
  let timeline: CallOutput<'photos.timeline'> | undefined;
  return {
    'photos.timeline': () => {
      const generation = store.embeddings.generation();
      if (timeline?.generation !== generation) timeline = timelineOf(store, generation);
      return timeline;
    },
    'photos.get': ({ photoId }) => {
      const row = store.photos.get(photoId);
      if (row === undefined)
        throw new AppError('not-found', 'The photo is not in the library any more.', {
          details: { photoId },
        });
      const caption = store.captions.get(photoId);
      return {
        ...detailOf(store, row),
        caption: caption === undefined ? null : captionOf(caption),
        tags: tags.shown(photoId),
        albums: store.albums.ofPhoto(photoId),
      };
    },
    'photos.duplicates': (page) => {
      const { total, groups } = store.photos.duplicates(page);
      const roots = rootPaths(store);
      return {
        total,
        groups: groups.map((rows) => ({
          photos: rows.map((row) => ({
            ...summaryOf(row),
            path: join(roots.get(row.rootId) ?? '', row.relPath),
          })),
        })),
      };
    },
  };
}

function timelineOf(store: Store, generation: number): CallOutput<'photos.timeline'> {
  return { generation, ...timelineColumns(store) };
}

/** @param only these photos; all without it. @returns their columns, newest first. */
export function timelineColumns(store: Store, only?: ReadonlySet<number>): CallOutput<'albums.photos'> {
  const all = store.photos.timeline();
  const ids: number[] = [];
  const aspects: number[] = [];
  const months: { month: string; count: number }[] = [];
  all.ids.forEach((id, i) => {
    if (only?.has(id) === false) return;
    ids.push(id);
    aspects.push(Math.max(1, Math.round((100 * (all.widths[i] ?? 0)) / Math.max(1, all.heights[i] ?? 1))));
    const month = monthOf(all.takenAt[i] ?? 0);
    const last = months.at(-1);
    if (last?.month === month) last.count++;
    else months.push({ month, count: 1 });
  });
  return { ids, aspects, months };
}

/** E.g. 2021-05; cameras with a wild clock still get a month. */
function monthOf(time: number): string {
  const date = new Date(time);
  return Number.isNaN(date.getTime()) ? '1970-01' : date.toISOString().slice(0, -17);
}

/** Photos of these ids that are there, each with its file. */
export function summariesWithPath(
  store: Store,
  photoIds: readonly number[],
): ReadonlyMap<number, PhotoSummary & { path: string }> {
  const roots = rootPaths(store);
  return new Map(
    store.photos
      .getMany(photoIds)
      .map((row) => [row.id, { ...summaryOf(row), path: join(roots.get(row.rootId) ?? '', row.relPath) }]),
  );
}

function summaryOf(row: PhotoRow): PhotoSummary {
  return {
    id: row.id,
    name: row.relPath.slice(row.relPath.lastIndexOf('/') + 1),
    width: row.metadata?.width ?? 0,
    height: row.metadata?.height ?? 0,
    takenAt: row.metadata?.takenAt ?? row.mtimeMs,
  };
}

/** What the file and its place say; what is said of the photo comes on top. */
function detailOf(store: Store, row: PhotoRow): Omit<PhotoDetail, 'caption' | 'tags' | 'albums'> {
  const root = store.roots.get(row.rootId);
  const roots = rootPaths(store);
  const { metadata } = row;
  const slash = row.relPath.lastIndexOf('/');
  const copies = row.hash === null ? [] : store.photos.byHash(row.hash).filter(({ id }) => id !== row.id);
  return {
    ...summaryOf(row),
    path: join(root?.path ?? '', row.relPath),
    folder: join(root?.path ?? '', slash < 0 ? '' : row.relPath.slice(0, slash)),
    rootId: row.rootId,
    rootState: root?.online === true ? 'online' : 'offline',
    bytes: row.bytes,
    format: metadata?.format ?? '',
    status: row.status,
    takenAtSource: metadata?.takenAt == null ? 'file' : 'exif',
    camera: metadata?.camera ?? null,
    lens: metadata?.lens ?? null,
    exposure: exposureOf(row),
    gps:
      metadata?.latitude == null || metadata.longitude === null
        ? null
        : { latitude: metadata.latitude, longitude: metadata.longitude },
    copies: copies.map((copy) => ({ id: copy.id, path: join(roots.get(copy.rootId) ?? '', copy.relPath) })),
    error: row.error,
  };
}

function exposureOf({ metadata }: PhotoRow): PhotoDetail['exposure'] {
  if (metadata === null) return null;
  const { exposureSeconds: seconds, fNumber, iso, focalLengthMm } = metadata;
  if (seconds === null && fNumber === null && iso === null && focalLengthMm === null) return null;
  return { seconds, fNumber, iso, focalLengthMm };
}

function rootPaths(store: Store): Map<number, string> {
  return new Map(store.roots.list().map((root) => [root.id, root.path]));
}
