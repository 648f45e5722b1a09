/** Calls about thumbs and past queries. */
import { summariesWithPath } from './photo-handlers.ts';
import type { Rooms } from './rooms.ts';
import type { Handlers } from './types.ts';

type FeedbackCalls =
  | 'feedback.set'
  | 'feedback.of'
  | 'feedback.list'
  | 'feedback.clear'
  | 'queries.remember'
  | 'queries.list'
  | 'queries.forget';

export function feedbackHandlers({
  store,
  bus,
  now,
}: Pick<Rooms, 'store' | 'bus' | 'now'>): Pick<Handlers, FeedbackCalls> {
  const changed = (): { up: number; down: number } => {
    const counts = store.feedback.counts();
    bus.emit('feedback', counts);
    return counts;
  };
  return {
    'feedback.set': ({ photoId, text, vote }) => {
      store.feedback.set(photoId, text, vote, now());
      return changed();
    },
    'feedback.of': ({ text, photoIds }) => ({
      votes: Array.from(store.feedback.of(text, photoIds), ([photoId, vote]) => ({ photoId, vote })),
    }),
    'feedback.list': (page) => {
      const rows = store.feedback.list(page);
      const photos = summariesWithPath(
        store,
        rows.map(({ photoId }) => photoId),
      );
      return {
        ...store.feedback.counts(),
        entries: rows.flatMap(({ photoId, text, vote, at }) => {
          const photo = photos.get(photoId);
          return photo === undefined ? [] : [{ photo, text, vote, at }];
        }),
      };
    },
    'feedback.clear': () => {
      store.feedback.clear();
      changed();
      return {};
    },
    'queries.remember': ({ text }) => {
      // Nobody asked for it to be noted: beside another owner it simply isn't.
      if (!store.readOnly) store.queries.remember(text, now());
      return {};
    },
    'queries.list': ({ limit }) => ({ queries: store.queries.list(limit) }),
    'queries.forget': ({ text }) => {
      store.queries.forget(text);
      return {};
    },
  };
}
