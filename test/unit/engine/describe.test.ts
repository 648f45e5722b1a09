/** Captions and questions through the whole engine: events, settings, packs, read-only libraries, closing. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import test, { after, afterEach, before, beforeEach } from 'node:test';
import { createEngine } from '../../../main/engine/engine.ts';
import { silentLog } from '../../../main/engine/log.ts';
import type { Engine, EngineOptions } from '../../../main/engine/types.ts';
import { createNodeSpawner } from '../../../main/engine/workers.ts';
import type { CaptionProgress } from '../../../main/contract.ts';
import { makeSmallLibrary, photoCount, type SmallLibrary } from '../../contract/small-library.ts';
import { makeLanguagePack } from '../../fixtures/make-language-pack.ts';
import { writePhoto } from '../library/harness.ts';
import { until } from '../describe/manual-delays.ts';
import { scriptedModel, type ScriptedModel } from '../describe/scripted-model.ts';

let place: SmallLibrary;
let model: ScriptedModel;
const opened: Engine[] = [];
const open = async (parts: Partial<EngineOptions> = {}): Promise<Engine> => {
  const engine = await createEngine({
    directory: place.directory,
    modelsDirectory: place.modelsDirectory,
    spawn: createNodeSpawner({ log: silentLog }),
    now: () => Date.now(),
    log: silentLog,
    watch: false,
    loadLanguageModel: () => Promise.resolve(model),
    ...parts,
  });
  opened.push(engine);
  return engine;
};
const idsOf = async (engine: Engine): Promise<number[]> => (await engine.call('photos.timeline', {})).ids;

before(async () => {
  place = await makeSmallLibrary();
  const engine = await open();
  await engine.call('roots.add', { grant: engine.grant(place.photos) });
  await engine.call('indexing.run', {});
  await engine.close();
});
after(() => place.remove());
beforeEach(() => {
  model = scriptedModel();
});
// A test that failed leaves its engine open, and the next one would only hear that the library is locked.
afterEach(async () => {
  for (const engine of opened.splice(0)) await engine.close();
});

test('a caption is heard of, shown with its photo, counted, found by its words, and gone with the library', async () => {
  const engine = await open();
  const [photoId = 0] = await idsOf(engine);
  const described = new Promise<number[]>((resolve) => {
    engine.on('described', ({ photoIds }) => resolve(photoIds));
  });
  const words: string[] = [];
  model.write = () => ({ text: 'a zeppelin over the harbour' });
  await engine.call('captions.make', { photoId }, { progress: ({ text }) => void words.push(text) });
  assert.deepEqual(await described, [photoId]);
  assert.ok(words.length > 0);
  const detail = await engine.call('photos.get', { photoId });
  assert.equal(detail.caption?.text, 'a zeppelin over the harbour');
  assert.deepEqual(detail.albums, []);
  assert.deepEqual((await engine.call('library.status', {})).captions, { total: photoCount, captioned: 1 });
  assert.equal((await engine.call('search.query', { text: 'zeppelin' })).hits[0]?.id, photoId);
  assert.deepEqual((await engine.call('captions.of', { photoIds: [photoId] })).captions[0]?.photoId, photoId);
  await engine.close();
});

test('a run is followed by everybody, joined, paused and stopped through calls', async () => {
  const engine = await open();
  const seen: CaptionProgress[] = [];
  engine.on('captions', (progress) => void seen.push(progress));
  let photos = 0;
  model.write = async () => {
    photos += 1;
    if (photos === 2) await engine.call('captions.pause', {});
    return { text: 'words' };
  };
  const ids = await idsOf(engine);
  const running = engine.call('captions.run', { photoIds: ids.slice(1, 5) });
  const joined = engine.call('captions.run', { photoIds: ids.slice(5, 6) });
  await until('it is paused', () => seen.at(-1)?.phase === 'paused');
  assert.equal((await engine.call('captions.state', {})).done, 2);
  await engine.call('captions.resume', {});
  const report = await running;
  assert.deepEqual(report, await joined);
  assert.equal(report.failed.length, 0);
  assert.ok(report.captioned + report.skipped === 5);
  model.hold = new Promise(() => undefined);
  const stopped = engine.call('captions.run', { again: true });
  await until('a photo is in work', () => model.requests.length > photos);
  await engine.call('captions.stop', {});
  assert.equal((await stopped).captioned, 0);
  await engine.close();
});

test('closing in the midst of a run is clean, and the next engine finds what was written', async () => {
  const engine = await open();
  let photos = 0;
  model.fingerprint = 'f'.repeat(32);
  model.write = () => {
    photos += 1;
    if (photos === 3) model.hold = new Promise(() => undefined);
    return { text: 'words' };
  };
  const running = assert.rejects(engine.call('captions.run', {}), { code: 'engine-stopped' });
  const asking = assert.rejects(
    until('it is held', () => photos === 3).then(async () =>
      engine.call('ask.photo', { photoId: (await idsOf(engine))[0] ?? 0, question: 'What is this?' }),
    ),
    { code: 'engine-stopped' },
  );
  await until('a photo and a question are in work', () =>
    model.requests.some(({ question }) => question !== undefined),
  );
  await engine.close();
  await Promise.all([running, asking]);
  assert.equal(model.closed, true);
  model = scriptedModel({ fingerprint: 'f'.repeat(32) });
  const next = await open();
  const report = await next.call('captions.run', {});
  assert.ok(
    report.captioned >= photoCount - 5 && report.captioned < photoCount - 1,
    String(report.captioned),
  );
  await next.close();
});

test('captions come by themselves when they are wanted, and stop when they are not', async () => {
  model.fingerprint = '1'.repeat(32);
  const engine = await open({ watch: true });
  const seen: CaptionProgress[] = [];
  engine.on('captions', (progress) => void seen.push(progress));
  assert.equal(model.requests.length, 0);
  await engine.call('settings.set', { captionInBackground: true });
  // Two of the files have the same bytes, and one caption.
  await until('everything is captioned', () => model.requests.length === photoCount - 1);
  assert.ok(model.requests.every(({ background }) => background));
  await until('it is over', () => seen.at(-1)?.phase === 'idle');
  await writePhoto(join(place.photos, 'new.png'), 77);
  const [root] = (await engine.call('roots.list', {})).roots;
  await engine.call('indexing.run', { rootIds: [root?.id ?? 0] });
  await until('the new photo is captioned', () => model.requests.length === photoCount);
  assert.equal(model.requests.at(-1)?.name, 'new.png');
  await until('it is over', () => seen.at(-1)?.phase === 'idle');
  await engine.call('settings.set', { captionInBackground: false });
  await writePhoto(join(place.photos, 'newer.png'), 78);
  await engine.call('indexing.run', { rootIds: [root?.id ?? 0] });
  assert.equal((await idsOf(engine)).length, photoCount + 2);
  assert.equal(model.requests.length, photoCount);
  await engine.close();
});

test('a library that is only read shows captions and answers, keeps none, and refuses to write', async () => {
  const owner = await open();
  const reader = await open({ readOnly: true });
  const [photoId = 0] = await idsOf(reader);
  model.fingerprint = '2'.repeat(32);
  model.write = () => ({ text: 'only looking' });
  model.reply = () => ({ text: 'a dog' });
  assert.equal((await reader.call('captions.make', { photoId })).caption.text, 'only looking');
  assert.equal((await reader.call('ask.photo', { photoId, question: 'What is this?' })).answer, 'a dog');
  assert.equal((await reader.call('captions.make', { photoId })).cached, false);
  assert.deepEqual((await reader.call('ask.history', { photoId })).answers, []);
  for (const refused of [
    reader.call('captions.set', { photoId, text: 'mine' }),
    reader.call('captions.run', {}),
    reader.call('ask.forget', { photoId }),
    reader.call('albums.remove', { albumId: 1 }),
    reader.call('tags.remove', { tagId: 1 }),
  ])
    await assert.rejects(refused, { code: 'library-locked' });
  await reader.close();
  await owner.close();
});

test('questions go to the hits of a query or to photos given, with suggestions and a history', async () => {
  const engine = await open();
  const ids = await idsOf(engine);
  model.reply = ({ name }) => ({ text: name.endsWith('.png') ? 'no' : 'yes' });
  const result = await engine.call('ask.results', { photoIds: ids.slice(0, 4), question: 'is there a dog?' });
  assert.match(result.answer, /^\d of 4 photos$/);
  const found = await engine.call('ask.results', {
    text: 'type:png',
    question: 'which of these have a dog?',
  });
  assert.ok(found.opposing.length > 0 && found.supporting.length === 0);
  const [evidence] = found.opposing;
  assert.ok(evidence !== undefined && evidence.photo.name.endsWith('.png'));
  const photoId = evidence.photo.id;
  assert.ok((await engine.call('ask.suggestions', { photoId })).questions.includes('What is this?'));
  assert.equal((await engine.call('ask.history', { photoId })).answers[0]?.question, 'is there a dog?');
  await engine.call('ask.forget', { photoId });
  assert.deepEqual((await engine.call('ask.history', { photoId })).answers, []);
  await assert.rejects(engine.call('ask.photo', { photoId, question: 'x'.repeat(10_000) }), {
    code: 'input-invalid',
  });
  await engine.close();
});

test('captions are written into a folder that was chosen, and into none that was not', async () => {
  const engine = await open();
  const [photoId = 0] = await idsOf(engine);
  await engine.call('captions.set', { photoId, text: 'a caption by hand' });
  const folder = join(place.directory, '..', 'out');
  await mkdir(folder);
  const report = await engine.call('captions.export', { format: 'csv', grant: engine.grant(folder) });
  assert.ok(readFileSync(report.path ?? '', 'utf8').includes('a caption by hand'));
  await assert.rejects(engine.call('captions.export', { format: 'csv', grant: 'made up' }), {
    code: 'not-found',
  });
  await assert.rejects(engine.call('captions.export', { format: 'csv', grant: null }), {
    code: 'input-invalid',
  });
  await engine.close();
});

test('packs that write are listed by what they do, used at once, tried out, and kept while in use', async () => {
  for (const [id, family] of [
    ['tiny-captioner', 'blip-caption'],
    ['tiny-answerer', 'vilt'],
  ] as const)
    await makeLanguagePack({ dir: join(place.modelsDirectory, id), id, family, seed: 5 });
  await rm(join(place.modelsDirectory, 'starter-answerer'), { recursive: true });
  const engine = await open({ loadLanguageModel: undefined });
  const listed = (await engine.call('packs.list', {})).packs;
  const entry = listed.find(({ id }) => id === 'tiny-answerer');
  assert.deepEqual([entry?.tasks, entry?.active, entry?.dims], [['answer'], [], 0]);
  const [photoId = 0] = await idsOf(engine);
  const status = await engine.call('library.status', {});
  assert.equal(status.activePack?.id, 'starter');
  await assert.rejects(engine.call('ask.photo', { photoId, question: 'What is this?' }), {
    code: 'pack-missing',
  });
  const used = await engine.call('packs.use', { packId: 'tiny-answerer' });
  assert.deepEqual(used.pack.active, ['answer']);
  assert.equal((await engine.call('packs.use', { packId: 'tiny-captioner' })).pack.active[0], 'caption');
  const answer = await engine.call('ask.photo', { photoId, question: 'is there a dog?' });
  assert.equal(answer.packId, 'tiny-answerer');
  assert.ok(answer.answers.length > 0);
  await assert.rejects(engine.call('packs.remove', { packId: 'tiny-answerer' }), { code: 'input-invalid' });
  assert.equal((await engine.call('packs.verify', { packId: 'tiny-captioner' })).selfTest.passed, true);
  const broken = (await engine.call('indexing.failures', {})).failures[0]?.photoId ?? 0;
  await assert.rejects(engine.call('captions.make', { photoId: broken }), {
    code: 'image-broken',
    message: /broken\.jpg/,
  });
  await engine.close();
});

test('erasing the library forgets captions and albums for good', async () => {
  const engine = await open();
  const [photoId = 0] = await idsOf(engine);
  await engine.call('captions.set', { photoId, text: 'a secret' });
  await engine.call('albums.create', { name: 'Secrets', photoIds: [photoId] });
  await engine.call('library.erase', { confirm: 'erase' });
  assert.deepEqual((await engine.call('albums.list', {})).albums, []);
  await engine.call('roots.add', { grant: engine.grant(place.photos) });
  await engine.call('indexing.run', {});
  assert.equal((await engine.call('library.status', {})).captions.captioned, 0);
  assert.ok(existsSync(join(place.photos, 'photo 1.png')));
  await engine.close();
});
