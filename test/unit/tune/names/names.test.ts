/** Names taught to a real store and index: what queries with them find, and what happens to names when photos change. */
import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import { silentLog } from '../../../../main/engine/log.ts';
import { createSearch } from '../../../../main/engine/search/search.ts';
import type { Search } from '../../../../main/engine/search/types.ts';
import { createNames } from '../../../../main/engine/tune/names/names.ts';
import type { Names } from '../../../../main/engine/tune/names/types.ts';
import { madeLibrary, type MadeLibrary } from '../../search/made-library.ts';

/** Words know all but the last three; what Rex, Bella and Tom look like is in no word. */
const concepts = ['dog', 'person', 'sea', 'room', 'street', 'flower', 'food', 'rex', 'bella', 'tom'];

interface Home extends MadeLibrary {
  readonly names: Names;
  /** Calls of onNames. */
  readonly told: { count: number };
  readonly ids: (text: string, limit?: number) => Promise<number[]>;
  readonly bands: (text: string, photoIds: readonly number[]) => Promise<string[]>;
}

async function home(t: TestContext): Promise<Home> {
  const library = await madeLibrary(t, concepts);
  const told = { count: 0 };
  // The text side knows no names: whatever is not a common word is nothing to it.
  const common = concepts.slice(0, -3);
  const plain = { ...library.texts };
  plain.embedTexts = (texts) =>
    library.texts.embedTexts(
      texts.map((text) =>
        text
          .split(' ')
          .filter((word) => common.includes(word))
          .join(' '),
      ),
    );
  plain.embedQuery = async (text) => (await plain.embedTexts([text]))[0] ?? new Float32Array(64);
  const space = { embedder: plain, index: library.index };
  const names = createNames({
    store: library.store,
    model: () => Promise.resolve(space),
    current: () => space,
    now: () => 7,
    log: silentLog,
    onNames: () => (told.count += 1),
  });
  const search: Search = createSearch({
    store: library.store,
    model: () => Promise.resolve(names.withNames(space)),
    embedder: () => Promise.reject(new Error('no picture is looked at here')),
    decoder: () => {
      throw new Error('no picture is decoded here');
    },
    now: () => 0,
  });
  t.after(() => names.close());
  library.add([], 60);
  for (const thing of ['person', 'street', 'flower', 'food']) library.add([thing], 20);
  library.add(['dog', 'room'], 20);
  library.add(['dog', 'sea'], 20);
  library.add(['sea'], 20);
  const query = (text: string, limit: number): ReturnType<Search['query']> =>
    search.query({ text, examples: [], offset: 0, limit });
  return {
    ...library,
    search,
    names,
    told,
    ids: async (text, limit = 12) => (await query(text, limit)).hits.map(({ id }) => id),
    bands: async (text, photoIds) => {
      const { hits } = await query(text, 500);
      return photoIds.map((id) => hits.find((hit) => hit.id === id)?.band ?? 'none');
    },
  };
}

test('a taught name finds the thing that was taught, also in photos that were not', async (t) => {
  const { add, names, ids, bands } = await home(t);
  const taught = ['room', 'street', 'flower'].flatMap((place) => add(['dog', 'rex', place], 2));
  const unseen = add(['dog', 'rex'], 6);
  const name = await names.teach({ name: 'Rex', kind: 'dog', photoIds: taught });
  assert.deepEqual(
    { ...name, examples: name.examples.length },
    {
      id: name.id,
      name: 'Rex',
      kind: 'dog',
      photos: 6,
      examples: 6,
      createdAt: 7,
      check: { found: 6, of: 6 },
      problem: null,
    },
  );
  assert.deepEqual(
    (await ids('rex')).sort((a, b) => a - b),
    [...taught, ...unseen],
  );
  assert.deepEqual(
    await bands('rex', unseen),
    unseen.map(() => 'strong'),
  );
});

test('a name among other words keeps what they say', async (t) => {
  const { add, names, ids } = await home(t);
  const taught = ['room', 'street', 'flower'].flatMap((place) => add(['dog', 'rex', place], 2));
  const away = add(['dog', 'rex', 'sea'], 5);
  await names.teach({ name: 'Rex', kind: 'dog', photoIds: taught });
  const found = await ids('Rex sea', 100);
  const places = away.map((id) => found.indexOf(id));
  assert.ok(
    places.every((place) => place >= 0 && place < 7),
    `at ${places.join(', ')}`,
  );
  // Other dogs at the sea, and Rex elsewhere, follow.
  assert.ok(found.slice(0, 5).filter((id) => away.includes(id)).length >= 4);
  const alone = await ids('Rex', 100);
  assert.ok(away.some((id) => alone.indexOf(id) > 5));
});
