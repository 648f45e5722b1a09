/** Calls about albums, plain and smart. */
import { timelineColumns } from './photo-handlers.ts';
import type { Rooms } from './rooms.ts';
import type { Handlers } from './types.ts';

type AlbumCalls =
  | 'albums.list'
  | 'albums.create'
  | 'albums.update'
  | 'albums.remove'
  | 'albums.add'
  | 'albums.take'
  | 'albums.photos';

export function albumHandlers({
  albums,
  store,
}: Pick<Rooms, 'albums' | 'store'>): Pick<Handlers, AlbumCalls> {
  return {
    'albums.list': async (_input, { signal }) => ({ albums: await albums.list(signal) }),
    'albums.create': async (input, { signal }) => ({ album: await albums.create(input, signal) }),
    'albums.update': async (input, { signal }) => ({ album: await albums.update(input, signal) }),
    'albums.remove': ({ albumId }) => {
      albums.remove(albumId);
      return {};
    },
    'albums.add': ({ albumId, photoIds }) => ({ album: albums.add(albumId, photoIds) }),
    'albums.take': ({ albumId, photoIds }) => ({ album: albums.take(albumId, photoIds) }),
    'albums.photos': async ({ albumId }, { signal }) =>
      timelineColumns(store, new Set(await albums.photos(albumId, signal))),
  };
}
