/** The engine as a whole: what it does when packs change, fail or are missing, and when a library is open twice. */
import assert from 'node:assert/strict';
import { copyFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import test, { after, before, beforeEach } from 'node:test';
import { createEngine } from '../../../main/engine/engine.ts';
import { silentLog } from '../../../main/engine/log.ts';
import type { Engine, EngineOptions } from '../../../main/engine/types.ts';
import { createNodeSpawner } from '../../../main/engine/workers.ts';
import { makeSmallLibrary, photoCount, type SmallLibrary } from '../../contract/small-library.ts';
import { makePack } from '../../fixtures/make-pack.ts';

let place: SmallLibrary;
const open = (parts: Partial<EngineOptions> = {}): Promise<Engine> =>
  createEngine({
    directory: place.directory,
    modelsDirectory: place.modelsDirectory,
    spawn: createNodeSpawner({ log: silentLog }),
    now: () => Date.now(),
    log: silentLog,
    watch: false,
    ...parts,
  });
const indexAll = async (engine: Engine): Promise<void> => {
  await engine.call('roots.add', { grant: engine.grant(place.photos) });
  await engine.call('indexing.run', {});
};

before(async () => {
  place = await makeSmallLibrary();
  const engine = await open();
  await indexAll(engine);
  await engine.close();
});
after(() => place.remove());
beforeEach(async () => {
  await makePack({
    dir: join(place.modelsDirectory, 'starter'),
    family: 'clip',
    shape: 'tiny',
    seed: 1,
    id: 'starter',
  });
});

test('a second engine on the same library is refused, or reads only', async () => {
  const first = await open();
  await assert.rejects(open(), { code: 'library-locked' });
  const reader = await open({ readOnly: true });
  assert.equal((await reader.call('search.query', { text: 'dog' })).total, photoCount - 1);
  await assert.rejects(reader.call('indexing.run', {}), { code: 'library-locked' });
  await assert.rejects(reader.call('library.erase', { confirm: 'erase' }), { code: 'library-locked' });
  await reader.close();
  await first.close();
});

test('without its pack a library is still there to be filtered, and says what is missing', async () => {
  await rm(join(place.modelsDirectory, 'starter'), { recursive: true });
  const engine = await open();
  const notices: string[] = [];
  engine.on('notice', ({ code }) => notices.push(code));
  await assert.rejects(engine.call('search.query', { text: 'dog' }), { code: 'pack-missing' });
  assert.ok(notices.includes('pack-missing'));
  assert.equal((await engine.call('search.query', { text: 'type:png' })).total, 1);
  assert.equal((await engine.call('library.status', {})).indexed, photoCount);
  await assert.rejects(engine.call('indexing.run', {}), { code: 'pack-missing' });
  await engine.close();
});

test('a pack that is there again works without a restart', async () => {
  await rm(join(place.modelsDirectory, 'starter', 'onnx'), { recursive: true });
  const engine = await open();
  await assert.rejects(engine.call('search.query', { text: 'dog' }));
  await makePack({
    dir: join(place.modelsDirectory, 'starter'),
    family: 'clip',
    shape: 'tiny',
    seed: 1,
    id: 'starter',
  });
  await engine.call('packs.use', { packId: 'starter' });
  assert.equal((await engine.call('search.query', { text: 'dog' })).total, photoCount - 1);
  await engine.close();
});

test('when the files of the active pack are replaced, the next run looks at every photo anew', async () => {
  await makePack({
    dir: join(place.modelsDirectory, 'starter'),
    family: 'clip',
    shape: 'tiny',
    seed: 77,
    id: 'starter',
  });
  const engine = await open();
  await engine.call('indexing.run', {});
  const status = await engine.call('library.status', {});
  assert.equal(status.index.size, photoCount);
  assert.equal(status.activePack?.photos, photoCount);
  await engine.close();
});

test('shells get files of the library only, and pictures that any browser shows', async () => {
  const engine = await open();
  const photoId = await engine.photoAt(join(place.photos, 'photo 1.png'));
  assert.ok(photoId !== null);
  const file = await engine.photoFile(photoId);
  assert.deepEqual(
    [file.path, file.rootPath, file.mime],
    [join(place.photos, 'photo 1.png'), place.photos, 'image/png'],
  );
  assert.equal(
    Buffer.from(await engine.thumbnail(photoId))
      .subarray(8, 12)
      .toString(),
    'WEBP',
  );
  assert.deepEqual([...(await engine.displayImage(photoId, 32)).subarray(0, 2)], [0xff, 0xd8]);
  await assert.rejects(engine.photoFile(999_999), { code: 'not-found' });
  const elsewhere = join(place.photos, '..', 'elsewhere.png');
  await copyFile(file.path, elsewhere);
  assert.equal(await engine.photoAt(elsewhere), null);
  assert.equal(await engine.photoAt(join(place.photos, 'nothing.png')), null);
  await engine.close();
});

test('a watching engine indexes what it is given without being asked', async () => {
  const engine = await open({ watch: true });
  const [root] = (await engine.call('roots.list', {})).roots;
  await engine.call('roots.remove', { rootId: root?.id ?? 0 });
  const done = new Promise<void>((resolve) => {
    engine.on('library', ({ photos }) => {
      if (photos === photoCount) resolve();
    });
  });
  await engine.call('roots.add', { grant: engine.grant(place.photos) });
  await done;
  await engine.close();
  await assert.rejects(engine.call('library.status', {}), { code: 'engine-stopped' });
});
