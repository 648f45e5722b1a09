/** Calls about captions: one photo, a run over many, and writing them out. */
import { exportCaptions } from './describe/export-captions.ts';
import type { Rooms } from './rooms.ts';
import type { Handlers } from './types.ts';

type CaptionCalls =
  | 'captions.make'
  | 'captions.of'
  | 'captions.set'
  | 'captions.run'
  | 'captions.state'
  | 'captions.pause'
  | 'captions.resume'
  | 'captions.stop'
  | 'captions.export';

export function captionHandlers(rooms: Rooms): Pick<Handlers, CaptionCalls> {
  const { store, library, grants, now, describing } = rooms;
  const { captions, runs, background } = describing;
  return {
    'captions.make': (input, { signal, progress }) =>
      captions.make(input, { signal, onText: (text) => progress({ text }) }),
    'captions.of': (input) => captions.of(input),
    'captions.set': (input) => captions.set(input),
    'captions.run': (input, { signal, progress }) => runs.run({ ...input, signal, onProgress: progress }),
    'captions.state': () => runs.state(),
    'captions.pause': () => {
      runs.pause();
      return {};
    },
    'captions.resume': () => {
      runs.resume();
      return {};
    },
    'captions.stop': () => {
      if (runs.stop()) background.stopped();
      return {};
    },
    'captions.export': ({ format, grant, photoIds }, { signal, progress }) =>
      exportCaptions(
        { store, now, locate: (photoId) => library.locate(photoId), tagsOf: describing.tagsOf },
        {
          format,
          folder: grant === null ? null : grants.path(grant),
          photoIds,
          signal,
          onProgress: progress,
        },
      ),
  };
}
