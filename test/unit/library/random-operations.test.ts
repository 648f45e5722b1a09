import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { createHarness, setTime, vectorOf, writePhoto, type Harness } from './harness.ts';

/** mulberry32: small, good enough, and the same everywhere. */
function createRandom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}

/** A person with two folders who does as people do; remembers which picture lies where. */
function createPerson(h: Harness, random: (below: number) => number) {
  const pictures = new Map<string, number>();
  let nextPicture = 1;
  let clock = 0;
  const folders = ['one', 'one/a', 'one/b', 'two', 'two/c', 'two/c/d'];
  const newPath = (): string => h.at(folders[random(folders.length)] ?? '', `${random(30)}.png`);
  const anyPath = (): string | undefined => [...pictures.keys()][random(Math.max(1, pictures.size))];
  const paint = async (path: string): Promise<void> => {
    pictures.set(path, nextPicture);
    await writePhoto(path, nextPicture);
    nextPicture += 1;
    await setTime(path, (clock += 1));
  };
  const move = (from: string, to: string): void => {
    const picture = pictures.get(from);
    if (picture === undefined || from === to) return;
    mkdirSync(dirname(to), { recursive: true });
    renameSync(from, to);
    pictures.delete(from);
    pictures.set(to, picture);
  };
  const operations: (() => Promise<void> | void)[] = [
    () => paint(newPath()),
    () => paint(newPath()),
    () => paint(anyPath() ?? newPath()),
    () => {
      const path = anyPath();
      if (path === undefined) return;
      rmSync(path);
      pictures.delete(path);
    },
    () => move(anyPath() ?? '', newPath()),
    () => move(anyPath() ?? '', newPath()),
    () => {
      const [a, b] = [anyPath(), anyPath()];
      if (a === undefined || b === undefined || a === b) return;
      move(a, h.at('one', 'between.png'));
      move(b, a);
      move(h.at('one', 'between.png'), b);
    },
    async () => {
      const path = anyPath();
      if (path !== undefined) await setTime(path, (clock += 1));
    },
    async () => {
      const [from, to] = [anyPath(), newPath()];
      if (from === undefined || from === to) return;
      mkdirSync(dirname(to), { recursive: true });
      copyFileSync(from, to);
      await setTime(to, (clock += 1));
      pictures.set(to, pictures.get(from) ?? 0);
    },
    () => {
      const [from, to] = [h.at('one', 'a'), h.at('two', `moved${random(1_000)}`)];
      const inside = [...pictures].filter(([path]) => path.startsWith(`${from}/`));
      if (inside.length === 0) return;
      renameSync(from, to);
      for (const [path, picture] of inside) {
        pictures.delete(path);
        pictures.set(join(to, path.slice(from.length)), picture);
      }
    },
  ];
  return { pictures, act: () => operations[random(operations.length)]?.() };
}

function filesUnder(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter((path) => statSync(path).isFile());
}

async function live(t: TestContext, seed: number, rounds: number): Promise<void> {
  const h = createHarness(t);
  const random = createRandom(seed);
  mkdirSync(h.at('one'));
  mkdirSync(h.at('two'));
  const roots = [await h.add(h.at('one')), await h.add(h.at('two'))];
  const { pictures, act } = createPerson(h, random);
  let before = new Map(pictures);
  let idsBefore = new Map<string, number>();
  for (let round = 0; round < rounds; round++) {
    const what = `seed ${seed}, round ${round}`;
    for (let i = random(12); i >= 0; i--) await act();
    assert.deepEqual(filesUnder(h.at()).sort(), [...pictures.keys()].sort(), `the test itself: ${what}`);
    h.embedder.inferences = 0;
    // Sometimes only one folder first: what moved between them must not get lost on the way.
    const first = random(3);
    const partial = roots[first];
    if (partial !== undefined) await h.library.run({ rootIds: [partial] });
    const report = await h.library.run();
    assert.deepEqual(report.failed, [], what);

    const known = new Set(before.values());
    const painted = new Set([...pictures.values()].filter((picture) => !known.has(picture)));
    assert.equal(h.embedder.inferences, painted.size, `inferences, ${what}`);
    assert.deepEqual(
      h.photos(),
      Object.fromEntries([...pictures.keys()].map((path) => [path, 'indexed'])),
      what,
    );
    const ids = new Map<string, number>();
    for (const root of h.store.roots.list())
      for (const { relPath, id } of h.store.photos.files(root.id)) ids.set(join(root.path, relPath), id);
    assert.equal(h.index.size, ids.size, what);
    assert.equal(h.store.embeddings.count(h.modelId), ids.size, what);
    for (const [path, picture] of pictures) {
      const id = ids.get(path) ?? -1;
      const { pixels } = await h.decoder.decode({ path }, { spec: h.embedder.imageSpec, thumbnail: false });
      assert.deepEqual(h.index.get(id), vectorOf(pixels), `${path}, ${what}`);
      assert.deepEqual(h.store.embeddings.get(h.modelId, id), h.index.get(id), `${path}, ${what}`);
      const whereBefore = [...before].filter(([, other]) => other === picture).map(([other]) => other);
      const whereNow = [...pictures].filter(([, other]) => other === picture);
      if (partial === undefined && whereBefore.length === 1 && whereNow.length === 1)
        assert.equal(id, idsBefore.get(whereBefore[0] ?? ''), `the photo of picture ${picture}, ${what}`);
    }
    before = new Map(pictures);
    idsBefore = ids;
  }
}

for (const seed of [1, 2, 3, 4]) {
  test(`whatever a person does to two folders, the library follows with the least work (seed ${seed})`, (t) =>
    live(t, seed, 14));
}
