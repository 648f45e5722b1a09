/** What a person said becomes pairs: which, how much they count, what is alike, and what is refused. */
import assert from 'node:assert/strict';
import { mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import Database from 'better-sqlite3';
import { AppError } from '../../../../main/errors.ts';
import { cosine } from '../../../../main/engine/inference/unit-vectors.ts';
import { gatherPairs, surveyPairs } from '../../../../main/engine/tune/pairs/gather-pairs.ts';
import type { GatherOptions } from '../../../../main/engine/tune/pairs/types.ts';
import type { GatheredPairs } from '../../../../main/engine/tune/types.ts';
import {
  day,
  learningLibrary,
  mixed,
  today,
  wordVector,
  type LearningLibrary,
} from '../../../fixtures/learning-library.ts';

const dims = 32;

async function gathered(options: GatherOptions): Promise<GatheredPairs> {
  const { gathered: found, report } = await gatherPairs(options);
  assert.equal(report.problem, null);
  assert.ok(found !== null);
  return found;
}

/** Rows whose text is this one. */
function rowsOf({ pairs }: GatheredPairs, vector: Float32Array): number[] {
  return [...pairs.weights.keys()].filter(
    (row) => cosine(pairs.texts.subarray(row * dims, (row + 1) * dims), vector) > 0.9999,
  );
}
const textVector = async (library: LearningLibrary, text: string): Promise<Float32Array> =>
  library.embedder.embedQuery(text);

/** Sixty thumbs up, so that one more thing decides nothing: subjects 5 and on, twelve photos each. */
function manyThumbs(library: LearningLibrary): void {
  for (const subject of ['bicycle', 'guitar', 'tulip', 'bridge', 'snow'] as const)
    for (const id of library.of(subject)) library.store.feedback.set(id, subject, 'up', today);
}

test('thumbs, names, captions by hand and albums become pairs, and a survey counts the same', async (t) => {
  const library = learningLibrary(t);
  const { gathered: found, report } = await gatherPairs(library.options());
  assert.ok(found !== null);
  assert.deepEqual(report.sources, [
    { source: 'thumbs', pairs: 18, photos: 18 },
    // Two of six dogs have a thumb up for "dog" as well, which counts more than what Rex is; so have their captions.
    { source: 'names', pairs: 8, photos: 6 },
    { source: 'captions', pairs: 32, photos: 32 },
    { source: 'albums', pairs: 16, photos: 16 },
  ]);
  assert.equal(report.pairs, 74);
  assert.equal(found.sources.length, 74);
  for (const part of [found.pairs.images, found.pairs.texts]) assert.equal(part.length, 74 * dims);
  assert.equal(report.negatives, 9);
  assert.match(report.skipped[0]?.reason ?? '', /"2019" is left out/);
  assert.equal(report.skippedTotal, 1);
  assert.deepEqual(await surveyPairs(library.options()), report);
});

test('only the sources that are asked for are used', async (t) => {
  const library = learningLibrary(t);
  const report = await surveyPairs(library.options({ sources: ['captions', 'file'] }));
  assert.deepEqual(report.sources, [{ source: 'captions', pairs: 32, photos: 32 }]);
  assert.match(report.problem?.message ?? '', /32 examples of 32 different photos; 8 more photos are needed/);
});

test('each pair has the vector of its photo and of its text', async (t) => {
  const library = learningLibrary(t);
  const found = await gathered(library.options());
  const rex = rowsOf(found, await textVector(library, 'Rex'));
  assert.equal(rex.length, 6);
  const images = new Set(
    library
      .of('dog')
      .slice(2, 8)
      .map((id) => String(library.vectorOf(id))),
  );
  for (const row of rex)
    assert.ok(images.has(String(found.pairs.images.slice(row * dims, (row + 1) * dims))));
  assert.deepEqual(new Set(rex.map((row) => found.sources[row])), new Set(['names']));
});

test('captions of models teach nothing', async (t) => {
  const library = learningLibrary(t);
  const before = await surveyPairs(library.options());
  const model = { packId: 'c', fingerprint: 'c', text: 'a zebra', sure: true, confidence: 1, at: today };
  library.store.captions.putModel(library.of('snow').map((photoId) => ({ ...model, photoId })));
  assert.deepEqual(await surveyPairs(library.options()), before);
});

test('queries are embedded by their words, and those of filters alone are left out', async (t) => {
  const library = learningLibrary(t);
  library.store.feedback.set(library.of('snow')[0] ?? 0, 'snow in:alps', 'up', today);
  library.store.feedback.set(library.of('snow')[1] ?? 0, 'in:alps', 'up', today);
  const wordsOfQuery = (query: string): string => query.replace(/in:\w+/, '').trim();
  const { gathered: found, report } = await gatherPairs(library.options({ wordsOfQuery }));
  assert.ok(found !== null);
  assert.equal(rowsOf(found, await textVector(library, 'snow')).length, 1);
  assert.match(report.skipped.map(({ reason }) => reason).join(), /"in:alps" is left out/);
});

test('a name teaches what it is as well, for less', async (t) => {
  const library = learningLibrary(t, { silent: true });
  manyThumbs(library);
  const name = library.store.names.add({ name: 'Mia', kind: 'cat', createdAt: today });
  library.store.names.put(name.id, library.of('cat').slice(0, 3));
  const found = await gathered(library.options());
  const weights = async (text: string): Promise<number[]> =>
    rowsOf(found, await textVector(library, text)).map((row) => found.pairs.weights[row] ?? 0);
  assert.deepEqual(
    (await weights('Mia')).map((weight) => weight.toFixed(2)),
    ['0.70', '0.70', '0.70'],
  );
  assert.deepEqual(
    (await weights('cat')).map((weight) => weight.toFixed(2)),
    ['0.35', '0.35', '0.35'],
  );
});

test('what was said long before the latest counts less, never under three tenths', async (t) => {
  const library = learningLibrary(t, { silent: true });
  manyThumbs(library);
  const year = 365.25 * day;
  for (const [i, age] of [0, 1, 2, 10].entries())
    library.store.feedback.set(library.of('dog')[i] ?? 0, 'dog', 'up', today - age * year);
  const weightsAt = async (now: number): Promise<string[]> => {
    const found = await gathered(library.options({ now }));
    const rows = rowsOf(found, await textVector(library, 'dog'));
    return rows.map((row) => (found.pairs.weights[row] ?? 0).toFixed(2)).sort();
  };
  assert.deepEqual(await weightsAt(today), ['0.30', '0.30', '0.50', '1.00']);
  // From the latest, not from today: the same library gives the same run a month later.
  assert.deepEqual(await weightsAt(today + 30 * day), await weightsAt(today));
});

test('many photos of one text share what they count', async (t) => {
  const library = learningLibrary(t);
  const album = library.store.albums.add({ name: 'Harvest festival', query: null, createdAt: today });
  library.store.albums.put(album.id, library.ids.slice(0, 70));
  const found = await gathered(library.options());
  const rows = rowsOf(found, await textVector(library, 'Harvest festival'));
  assert.equal(rows.length, 70);
  const total = rows.reduce((sum, row) => sum + (found.pairs.weights[row] ?? 0), 0);
  assert.ok(Math.abs(total - 15) < 0.01, `30 pairs' worth at 0.5 each, not ${String(total)}`);
});

test('near-duplicates share a group, bursts only their side of the split, and texts a wording', async (t) => {
  const library = learningLibrary(t, { silent: true });
  manyThumbs(library);
  const [model = 0] = library.of('dog');
  const base = library.vectorOf(model);
  const turned = (share: number, word: string): Float32Array =>
    mixed([base, 1], [wordVector(word, dims), share]);
  const camera = { camera: 'Made 1', takenAt: today };
  const ids = [
    library.add('original.jpg', base, camera),
    library.add('smaller.jpg', turned(0.05, 'noise one')),
    library.add('next frame.jpg', turned(0.3, 'noise two'), { ...camera, takenAt: today + 4_000 }),
    library.add('an hour later.jpg', turned(0.3, 'noise two b'), { ...camera, takenAt: today + 3_600_000 }),
  ];
  for (const [i, text] of ['red collar', 'Red collars', 'brown fur', 'wet fur'].entries())
    library.store.captions.setHand(ids[i] ?? 0, text, today);
  const found = await gathered(library.options());
  const at = ids.map((id) => {
    const vector = library.vectorOf(id);
    return [...found.pairs.weights.keys()].find(
      (row) => String(found.pairs.images.slice(row * dims, (row + 1) * dims)) === String(vector),
    );
  });
  const of = (numbers: Int32Array | undefined) => at.map((row) => numbers?.[row ?? -1]);
  const [groups, kin, wordings] = [of(found.pairs.groups), of(found.kin), of(found.pairs.wordings)];
  assert.equal(groups[0], groups[1], 'a smaller copy is as good as the original');
  assert.notEqual(groups[0], groups[2], 'the next frame may show something else');
  assert.equal(kin[0], kin[2], 'but is on the same side of the split');
  assert.notEqual(kin[0], kin[3], 'an hour later is no burst');
  assert.equal(wordings[0], wordings[1], 'plurals and case say the same');
  assert.notEqual(wordings[2], wordings[3]);
});

test('opposite thumbs for near-duplicates are left out and counted', async (t) => {
  const library = learningLibrary(t, { silent: true });
  manyThumbs(library);
  const [dog = 0, other = 0] = library.of('dog');
  const copy = library.add('copy.jpg', mixed([library.vectorOf(dog), 1], [wordVector('grain', dims), 0.03]));
  library.store.feedback.set(dog, 'dog', 'up', today);
  library.store.feedback.set(copy, 'Dogs', 'down', today);
  library.store.feedback.set(other, 'dog', 'up', today);
  const { gathered: found, report } = await gatherPairs(library.options());
  assert.equal(report.contradictions, 2);
  assert.ok(found !== null);
  assert.equal(rowsOf(found, await textVector(library, 'dog')).length, 1);
  assert.equal(report.negatives, 0);
});

test('when all thumbs contradict each other, that is said', async (t) => {
  const library = learningLibrary(t, { silent: true });
  for (const id of library.of('dog')) {
    const copy = library.add(`copy of ${String(id)}.jpg`, library.vectorOf(id));
    library.store.feedback.set(id, 'dog', 'up', today);
    library.store.feedback.set(copy, 'dog', 'down', today);
  }
  const { gathered: found, report } = await gatherPairs(library.options());
  assert.equal(found, null);
  assert.equal(report.contradictions, 24);
  assert.match(report.problem?.message ?? '', /All thumbs contradict each other/);
});

test('nothing, one pair, ten pairs, or the same words everywhere are refused with what is missing', async (t) => {
  const library = learningLibrary(t, { silent: true });
  const problem = async (): Promise<string> => {
    const { gathered: found, report } = await gatherPairs(library.options());
    assert.equal(found, null);
    assert.equal(report.problem?.code, 'input-invalid');
    return report.problem.message;
  };
  assert.match(await problem(), /nothing to learn from yet.*40 different photos are needed/);
  library.store.feedback.set(library.of('cat')[0] ?? 0, 'cat', 'down', today);
  assert.match(await problem(), /nothing to learn from yet/, 'a thumb down alone is no pair');
  const say = (n: number): void => {
    for (const id of library.ids.slice(0, n)) library.store.captions.setHand(id, 'a nice photo of us', today);
  };
  say(1);
  assert.match(await problem(), /There is 1 example of 1 photo; 39 more photos are needed/);
  say(10);
  assert.match(await problem(), /10 examples of 10 different photos; 30 more photos are needed/);
  say(39);
  assert.match(await problem(), /; 1 more photo is needed/);
  say(60);
  assert.match(await problem(), /All examples have the same words \("a nice photo of us"\)/);
});

test('forty copies of one photo are one photo', async (t) => {
  const library = learningLibrary(t, { silent: true, photos: 12 });
  const [dog = 0] = library.of('dog');
  for (let i = 0; i < 50; i++) {
    const id = library.add(`copy ${String(i)}.jpg`, library.vectorOf(dog));
    library.store.captions.setHand(id, `number ${String(i)}`, today);
  }
  const report = await surveyPairs(library.options());
  assert.deepEqual([report.pairs, report.photos, report.needed], [50, 1, 40]);
  assert.match(report.problem?.message ?? '', /50 examples of 1 photo; 39 more/);
});

/** Writes what the store itself refuses to. */
function damage({ directory, modelId }: LearningLibrary, photoId: number, bytes: Buffer): void {
  const db = new Database(join(directory, 'library.db'));
  db.prepare('UPDATE embeddings SET vector = ? WHERE key = ?').run(bytes, modelId * 2 ** 32 + photoId);
  db.close();
}

test('photos whose vector is no direction are left out with a reason, never trained on', async (t) => {
  const library = learningLibrary(t);
  const [nan = 0, zero = 0, torn = 0] = library.of('dog');
  damage(library, nan, Buffer.from(new Float32Array(dims).fill(NaN).buffer));
  damage(library, zero, Buffer.alloc(dims * 4));
  damage(library, torn, Buffer.alloc(12));
  const long = library.of('beach')[0] ?? 0;
  damage(library, long, Buffer.from(library.vectorOf(long).map((value) => value * 3).buffer));
  const { gathered: found, report } = await gatherPairs(library.options());
  assert.ok(found !== null);
  const reasons = report.skipped.map(({ reason }) => reason);
  for (const name of ['0.jpg', '12.jpg', '24.jpg'])
    assert.equal(reasons.filter((reason) => reason.startsWith(`${name} has a vector`)).length, 1, name);
  assert.equal(reasons.length, 4);
  for (const part of [found.pairs.images, found.pairs.hard?.images ?? found.pairs.images])
    assert.ok(part.every(Number.isFinite));
  for (let row = 0; row < found.pairs.weights.length; row++)
    assert.ok(Math.abs(Math.hypot(...found.pairs.images.slice(row * dims, (row + 1) * dims)) - 1) < 0.02);
});

test('photos that this model has not seen yet are left out until it has', async (t) => {
  const library = learningLibrary(t);
  const { store, embedder } = library;
  const modelId = store.embeddings.model('another', 'another', dims);
  const report = await surveyPairs(library.options({ model: { modelId, embedder } }));
  assert.equal(report.pairs, 0);
  assert.match(report.skipped.at(-1)?.reason ?? '', /was not indexed with this model yet/);
});

test('the same library in another order of rows gives the same bits, another seed or vote does not', async (t) => {
  const say = (library: LearningLibrary, turn: <T>(list: T[]) => T[]): void => {
    for (const subject of turn(['dog', 'cat', 'beach', 'cake', 'snow'] as ('dog' | 'snow')[]))
      for (const id of turn(library.of(subject))) library.store.feedback.set(id, subject, 'up', today);
    for (const id of turn(library.of('boat'))) library.store.feedback.set(id, 'snow', 'down', today);
    for (const name of turn(['Two boats', 'Old bridge'])) {
      const album = library.store.albums.add({ name, query: null, createdAt: today });
      library.store.albums.put(album.id, turn(library.of(name === 'Two boats' ? 'boat' : 'bridge')));
    }
  };
  const [one, other] = [
    learningLibrary(t, { silent: true }),
    learningLibrary(t, { silent: true, backwards: true }),
  ];
  assert.notDeepEqual(one.ids, other.ids);
  say(one, (list) => list);
  say(other, (list) => list.toReversed());
  const [first, second] = [await gathered(one.options()), await gathered(other.options())];
  assert.equal(first.dataHash, second.dataHash);
  assert.deepEqual(first, second);
  assert.match(first.dataHash, /^[0-9a-f]{64}$/);
  assert.notEqual((await gathered(one.options({ seed: 2 }))).dataHash, first.dataHash);
  one.store.feedback.set(one.of('guitar')[0] ?? 0, 'guitar', 'up', today);
  assert.notEqual((await gathered(one.options())).dataHash, first.dataHash);
});

test('hard negatives: thumbs down first, then near ones that nothing says are right', async (t) => {
  const library = learningLibrary(t);
  const found = await gathered(library.options());
  const hard = found.pairs.hard;
  assert.ok(hard !== undefined);
  assert.equal(hard.each, 3);
  const idOf = new Map(library.ids.map((id) => [String(library.vectorOf(id)), id]));
  const negativesOf = (row: number): (number | undefined)[] =>
    [0, 1, 2].flatMap((i) => {
      const at = row * 3 + i;
      return hard.present[at] === 1 ? [idOf.get(String(hard.images.slice(at * dims, (at + 1) * dims)))] : [];
    });
  const down = new Set(library.of('cat').slice(0, 3));
  for (const row of rowsOf(found, await textVector(library, 'dog')))
    assert.deepEqual(new Set(negativesOf(row)), down);
  // Captions say "tulip number one": whatever is captioned as a tulip, or as a number, is no negative of it.
  const captioned = new Set(library.store.captions.byHand().map(({ photoId }) => photoId));
  const own = new Set(library.of('tulip'));
  for (const row of rowsOf(found, await textVector(library, 'tulip number one'))) {
    const negatives = negativesOf(row);
    assert.equal(negatives.length, 3);
    for (const id of negatives) assert.ok(!captioned.has(id ?? 0));
    assert.equal(new Set(negatives).size, 3);
  }
  assert.ok(own.size > 0);
});

test('mined negatives are like none of the photos that are right', async (t) => {
  const library = learningLibrary(t, { silent: true });
  manyThumbs(library);
  const [dog = 0] = library.of('dog');
  library.store.feedback.set(dog, 'dog', 'up', today);
  const twin = library.add('twin.jpg', mixed([library.vectorOf(dog), 1], [wordVector('grain', dims), 0.05]));
  const found = await gathered(library.options());
  const [row = -1] = rowsOf(found, await textVector(library, 'dog'));
  const { images, present } = found.pairs.hard ?? { images: new Float32Array(0), present: new Uint8Array(0) };
  for (const place of [0, 1, 2]) {
    const at = row * 3 + place;
    assert.equal(present[at], 1);
    assert.notEqual(String(images.slice(at * dims, (at + 1) * dims)), String(library.vectorOf(twin)));
  }
});

test('what search knew of each thumb is kept as evidence', async (t) => {
  const library = learningLibrary(t);
  const { store } = library;
  const dogs = library.of('dog');
  store.captions.setHand(dogs[0] ?? 0, 'our dog asleep', today);
  const { evidence } = await gathered(library.options());
  assert.equal(evidence.length, 27);
  const queries = Map.groupBy(evidence, ({ query }) => query);
  assert.deepEqual([...queries.keys()], [0, 1, 2]);
  for (const rows of queries.values()) {
    assert.equal(rows.filter(({ wanted }) => wanted === 1).length, 6);
    const looks = (wanted: 0 | 1) => rows.filter((row) => row.wanted === wanted).map((row) => row.looks);
    assert.ok(Math.min(...looks(1)) > Math.max(...looks(0)), 'what shows it stands out from the background');
  }
  // Two dogs with thumbs are captioned by hand as number one and two, one as asleep.
  const dog = evidence.filter(({ words }) => words.hand > 0 && words.hand <= 1);
  assert.ok(dog.length >= 3);
  assert.ok(evidence.every(({ words }) => words.tag === 0 && words.caption === 0));
});

test('without a set of its own the pack is judged by what search finds today', async (t) => {
  const library = learningLibrary(t);
  const found = await gathered(library.options());
  assert.equal(found.generic.name, 'what search finds today in this library');
  assert.ok(found.generic.weights.length >= 20);
  assert.ok(found.replay.weights.length > 0);
  const rows = ({ images }: { images: Float32Array }): string[] =>
    Array.from({ length: images.length / dims }, (_, i) => String(images.slice(i * dims, (i + 1) * dims)));
  const trained = new Set(rows(found.pairs));
  for (const row of rows(found.replay)) assert.ok(!trained.has(row));
  const judged = new Set(rows(found.generic));
  for (const row of rows(found.replay)) assert.ok(!judged.has(row), 'what is replayed is not judged by');
});

test("the pack's own set is embedded as it stands", async (t) => {
  const library = learningLibrary(t);
  const images = (words: readonly string[]): Float32Array =>
    Float32Array.from(words.flatMap((word) => [...wordVector(word, dims)]));
  const set = {
    ...{ name: 'made', dims },
    judged: {
      images: images(['lamp', 'spoon']),
      photos: Int32Array.of(0, 0, 1),
      texts: ['a lamp', 'the light', 'lamps'],
    },
    replay: { images: images(['horse']), photos: Int32Array.of(0), texts: ['a horse'] },
  };
  const options = library.options({ generic: () => Promise.resolve(set) });
  const { gathered: found, report } = await gatherPairs(options);
  assert.deepEqual(report.generic, { name: 'made', pairs: 3 });
  assert.ok(found !== null);
  assert.equal(found.generic.name, 'made');
  assert.deepEqual([...found.generic.groups], [0, 0, 1]);
  assert.deepEqual([...(found.generic.wordings ?? [])], [0, 1, 0]);
  assert.equal(found.replay.weights.length, 1);
});

async function captionsFolder(
  t: TestContext,
  photos: number,
): Promise<{ dir: string; path: (n: number) => string }> {
  const dir = await realpath(await mkdtemp(join(tmpdir(), 'afterimage-pairs-')));
  t.after(() => rm(dir, { recursive: true }));
  const path = (n: number): string => join(dir, `${String(n)}.jpg`);
  for (let n = 0; n < photos; n++) await writeFile(path(n), '');
  const lines = Array.from(
    { length: photos },
    (_, n) => `${String(n)}.jpg,"view ${'abcdefgh'[n % 8] ?? ''}, ${String(n)}"`,
  );
  await writeFile(join(dir, 'captions.txt'), ['image,caption', ...lines].join('\n'));
  return { dir, path };
}

test('photos of a captions file use the vector of the library, the others are embedded in passing', async (t) => {
  const library = learningLibrary(t, { silent: true });
  const { dir, path } = await captionsFolder(t, 60);
  const asked: string[] = [];
  const progress: [number, number][] = [];
  const options = library.options({
    file: dir,
    photoAt: (each) => Promise.resolve(each === path(0) ? (library.ids[5] ?? 0) : null),
    embedPhoto: (each) => {
      asked.push(each);
      return each === path(7)
        ? Promise.reject(new AppError('image-broken', 'The picture is damaged.'))
        : Promise.resolve(each === path(8) ? new Float32Array(dims) : wordVector(each, dims));
    },
    onProgress: (done, total) => progress.push([done, total]),
  });
  const survey = await surveyPairs(options);
  assert.deepEqual([survey.pairs, survey.photos, survey.problem, asked.length], [60, 60, null, 0]);
  const before = library.store.photos.counts();
  const { gathered: found, report } = await gatherPairs(options);
  assert.ok(found !== null);
  assert.equal(asked.length, 59);
  assert.ok(!asked.includes(path(0)));
  assert.deepEqual(library.store.photos.counts(), before, 'nothing is added to the library');
  assert.equal(report.pairs, 58);
  assert.deepEqual(
    report.skipped.map(({ line }) => line),
    [9, 10],
  );
  assert.match(report.skipped[0]?.reason ?? '', /7\.jpg.*damaged/);
  assert.match(report.skipped[1]?.reason ?? '', /8\.jpg has a vector that is not a direction/);
  const own = String(library.vectorOf(library.ids[5] ?? 0));
  assert.ok(
    [...found.pairs.weights.keys()].some(
      (row) => String(found.pairs.images.slice(row * dims, (row + 1) * dims)) === own,
    ),
  );
  assert.ok(progress.some(([done, total]) => done === 59 && total === 59));
});

test('a captions file that cannot be used is the problem, whatever else there is', async (t) => {
  const library = learningLibrary(t);
  const { dir } = await captionsFolder(t, 1);
  await writeFile(join(dir, 'captions.txt'), 'image,caption\ngone.jpg,A dog\n');
  const report = await surveyPairs(library.options({ file: dir }));
  assert.match(report.problem?.message ?? '', /No line of "captions\.txt" can be used/);
  const { gathered: found } = await gatherPairs(library.options({ file: dir }));
  assert.equal(found, null);
});

test('of thousands of bad lines a hundred are told and all are counted', async (t) => {
  const library = learningLibrary(t);
  const { dir } = await captionsFolder(t, 1);
  const lines = Array.from({ length: 2_000 }, (_, n) => `gone${String(n)}.jpg,A dog`);
  await writeFile(join(dir, 'captions.txt'), ['image,caption', '0.jpg,A view', ...lines].join('\n'));
  const report = await surveyPairs(library.options({ file: dir, sources: ['file', 'captions', 'thumbs'] }));
  assert.equal(report.skipped.length, 100);
  assert.equal(report.skippedTotal, 2_000);
  assert.equal(report.skipped[0]?.line, 3);
});

test('gathering can be given up, and a dead worker is said to be dead', async (t) => {
  const library = learningLibrary(t);
  const cancelled = (thrown: unknown): boolean => thrown instanceof AppError && thrown.code === 'cancelled';
  await assert.rejects(gatherPairs(library.options({ signal: AbortSignal.abort() })), cancelled);
  const controller = new AbortController();
  const { embedder, modelId } = library;
  const model = {
    modelId,
    embedder: {
      ...embedder,
      embedQuery: (text: string) => {
        controller.abort();
        return embedder.embedQuery(text);
      },
    },
  };
  await assert.rejects(gatherPairs(library.options({ model, signal: controller.signal })), cancelled);
  const { dir } = await captionsFolder(t, 60);
  const embedPhoto = () => Promise.reject(new AppError('worker-died', 'The worker ended.'));
  await assert.rejects(
    gatherPairs(library.options({ file: dir, embedPhoto })),
    (thrown) => thrown instanceof AppError && thrown.code === 'worker-died',
  );
});
