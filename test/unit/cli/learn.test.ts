/** The command line about thumbs, names, tuning and the lab. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import test, { after, before } from 'node:test';
import { openStore } from '../../../main/engine/store/store.ts';
import { makeSmallLibrary, type SmallLibrary } from '../../contract/small-library.ts';
import { cliOver, parseOne, type RunCli, type RunJson } from './run-over.ts';

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

interface Thumb {
  readonly path: string;
  readonly text: string;
  readonly vote: string;
}

test('thumbs are given, changed, listed and cleared', async () => {
  assert.deepEqual(await json('feedback', photo, 'red', 'car', 'up'), {
    path: photo,
    text: 'red car',
    vote: 'up',
    up: 1,
    down: 0,
  });
  assert.equal((await json('feedback', other, '-snow', 'beach', 'down'))['text'], '-snow beach');
  assert.equal((await json('feedback', photo, 'Red  car', 'down'))['down'], 2);
  const { thumbs, ...counts } = (await json('feedback', '--list')) as { thumbs: Thumb[] };
  assert.deepEqual(counts, { up: 0, down: 2 });
  assert.deepEqual(
    thumbs.map(({ path, text, vote }) => [path, text, vote]),
    [
      [photo, 'Red  car', 'down'],
      [other, '-snow beach', 'down'],
    ],
  );
  assert.equal((await json('feedback', other, '-snow beach', 'none'))['vote'], null);
  const { stdout } = await run(['feedback', '--list']);
  assert.match(stdout, /^down +“Red {2}car” +.*photo 4\.jpg\n0 thumbs up, 1 down\.\n$/);
  assert.equal((await json('feedback', '--clear'))['cleared'], 1);
  assert.match((await run(['feedback', '--list'])).stdout, /No thumbs yet/);
});

test('a search is noted as a past query, unless the library is open elsewhere', async () => {
  await json('search', 'a house', '--limit', '1');
  await json('search', 'A  house', '--limit', '1');
  const owner = openStore({ directory: place.directory, now: () => Date.now() });
  try {
    const { status, stderr } = await run(['search', 'a boat']);
    assert.deepEqual([status, stderr], [0, '']);
    assert.deepEqual(
      owner.queries.list(9).map(({ text, times }) => [text, times]),
      [['A  house', 2]],
    );
  } finally {
    owner.close();
  }
});

interface NameAnswer {
  readonly name: string;
  readonly kind: string | null;
  readonly photos: number;
}

test('a name is taught by photos, listed, taken off and forgotten', async () => {
  const { name } = (await json('teach', 'Rex', photo, other, '--kind', 'dog')) as { name: NameAnswer };
  assert.deepEqual([name.name, name.kind, name.photos], ['Rex', 'dog', 2]);
  assert.match((await run(['teach', 'rex', photo])).stdout, /^Rex is the name of 2 photos\..*\n.*search Rex/);
  assert.match((await run(['teach', '--list'])).stdout, /2 photos +Rex +dog/);
  assert.ok(((await json('search', 'rex', 'on', 'a', 'beach'))['total'] as number) > 0);
  const taken = (await json('teach', '--take', 'REX', other)) as { name: NameAnswer };
  assert.equal(taken.name.photos, 1);
  assert.equal((await json('teach', '--forget', 'rex'))['forgotten'], 'Rex');
  assert.deepEqual((await json('teach', '--list'))['names'], []);
});

test('what there is to learn from is told, with what is missing', async () => {
  await json('feedback', photo, 'a wall', 'up');
  const found = await json('tune', 'sources', '--source', 'thumbs');
  assert.deepEqual([found['pairs'], found['photos']], [1, 1]);
  assert.equal((found['problem'] as { code: string }).code, 'input-invalid');
  const { stdout } = await run(['tune', 'sources', '--pairs', place.captions]);
  assert.match(stdout, /file +2 pairs +2 photos/);
  assert.match(stdout, /Left out \(1\):\n {2}line 3: .*nowhere\.jpg/);
  await json('feedback', '--clear');
});

test('the heads of the lab are listed', async () => {
  const { heads } = (await json('lab', '--heads')) as { heads: { name: string; parameters: number }[] };
  assert.ok(heads.some(({ name, parameters }) => name === 'v10_1' && parameters > 0));
  assert.match((await run(['lab', '--heads'])).stdout, /^v0 +[\d,]+ /m);
});

test('wrong usage exits 2 and says how it is right', async () => {
  for (const args of [
    ['feedback'],
    ['feedback', photo],
    ['feedback', photo, 'up'],
    ['feedback', photo, 'car', 'maybe'],
    ['feedback', photo, 'car', '--lsit', 'up'],
    ['feedback', '--list', '--clear'],
    ['feedback', '--list', photo],
    ['teach'],
    ['teach', 'Rex'],
    ['teach', '--list', 'Rex'],
    ['teach', '--take', 'Rex'],
    ['teach', '--list', '--forget', 'Rex'],
    ['teach', '--take', 'Rex', photo, '--kind', 'dog'],
    ['tune', 'nonsense'],
    ['tune', '--head', 'heart'],
    ['tune', '--loss', 'hope'],
    ['tune', '--source', 'rumours'],
    ['tune', '--epochs', '0'],
    ['tune', '--lr', '0'],
    ['tune', '--resume', '3', '--head', 'linear'],
    ['tune', 'accept'],
    ['tune', 'accept', 'the best'],
    ['tune', 'export', '1'],
    ['lab', '--heads', 'v0'],
    ['lab', '--limit', '3'],
  ]) {
    const plain = await run(args);
    assert.equal(plain.status, 2, args.join(' '));
    assert.ok(plain.stderr !== '', args.join(' '));
    const { status, stdout } = await run([...args, '--json']);
    assert.equal(status, 2, args.join(' '));
    assert.equal((parseOne(stdout)['error'] as { code: string }).code, 'input-invalid');
  }
});

test('what cannot be is refused with its code, and nothing is kept', async () => {
  const nowhere = join(place.photos, 'nowhere.jpg');
  for (const [args, code] of [
    [['feedback', nowhere, 'car', 'up'], 'not-found'],
    [['feedback', join(place.photos, 'broken.jpg'), 'car', 'up'], 'image-broken'],
    [['teach', 'Rex', nowhere], 'not-found'],
    [['teach', '--forget', 'Rex'], 'not-found'],
    [['teach', '--take', 'Rex', photo], 'not-found'],
    [['tune'], 'input-invalid'],
    [['tune', '--pairs', nowhere], 'file-vanished'],
    [['tune', '--resume', '99'], 'not-found'],
    [['tune', 'accept', '99'], 'not-found'],
    [['tune', 'decline', '99'], 'not-found'],
    [['tune', 'compare', '99'], 'not-found'],
    [['tune', 'remove', '99'], 'not-found'],
    [['tune', 'undo'], 'input-invalid'],
    [['tune', 'export', '99', place.directory], 'not-found'],
    [['tune', 'import', nowhere], 'file-vanished'],
    [['lab', 'v99'], 'input-invalid'],
  ] as const) {
    const { status, stdout } = await run([...args, '--json']);
    assert.equal(status, 1, args.join(' '));
    assert.equal((parseOne(stdout)['error'] as { code: string }).code, code, args.join(' '));
  }
  const owner = openStore({ directory: place.directory, now: () => Date.now() });
  try {
    const { status, stdout } = await run(['feedback', photo, 'car', 'up', '--json']);
    assert.equal(status, 1);
    assert.equal((parseOne(stdout)['error'] as { code: string }).code, 'library-locked');
    assert.deepEqual(owner.feedback.counts(), { up: 0, down: 0 });
    assert.deepEqual(owner.names.list(), []);
    assert.deepEqual(owner.runs.list(), []);
  } finally {
    owner.close();
  }
});
