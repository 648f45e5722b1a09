/** The command line on the packs that ship, as a person runs it: drawn photos in, captions, answers, albums and a picture out. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { after, before } from 'node:test';
import { promisify } from 'node:util';
import sharp from 'sharp';
import { openStore } from '../../main/engine/store/store.ts';
import { drawScenes } from './drawn-scenes.ts';

const bin = join(import.meta.dirname, '..', '..', 'main', 'shell', 'cli', 'bin.cjs');
const execute = promisify(execFile);

let place: string;
let photos: string;
let photo: string;

async function json<T>(...args: string[]): Promise<T> {
  const { stdout } = await execute(
    process.execPath,
    [bin, ...args, '--json', '--quiet', '--library', join(place, 'library')],
    { maxBuffer: 2 ** 26 },
  );
  return JSON.parse(stdout) as T;
}

before(async () => {
  place = await realpath(await mkdtemp(join(tmpdir(), 'afterimage-cli-')));
  photos = join(place, 'Drawn');
  await mkdir(photos);
  await drawScenes(photos, 20);
  // Trying graphics cards is another test's business.
  const store = openStore({ directory: join(place, 'library'), now: () => Date.now() });
  store.settings.set('app', { provider: 'cpu' });
  store.close();
  const report = await json<{ indexed: number; failed: unknown[] }>('index', photos);
  assert.deepEqual([report.indexed, report.failed], [20, []]);
  const { hits } = await json<{ hits: { path: string }[] }>('search', 'sea', '--limit', '1');
  photo = hits[0]?.path ?? '';
});
after(() => rm(place, { recursive: true, force: true, maxRetries: 5 }));

test('caption says what a photo shows, or that it is not sure', async () => {
  const made = await json<{ path: string; caption: string; pack: string; seconds: number; sure: boolean }>(
    'caption',
    photo,
  );
  assert.deepEqual([made.path, made.pack], [photo, 'starter-captioner']);
  assert.equal(made.caption === 'not sure', !made.sure);
  assert.ok(made.seconds >= 0);
  const prompted = await json<{ caption: string; sure: boolean }>('caption', photo, '--prompt', 'a photo of');
  assert.ok(!prompted.sure || prompted.caption.startsWith('a photo of'));
});

test('the whole library is captioned, and its captions are written as a table', async () => {
  const report = await json<{ captioned: number; unsure: number; failed: unknown[] }>('caption', '--all');
  // One was captioned above.
  assert.equal(report.captioned + report.unsure, 19);
  assert.deepEqual(report.failed, []);
  const { path } = await json<{ path: string }>('captions', 'export', '--format', 'csv', '--out', place);
  assert.match(await readFile(path, 'utf8'), /^\ufeff?path,/);
});

test('ask answers a question about a photo, with what else it considered', async () => {
  const given = await json<{
    path: string;
    question: string;
    answer: string;
    confidence: number;
    sure: boolean;
    answers: { answer: string; probability: number }[];
  }>('ask', photo, 'is this indoors or outdoors?');
  assert.deepEqual([given.path, given.question], [photo, 'is this indoors or outdoors?']);
  assert.ok(given.answers.length >= 2);
  assert.equal(given.answer, given.sure ? given.answers[0]?.answer : 'not sure');
  const sum = given.answers.reduce((total, { probability }) => total + probability, 0);
  assert.ok(sum > 0 && sum <= 1 + 1e-6);
  assert.ok(given.confidence >= 0 && given.confidence <= 1);
});

test('ask-results splits the hits of a query by their answers', async () => {
  const result = await json<{
    answer: string;
    supporting: { path: string }[];
    opposing: unknown[];
    unsure: unknown[];
    tally: { answer: string; photos: number }[];
  }>('ask-results', 'a landscape', 'which of these are at night?', '--limit', '6');
  assert.equal(result.supporting.length + result.opposing.length + result.unsure.length, 6);
  assert.ok(result.answer.length > 0);
});

test('why shows in a picture where in the photo the query is', async () => {
  const out = join(place, 'why.png');
  const reason = await json<{
    picture: string;
    heat: { method: string; rows: number; columns: number; values: number[] };
    library: { percentile: number };
    tags: { name: string; probability: number }[];
  }>('why', photo, 'the sea', '--out', out);
  assert.equal(reason.picture, out);
  assert.equal(reason.heat.values.length, reason.heat.rows * reason.heat.columns);
  assert.ok(reason.tags.length > 0);
  const picture = await sharp(out).stats();
  assert.ok(picture.channels.length >= 3 && (picture.channels[0]?.stdev ?? 0) > 1);
});

test('tags and albums follow what was drawn', async () => {
  const { tags } = await json<{ tags: { name: string; probability: number }[] }>('tags', 'of', photo);
  assert.ok(tags.every(({ probability }, i) => probability <= (tags[i - 1]?.probability ?? 1)));
  await json('albums', 'create', 'Seas', 'sea');
  await json('albums', 'create', 'Chosen', '--photos', photo);
  const { albums } = await json<{ albums: { name: string; kind: string; photos: number }[] }>('albums');
  assert.deepEqual(
    albums.map(({ name, kind }) => [name, kind]),
    [
      ['Chosen', 'plain'],
      ['Seas', 'smart'],
    ],
  );
  assert.equal(albums[0]?.photos, 1);
  const { photos: shown } = await json<{ photos: { path: string }[] }>('albums', 'show', 'Chosen');
  assert.deepEqual(
    shown.map(({ path }) => path),
    [photo],
  );
});

test('the packs that ship are in use, and every photo was looked at', async () => {
  const { packs } = await json<{ packs: { id: string; active: string[] }[] }>('packs', 'list');
  assert.deepEqual(
    packs
      .filter(({ active }) => active.length > 0)
      .map(({ id, active }) => [id, active])
      .sort(),
    [
      ['starter', ['embed']],
      ['starter-answerer', ['answer']],
      ['starter-captioner', ['caption']],
    ],
  );
  const { captions } = await json<{ captions: { total: number; captioned: number } }>('status');
  assert.deepEqual(captions, { total: 20, captioned: 20 });
});
