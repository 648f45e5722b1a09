/** Calls about indexing: run, watch, pause, and what failed. */
import { AppError } from '../errors.ts';
import type { Rooms } from './rooms.ts';
import type { Handlers } from './types.ts';

type IndexingCalls =
  | 'indexing.run'
  | 'indexing.state'
  | 'indexing.pause'
  | 'indexing.resume'
  | 'indexing.failures'
  | 'indexing.retry';

export function indexingHandlers(rooms: Rooms): Pick<Handlers, IndexingCalls> {
  const { library, models } = rooms;
  return {
    'indexing.run': async ({ rootIds }, { signal, progress }) => {
      // A missing pack is said before any file is looked at.
      await models.ready();
      signal.throwIfAborted();
      // Photos that the pack in its present form has not seen yet, though an older form had.
      await rooms.packSwitch.catchUp(signal);
      const report = await library.run({ rootIds, signal, onProgress: progress });
      await followed(rooms, signal);
      return report;
    },
    'indexing.state': () => library.state(),
    'indexing.pause': () => {
      library.pause();
      return {};
    },
    'indexing.resume': () => {
      library.resume();
      rooms.indexSoon();
      return {};
    },
    'indexing.failures': (page) => library.failures(page),
    'indexing.retry': ({ photoIds }) => {
      const answer = library.retry(photoIds);
      if (answer.queued > 0) rooms.indexSoon();
      return answer;
    },
  };
}

/** Whoever waits for a run finds its photos in their tags and albums. The photos are indexed even where that fails. */
async function followed({ tags, albums, log }: Rooms, signal: AbortSignal): Promise<void> {
  try {
    await tags.settled(signal);
    await albums.settled(signal);
  } catch (thrown) {
    const error = AppError.from(thrown, 'Following the library');
    if (error.code === 'cancelled' || error.code === 'engine-stopped') throw error;
    log.warn('tags and albums could not follow the run', { message: error.message });
  }
}
