/** Names taught to a real store and index: what queries with them find, and what happens to names when photos change. */
import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import { noCameraMetadata } from '../../../../main/engine/inference/photo-metadata.ts';
import type { Decoder, Embedder } from '../../../../main/engine/inference/types.ts';
import { silentLog } from '../../../../main/engine/log.ts';
import { createSearch } from '../../../../main/engine/search/search.ts';
import type { Search } from '../../../../main/engine/search/types.ts';
import { createNames } from '../../../../main/engine/tune/names/names.ts';
import type { NamedSpace, Names } from '../../../../main/engine/tune/names/types.ts';
import { madeLibrary, type MadeLibrary } from '../../search/made-library.ts';

/** Words know all but the last three; what Rex, Bella and Tom look like is in no word. */
const concepts = ['dog', 'person', 'sea', 'room', 'street', 'flower', 'food', 'rex', 'bella', 'tom'];

interface Home extends MadeLibrary {
  readonly names: Names;
  readonly space: NamedSpace;
  /** Calls of onNames. */
  readonly told: { count: number };
  readonly ids: (text: string, limit?: number) => Promise<number[]>;
  readonly bands: (text: string, photoIds: readonly number[]) => Promise<string[]>;
  /** Two of Rex in each of three places. */
  readonly addRex: () => number[];
}

async function home(t: TestContext, more: { embedder?: Embedder; decoder?: Decoder } = {}): Promise<Home> {
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
    embedder: () =>
      more.embedder === undefined
        ? Promise.reject(new Error('no picture is looked at here'))
        : Promise.resolve(more.embedder),
    decoder: () => {
      if (more.decoder === undefined) throw new Error('no picture is decoded here');
      return more.decoder;
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
    space,
    names,
    told,
    ids: async (text, limit = 12) => (await query(text, limit)).hits.map(({ id }) => id),
    bands: async (text, photoIds) => {
      const { hits } = await query(text, 500);
      return photoIds.map((id) => hits.find((hit) => hit.id === id)?.band ?? 'none');
    },
    addRex: () => ['room', 'street', 'flower'].flatMap((place) => library.add(['dog', 'rex', place], 2)),
  };
}

test('a taught name finds the thing that was taught, also in photos that were not', async (t) => {
  const { add, addRex, names, ids, bands } = await home(t);
  const taught = addRex();
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
  const { add, addRex, names, ids } = await home(t);
  const taught = addRex();
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

test('what is named and not wanted goes out, and takes other dogs not along', async (t) => {
  const { add, addRex, names, ids } = await home(t);
  const taught = addRex();
  const unseen = add(['dog', 'rex'], 4);
  await names.teach({ name: 'Rex', kind: 'dog', photoIds: taught });
  const found = await ids('dog -Rex', 40);
  assert.deepEqual(
    [...taught, ...unseen].filter((id) => found.includes(id)),
    [],
  );
  assert.equal(found.filter((id) => id > 140 && id <= 180).length, 40);
  const without = await ids('-Rex', 500);
  assert.equal(
    taught.some((id) => without.includes(id)),
    false,
  );
});

test('two names ask for photos of both', async (t) => {
  const { add, addRex, names, ids, bands } = await home(t);
  const rex = addRex();
  const bella = ['room', 'sea', 'food'].flatMap((place) => add(['dog', 'bella', place], 2));
  const both = add(['dog', 'rex', 'bella'], 3);
  await names.teach({ name: 'Rex', kind: 'dog', photoIds: [...rex, both[0] ?? 0] });
  await names.teach({ name: 'Bella', kind: 'dog', photoIds: [...bella, both[0] ?? 0] });
  assert.deepEqual(
    (await ids('Rex and Bella', 3)).sort((a, b) => a - b),
    both,
  );
  assert.deepEqual(await bands('Rex and Bella', both.slice(0, 1)), ['strong']);
  const alone = await ids('Bella', 8);
  assert.equal(alone.filter((id) => rex.includes(id)).length, 0);
});

test('one photo is enough, and a name without a kind', async (t) => {
  const { add, names, ids } = await home(t);
  const [first = 0, ...others] = add(['tom'], 5);
  const name = await names.teach({ name: 'Tom', photoIds: [first] });
  assert.deepEqual([name.kind, name.check], [null, null]);
  assert.deepEqual(
    (await ids('a photo of Tom', 5)).sort((a, b) => a - b),
    [first, ...others],
  );
});

test('a name that is a common word means the thing that was taught', async (t) => {
  const { addRex, names, ids, bands } = await home(t);
  const taught = addRex();
  await names.teach({ name: 'Dog', kind: 'dog', photoIds: taught });
  assert.deepEqual(
    (await ids('dog', 6)).sort((a, b) => a - b),
    taught,
  );
  assert.deepEqual(new Set(await bands('dog', taught)), new Set(['strong']));
});

test('queries without a name, and all texts that are no queries, are what they were to the bit', async (t) => {
  const { addRex, names, space, search } = await home(t);
  const before = await search.query({ text: 'dog sea', examples: [], offset: 0, limit: 100 });
  const vector = await space.embedder.embedQuery('dog sea');
  await names.teach({ name: 'Rex', kind: 'dog', photoIds: addRex() });
  const named = names.withNames(space).embedder;
  assert.deepEqual(await named.embedQuery('dog sea'), vector);
  assert.equal(await named.taught?.('dog sea'), undefined);
  assert.deepEqual(await named.embedTexts(['Rex']), await space.embedder.embedTexts(['Rex']));
  const after = await search.query({ text: 'dog sea', examples: [], offset: 0, limit: 100 });
  assert.deepEqual(after.hits.filter(({ id }) => id <= 200).slice(0, 20), before.hits.slice(0, 20));
});

test('a quoted name is a phrase: words that stand with a photo', async (t) => {
  const { addRex, names, ids, store } = await home(t);
  const taught = addRex();
  await names.teach({ name: 'Rex', kind: 'dog', photoIds: taught });
  assert.deepEqual(await ids('"Rex"'), []);
  store.captions.setHand(3, 'Rex himself', 1);
  assert.deepEqual(await ids('"Rex"'), [3]);
});

test('a name whose photos are gone says so and is a plain word until it has others', async (t) => {
  const { add, names, space, store, index } = await home(t);
  const taught = add(['dog', 'rex'], 3);
  const { id } = await names.teach({ name: 'Rex', kind: 'dog', photoIds: taught });
  const named = names.withNames(space).embedder;
  const plain = await space.embedder.embedQuery('Rex sea');
  assert.notDeepEqual(await named.embedQuery('Rex sea'), plain);
  store.photos.remove(taught);
  index.remove(taught, store.embeddings.generation());
  assert.deepEqual(await named.embedQuery('Rex sea'), plain);
  const [gone] = names.list();
  assert.deepEqual([gone?.photos, gone?.examples, gone?.problem?.code], [0, [], 'not-found']);
  assert.match(gone?.problem?.message ?? '', /No photo of Rex .* Add photos/);
  const again = await names.teach({ name: 'rex', photoIds: add(['dog', 'rex'], 2) });
  assert.deepEqual(
    [again.id, again.name, again.kind, again.photos, again.problem],
    [id, 'Rex', 'dog', 2, null],
  );
  assert.notDeepEqual(await named.embedQuery('Rex sea'), plain);
});

test('what a name looks like is learnt anew when its photos, its kind or the vectors are others', async (t) => {
  const { add, addRex, names, space } = await home(t);
  const taught = addRex();
  const { id } = await names.teach({ name: 'Rex', kind: 'dog', photoIds: taught });
  const ask = (): Promise<Float32Array> => names.withNames(space).embedder.embedQuery('Rex');
  const first = await ask();
  assert.deepEqual(await ask(), first);
  await names.teach({ name: 'Rex', photoIds: add(['dog', 'rex', 'food'], 2) });
  const more = await ask();
  assert.notDeepEqual(more, first);
  await names.take(id, taught.slice(0, 3));
  const fewer = await ask();
  assert.notDeepEqual(fewer, more);
  await names.update({ nameId: id, kind: 'person' });
  assert.notDeepEqual(await ask(), fewer);
  await names.update({ nameId: id, name: 'Max' });
  assert.deepEqual(await ask(), await space.embedder.embedQuery('Rex'));
});

test('names live in the space that is searched', async (t) => {
  const { addRex, names, space } = await home(t);
  const other = await home(t);
  const taught = addRex();
  other.addRex();
  await names.teach({ name: 'Rex', kind: 'dog', photoIds: taught });
  // The same photos by another index whose axes are the other way round, as a head may turn them.
  const turned = (vector: Float32Array): Float32Array => vector.toReversed();
  const { index } = other;
  const elsewhere: NamedSpace = {
    embedder: {
      ...space.embedder,
      embedQuery: async (text) => turned(await space.embedder.embedQuery(text)),
    },
    index: {
      dims: index.dims,
      size: index.size,
      has: (id) => index.has(id),
      vector: (id) => {
        const vector = index.vector(id);
        return vector === undefined ? undefined : turned(vector);
      },
      search: (query, options) => index.search(turned(query), options),
      sampleScores: (query, size) => index.sampleScores(turned(query), size),
    },
  };
  const here = await names.withNames(space).embedder.embedQuery('Rex');
  const there = await names.withNames(elsewhere).embedder.embedQuery('Rex');
  const along = (a: Float32Array, b: Float32Array): number =>
    a.reduce((sum, value, d) => sum + value * (b[d] ?? 0), 0);
  assert.ok(along(here, turned(there)) > 0.99);
  assert.ok(along(here, there) < 0.5);
});

test('of a thousand photos some are learnt from, and all of them carry the name', async (t) => {
  const { add, names, ids, bands } = await home(t);
  const taught = add(['dog', 'rex'], 1_000);
  const unseen = add(['dog', 'rex'], 5);
  const name = await names.teach({ name: 'Rex', kind: 'dog', photoIds: taught });
  assert.equal(name.photos, 1_000);
  assert.ok(name.examples.length <= 12 && name.check?.of === 12 && name.check.found === 12);
  assert.equal(
    (await ids('Rex', 500)).every((id) => id > 200),
    true,
  );
  assert.deepEqual(new Set(await bands('Rex', unseen)).has('weak'), false);
});

test('the list waits for nothing, and is told again when the checks are known', async (t) => {
  const { addRex, names, told, add } = await home(t);
  await names.teach({ name: 'Rex', photoIds: addRex() });
  await names.teach({ name: 'Tom', photoIds: add(['tom'], 4) });
  const [rex, tom] = names.list();
  assert.deepEqual([rex?.name, rex?.check, tom?.check], ['Rex', { found: 6, of: 6 }, { found: 4, of: 4 }]);
  const before = told.count;
  add([], 60);
  assert.deepEqual(
    names.list().map(({ check }) => check),
    [null, null],
  );
  while (told.count === before) await new Promise(setImmediate);
  assert.deepEqual(
    names.list().map(({ check }) => check?.found),
    [6, 4],
  );
  const settled = told.count;
  for (let i = 0; i < 20; i += 1) await new Promise(setImmediate);
  assert.equal(told.count, settled);
});

test('what cannot be a name, or has no photo, is refused in words and changes nothing', async (t) => {
  const { add, names, store } = await home(t);
  const [photo = 0] = add(['tom'], 1);
  const refused = (name: string, photoIds: number[], message: RegExp): Promise<void> =>
    assert.rejects(names.teach({ name, photoIds }), { message });
  await refused('  ', [photo], /A name is missing/);
  await refused('?!', [photo], /no letter or digit/);
  await refused('Tom', [], /at least one photo/);
  await refused('Tom', [photo, 99_999], /1 of the photos are not in the library/);
  const [unread = 0] = store.photos.add(1, [{ relPath: 'new.jpg', bytes: 1, mtimeMs: 1 }]);
  await refused('Tom', [unread], /not been looked at/);
  store.photos.commit(
    1,
    [],
    [
      {
        photoId: unread,
        hash: 'f'.repeat(32),
        stat: { bytes: 1, mtimeMs: 1 },
        error: { code: 'image-broken', message: 'It is cut short.' },
      },
    ],
  );
  await refused('Tom', [photo, unread], /1 of the photos .* cannot be read/);
  assert.deepEqual(names.list(), []);
  const tom = await names.teach({ name: 'Tom', photoIds: [photo] });
  const rex = await names.teach({ name: 'Rex', photoIds: [photo] });
  await assert.rejects(async () => names.update({ nameId: rex.id, name: ' tom ' }), {
    code: 'input-invalid',
    message: /already taught/,
  });
  await assert.rejects(async () => names.update({ nameId: rex.id, name: '...' }), { code: 'input-invalid' });
  assert.throws(() => names.photos(99), { code: 'not-found' });
  names.remove(tom.id);
  assert.throws(() => names.remove(tom.id), { code: 'not-found' });
  assert.deepEqual(
    names.list().map(({ name }) => name),
    ['Rex'],
  );
});

test('why a photo matched a name: its place in the library, and where in the photo', async (t) => {
  const learnt: Float32Array[] = [];
  const embedder = {
    fingerprint: 'axes',
    packId: 'axes',
    dims: 64,
    imageSpec: {
      resize: { shortestEdge: 20 },
      crop: null,
      resample: 2,
      rescale: 1 / 255,
      mean: [0, 0, 0],
      std: [1, 1, 1],
    },
    patches: {
      columns: 2,
      rows: 1,
      // The left cell shows what Rex looks like, the right one nothing.
      embed: () => {
        const cells = new Float32Array(2 * 64);
        cells[concepts.indexOf('rex')] = 3;
        cells[64 + 40] = 3;
        learnt.push(cells);
        return Promise.resolve(cells);
      },
    },
  } as unknown as Embedder;
  const decoder: Decoder = {
    concurrency: 1,
    decode: () =>
      Promise.resolve({
        pixels: new Uint8Array(20 * 40 * 3),
        pixelWidth: 40,
        pixelHeight: 20,
        metadata: { width: 40, height: 20, format: 'jpeg', ...noCameraMetadata },
        thumbnail: null,
      }),
    close: () => Promise.resolve(),
  };
  const { add, addRex, names, search } = await home(t, { embedder, decoder });
  const taught = addRex();
  const [unseen = 0] = add(['dog', 'rex'], 1);
  await names.teach({ name: 'Rex', kind: 'dog', photoIds: taught });
  const why = await search.why({ photoId: unseen, text: 'Rex', examples: [] });
  assert.equal(why.band, 'strong');
  assert.ok(why.library.percentile > 0.95 && why.score > (why.library.strongAt ?? 2));
  assert.deepEqual(why.heat?.values, [1, 0]);
  assert.equal((await search.why({ photoId: 145, text: 'Rex', examples: [] })).band, 'weak');
});
