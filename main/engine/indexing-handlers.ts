/** Calls about indexing: run, watch, pause, and what failed. */
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
      return library.run({ rootIds, signal, onProgress: progress });
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
