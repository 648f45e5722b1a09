/** Captions files as people have them: formats, encodings, paths, and what is wrong with them. */
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { AppError } from '../../../../main/errors.ts';
import { parseCaptions } from '../../../../main/engine/tune/pairs/caption-lines.ts';
import { readCaptionsFile } from '../../../../main/engine/tune/pairs/captions-file.ts';

/** A folder with these files; photos are empty, for only their names count here. */
async function folder(t: TestContext, files: Readonly<Record<string, string | Uint8Array>>): Promise<string> {
  const dir = await realpath(await mkdtemp(join(tmpdir(), 'afterimage-captions-')));
  t.after(() => rm(dir, { recursive: true }));
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(dir, name)), { recursive: true });
    await writeFile(join(dir, name), content);
  }
  return dir;
}
const photos = { 'a.jpg': '', 'b.jpg': '', 'c.jpg': '' };
const read = async (dir: string, name = '') => {
  const { captions, skipped, remarks } = await readCaptionsFile(join(dir, name));
  return {
    said: captions.map(({ path, caption, line }) => [path.slice(dir.length + 1), caption, line]),
    skipped,
    remarks,
  };
};
const refused = (pattern: RegExp) => (thrown: unknown) => {
  assert.ok(thrown instanceof AppError && thrown.code === 'input-invalid', String(thrown));
  assert.match(thrown.message, pattern);
  return true;
};

test("Flickr8k's token file is read, five captions a photo, photos in the folder beside it", async (t) => {
  const lines = ['a.jpg#0\tA dog runs .', 'a.jpg#1\tA brown dog , running .', 'b.jpg#0\tTwo "men" sit', ''];
  const dir = await folder(t, {
    'Flickr8k.token.txt': lines.join('\n'),
    'Flicker8k_Dataset/a.jpg': '',
    'Flicker8k_Dataset/b.jpg': '',
  });
  assert.deepEqual((await read(dir)).said, [
    ['Flicker8k_Dataset/a.jpg', 'A dog runs .', 1],
    ['Flicker8k_Dataset/a.jpg', 'A brown dog , running .', 2],
    ['Flicker8k_Dataset/b.jpg', 'Two "men" sit', 3],
  ]);
});

test('captions.txt with a header and quotes is read, photos in Images/', async (t) => {
  const text =
    'image,caption\r\na.jpg,A dog\r\nb.jpg,"A ""big"" cat, asleep"\r\n\r\nb.jpg,two, three, four\r\n';
  const dir = await folder(t, { 'captions.txt': text, 'Images/a.jpg': '', 'Images/b.jpg': '' });
  const { said, skipped, remarks } = await read(dir);
  assert.deepEqual(said, [
    ['Images/a.jpg', 'A dog', 2],
    ['Images/b.jpg', 'A "big" cat, asleep', 3],
    ['Images/b.jpg', 'two, three, four', 5],
  ]);
  assert.deepEqual([skipped, remarks], [[], []]);
});

test('columns are found by their names, whatever their order and what parts them', async (t) => {
  for (const text of [
    'id,Title,File Name\n1,A dog,a.jpg\n',
    'Photo;Text\na.jpg;A dog\n',
    'caption\tpath\nA dog\ta.jpg\n',
    'image_name| comment_number| comment\na.jpg| 0| A dog\n',
    'a.jpg,A dog\n',
    'a.jpg\tA dog\n',
  ]) {
    const dir = await folder(t, { ...photos, 'any.csv': text });
    assert.deepEqual((await read(dir, 'any.csv')).said[0]?.slice(0, 2), ['a.jpg', 'A dog'], text);
  }
});

test('the usual encodings are told from each other, and a guess is remarked', async (t) => {
  const text = 'image,caption\na.jpg,Ein Café über dem Fluß – schön\n';
  const utf16 = Buffer.from(`\ufeff${text}`, 'utf16le');
  const windows = Buffer.from(text.replace('–', '\u0096'), 'latin1');
  for (const [bytes, guessed] of [
    [Buffer.from(text), false],
    [Buffer.from(`\ufeff${text}`), false],
    [utf16, false],
    [Buffer.from(utf16).swap16(), false],
    [windows, true],
  ] as const) {
    const dir = await folder(t, { ...photos, 'captions.txt': bytes });
    const { said, remarks } = await read(dir);
    assert.deepEqual(said, [['a.jpg', 'Ein Café über dem Fluß – schön', 2]]);
    assert.equal(remarks.length, guessed ? 1 : 0);
    if (guessed) assert.match(remarks[0] ?? '', /captions\.txt" is not UTF-8 and was read as Windows-1252/);
  }
});

test('lines that cannot be used are told with their number and why; the others count', async (t) => {
  const lines = [
    'image,caption',
    'a.jpg,A dog',
    'gone.jpg,A cat',
    'b.jpg,',
    ',A mouse',
    '../elsewhere.jpg,A horse',
    '/etc/hostname,A name',
    'sub,A folder',
    `c.jpg,"never closed`,
    'c.jpg,A cow',
    'link.jpg,A goat',
    `b.jpg,${'very '.repeat(500)}long`,
  ];
  const dir = await folder(t, { ...photos, 'captions.txt': lines.join('\n'), 'sub/x.jpg': '' });
  const outside = await folder(t, { 'secret.jpg': '' });
  await writeFile(join(dirname(dir), 'elsewhere.jpg'), '');
  t.after(() => rm(join(dirname(dir), 'elsewhere.jpg')));
  await symlink(join(outside, 'secret.jpg'), join(dir, 'link.jpg'));
  const { said, skipped } = await read(dir);
  assert.deepEqual(said, [
    ['a.jpg', 'A dog', 2],
    ['c.jpg', 'A cow', 10],
  ]);
  const reasons: [number, RegExp][] = [
    [3, /gone\.jpg", which is not there/],
    [4, /no caption/],
    [5, /no photo/],
    [6, /outside/],
    [7, /outside/],
    [8, /not a file/],
    [9, /quote is not closed/],
    [11, /outside/],
    [12, /characters/],
  ];
  assert.deepEqual(
    skipped.map(({ line }) => line),
    reasons.map(([line]) => line),
  );
  for (const [i, [, reason]] of reasons.entries()) assert.match(skipped[i]?.reason ?? '', reason);
});

test('absolute paths inside the folder and backslashes of Windows are followed', async (t) => {
  const dir = await folder(t, { 'deep/a.jpg': '', 'b.jpg': '' });
  await writeFile(join(dir, 'captions.txt'), `image,caption\ndeep\\a.jpg,one\n"${join(dir, 'b.jpg')}",two\n`);
  assert.deepEqual((await read(dir)).said, [
    ['deep/a.jpg', 'one', 2],
    ['b.jpg', 'two', 3],
  ]);
});

test('a file with no usable line is refused with an example', async (t) => {
  const dir = await folder(t, { 'captions.txt': 'image,caption\nx.jpg,A dog\ny.jpg,A cat\n' });
  await assert.rejects(read(dir), refused(/No line of "captions\.txt" can be used\. Line 2 names "x\.jpg"/));
  const empty = await folder(t, { 'captions.txt': ' \n\n' });
  await assert.rejects(read(empty), refused(/"captions\.txt" is empty/));
  const prose = await folder(t, { 'captions.txt': 'Dear diary,\ntoday it rained.\n' });
  await assert.rejects(read(prose), refused(/no column can be told/));
});

test('a file that is no text is called that', async (t) => {
  const png = Uint8Array.from([137, 80, 78, 71, 13, 10, 26, 10, 0, 0, 0, 13, 73, 72, 68, 82]);
  for (const bytes of [png, Uint8Array.from({ length: 500 }, (_, i) => ((i * 89) % 255) | 1)]) {
    const dir = await folder(t, { 'captions.csv': bytes });
    await assert.rejects(read(dir), refused(/"captions\.csv" is not a text file/));
  }
});

test('a folder says what it lacks, and which of several files to choose from', async (t) => {
  await assert.rejects(read(await folder(t, photos)), refused(/has no captions file/));
  const several = await folder(t, { 'one.csv': 'x', 'two.csv': 'y' });
  await assert.rejects(read(several), refused(/several files.*one\.csv, two\.csv/));
  const gone = await folder(t, {});
  await assert.rejects(
    readCaptionsFile(join(gone, 'gone.csv')),
    (thrown) => thrown instanceof AppError && thrown.code === 'file-vanished',
  );
});

test('whatever is in a file, it gives lines or is refused', () => {
  const pieces = [
    'a.jpg',
    ',',
    '"',
    '\t',
    '\n',
    '\r\n',
    '#0\t',
    'image,caption\n',
    'A dog',
    ';',
    ' ',
    '|',
    '\u0000',
    'é',
  ];
  let state = 1;
  const next = (): number => (state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0);
  let read = 0;
  for (let round = 0; round < 2_000; round++) {
    const text = Array.from(
      { length: 1 + (next() >>> 26) },
      () => pieces[(next() >>> 8) % pieces.length],
    ).join('');
    try {
      const { lines, skipped } = parseCaptions(text, 'any.csv');
      const rows = text.split(/\r\n|\n|\r/).length;
      for (const { line } of [...lines, ...skipped]) assert.ok(line >= 1 && line <= rows, text);
      for (const { photo, caption } of lines) assert.ok(photo !== '' && caption !== '', text);
      read++;
    } catch (thrown) {
      assert.ok(thrown instanceof AppError && thrown.code === 'input-invalid', `${text}: ${String(thrown)}`);
    }
  }
  assert.ok(read > 200);
});

test('a quote on every line is stepped over without reading the file as often', () => {
  const lines = Array.from({ length: 20_000 }, (_, n) => `${String(n)}.jpg,"never closed ${'x'.repeat(60)}`);
  lines.splice(10, 0, 'good.jpg,A dog');
  const odd = ['image,caption', ...lines].join('\n');
  const started = performance.now();
  const { lines: found, skipped } = parseCaptions(odd, 'any.csv');
  assert.ok(found.length + skipped.length > 0);
  assert.ok(performance.now() - started < 20_000);
});

test('reading can be given up', async (t) => {
  const dir = await folder(t, { ...photos, 'captions.txt': 'image,caption\na.jpg,A dog\n' });
  await assert.rejects(
    readCaptionsFile(dir, AbortSignal.abort()),
    (thrown) => thrown instanceof AppError && thrown.code === 'cancelled',
  );
});
