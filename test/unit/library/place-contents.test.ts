import assert from 'node:assert/strict';
import test from 'node:test';
import {
  placeContents,
  type RootDifference,
  type Verdict,
} from '../../../main/engine/library/place-contents.ts';
import type { KnownFile, SeenFile } from '../../../main/engine/store/types.ts';

/** Content 'x' has hash 'x' and as many bytes as its code says. */
const size = (content: string): number => content.charCodeAt(0);
const known = (id: number, relPath: string, content: string | null): KnownFile => ({
  ...{ id, relPath, hash: content, bytes: size(content ?? '?'), mtimeMs: 1, status: 'indexed' },
});
const seen = (relPath: string, content: string): SeenFile => ({ relPath, bytes: size(content), mtimeMs: 2 });

interface Case {
  rootId?: number;
  disk?: Record<string, string>;
  fresh?: readonly string[];
  changed?: readonly KnownFile[];
  missing?: readonly KnownFile[];
}

async function place(...cases: Case[]): Promise<Verdict & { read: string[] }> {
  const read: string[] = [];
  const disk = new Map<string, string>();
  const differences = cases.map(
    ({ rootId = 1, disk: files = {}, fresh = [], changed = [], missing = [] }): RootDifference => {
      for (const [relPath, content] of Object.entries(files)) disk.set(`${rootId}/${relPath}`, content);
      return {
        rootId,
        fresh: fresh.map((relPath) => seen(relPath, files[relPath] ?? '')),
        changed: changed.map((file) => ({
          known: file,
          seen: seen(file.relPath, files[file.relPath] ?? ''),
        })),
        missing,
      };
    },
  );
  const verdict = await placeContents(differences, (rootId, relPath) => {
    read.push(relPath);
    const content = disk.get(`${rootId}/${relPath}`);
    return Promise.resolve(
      content === undefined || content === ''
        ? undefined
        : { hash: content, stat: { bytes: size(content), mtimeMs: 3 } },
    );
  });
  return { ...verdict, read };
}
const moves = ({ moved }: Verdict): [number, string][] =>
  moved.map(({ photoId, relPath }) => [photoId, relPath]);
const paths = ({ added }: Verdict): string[] =>
  added.flatMap(({ files }) => files.map(({ relPath }) => relPath));

test('a renamed file keeps its photo', async () => {
  const verdict = await place({
    disk: { 'b.jpg': 'x' },
    fresh: ['b.jpg'],
    missing: [known(1, 'a.jpg', 'x')],
  });
  assert.deepEqual(moves(verdict), [[1, 'b.jpg']]);
  assert.deepEqual([verdict.removed, paths(verdict)], [[], []]);
});

test('a file renamed and edited is one gone and one new', async () => {
  const verdict = await place({
    disk: { 'b.jpg': 'y' },
    fresh: ['b.jpg'],
    missing: [known(1, 'a.jpg', 'x')],
  });
  assert.deepEqual(moves(verdict), []);
  assert.deepEqual([verdict.removed, paths(verdict)], [[1], ['b.jpg']]);
});

test('only files whose size fits something that is gone are read', async () => {
  const verdict = await place({
    disk: { 'b.jpg': 'y', 'c.jpg': 'x' },
    fresh: ['b.jpg', 'c.jpg'],
    missing: [known(1, 'a.jpg', 'x')],
  });
  assert.deepEqual(verdict.read, ['c.jpg']);
  assert.deepEqual((await place({ disk: { 'b.jpg': 'y' }, fresh: ['b.jpg'] })).read, []);
});

test('a touched file is told from an edited one by its bytes', async () => {
  const verdict = await place({
    disk: { 'a.jpg': 'x', 'b.jpg': 'z' },
    changed: [known(1, 'a.jpg', 'x'), known(2, 'b.jpg', 'y')],
  });
  assert.deepEqual(verdict.touched, [{ id: 1, stat: { bytes: size('x'), mtimeMs: 3 } }]);
  assert.deepEqual(
    verdict.edited.map(({ id }) => id),
    [2],
  );
  assert.deepEqual(verdict.removed, []);
});

test('two files that swapped names keep their photos, each under its new name', async () => {
  const verdict = await place({
    disk: { 'a.jpg': 'y', 'b.jpg': 'x' },
    changed: [known(1, 'a.jpg', 'x'), known(2, 'b.jpg', 'y')],
  });
  assert.deepEqual(Object.fromEntries(moves(verdict)), { 1: 'b.jpg', 2: 'a.jpg' });
  assert.ok(verdict.moved.every(({ after }) => after !== null));
  assert.deepEqual([verdict.removed, verdict.edited, paths(verdict)], [[], [], []]);
});

test('of a chain of renames, the one that makes room comes first', async () => {
  const verdict = await place({
    disk: { '2.jpg': 'x', '3.jpg': 'y', '4.jpg': 'z' },
    fresh: ['4.jpg'],
    changed: [known(2, '2.jpg', 'y'), known(3, '3.jpg', 'z')],
    missing: [known(1, '1.jpg', 'x')],
  });
  assert.deepEqual(moves(verdict), [
    [3, '4.jpg'],
    [2, '3.jpg'],
    [1, '2.jpg'],
  ]);
});

test('a file moved over another one takes its place, and the other is gone', async () => {
  const verdict = await place({
    disk: { 'a.jpg': 'y' },
    changed: [known(1, 'a.jpg', 'x')],
    missing: [known(2, 'b.jpg', 'y')],
  });
  assert.deepEqual(moves(verdict), [[2, 'a.jpg']]);
  assert.deepEqual([verdict.removed, verdict.edited], [[1], []]);
});

test('a file moved away with another one written in its place is a move and a new photo', async () => {
  const verdict = await place({
    disk: { 'a.jpg': 'z', 'b.jpg': 'x' },
    fresh: ['b.jpg'],
    changed: [known(1, 'a.jpg', 'x')],
  });
  assert.deepEqual(moves(verdict), [[1, 'b.jpg']]);
  assert.deepEqual([verdict.removed, verdict.edited, paths(verdict)], [[], [], ['a.jpg']]);
});

test('a move between roots keeps the photo', async () => {
  const verdict = await place(
    { rootId: 1, missing: [known(1, 'a.jpg', 'x')] },
    { rootId: 2, disk: { 'sub/a.jpg': 'x' }, fresh: ['sub/a.jpg'] },
  );
  assert.deepEqual(
    verdict.moved.map(({ photoId, rootId, relPath }) => [photoId, rootId, relPath]),
    [[1, 2, 'sub/a.jpg']],
  );
});

test('of several files with the same bytes, the name decides which photo went where', async () => {
  const verdict = await place({
    disk: { 'new/a.jpg': 'x', 'new/b.jpg': 'x' },
    fresh: ['new/a.jpg', 'new/b.jpg'],
    missing: [known(1, 'old/b.jpg', 'x'), known(2, 'old/a.jpg', 'x')],
  });
  assert.deepEqual(Object.fromEntries(moves(verdict)), { 1: 'new/b.jpg', 2: 'new/a.jpg' });
});

test('a case-only rename is a move like any other', async () => {
  const verdict = await place({
    disk: { 'a.jpg': 'x' },
    fresh: ['a.jpg'],
    missing: [known(1, 'A.JPG', 'x')],
  });
  assert.deepEqual(moves(verdict), [[1, 'a.jpg']]);
});

test('photos never hashed, and files that cannot be read now, are never matched', async () => {
  const verdict = await place({
    disk: { 'b.jpg': '' },
    fresh: ['b.jpg'],
    changed: [known(2, 'c.jpg', null)],
    missing: [known(1, 'a.jpg', null)],
  });
  assert.deepEqual([moves(verdict), verdict.removed, paths(verdict)], [[], [1], ['b.jpg']]);
  assert.deepEqual(
    verdict.edited.map(({ id }) => id),
    [2],
  );
});
