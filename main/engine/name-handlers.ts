/** Calls about taught names. */
import type { Names } from './tune/names/types.ts';
import type { Handlers } from './types.ts';

type NameCalls =
  'names.list' | 'names.teach' | 'names.update' | 'names.photos' | 'names.take' | 'names.remove';

export function nameHandlers({ names }: { readonly names: Names }): Pick<Handlers, NameCalls> {
  return {
    'names.list': () => ({ names: names.list() }),
    'names.teach': async (input, { signal }) => ({ name: await names.teach(input, signal) }),
    'names.update': async (input) => ({ name: await names.update(input) }),
    'names.photos': ({ nameId }) => ({ photoIds: names.photos(nameId) }),
    'names.take': async ({ nameId, photoIds }) => ({ name: await names.take(nameId, photoIds) }),
    'names.remove': ({ nameId }) => {
      names.remove(nameId);
      return {};
    },
  };
}
