/** Calls that ask about one photo, or the same about many. */
import { askResults } from './describe/ask-results.ts';
import { suggestQuestions } from './describe/question-suggestions.ts';
import type { Hit, ParsedInput } from '../contract.ts';
import type { Rooms } from './rooms.ts';
import { pageOf } from './search/pages.ts';
import type { Handlers } from './types.ts';

type AskCalls = 'ask.photo' | 'ask.suggestions' | 'ask.history' | 'ask.forget' | 'ask.results';

export function askHandlers(rooms: Rooms): Pick<Handlers, AskCalls> {
  const { store, search, log, now, language, describing } = rooms;
  const { asking, courtesy } = describing;
  /** Best first: strong ones, then likely ones, then weak ones, as far as the limit goes. */
  const hitsOf = async (input: ParsedInput<'ask.results'>, signal: AbortSignal): Promise<Hit[]> => {
    const { text, examples, photoIds, limit } = input;
    if (text.trim() === '' && examples.length === 0 && photoIds !== undefined) {
      const photos = photoIds.map((id) => ({
        id,
        score: 0,
        band: 'strong' as const,
        foundBy: 'looks' as const,
      }));
      return pageOf(store, { plan: 'filter-only', photos, thresholds: null }, { offset: 0, limit });
    }
    return (await courtesy.search(() => search.query({ text, examples, offset: 0, limit }, signal))).hits;
  };
  return {
    'ask.photo': (input, { signal, progress }) =>
      asking.photo(input, { signal, onText: (text) => progress({ text }) }),
    'ask.suggestions': async ({ photoId }, { signal }) => ({
      questions: await suggestQuestions(
        {
          store,
          log,
          tagsOf: describing.tagsOf,
          classify: async (id, labels) => (await search.classify({ photoId: id, labels }, signal)).labels,
          isTalkative: () => language.useModel('answer', (model) => Promise.resolve(model.followsTurns)),
        },
        photoId,
        signal,
      ),
    }),
    'ask.history': ({ photoId }) => asking.history(photoId),
    'ask.forget': ({ photoId }) => {
      asking.forget(photoId);
      return {};
    },
    'ask.results': async (input, { signal, progress }) =>
      askResults(
        { asking, now },
        {
          question: input.question,
          hits: await hitsOf(input, signal),
          signal,
          onProgress: progress,
        },
      ),
  };
}
