/** Heads into use and out again: what is the active run, what was there before, and failures that change nothing. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { copyFile, mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { AppError } from '../../../main/errors.ts';
import { asked, dims, learnWell, quietly, tuningRoom, weightThat } from './tuning-room.ts';

const states = (runs: readonly { id: number; state: string }[]): Record<number, string> =>
  Object.fromEntries(runs.map(({ id, state }) => [id, state]));
const folderFor = async (t: TestContext): Promise<string> => {
  const folder = await mkdtemp(join(tmpdir(), 'afterimage-heads-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
};

test('accepting retires what was in use, and undoing goes back step by step to the pack alone', async (t) => {
  const { tuning, store, swapped, script } = await tuningRoom(t);
  const a = await tuning.run(asked(), quietly);
  const b = await tuning.run(asked(), quietly);
  script.learn = learnWell({
    head: 'fusion',
    parameters: { hand: { shape: [1], values: Float32Array.of(1) } },
  });
  const c = await tuning.run(asked('fusion'), quietly);
  const accepted = await tuning.accept(a.id, quietly);
  assert.deepEqual([accepted.run.state, tuning.list().active], ['active', a.id]);
  assert.ok(accepted.seconds >= 0);
  await tuning.accept(b.id, quietly);
  assert.deepEqual(states(tuning.list().runs), { [a.id]: 'retired', [b.id]: 'active', [c.id]: 'offered' });
  // A head that orders takes the place of one that moves: both were trained over the pack as it is.
  await tuning.accept(c.id, quietly);
  assert.deepEqual([store.embeddings.activeModel()?.base, store.runs.ordering()], [null, c.id]);
  assert.equal(tuning.list().active, c.id);
  assert.equal((await tuning.undo(quietly)).active, b.id);
  assert.deepEqual([store.embeddings.activeModel()?.base?.runId, store.runs.ordering()], [b.id, null]);
  assert.equal((await tuning.undo(quietly)).active, a.id);
  assert.equal((await tuning.undo(quietly)).active, null);
  assert.deepEqual(states(tuning.list().runs), { [a.id]: 'retired', [b.id]: 'retired', [c.id]: 'retired' });
  await assert.rejects(tuning.undo(quietly), { code: 'input-invalid', message: /nothing to undo/ });
  assert.equal(swapped(), 6);
  // What was in use once may be again.
  assert.equal((await tuning.accept(a.id, quietly)).run.state, 'active');
  assert.equal((await tuning.accept(a.id, quietly)).run.state, 'active');
  assert.equal((await tuning.undo(quietly)).active, null);
});

test('a swap that fails leaves what was in use, and its run, as they were', async (t) => {
  const { tuning, store, script, swapped } = await tuningRoom(t);
  const a = await tuning.run(asked(), quietly);
  const b = await tuning.run(asked(), quietly);
  await tuning.accept(a.id, quietly);
  const before = { list: tuning.list(), active: store.embeddings.activeModel(), count: swapped() };
  script.swapFails = new AppError('disk-full', 'The disk is full. Free some space and try again.');
  await assert.rejects(tuning.accept(b.id, quietly), { code: 'disk-full' });
  await assert.rejects(tuning.undo(quietly), { code: 'disk-full' });
  assert.deepEqual({ list: tuning.list(), active: store.embeddings.activeModel(), count: swapped() }, before);
  script.swapFails = undefined;
  // The way back was not lost in the attempts.
  await tuning.accept(b.id, quietly);
  assert.equal((await tuning.undo(quietly)).active, a.id);
  assert.equal((await tuning.undo(quietly)).active, null);
});

test('a head of another pack, other files or another size is refused and named', async (t) => {
  const { tuning, script } = await tuningRoom(t);
  const { id } = await tuning.run(asked(), quietly);
  script.fingerprint = 'bigger';
  await assert.rejects(tuning.accept(id, quietly), { code: 'input-invalid', message: /other files of Axes/ });
  script.packName = 'Bigger';
  await assert.rejects(tuning.accept(id, quietly), {
    code: 'input-invalid',
    message: /trained for Axes, and Bigger is in use/,
  });
  script.dims = 128;
  await assert.rejects(tuning.accept(id, quietly), { code: 'input-invalid', message: /64 dimensions.*128/ });
  await assert.rejects(tuning.compare({ runId: id, limit: 3 }, quietly.signal), { code: 'input-invalid' });
  await assert.rejects(tuning.accept(999, quietly), { code: 'not-found' });
  assert.equal(tuning.list().active, null);
});

test('when the pack is changed, what was in use is retired, and undoing has nothing to go back to', async (t) => {
  const { tuning, store, script } = await tuningRoom(t);
  const a = await tuning.run(asked(), quietly);
  script.learn = learnWell({ head: 'joint', parameters: {} });
  const b = await tuning.run(asked('joint'), quietly);
  await tuning.accept(a.id, quietly);
  await tuning.accept(b.id, quietly);
  store.embeddings.setActiveModel(store.embeddings.model('other', 'other', dims));
  script.fingerprint = 'other';
  script.packName = 'Other';
  tuning.packChanged();
  assert.deepEqual(states(tuning.list().runs), { [a.id]: 'retired', [b.id]: 'retired' });
  assert.deepEqual([tuning.list().active, store.runs.ordering()], [null, null]);
  await assert.rejects(tuning.undo(quietly), { code: 'input-invalid' });
});

test('states follow what is in use, whatever came between them', async (t) => {
  const { tuning, store, reopen } = await tuningRoom(t);
  const a = await tuning.run(asked(), quietly);
  const b = await tuning.run(asked(), quietly);
  await tuning.accept(a.id, quietly);
  // A crash between the swap and its record.
  const head = store.runs.head(b.id);
  const base = store.embeddings.activeModel()?.base?.modelId ?? 0;
  store.embeddings.setActiveModel(store.embeddings.derivedModel(base, b.id, head?.hash ?? ''));
  assert.deepEqual(states(reopen().list().runs), { [a.id]: 'retired', [b.id]: 'active' });
});

test('a run on offer can be declined, and taken after all; only what is not in use can be removed', async (t) => {
  const { tuning, store } = await tuningRoom(t);
  const a = await tuning.run(asked(), quietly);
  const b = await tuning.run(asked(), quietly);
  assert.equal(tuning.decline(a.id).state, 'declined');
  assert.throws(() => tuning.decline(a.id), { code: 'input-invalid' });
  await tuning.accept(a.id, quietly);
  await tuning.accept(b.id, quietly);
  assert.throws(() => tuning.remove(b.id), { code: 'input-invalid', message: /Undo it first/ });
  tuning.remove(a.id);
  assert.throws(() => tuning.remove(a.id), { code: 'not-found' });
  assert.equal(store.runs.head(a.id), undefined);
  // The way back skips what is gone.
  assert.equal((await tuning.undo(quietly)).active, null);
  tuning.remove(b.id);
  assert.deepEqual(tuning.list(), { runs: [], active: null });
});

test('resetting goes back to the pack alone, so that what was learnt can be erased', async (t) => {
  const { tuning, store } = await tuningRoom(t);
  const run = await tuning.run(asked(), quietly);
  await tuning.accept(run.id, quietly);
  await tuning.reset(quietly.signal);
  store.erase.learning();
  assert.deepEqual(tuning.list(), { runs: [], active: null });
  await assert.rejects(tuning.undo(quietly), { code: 'input-invalid' });
});

test('an exported head comes back in another library on offer, with its proof and its very numbers', async (t) => {
  const folder = await folderFor(t);
  const here = await tuningRoom(t);
  const there = await tuningRoom(t);
  here.script.learn = learnWell({ weight: weightThat([{ from: 0, to: 3 }]) });
  const run = await here.tuning.run(asked(), quietly);
  const path = await here.tuning.export(run.id, folder);
  assert.match(path, /axes-linear-.*\.afterimage-head$/);
  assert.deepEqual(await readdir(folder), [path.slice(folder.length + 1)]);
  for (const from of [path, folder]) {
    const taken = await there.tuning.import(from);
    const { id, endedAt } = taken;
    assert.deepEqual(taken, { ...run, id, endedAt, imported: true });
    assert.deepEqual(there.store.runs.head(id), { ...here.store.runs.head(run.id), runId: id });
    assert.equal((await there.tuning.accept(id, quietly)).run.state, 'active');
  }
  await copyFile(path, join(folder, 'second.afterimage-head'));
  await assert.rejects(there.tuning.import(folder), { code: 'input-invalid', message: /2 exported heads/ });
});

test('a file that is no head, damaged, newer, for another pack or wrong inside is refused and takes nothing in', async (t) => {
  const folder = await folderFor(t);
  const { tuning, script, store } = await tuningRoom(t);
  const run = await tuning.run(asked(), quietly);
  const good = await readFile(await tuning.export(run.id, folder));
  const file = join(folder, 'tried.bin');
  const refuses = async (bytes: Uint8Array, message: RegExp): Promise<void> => {
    await writeFile(file, bytes);
    await assert.rejects(tuning.import(file), { code: 'input-invalid', message });
    assert.equal(tuning.list().runs.length, 1);
  };
  /** Changed inside, with a checksum that is right again. */
  const signed = (change: (body: Buffer) => Buffer): Buffer => {
    const body = change(Buffer.from(good.subarray(0, -32)));
    return Buffer.concat([body, createHash('sha256').update(body).digest()]);
  };
  const header = (change: (json: string) => string): Buffer =>
    signed((body) => {
      const length = body.readUInt32LE(20);
      const json = Buffer.from(change(body.subarray(24, 24 + length).toString()));
      const start = Buffer.from(body.subarray(0, 24));
      start.writeUInt32LE(json.length, 20);
      const values = body.subarray(24 + length + ((4 - (length % 4)) % 4));
      return Buffer.concat([start, json, Buffer.alloc((4 - (json.length % 4)) % 4), values]);
    });

  await refuses(Buffer.alloc(0), /not a head/);
  await refuses(Buffer.from('%PDF-1.7 something else entirely, long enough to be looked into'), /not a head/);
  await refuses(good.subarray(0, good.length - 5), /damaged or cut short/);
  const flipped = Buffer.from(good);
  flipped[1_000] = (flipped[1_000] ?? 0) ^ 1;
  await refuses(flipped, /damaged/);
  await refuses(
    signed((body) => {
      body.writeUInt32LE(2, 16);
      return body;
    }),
    /newer version/,
  );
  await refuses(
    signed((body) => {
      body.writeFloatLE(NaN, body.length - 4);
      return body;
    }),
    /no finite numbers/,
  );
  await refuses(
    signed((body) => {
      body.writeUInt32LE(0xffff_ffff, 20);
      return body;
    }),
    /damaged/,
  );
  await refuses(
    header((json) => json.replace('[64,64]', '[64,63]')),
    /damaged/,
  );
  await refuses(
    header((json) => json.replace('[64,64]', '[4096,1]')),
    /not those of a linear head/,
  );
  await refuses(
    header((json) => json.replace('"weight"', '"height"')),
    /not those of a linear head/,
  );
  await refuses(
    header((json) => json.replace('"head":"linear"', '"head":"quadratic"')),
    /damaged/,
  );
  await refuses(
    header((json) => json.replace('"accepted":true', '"accepted":false')),
    /not proved better/,
  );
  await refuses(
    header((json) => json.replace('"packName":"Axes"', '"packName":"Planes"').replace('"axes"', '"planes"')),
    /made for the model Planes \(64 dimensions\), but this library uses Axes/,
  );
  script.dims = 32;
  await refuses(good, /64 dimensions.*32 dimensions/);
  script.dims = dims;

  await mkdir(join(folder, 'empty'));
  await assert.rejects(tuning.import(join(folder, 'empty')), {
    code: 'input-invalid',
    message: /no file that ends/,
  });
  await assert.rejects(tuning.import(join(folder, 'nowhere')), { code: 'file-vanished' });
  await assert.rejects(tuning.export(run.id, join(folder, 'nowhere')), { code: 'file-vanished' });
  script.learn = learnWell({ accepted: false });
  const refused = await tuning.run(asked(), quietly);
  await assert.rejects(tuning.export(refused.id, folder), {
    code: 'input-invalid',
    message: /proved no better/,
  });
  assert.equal(store.runs.list().length, 2);
});

test('a folder that cannot be written to says so, and nothing half is left there', async (t) => {
  const folder = await folderFor(t);
  const { tuning } = await tuningRoom(t);
  const run = await tuning.run(asked(), quietly);
  const file = join(folder, 'a file');
  await writeFile(file, 'not a folder');
  await assert.rejects(tuning.export(run.id, file), { code: 'io-failed' });
  assert.deepEqual(await readdir(folder), ['a file']);
});

test('comparing shows what moves up and down, as searching would find it, and is kept until something changes', async (t) => {
  const { tuning, library, store, script } = await tuningRoom(t);
  const dogs = library.add(['dog'], 6);
  const cats = library.add(['cat'], 6);
  // What looks like a cat is found as a dog, too.
  script.learn = learnWell({ weight: weightThat([{ from: 1, to: 0 }]) });
  const run = await tuning.run(asked(), quietly);
  store.queries.remember('car', 1);
  store.queries.remember('dog', 2);
  const look = (limit: number): ReturnType<typeof tuning.compare> =>
    tuning.compare({ runId: run.id, limit }, quietly.signal);
  const comparisons = await look(8);
  assert.deepEqual(
    comparisons.map(({ text }) => text),
    ['dog', 'car'],
  );
  const [dog] = comparisons;
  assert.ok(dog !== undefined);
  assert.deepEqual(
    dog.before
      .slice(0, 6)
      .map(({ id }) => id)
      .sort((a, b) => a - b),
    dogs,
  );
  assert.ok(dog.after.some(({ id }) => cats.includes(id)));
  assert.deepEqual(
    dog.before.map(({ rank }) => rank),
    [1, 2, 3, 4, 5, 6, 7, 8],
  );
  for (const { id, rank, otherRank } of dog.after)
    assert.equal(dog.before.find((photo) => photo.id === id)?.otherRank ?? rank, rank, String(otherRank));
  const moved = new Set(
    [...dog.before, ...dog.after].filter(({ rank, otherRank }) => rank !== otherRank).map(({ id }) => id),
  );
  assert.equal(dog.up + dog.down, moved.size);
  assert.ok(dog.up > 0 && dog.down > 0);
  assert.equal(await look(8), comparisons);
  library.add(['car'], 1);
  assert.notEqual(await look(8), comparisons);

  const given = await tuning.compare(
    { runId: run.id, limit: 2, queries: ['cat in:IMG_0001', 'tree'] },
    quietly.signal,
  );
  assert.deepEqual(
    given.map(({ before, after }) => [before.map(({ id }) => id), after.length]),
    [
      [[dogs[0]], 1],
      [given[1]?.before.map(({ id }) => id), 2],
    ],
  );
  store.queries.forget();
  assert.deepEqual(await look(8), []);
  store.feedback.set(dogs[0] ?? 0, 'Car ', 'up', 3);
  assert.deepEqual(
    (await look(8)).map(({ text }) => text.trim()),
    ['Car'],
  );
  await assert.rejects(tuning.compare({ runId: 77, limit: 2 }, quietly.signal), { code: 'not-found' });
});

test('comparing a head that orders shows the order that it would give', async (t) => {
  const { tuning, library, script } = await tuningRoom(t);
  const both = library.add(['dog', 'cat'], 3, { strength: 0.5 });
  const dogs = library.add(['dog'], 3, { strength: 0.6 });
  script.learn = learnWell({ head: 'joint', parameters: {} });
  const { id } = await tuning.run(asked('joint'), quietly);
  const [dog] = await tuning.compare({ runId: id, queries: ['dog'], limit: 3 }, quietly.signal);
  const ids = (side: readonly { id: number }[] = []): number[] =>
    side.map((photo) => photo.id).sort((a, b) => a - b);
  assert.deepEqual([ids(dog?.before), ids(dog?.after)], [dogs, both]);
  assert.deepEqual([dog?.up, dog?.down], [3, 3]);
});
