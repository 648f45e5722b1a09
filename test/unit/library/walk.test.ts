import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { unprivileged } from './unprivileged.ts';
import { walk, type WalkOptions, type WalkProblem } from '../../../main/engine/library/walk.ts';

function makeTree(t: TestContext, files: readonly string[]): string {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'afterimage-walk-')));
  t.after(() => rmSync(root, { recursive: true, force: true }));
  for (const file of files) {
    mkdirSync(dirname(join(root, file)), { recursive: true });
    writeFileSync(join(root, file), file);
  }
  return root;
}

async function collect(
  root: string,
  options?: WalkOptions,
): Promise<{ files: string[]; problems: WalkProblem[] }> {
  const files: string[] = [];
  const problems: WalkProblem[] = [];
  for await (const batch of walk(root, options)) {
    files.push(...batch.files.map(({ relPath }) => relPath));
    problems.push(...batch.problems);
  }
  return { files, problems };
}

test('photos come folder by folder in sorted order, with size and time', async (t) => {
  const root = makeTree(t, ['b/2.jpg', 'b/1.jpg', 'a/z.png', 'c.webp', 'a/deep/x.HEIC']);
  const seen = [];
  for await (const batch of walk(root)) seen.push(...batch.files);
  assert.deepEqual(
    seen.map(({ relPath }) => relPath),
    ['c.webp', 'a/z.png', 'a/deep/x.HEIC', 'b/1.jpg', 'b/2.jpg'],
  );
  assert.equal(seen[0]?.bytes, 'c.webp'.length);
  assert.ok(seen[0].mtimeMs > 1e12);
});

test('sidecars, videos and documents are left out; formats that nothing reads yet are not', async (t) => {
  const root = makeTree(t, ['a.jpg', 'a.xmp', 'a.mov', 'a.pdf', 'Thumbs.db', 'noextension', '.jpg']);
  assert.deepEqual((await collect(root)).files, ['a.jpg']);
  const odd = makeTree(t, ['a.CR2', 'b.psd', 'c.svg', 'd.jxl']);
  assert.deepEqual((await collect(odd)).files, ['a.CR2', 'b.psd', 'c.svg', 'd.jxl']);
});

test('hidden files, system folders and derived copies are skipped', async (t) => {
  const root = makeTree(t, [
    'seen.jpg',
    '.hidden.jpg',
    '._seen.jpg',
    '.thumbnails/a.jpg',
    '$RECYCLE.BIN/a.jpg',
    'System Volume Information/a.jpg',
    '.Trashes/a.jpg',
    '@eaDir/a.jpg',
    'node_modules/p/a.png',
    'Mine.photoslibrary/originals/0/kept.heic',
    'Mine.photoslibrary/resources/derivatives/a.jpg',
    'Mine.photoslibrary/stray.jpg',
    'resources/derivatives/also-seen.jpg',
  ]);
  assert.deepEqual((await collect(root)).files, [
    'seen.jpg',
    'Mine.photoslibrary/originals/0/kept.heic',
    'resources/derivatives/also-seen.jpg',
  ]);
});

test('no link leads out of the root, and none round in circles', async (t) => {
  const outside = makeTree(t, ['secret.jpg']);
  const root = makeTree(t, ['in/a.jpg', '.git/annex/key.jpg']);
  symlinkSync(join(outside, 'secret.jpg'), join(root, 'out.jpg'));
  symlinkSync(outside, join(root, 'outdir'));
  symlinkSync(root, join(root, 'in', 'circle'));
  symlinkSync(join(root, 'in', 'a.jpg'), join(root, 'again.jpg'));
  symlinkSync('nowhere', join(root, 'dangling.jpg'));
  symlinkSync(join(root, '.git', 'annex', 'key.jpg'), join(root, 'annexed.jpg'));
  const { files, problems } = await collect(root);
  assert.deepEqual(files, ['annexed.jpg', 'in/a.jpg']);
  assert.deepEqual(problems, []);
});

test('names of any Unicode are given as the disk has them; composed and decomposed ones are two files', async (t) => {
  const names = [
    '\u00e9t\u00e9.jpg',
    'e\u0301te\u0301.jpg',
    '写真 📷.png',
    'a\nb.jpg',
    'back\\slash.jpg',
    '\uFFFD.jpg',
  ];
  const root = makeTree(t, names);
  const { files, problems } = await collect(root);
  assert.deepEqual([...files].sort(), [...names].sort());
  assert.deepEqual(problems, []);
});

test(
  'a name that is not UTF-8 is reported and does not hide its neighbours',
  { skip: process.platform !== 'linux' },
  async (t) => {
    const root = makeTree(t, ['good.jpg', 'sub/good.jpg']);
    execFileSync('bash', ['-c', `cd "$1" && printf x > $'bad\\xff.jpg' && mkdir $'dir\\xfe'`, 'bash', root]);
    const { files, problems } = await collect(root);
    assert.deepEqual(files, ['good.jpg', 'sub/good.jpg']);
    assert.deepEqual(
      problems.map(({ kind, error }) => [kind, error.code]),
      [
        ['file', 'io-failed'],
        ['folder', 'io-failed'],
      ],
    );
    assert.match(problems[0]?.error.message ?? '', /bad.*not valid Unicode.*Rename/);
  },
);

test(
  'a folder that may not be read is reported, and the walk goes on',
  { skip: process.platform === 'win32' },
  async (t) => {
    const root = makeTree(t, ['a/1.jpg', 'b/2.jpg', 'c/3.jpg']);
    chmodSync(join(root, 'b'), 0o000);
    const { files, problems } = await unprivileged(root, () => collect(root));
    chmodSync(join(root, 'b'), 0o755);
    assert.deepEqual(files, ['a/1.jpg', 'c/3.jpg']);
    assert.deepEqual(
      problems.map(({ relPath, kind, error }) => [relPath, kind, error.code]),
      [['b', 'folder', 'permission-denied']],
    );
  },
);

test('a missing root is a problem of the root itself; a folder that vanished is simply empty', async (t) => {
  const root = makeTree(t, ['a/1.jpg', 'b/2.jpg']);
  const gone = await collect(join(root, 'nowhere'));
  assert.deepEqual(
    gone.problems.map(({ relPath, error }) => [relPath, error.code]),
    [['', 'file-vanished']],
  );
  const files: string[] = [];
  for await (const batch of walk(root)) {
    files.push(...batch.files.map(({ relPath }) => relPath));
    rmSync(join(root, 'b'), { recursive: true, force: true });
    assert.deepEqual(batch.problems, []);
  }
  assert.deepEqual(files, ['a/1.jpg']);
});

test('targets limit the walk to some files and folders, by the same rules', async (t) => {
  const root = makeTree(t, ['a/1.jpg', 'a/sub/2.jpg', 'b/3.jpg', '.hidden/4.jpg', 'b/note.txt']);
  const targets = ['a/sub', 'b/3.jpg', 'b/note.txt', '.hidden', '.hidden/4.jpg', 'gone', 'gone/x.jpg'];
  assert.deepEqual((await collect(root, { targets })).files, ['a/sub/2.jpg', 'b/3.jpg']);
});

test('an excluded folder and all below it is left out', async (t) => {
  const root = makeTree(t, ['a/1.jpg', 'library/thumbs/2.jpg']);
  assert.deepEqual((await collect(root, { excluded: [join(root, 'library')] })).files, ['a/1.jpg']);
});

test('an abort ends the walk', async (t) => {
  const root = makeTree(t, ['a/1.jpg', 'b/2.jpg']);
  const controller = new AbortController();
  await assert.rejects(
    async () => {
      for await (const batch of walk(root, { signal: controller.signal })) {
        assert.ok(batch);
        controller.abort();
      }
    },
    { name: 'AbortError' },
  );
});
