/** The command line about tags and albums. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import test, { after, before } from 'node:test';
import { makeSmallLibrary, photoCount, type SmallLibrary } from '../../contract/small-library.ts';
import { cliOver, parseOne, type RunCli, type RunJson } from './run-over.ts';

interface TagAnswer {
  readonly name: string;
  readonly prompts: readonly string[];
  readonly photos: number;
}
interface AlbumAnswer {
  readonly name: string;
  readonly kind: string;
  readonly photos: number;
}

let place: SmallLibrary;
let run: RunCli;
let json: RunJson;
let photo: string;
let other: string;
before(async () => {
  place = await makeSmallLibrary();
  ({ run, json } = cliOver(place));
  photo = join(place.photos, 'photo 4.jpg');
  other = join(place.photos, 'photo 5.jpg');
  await json('index', place.photos);
});
after(() => place.remove());

const tags = async (): Promise<TagAnswer[]> => (await json('tags'))['tags'] as TagAnswer[];
const album = async (...args: string[]): Promise<AlbumAnswer> =>
  (await json('albums', ...args))['album'] as AlbumAnswer;

test('tags are listed, set by sentences, removed and restored', async () => {
  const first = await tags();
  assert.ok(first.length > 50);
  const { tag } = (await json(
    'tags',
    'set',
    'Zeppelin',
    '--prompt',
    'a zeppelin',
    '--prompt',
    'an airship',
  )) as {
    tag: TagAnswer;
  };
  assert.deepEqual([tag.name, tag.prompts], ['Zeppelin', ['a zeppelin', 'an airship']]);
  await json('tags', 'set', 'zeppelin');
  assert.deepEqual(
    (await tags()).filter(({ name }) => /zeppelin/i.test(name)).map(({ name, prompts }) => [name, prompts]),
    [['zeppelin', []]],
  );
  assert.equal((await json('tags', 'remove', 'ZEPPELIN'))['removed'], 'zeppelin');
  await json('tags', 'remove', 'dog');
  assert.equal((await tags()).length, first.length - 1);
  await json('tags', 'restore');
  assert.equal((await tags()).length, first.length);
  const { status, stderr } = await run(['tags', 'remove', 'zeppelin']);
  assert.equal(status, 1);
  assert.match(stderr, /There is no tag named zeppelin/);
  assert.match((await run(['tags', 'list'])).stdout, /\d+ photos? +dog/);
});

test('every tag of a photo has a probability, and says whether the photo carries it', async () => {
  const answer = (await json('tags', 'of', photo)) as {
    path: string;
    tags: { name: string; probability: number; carried: boolean }[];
  };
  assert.equal(answer.path, photo);
  assert.equal(answer.tags.length, (await tags()).length);
  const carried = answer.tags.filter((tag) => tag.carried);
  const least = Math.min(1, ...carried.map(({ probability }) => probability));
  assert.ok(answer.tags.every((tag) => tag.carried || tag.probability <= least));
  assert.match((await run(['tags', 'of', photo])).stdout, /\d+ % /);
});

test('a plain album is made of photos, added to and taken from', async () => {
  const made = await album('create', 'Our house', '--photos', photo, other);
  assert.deepEqual([made.name, made.kind, made.photos], ['Our house', 'plain', 2]);
  assert.equal((await album('take', 'our HOUSE', other)).photos, 1);
  assert.equal((await album('add', 'our house', other, photo)).photos, 2);
  const shown = (await json('albums', 'show', 'our house')) as { photos: { path: string }[] };
  assert.deepEqual(shown.photos.map(({ path }) => path).sort(), [photo, other]);
  const { stdout } = await run(['albums', 'show', 'our house', '--limit', '1']);
  assert.match(stdout, /^Our house: 2 photos\.\n.*photo \d\.jpg\nand 1 more/);
  assert.equal((await json('search', 'album:"our house"'))['total'], 2);
  assert.equal((await json('albums', 'remove', 'our house'))['removed'], 'Our house');
  assert.deepEqual((await json('albums'))['albums'], []);
});

test('a smart album holds what its query finds, also of what is indexed later', async () => {
  const made = await album('create', 'Summer', 'in:"summer 2019"');
  assert.deepEqual([made.kind, made.photos], ['smart', 3]);
  await album('create', 'Alike', '--like', photo, '--band', 'strong');
  await json('forget', place.photos);
  const empty = (await json('albums'))['albums'] as (AlbumAnswer & { problem: { code: string } | null })[];
  assert.deepEqual(
    empty.map(({ name, photos, problem }) => [name, photos, problem?.code ?? null]),
    [
      ['Alike', 0, 'not-found'],
      ['Summer', 0, null],
    ],
  );
  await json('index', place.photos);
  assert.equal(((await json('albums', 'show', 'summer'))['photos'] as unknown[]).length, 3);
  assert.match((await run(['albums'])).stdout, /3 photos +Summer +in:"summer 2019"/);
  assert.equal((await json('status'))['indexed'], photoCount);
});

test('what cannot be is refused with its code', async () => {
  await json('albums', 'create', 'Taken', '--photos', photo);
  for (const [args, code] of [
    [['albums', 'create', 'taken', 'dog'], 'input-invalid'],
    [['albums', 'create', 'x', 'after:someday'], 'input-invalid'],
    [['albums', 'show', 'nowhere'], 'not-found'],
    [['albums', 'add', 'taken', join(place.photos, 'nowhere.jpg')], 'not-found'],
    [['tags', 'of', join(place.photos, 'nowhere.jpg')], 'not-found'],
  ] as const) {
    const { status, stdout } = await run([...args, '--json']);
    assert.equal(status, 1, args.join(' '));
    assert.equal((parseOne(stdout)['error'] as { code: string }).code, code, args.join(' '));
  }
  for (const args of [
    ['albums', 'create'],
    ['albums', 'create', 'x', 'dog', '--photos', photo],
    ['albums', 'create', 'x', 'dog', '--band', 'weak'],
    ['albums', 'add', 'taken'],
    ['tags', 'set'],
    ['tags', 'nonsense'],
  ])
    assert.equal((await run(args)).status, 2, args.join(' '));
});
