import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, readFileSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, sep } from 'node:path';
import test from 'node:test';
import { createHarness, writePhoto } from './harness.ts';
import { unprivileged } from './unprivileged.ts';

test('a folder that is missing, a file, or our own cannot be a root, and the message says why', async (t) => {
  const h = createHarness(t);
  writeFileSync(h.at('a.png'), '');
  mkdirSync(join(h.folder, 'library', 'packs'), { recursive: true });
  const refused = async (path: string, message: RegExp): Promise<void> => {
    await assert.rejects(h.library.addRoot(path), { code: 'root-invalid', message });
  };
  await refused(h.at('nowhere'), /can't be found.*drive/);
  await refused(h.at('a.png'), /is a file/);
  await refused(join(h.folder, 'library'), /own library/);
  await refused(join(h.folder, 'library', 'packs'), /own library/);
  assert.deepEqual(h.library.roots(), []);
});

test('a folder that may not be read cannot be a root', { skip: process.platform === 'win32' }, async (t) => {
  const h = createHarness(t);
  mkdirSync(h.at('closed'), { mode: 0o000 });
  await unprivileged([h.folder, h.at()], async () => {
    await assert.rejects(h.library.addRoot(h.at('closed')), {
      code: 'root-invalid',
      message: /access is denied/,
    });
  });
  chmodSync(h.at('closed'), 0o755);
});

test('one folder is one root, however it is spelled', async (t) => {
  const h = createHarness(t);
  const { root, alreadyCovered } = await h.library.addRoot(h.at());
  assert.equal(alreadyCovered, false);
  assert.deepEqual([root.path, root.name, root.state, root.photos], [h.at(), 'photos', 'online', 0]);
  symlinkSync(h.at(), join(h.folder, 'link'));
  for (const spelling of [h.at(), h.at() + sep, join(h.folder, 'link'), join(h.at(), '.', 'x', '..')]) {
    mkdirSync(h.at('x'), { recursive: true });
    const again = await h.library.addRoot(spelling);
    assert.deepEqual([again.root.id, again.alreadyCovered], [root.id, true], spelling);
  }
});

test('a folder inside a root is covered by it already', async (t) => {
  const h = createHarness(t);
  mkdirSync(h.at('sub', 'deep'), { recursive: true });
  mkdirSync(join(h.folder, 'photos-of-others'));
  const outer = await h.add();
  const inner = await h.library.addRoot(h.at('sub', 'deep'));
  assert.deepEqual([inner.root.id, inner.alreadyCovered], [outer, true]);
  const sibling = await h.library.addRoot(join(h.folder, 'photos-of-others'));
  assert.equal(sibling.alreadyCovered, false, 'a name that merely begins alike is another folder');
});

test('a root takes in the roots inside it, with their photos and without inference', async (t) => {
  const h = createHarness(t);
  await writePhoto(h.at('a', '1.png'), 1);
  await writePhoto(h.at('b', 'c', '2.png'), 2);
  await writePhoto(h.at('3.png'), 3);
  const one = await h.add(h.at('a'));
  await h.add(h.at('b', 'c'));
  await h.library.run();
  const [before] = h.store.photos.files(one);
  h.embedder.inferences = 0;
  const outer = await h.add();
  assert.deepEqual(
    h.library.roots().map(({ id }) => id),
    [outer],
  );
  const report = await h.library.run();
  assert.deepEqual([report.photos, report.unchanged, report.indexed, report.moved], [3, 2, 1, 0]);
  assert.equal(h.embedder.inferences, 1);
  const files = new Map(h.store.photos.files(outer).map(({ relPath, id }) => [relPath, id]));
  assert.deepEqual([...files.keys()].sort(), ['3.png', 'a/1.png', 'b/c/2.png']);
  assert.equal(files.get('a/1.png'), before?.id);
});

test('a library folder inside a root is left out of it', async (t) => {
  const h = createHarness(t);
  await writePhoto(join(h.folder, 'library', 'cache', 'ours.png'), 1);
  await writePhoto(h.at('theirs.png'), 2);
  await h.add(h.folder);
  const report = await h.library.run();
  assert.equal(report.photos, 1);
});

test('forgetting a root forgets its photos and touches no file', async (t) => {
  const h = createHarness(t);
  await writePhoto(h.at('a', '1.png'), 1);
  await writePhoto(h.at('b', '2.png'), 2);
  const [a, b] = [await h.add(h.at('a')), await h.add(h.at('b'))];
  await h.library.run();
  const bytes = readFileSync(h.at('a', '1.png'));
  assert.deepEqual(h.library.removeRoot(a), { removedPhotos: 1 });
  assert.deepEqual(readFileSync(h.at('a', '1.png')), bytes);
  assert.equal(h.index.size, 1);
  assert.deepEqual(
    h.roots.map(({ id }) => id),
    [b],
  );
  assert.throws(() => h.library.removeRoot(a), { code: 'not-found' });
  await assert.rejects(h.library.run({ rootIds: [a] }), { code: 'not-found' });
});

test('an unplugged root keeps its photos and finds them again without inference', async (t) => {
  const h = createHarness(t);
  for (let i = 0; i < 5; i++) await writePhoto(h.at(`${i}.png`), i);
  const rootId = await h.add();
  await h.library.run();
  renameSync(h.at(), join(h.folder, 'unplugged'));
  const away = await h.library.run();
  assert.deepEqual([away.photos, away.removed, away.unchanged, away.failed], [5, 0, 0, []]);
  assert.equal(h.library.roots()[0]?.state, 'offline');
  assert.equal(h.index.size, 5);
  h.embedder.inferences = 0;
  renameSync(join(h.folder, 'unplugged'), h.at());
  const back = await h.library.run({ rootIds: [rootId] });
  assert.deepEqual([back.unchanged, back.indexed, h.embedder.inferences], [5, 0, 0]);
  assert.equal(h.library.roots()[0]?.state, 'online');
});

test('a drive that comes back under another path is found by its content', async (t) => {
  const h = createHarness(t);
  for (let i = 0; i < 5; i++) await writePhoto(h.at('e', `${i}.png`), i);
  mkdirSync(h.at('f'));
  const e = await h.add(h.at('e'));
  await h.library.run();
  h.embedder.inferences = 0;
  renameSync(h.at('e'), h.at('f', 'drive'));
  const f = await h.add(h.at('f'));
  await h.library.run();
  assert.equal(h.embedder.inferences, 0);
  assert.equal(h.library.roots().find(({ id }) => id === f)?.photos, 5);
  h.library.removeRoot(e);
  assert.equal(h.index.size, 5);
});
