/** A head in use with all that goes on round it: real photos, a real (tiny) pack, the process that trains. */
import assert from 'node:assert/strict';
import { copyFileSync, readFileSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import test, { after, before } from 'node:test';
import sharp from 'sharp';
import { silentLog } from '../../../main/engine/log.ts';
import { openRooms, type OpenRooms } from '../../../main/engine/open-rooms.ts';
import { headHash } from '../../../main/engine/store/head-hash.ts';
import { createNodeSpawner } from '../../../main/engine/workers.ts';
import { makeSmallLibrary, photoCount, type SmallLibrary } from '../../contract/small-library.ts';
import { run } from '../store/learning-fixtures.ts';
import { noisyIdentity } from './head-library.ts';

let place: SmallLibrary;
let opened: OpenRooms;
let runId: number;
const open = (): OpenRooms =>
  openRooms({
    directory: place.directory,
    modelsDirectory: place.modelsDirectory,
    spawn: createNodeSpawner({ log: silentLog }),
    now: () => Date.now(),
    log: silentLog,
    watch: false,
  });
const pictures = (): string => join(place.photos, 'photo 4.jpg');
const idOf = (name: string): number => {
  const { store } = opened.rooms;
  const [root] = store.roots.list();
  const file = store.photos.files(root!.id).find(({ relPath }) => relPath === name);
  assert.ok(file, name);
  return file.id;
};
/** Every photo has a vector of the head that is its vector of the pack, moved, in store and index. */
async function assertFollowed(): Promise<void> {
  const { store, models } = opened.rooms;
  const { base, head, modelId, index } = await models.ready();
  const { ids, data, dims } = store.embeddings.all(base.modelId);
  assert.equal(index.size, ids.length);
  assert.equal(store.embeddings.count(modelId), ids.length);
  for (const [row, id] of [...ids].entries()) {
    const expected = head!.projection.project(data.slice(row * dims, (row + 1) * dims));
    const vector = index.vector(id)!;
    assert.deepEqual(vector, store.embeddings.get(modelId, id));
    for (let d = 0; d < dims; d += 1) assert.ok(Math.abs(vector[d]! - expected[d]!) < 1e-5);
  }
}

before(async () => {
  place = await makeSmallLibrary();
  opened = open();
  const { library, models, store } = opened.rooms;
  const { base } = await models.ready();
  await library.addRoot(place.photos);
  await library.run();
  const { dims, fingerprint } = base.embedder;
  runId = store.runs.add(fingerprint, run({ dims })).id;
  const parameters = { weight: { shape: [dims, dims], values: noisyIdentity(dims, 0.8) } };
  const head = { head: 'linear' as const, dims, parameters };
  store.runs.setHead({ ...head, runId, fingerprint, hash: headHash(head) });
});
after(async () => {
  await opened.close();
  await place.remove();
});

test('a head is put into use, and results, tags and smart albums are told to follow', async () => {
  const { learning, search, bus, store } = opened.rooms;
  const before = await search.query({ text: 'a wall', examples: [], offset: 0, limit: 20 });
  const told = new Promise<number>((resolve) => {
    const stop = bus.onAny((name, payload) => {
      if (name !== 'library') return;
      stop();
      resolve((payload as { generation: number }).generation);
    });
  });
  await learning.heads.use(runId);
  assert.equal(await told, store.embeddings.generation());
  assert.equal(store.embeddings.activeModel()?.base?.runId, runId);
  await assertFollowed();
  const after = await search.query({ text: 'a wall', examples: [], offset: 0, limit: 20 });
  assert.deepEqual(after.hits.map(({ id }) => id).sort(), before.hits.map(({ id }) => id).sort());
  assert.notDeepEqual(
    after.hits.map(({ score }) => score),
    before.hits.map(({ score }) => score),
  );
});

test('a picture that is dropped goes through the head, too, and finds itself', async () => {
  const { search } = opened.rooms;
  const image = readFileSync(pictures()).toString('base64');
  const { exampleId } = await search.addExample({ image, name: 'photo 4.jpg' });
  const { hits } = await search.query({
    text: '',
    examples: [{ exampleId, weight: 1 }],
    offset: 0,
    limit: 3,
  });
  assert.equal(hits[0]?.id, idOf('photo 4.jpg'));
  assert.ok(hits[0].score > 0.999, `${hits[0].score}`);
  const why = await search.why({ photoId: idOf('photo 4.jpg'), text: 'a wall', examples: [] });
  assert.ok(why.heat !== null);
});

test('photos that come in, are copied or edited get the pack’s vector first and the head’s with it', async () => {
  const { library } = opened.rooms;
  const paint = (name: string, red: number): Promise<unknown> =>
    sharp({ create: { width: 80, height: 64, channels: 3, background: { r: red, g: 90, b: 40 } } })
      .jpeg()
      .toFile(join(place.photos, name));
  await paint('new.jpg', 200);
  copyFileSync(pictures(), join(place.photos, 'photo 4 again.jpg'));
  const report = await library.run();
  assert.equal(report.indexed, 2);
  await assertFollowed();
  const { models } = opened.rooms;
  const first = (await models.ready()).index.vector(idOf('new.jpg'));
  await paint('new.jpg', 20);
  utimesSync(join(place.photos, 'new.jpg'), 1_000, 1_000);
  assert.equal((await library.run()).indexed, 1);
  await assertFollowed();
  assert.notDeepEqual((await models.ready()).index.vector(idOf('new.jpg')), first);
  assert.equal((await models.ready()).index.size, photoCount + 2);
});

test('after a restart the head is in use, and what a crash left undone is done', async () => {
  const { store, models } = opened.rooms;
  const { base } = await models.ready();
  // Committed for the pack, and the process ended before the head's turn.
  const id = idOf('photo 4.jpg');
  store.embeddings.put(base.modelId, [
    { photoId: id, vector: store.embeddings.get(base.modelId, idOf('new.jpg'))! },
  ]);
  await opened.close();
  opened = open();
  assert.equal((await opened.rooms.models.ready()).head?.runId, runId);
  assert.equal(await opened.rooms.packSwitch.catchUp(), 1);
  await assertFollowed();
  assert.equal(await opened.rooms.packSwitch.catchUp(), 0);
});

test('another provider keeps the head, another pack begins without it, and the way back is the pack itself', async () => {
  const { packSwitch, models, store, learning } = opened.rooms;
  const context = { signal: new AbortController().signal, onProgress: () => undefined };
  await packSwitch.reload();
  assert.equal((await models.ready()).head?.runId, runId);
  await assertFollowed();
  await packSwitch.use('other', context);
  assert.equal((await models.ready()).head, null);
  assert.equal(store.embeddings.activeModel()?.base, null);
  await assert.rejects(learning.heads.use(runId), { code: 'input-invalid', message: /another model/ });
  await packSwitch.use('starter', context);
  const { head, base, modelId } = await models.ready();
  assert.deepEqual([head, modelId], [null, base.modelId]);
  await learning.heads.use(runId);
  await assertFollowed();
});

test('closing in the midst of a change gives it up and leaves what was in use', async () => {
  await opened.rooms.learning.heads.use(null);
  const change = opened.rooms.learning.heads.use(runId, {
    onProgress: () => {
      closing ??= opened.close();
    },
  });
  let closing: Promise<void> | undefined;
  await assert.rejects(change, { code: 'engine-stopped' });
  await closing;
  opened = open();
  assert.equal((await opened.rooms.models.ready()).head, null);
});
