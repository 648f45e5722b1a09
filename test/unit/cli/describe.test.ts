/** The command line about single photos: captions, questions, why, and writing captions out. */
import assert from 'node:assert/strict';
import { copyFile, mkdir, readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import test, { after, before } from 'node:test';
import sharp from 'sharp';
import { openStore } from '../../../main/engine/store/store.ts';
import { makeSmallLibrary, photoCount, type SmallLibrary } from '../../contract/small-library.ts';
import { cliOver, parseOne, type RunCli, type RunJson } from './run-over.ts';

let place: SmallLibrary;
let run: RunCli;
let json: RunJson;
let photo: string;
before(async () => {
  place = await makeSmallLibrary();
  ({ run, json } = cliOver(place));
  photo = join(place.photos, 'photo 4.jpg');
  await json('index', place.photos);
});
after(() => place.remove());

/** Fails with this code and a message that says what to do. */
async function fails(args: readonly string[], code: string, remedy: RegExp): Promise<void> {
  const { status, stdout } = await run([...args, '--json']);
  assert.equal(status, 1, args.join(' '));
  const { error } = parseOne(stdout) as { error: { code: string; message: string } };
  assert.equal(error.code, code, error.message);
  assert.match(error.message, remedy);
}

test('caption answers in its shape, and is kept', async () => {
  const made = await json('caption', photo);
  assert.deepEqual(Object.keys(made).sort(), [
    'by',
    'cached',
    'caption',
    'confidence',
    'pack',
    'path',
    'seconds',
    'sure',
  ]);
  assert.deepEqual(
    [made['path'], made['pack'], made['sure'], made['cached']],
    [photo, 'starter-captioner', true, false],
  );
  assert.equal(typeof made['seconds'], 'number');
  assert.ok(String(made['caption']).length > 0);
  const again = await json('caption', photo);
  assert.deepEqual([again['caption'], again['cached']], [made['caption'], true]);
  const found = (await json('search', `"${String(made['caption'])}"`)) as { hits: { path: string }[] };
  assert.ok(found.hits.some(({ path }) => path === photo));
});

test('a prompt begins a caption that is not kept', async () => {
  const prompted = await json('caption', photo, '--prompt', 'a photo of');
  assert.ok(String(prompted['caption']).startsWith('a photo of'));
  const kept = await json('caption', photo);
  assert.ok(kept['cached'] === true && kept['caption'] !== prompted['caption']);
});

test('a person sees the words grow, once', async () => {
  const pieces: string[] = [];
  const { stdout, status } = await run(['caption', photo, '--again'], {
    columns: 80,
    onStdout: (text) => pieces.push(text),
  });
  assert.equal(status, 0);
  const kept = await json('caption', photo);
  assert.equal(stdout, `${String(kept['caption'])}\n`);
});

test('the whole library is captioned, and the next time nothing is left', async () => {
  const report = await json('caption', '--all');
  assert.deepEqual(Object.keys(report).sort(), ['captioned', 'failed', 'seconds', 'skipped', 'unsure']);
  assert.ok(Number(report['captioned']) >= photoCount - 3);
  assert.equal((await json('caption', '--all'))['captioned'], 0);
  const { captions } = (await json('status')) as { captions: { total: number; captioned: number } };
  assert.deepEqual(captions, { total: photoCount, captioned: photoCount });
  const { stdout, stderr } = await run(['caption', '--all', '--again'], { columns: 80 });
  assert.match(stdout, /photos captioned, \d+ not sure/);
  assert.match(stderr, /Captioning/);
});

test('captions are written as one table or as sidecars, where they are wanted', async () => {
  const out = join(place.photos, '..', 'written', 'out');
  const csv = await json('captions', 'export', '--format', 'csv', '--out', out);
  assert.ok(Number(csv['written']) >= photoCount - 1);
  assert.match(await readFile(String(csv['path']), 'utf8'), /photo 4\.jpg/);
  const { stdout } = await run(['captions', 'export', '--format', 'xmp', '--out', out]);
  assert.match(stdout, /sidecars written into/);
  assert.ok((await readdir(out, { recursive: true })).some((name) => name.endsWith('photo 4.jpg.xmp')));
});

test('ask answers in its shape, and says "not sure" rather than invent', async () => {
  const given = await json('ask', photo, 'what', 'is', 'this?');
  for (const key of ['path', 'question', 'answer', 'confidence', 'answers', 'sure'])
    assert.ok(key in given, key);
  assert.deepEqual([given['path'], given['question'], given['sure']], [photo, 'what is this?', true]);
  const answers = given['answers'] as { answer: string; probability: number }[];
  assert.equal(given['answer'], answers[0]?.answer);
  assert.ok(answers.every(({ probability }) => probability >= 0 && probability <= 1));
  await json('packs', 'use', 'doubter');
  const doubted = await json('ask', photo, 'what is this?');
  assert.deepEqual([doubted['answer'], doubted['sure'], doubted['pack']], ['not sure', false, 'doubter']);
  assert.match(
    (await run(['ask', photo, 'what is this?'])).stdout,
    /^Not sure\. What came to mind:\n *\d+ %/,
  );
  assert.match((await run(['packs', 'use', 'starter-answerer'])).stdout, /to answer\.\n$/);
  await fails(['ask', photo, ' '], 'input-invalid', /question/);
});

test('ask-results answers with the photos that speak for it and against it', async () => {
  const result = await json('ask-results', 'a house', 'which of these have a dog?', '--limit', '4');
  assert.deepEqual([result['query'], typeof result['answer']], ['a house', 'string']);
  const all = ['supporting', 'opposing', 'unsure'].flatMap((key) => result[key] as { path: string }[]);
  assert.equal(all.length, 4);
  assert.ok(all.every(({ path }) => path.startsWith(place.photos)));
  const { stdout, stderr } = await run(['ask-results', 'a house', 'what is this?', '--limit', '3'], {
    columns: 100,
  });
  assert.match(stdout, /For it:\n/);
  assert.match(stderr, /Asking/);
});

test('why writes a picture of the photo with a legend, and says why', async (t) => {
  const out = join(place.photos, '..', 'why.png');
  const reason = await json('why', photo, 'a', 'red', 'car', '--out', out);
  assert.deepEqual([reason['path'], reason['query'], reason['picture']], [photo, 'a red car', out]);
  for (const key of ['score', 'band', 'library', 'tags', 'words', 'heat']) assert.ok(key in reason, key);
  const { data, info } = await sharp(out).raw().toBuffer({ resolveWithObject: true });
  assert.equal(info.format, 'raw');
  const original = await sharp(photo).metadata();
  assert.ok(info.width >= 480 && info.height > (info.width * original.height) / original.width);
  assert.equal(data.length, info.width * info.height * info.channels);
  const { stdout } = await run(['why', photo, 'a red car', '--out', out]);
  assert.match(stdout, /^Score +-?\d\.\d{3}/);
  const before = process.cwd();
  t.after(() => process.chdir(before));
  process.chdir(dirname(out));
  for (const name of ['photo 4.why.png', 'photo 4.why-2.png']) {
    const { picture } = await json('why', photo, 'a red car');
    assert.equal(picture, join(process.cwd(), name));
  }
});

test('an original is never written over', async () => {
  const png = join(place.photos, 'photo 1.png');
  const before = await readFile(png);
  await fails(['why', photo, 'dog', '--out', png], 'input-invalid', /Choose another file/);
  await fails(['why', photo, 'dog', '--out', join(place.photos, 'x.jpg')], 'input-invalid', /end in \.png/);
  assert.deepEqual(await readFile(png), before);
});

test('a picture that is not in the library is said to be so, with what to do', async () => {
  const outside = join(place.photos, '..', 'elsewhere', 'outside.jpg');
  await mkdir(dirname(outside), { recursive: true });
  await copyFile(photo, outside);
  for (const args of [
    ['caption', outside],
    ['ask', outside, 'what is this?'],
    ['why', outside, 'dog'],
  ])
    await fails(args, 'not-found', /afterimage index .*elsewhere/);
  await fails(['caption', join(place.photos, 'nowhere.jpg')], 'not-found', /Check its name/);
  await fails(['caption', join(place.photos, 'broken.jpg')], 'image-broken', /.+/);
});

test('beside an app that has the library open, answers are shown and not kept', async () => {
  const owner = openStore({ directory: place.directory, now: () => Date.now() });
  try {
    const { status, stdout, stderr } = await run(['ask', photo, 'is it red?', '--json']);
    assert.equal(status, 0, stderr);
    assert.match(stderr, /open elsewhere/);
    assert.equal(parseOne(stdout)['cached'], false);
  } finally {
    owner.close();
  }
  assert.equal((await json('ask', photo, 'is it red?'))['cached'], false);
  assert.equal((await json('ask', photo, 'is it red?'))['cached'], true);
});

test('Ctrl-C stops a model in the midst of a caption, and a run over many', async () => {
  await json('packs', 'use', 'talker');
  let stop = (): void => assert.fail('nobody listens for Ctrl-C');
  const one = await run(['caption', photo, '--again'], {
    columns: 80,
    interrupt: (listener) => (stop = listener),
    onStdout: () => stop(),
  });
  assert.equal(one.status, 1);
  assert.match(one.stderr, /cancelled/i);
  const many = await run(['caption', '--all', '--again', '--json'], {
    interrupt: (listener) => setTimeout(listener, 300),
  });
  assert.equal(many.status, 1);
  const { error } = parseOne(many.stdout) as { error: { code: string; message: string } };
  assert.equal(error.code, 'cancelled');
  assert.match(error.message, /run it again to go on/);
  await json('packs', 'use', 'starter-captioner');
});

test('wrong usage exits 2', async () => {
  for (const args of [
    ['caption'],
    ['caption', photo, '--all'],
    ['caption', '--all', '--prompt', 'x'],
    ['captions', 'export'],
    ['captions', 'export', '--format', 'pdf'],
    ['ask', photo],
    ['ask-results', 'dog'],
    ['ask-results', 'dog', 'what?', '--limit', '0'],
    ['why', photo],
    ['why', photo, 'dog', '--uot', 'x.png'],
  ]) {
    const { status, stdout } = await run([...args, '--json']);
    assert.equal(status, 2, args.join(' '));
    assert.equal((parseOne(stdout)['error'] as { code: string }).code, 'input-invalid');
  }
});
