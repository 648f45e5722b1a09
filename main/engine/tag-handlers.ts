/** Calls about zero-shot tags. */
import type { Tags } from './search/tags-types.ts';
import type { Handlers } from './types.ts';

type TagCalls = 'tags.list' | 'tags.set' | 'tags.remove' | 'tags.restore' | 'tags.ofPhoto';

export function tagHandlers({ tags }: { readonly tags: Tags }): Pick<Handlers, TagCalls> {
  return {
    'tags.list': () => ({ tags: tags.list() }),
    'tags.set': async (input, { signal }) => ({ tag: await tags.set(input, signal) }),
    'tags.remove': async ({ tagId }) => {
      await tags.remove(tagId);
      return {};
    },
    'tags.restore': async (_input, { signal }) => ({ tags: await tags.restore(signal) }),
    'tags.ofPhoto': ({ photoId }, { signal }) => tags.ofPhoto(photoId, signal),
  };
}
