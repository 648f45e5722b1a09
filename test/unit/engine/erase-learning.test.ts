/** Erasing a library whose head is in use: nothing that a person taught stays. */
import assert from 'node:assert/strict';
import test from 'node:test';
import type { EventName } from '../../../main/contract.ts';
import { createEngine } from '../../../main/engine/engine.ts';
import { silentLog } from '../../../main/engine/log.ts';
import { headHash } from '../../../main/engine/store/head-hash.ts';
import { openStore } from '../../../main/engine/store/store.ts';
import type { Engine } from '../../../main/engine/types.ts';
import { createNodeSpawner } from '../../../main/engine/workers.ts';
import { makeSmallLibrary } from '../../contract/small-library.ts';
import { run } from '../store/learning-fixtures.ts';
import { noisyIdentity } from './head-library.ts';

test('erasing forgets thumbs, queries, names, runs and the head in use, and indexing begins anew', async (t) => {
  const place = await makeSmallLibrary();
  let engine: Engine | undefined;
  t.after(async () => {
    await engine?.close();
    await place.remove();
  });
  const open = async (): Promise<Engine> => {
    engine = await createEngine({
      directory: place.directory,
      modelsDirectory: place.modelsDirectory,
      spawn: createNodeSpawner({ log: silentLog }),
      now: () => Date.now(),
      log: silentLog,
      watch: false,
    });
    return engine;
  };
  const addPhotos = async (to: Engine): Promise<void> => {
    await to.call('roots.add', { grant: to.grant(place.photos) });
    await to.call('indexing.run', {});
  };
  const first = await open();
  await addPhotos(first);
  await first.close();

  const store = openStore({ directory: place.directory, now: () => 0 });
  const { fingerprint, dims } = store.embeddings.activeModel()!;
  const runId = store.runs.add(fingerprint, run({ dims })).id;
  const parameters = { weight: { shape: [dims, dims], values: noisyIdentity(dims, 0.5) } };
  const head = { head: 'linear' as const, dims, parameters };
  store.runs.setHead({ ...head, runId, fingerprint, hash: headHash(head) });
  store.settings.set('lab.last', { captions: ['a secret'] });
  store.close();

  const taught = await open();
  await taught.call('tune.accept', { runId });
  assert.equal((await taught.call('library.status', {})).activeRun, runId);
  const [photoId = 0] = (await taught.call('photos.timeline', {})).ids;
  await taught.call('feedback.set', { photoId, text: 'a wall', vote: 'up' });
  await taught.call('queries.remember', { text: 'a wall' });
  await taught.call('names.teach', { name: 'Rex', photoIds: [photoId] });
  const told = new Map<EventName, unknown>();
  taught.onAny((name, payload) => told.set(name, payload));
  await taught.call('library.erase', { confirm: 'erase' });
  assert.deepEqual(told.get('feedback'), { up: 0, down: 0 });
  assert.deepEqual(told.get('names'), { names: [] });
  assert.deepEqual(told.get('runs'), { runs: [], active: null });

  // The same photos come back: what was said of them does not.
  await addPhotos(taught);
  assert.equal((await taught.call('library.status', {})).activeRun, null);
  assert.deepEqual(await taught.call('tune.runs', {}), { runs: [], active: null });
  assert.deepEqual(await taught.call('feedback.list', {}), { up: 0, down: 0, entries: [] });
  assert.deepEqual(await taught.call('queries.list', {}), { queries: [] });
  assert.deepEqual(await taught.call('names.list', {}), { names: [] });
  assert.ok((await taught.call('search.query', { text: 'a wall' })).total > 0);
  await taught.close();
  const after = openStore({ directory: place.directory, now: () => 0 });
  assert.equal(after.settings.get('lab.last'), null);
  assert.equal(after.embeddings.activeModel()?.base, null);
  after.close();
});
