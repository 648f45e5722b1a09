/** Zero-shot tags over a real store and index: who carries them, what is done again, and that searches get through. */
import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import type { TextSide } from '../../../main/engine/inference/types.ts';
import { silentLog } from '../../../main/engine/log.ts';
import { defaultTags } from '../../../main/engine/search/tags-defaults.ts';
import { leastProbability, tagScale } from '../../../main/engine/search/tags-probability.ts';
import { createTags } from '../../../main/engine/search/tags.ts';
import type { Tags, TagsOptions } from '../../../main/engine/search/tags-types.ts';
import { AppError } from '../../../main/errors.ts';
import { manualDelays, settle } from '../describe/manual-delays.ts';
import { madeLibrary, type MadeLibrary } from './made-library.ts';

interface TaggedLibrary extends MadeLibrary {
  readonly tags: Tags;
  readonly told: number[];
  /** Sentences that the model was asked for. */
  readonly embedded: string[];
  readonly idOf: (name: string) => number;
  readonly open: (changes?: Partial<TagsOptions>) => Tags;
}

/** A library that knows dogs and snow, with just the tags named. */
async function tagged(
  t: TestContext,
  names: readonly string[] = ['dog', 'snow', 'boat'],
): Promise<TaggedLibrary> {
  const made = await madeLibrary(t, ['dog', 'snow', 'beach']);
  const told: number[] = [];
  const embedded: string[] = [];
  const embedder: TextSide = {
    ...made.texts,
    embedTexts: (texts, signal) => {
      embedded.push(...texts);
      return made.texts.embedTexts(texts, signal);
    },
  };
  const open = (changes: Partial<TagsOptions> = {}): Tags =>
    createTags({
      store: made.store,
      log: silentLog,
      timers: manualDelays(),
      model: () => Promise.resolve({ embedder, index: made.index }),
      background: false,
      onTags: () => undefined,
      onTagged: (photoIds) => told.push(...photoIds),
      ...changes,
    });
  // Seeds the default list, of which a few are enough here.
  const tags = open();
  for (const tag of tags.list()) await tags.remove(tag.id);
  for (const name of names) made.store.tags.set({ name, prompts: [] });
  t.after(() => tags.close());
  const idOf = (name: string): number => {
    const tag = tags.list().find((each) => each.name === name);
    assert.ok(tag !== undefined, name);
    return tag.id;
  };
  return { ...made, tags, told, embedded, idOf, open };
}

const carriers = ({ store, modelId, idOf }: TaggedLibrary, name: string): number[] =>
  store.tags.photos(modelId, idOf(name));

test('a new library has the default tags once; what a person removed stays away until they are restored', async (t) => {
  const { store, texts, index } = await madeLibrary(t, ['dog']);
  const open = (): Tags =>
    createTags({
      store,
      log: silentLog,
      timers: manualDelays(),
      model: () => Promise.resolve({ embedder: texts, index }),
      background: false,
      onTags: () => undefined,
      onTagged: () => undefined,
    });
  const tags = open();
  assert.equal(tags.list().length, defaultTags.length);
  assert.ok(defaultTags.length >= 80 && defaultTags.length <= 120);
  const dog = tags.list().find(({ name }) => name === 'dog');
  assert.ok(dog !== undefined);
  await tags.remove(dog.id);
  await tags.set({ name: 'my boat', prompts: ['a red boat'] });
  const again = open();
  assert.ok(!again.list().some(({ name }) => name === 'dog'));
  const restored = await again.restore();
  assert.equal(restored.length, defaultTags.length + 1);
  assert.deepEqual(restored.find(({ name }) => name === 'my boat')?.prompts, ['a red boat']);
});

test('photos carry the tags of what they show, and no others', async (t) => {
  const made = await tagged(t);
  made.add([], 150);
  const dogs = made.add(['dog'], 15);
  const winter = made.add(['dog', 'snow'], 10);
  await made.tags.settled();
  const found = carriers(made, 'dog');
  const right = found.filter((id) => dogs.includes(id) || winter.includes(id));
  assert.ok(right.length >= 20, `${right.length} of 25 dogs`);
  assert.equal(found.length, right.length);
  assert.ok(carriers(made, 'snow').every((id) => winter.includes(id)));
  assert.deepEqual(carriers(made, 'boat'), []);
  const both = winter.find((id) => made.tags.shown(id).length === 2);
  assert.ok(both !== undefined, 'two tags may be true of one photo');
  assert.equal(made.tags.list().find(({ name }) => name === 'dog')?.photos, found.length);
  assert.deepEqual(
    (await made.search.query({ text: 'tag:snow', examples: [], offset: 0, limit: 50 })).total,
    carriers(made, 'snow').length,
  );
});

test('every tag has a probability for a photo, and those carried are the probable ones', async (t) => {
  const made = await tagged(t);
  made.add([], 100);
  const [dog = 0] = made.add(['dog'], 12);
  await made.tags.settled();
  const { path, tags } = await made.tags.ofPhoto(dog);
  assert.match(path, /^\/photos\/IMG_/);
  assert.deepEqual(tags.map(({ name }) => name).sort(), ['boat', 'dog', 'snow']);
  assert.equal(tags[0]?.name, 'dog');
  assert.ok(
    tags.every(({ probability }, i) => probability <= (tags[i - 1]?.probability ?? 1) && probability >= 0),
  );
  const shown = made.tags.shown(dog);
  assert.deepEqual(
    shown,
    tags.filter(({ probability }) => probability >= leastProbability({ kind: 'softmax' })),
  );
  await assert.rejects(made.tags.ofPhoto(9_999), (error: AppError) => error.code === 'not-found');
});

test('a second time there is nothing to do, and the model is not even asked for', async (t) => {
  const made = await tagged(t);
  made.add(['dog'], 5);
  await made.tags.settled();
  let asked = 0;
  const again = made.open({
    model: () => {
      asked++;
      return Promise.reject(new AppError('pack-missing', 'There is none.'));
    },
  });
  await again.settled();
  assert.equal(asked, 0);
});

test('new photos are tagged without touching the others', async (t) => {
  const made = await tagged(t);
  made.add([], 100);
  made.add(['dog'], 12);
  await made.tags.settled();
  made.told.length = 0;
  const fresh = made.add(['dog'], 3);
  made.tags.changed();
  await made.tags.settled();
  assert.ok(made.told.length > 0);
  assert.ok(made.told.every((id) => fresh.includes(id)));
});

test('a tag that is set is looked for by its sentences, and only it', async (t) => {
  const made = await tagged(t, ['dog']);
  made.add([], 100);
  const snowy = made.add(['snow'], 12);
  await made.tags.settled();
  made.embedded.length = 0;
  const tag = await made.tags.set({ name: '  winter   walk ', prompts: ['deep snow', ' ', 'deep snow'] });
  assert.deepEqual([tag.name, tag.prompts], ['winter walk', ['deep snow']]);
  assert.deepEqual(made.embedded, ['deep snow']);
  assert.ok(tag.photos >= 10);
  assert.ok(carriers(made, 'winter walk').every((id) => snowy.includes(id)));
  const other = await made.tags.set({ tagId: tag.id, name: 'winter walk', prompts: ['a beach'] });
  assert.equal(other.photos, 0);
});

test('renaming a tag that has sentences looks at no photo, and its photos are told of', async (t) => {
  const made = await tagged(t, []);
  made.add([], 60);
  made.add(['dog'], 10);
  const { id } = await made.tags.set({ name: 'rex', prompts: ['dog'] });
  const before = carriers(made, 'rex');
  made.embedded.length = 0;
  made.told.length = 0;
  await made.tags.set({ tagId: id, name: 'bella', prompts: ['dog'] });
  assert.deepEqual(made.embedded, []);
  assert.deepEqual(made.told, before);
  assert.ok(before.length > 0);
  const [first = 0] = before;
  assert.deepEqual(
    made.tags.shown(first).map(({ name }) => name),
    ['bella'],
  );
});

test('names are refused when empty or taken, whatever their case', async (t) => {
  const made = await tagged(t);
  const refused = (name: string): Promise<void> =>
    assert.rejects(made.tags.set({ name, prompts: [] }), (error: AppError) => error.code === 'input-invalid');
  await refused('   ');
  await refused('DOG');
  await assert.rejects(made.tags.remove(12_345), (error: AppError) => error.code === 'not-found');
});

test('where the pack cannot be loaded a tag is set all the same, and found later', async (t) => {
  const made = await tagged(t, []);
  made.add([], 60);
  made.add(['dog'], 8);
  const blind = made.open({
    model: () => Promise.reject(new AppError('pack-missing', 'There is none.')),
  });
  const tag = await blind.set({ name: 'dog', prompts: [] });
  assert.equal(tag.photos, 0);
  await assert.rejects(blind.settled(), (error: AppError) => error.code === 'pack-missing');
  made.tags.changed();
  await made.tags.settled();
  assert.ok(carriers(made, 'dog').length > 0);
});

test('a whole library is tagged in slices, between which other work gets its turn', async (t) => {
  const made = await tagged(t, ['dog', 'snow', 'beach', 'boat', 'sea', 'cat', 'car', 'bus']);
  made.add([], 1_500);
  let turns = 0;
  let working = true;
  const count = (): void => {
    turns++;
    if (working) setImmediate(count);
  };
  count();
  await made.tags.settled();
  working = false;
  assert.ok(turns > 10, `${turns} turns`);
});

test('in the background it waits for a pause, works once for many changes, and stops when it is closed', async (t) => {
  const made = await tagged(t, ['dog']);
  made.add([], 60);
  made.add(['dog'], 8);
  const timers = manualDelays();
  const tags = made.open({ timers, background: true });
  for (let i = 0; i < 5; i++) tags.changed();
  assert.equal(timers.waiting, 1);
  assert.deepEqual(carriers(made, 'dog'), []);
  timers.turn();
  await tags.settled();
  assert.ok(carriers(made, 'dog').length > 0);
  tags.changed();
  await tags.close();
  assert.equal(timers.waiting, 0);
  timers.turn();
  await settle();
});

test('a pack with probabilities of its own keeps them', () => {
  const scoring = { kind: 'sigmoid' as const, logitScale: 100, logitBias: -10 };
  const scale = tagScale(
    { embedder: { scoring }, index: {} } as unknown as Parameters<typeof tagScale>[0],
    new Float32Array(1),
  );
  assert.ok(Math.abs(scale(0.1) - 0.5) < 1e-9);
  assert.ok(scale(0.2) > 0.99 && scale(0) < 0.001);
  assert.ok(leastProbability(scoring) < 0.5);
});
