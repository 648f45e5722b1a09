/** The command line: its shapes on stdout, its words on stderr and its exit statuses. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { after, before } from 'node:test';
import { openStore } from '../../../main/engine/store/store.ts';
import { makeSmallLibrary, photoCount, type SmallLibrary } from '../../contract/small-library.ts';
import { cliOver, parseOne, type RunCli, type RunJson } from './run-over.ts';

let place: SmallLibrary;
let run: RunCli;
let json: RunJson;
before(async () => {
  place = await makeSmallLibrary();
  ({ run, json } = cliOver(place));
});
after(() => place.remove());

test('index reports in its shape, and a second run finds nothing to do', async () => {
  const first = await json('index', place.photos);
  assert.deepEqual(Object.keys(first).sort(), [
    'failed',
    'imagesPerSecond',
    'indexed',
    'moved',
    'photos',
    'removed',
    'seconds',
    'unchanged',
  ]);
  assert.deepEqual(
    [first['photos'], first['unchanged'], first['moved'], first['removed']],
    [photoCount + 1, 0, 0, 0],
  );
  const [failed] = first['failed'] as Record<string, unknown>[];
  assert.deepEqual([failed?.['path'], failed?.['code']], [join(place.photos, 'broken.jpg'), 'image-broken']);
  const again = await json('index', '--all');
  assert.equal(again['indexed'], 0);
});

test('search answers in its shape', async () => {
  const found = await json('search', 'a', 'red', 'car', '--limit', '3');
  assert.deepEqual(Object.keys(found), ['query', 'total', 'hits', 'timings']);
  assert.equal(found['query'], 'a red car');
  const hits = found['hits'] as Record<string, unknown>[];
  assert.equal(hits.length, 3);
  assert.deepEqual(Object.keys(hits[0] ?? {}), ['id', 'path', 'score', 'band']);
  assert.deepEqual(Object.keys(found['timings'] as object), ['encodeMs', 'searchMs']);
});

test('a query may begin with a dash', async () => {
  for (const args of [['-snow'], ['dog', '-snow'], ['-snow', 'dog'], ['--', '-snow']])
    assert.equal((await json('search', ...args))['query'], args.filter((arg) => arg !== '--').join(' '));
});

test('similar and classify take photos of the library and any other picture', async () => {
  const inside = join(place.photos, 'photo 4.jpg');
  const outside = join(place.photos, '..', 'outside.jpg');
  await copyFile(inside, outside);
  const like = await json('similar', inside);
  assert.ok((like['hits'] as { path: string }[]).every(({ path }) => path !== inside));
  const likeOutside = await json('similar', outside);
  assert.equal((likeOutside['hits'] as { path: string }[])[0]?.path, inside);
  for (const path of [inside, outside]) {
    const answer = await json('classify', path, 'dog', 'red car');
    assert.equal(answer['path'], path);
    const labels = answer['labels'] as { label: string; probability: number }[];
    assert.deepEqual(labels.map(({ label }) => label).sort(), ['dog', 'red car']);
    assert.ok(Math.abs(labels.reduce((sum, { probability }) => sum + probability, 0) - 1) < 1e-5);
  }
});

test('status, roots and packs tell what is there', async () => {
  const status = await json('status');
  assert.deepEqual([status['photos'], status['indexed'], status['failed']], [photoCount + 1, photoCount, 1]);
  const { roots } = (await json('roots')) as { roots: { path: string }[] };
  assert.deepEqual(
    roots.map(({ path }) => path),
    [place.photos],
  );
  const { packs } = (await json('packs', 'list')) as {
    packs: { id: string; active: string[]; tasks: string[]; quality: unknown[] }[];
  };
  assert.deepEqual(
    packs
      .filter(({ active }) => active.length > 0)
      .map(({ id, active, tasks }) => [id, active, tasks])
      .sort(),
    [
      ['starter', ['embed'], ['embed']],
      ['starter-answerer', ['answer'], ['answer']],
      ['starter-captioner', ['caption'], ['caption']],
    ],
  );
  const table = (await run(['packs'])).stdout || (await run(['packs', 'list'])).stdout;
  assert.match(table, /starter-captioner +caption +in use .*accuracy 0\.5 \(nothing\)/);
  const { selfTest } = (await json('packs', 'verify', 'starter')) as { selfTest: { passed: boolean } };
  assert.equal(selfTest.passed, true);
});

test('a person reads a table and a sentence', async () => {
  const { stdout, status } = await run(['search', 'house', '--limit', '2']);
  assert.equal(status, 0);
  assert.match(stdout, /photo \d/);
  assert.match(stdout, /weaker, \d+ ms\n$/);
});

test('a library that is open elsewhere can be searched but not changed', async () => {
  const owner = openStore({ directory: place.directory, now: () => Date.now() });
  try {
    assert.equal((await json('search', 'dog'))['query'], 'dog');
    assert.equal((await json('status'))['readOnly'], true);
    const { status, stdout } = await run(['index', place.photos, '--json']);
    assert.equal(status, 1);
    assert.equal((parseOne(stdout)['error'] as { code: string }).code, 'library-locked');
  } finally {
    owner.close();
  }
});

test('what fails exits 1 with its code', async () => {
  for (const [args, code] of [
    [['index', join(place.photos, 'nowhere')], 'root-invalid'],
    [['similar', join(place.photos, 'nowhere.jpg')], 'not-found'],
    [['classify', join(place.photos, 'broken.jpg'), 'dog'], 'image-broken'],
    [['forget', join(place.photos, 'nowhere')], 'not-found'],
    [['packs', 'use', 'nowhere'], 'pack-missing'],
  ] as const) {
    const { status, stdout } = await run([...args, '--json']);
    assert.equal(status, 1, args.join(' '));
    const { error } = parseOne(stdout) as { error: { code: string; message: string } };
    assert.deepEqual([error.code, typeof error.message], [code, 'string'], args.join(' '));
  }
  const { status, stdout, stderr } = await run(['forget', join(place.photos, 'nowhere')]);
  assert.deepEqual([status, stdout], [1, '']);
  assert.match(stderr, /is no folder of the library/);
});

test('wrong usage exits 2 and says how it is right', async () => {
  for (const args of [
    [],
    ['nonsense'],
    ['search'],
    ['search', 'x', '--limit', 'many'],
    ['search', 'x', '--limti', '3'],
    ['index'],
    ['classify', 'x.jpg'],
    ['packs', 'use'],
    ['serve', '--port', '99999'],
  ]) {
    const plain = await run(args);
    assert.equal(plain.status, 2, args.join(' '));
    assert.ok(plain.stderr !== '', args.join(' '));
    const { status, stdout } = await run([...args, '--json']);
    assert.equal(status, 2, args.join(' '));
    assert.equal((parseOne(stdout)['error'] as { code: string }).code, 'input-invalid');
  }
});

test('help and version exit 0', async () => {
  assert.match((await run(['--help'])).stdout, /Usage: afterimage/);
  assert.match((await run(['search', '--help'])).stdout, /--limit/);
  assert.match((await run(['--version'])).stdout, /^\d+\.\d+\.\d+\n$/);
});

test('Ctrl-C stops an index run, and the next one goes on', async () => {
  await json('forget', place.photos);
  const stopped = await run(['index', place.photos, '--json', '--quiet'], {
    interrupt: (stop) => setImmediate(stop),
  });
  assert.equal(stopped.status, 1);
  assert.equal((parseOne(stopped.stdout)['error'] as { code: string }).code, 'cancelled');
  await json('index', place.photos);
  assert.equal((await json('status'))['indexed'], photoCount);
});

test('the program itself runs from any Node', async () => {
  const bin = join(import.meta.dirname, '..', '..', '..', 'main', 'shell', 'cli', 'bin.cjs');
  const child = spawn(process.execPath, [bin, 'roots', '--json', '--library', place.directory], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let stdout = '';
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  const status = await new Promise((resolve) => child.once('close', resolve));
  assert.equal(status, 0);
  assert.equal((parseOne(stdout)['roots'] as unknown[]).length, 1);
});
