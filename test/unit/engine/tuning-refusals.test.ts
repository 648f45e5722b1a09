/** What bad input gets when the app is to learn from it: a clear answer, and the library as it was. */
import assert from 'node:assert/strict';
import { cp, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { after, afterEach, before } from 'node:test';
import Database from 'better-sqlite3';
import type { CallInput, TuneRun } from '../../../main/contract.ts';
import { drawLibrary, refuses, standing, type DrawnLibrary } from './drawn-library.ts';
import { wordOf } from './drawn-words.ts';

const count = 96;
const captioned = 90;
let library: DrawnLibrary;

before(async () => {
  library = await drawLibrary(count);
});
// A test that failed leaves its engine open, and the next one would only hear that the library is locked.
afterEach(() => library.closeAll());
after(() => library.remove());

test('nothing, one example, ten, and the same words everywhere are told apart and refused', async () => {
  const none = await library.with(0);
  assert.equal((await none.engine.call('tune.sources', {})).problem?.code, 'input-invalid');
  await refuses(none.engine, {}, { code: 'input-invalid', message: /nothing to learn from yet/ });
  const [first = 0] = none.ids;
  await none.engine.call('captions.set', { photoId: first, text: 'kiwsed' });
  await refuses(none.engine, {}, { code: 'input-invalid', message: /1 example of 1 photo; 39 more/ });
  const ten = await library.with(10);
  assert.match((await ten.engine.call('tune.sources', {})).problem?.message ?? '', /10 examples/);
  await refuses(
    ten.engine,
    {},
    { code: 'input-invalid', message: /10 examples of 10 different photos; 30 more/ },
  );
  const same = await library.with(80, () => 'our holiday');
  await refuses(same.engine, {}, { code: 'input-invalid', message: /same words/ });
});

test('thumbs that contradict each other are left out and said', async () => {
  const { engine, ids } = await library.with(0);
  for (const [n, photoId] of ids.slice(0, 60).entries())
    await engine.call('feedback.set', { photoId, text: wordOf(n), vote: n < 30 ? 'up' : 'down' });
  assert.equal((await engine.call('tune.sources', {})).negatives, 30);
  await refuses(engine, {}, { code: 'input-invalid', message: /30 examples/ });
  // The same bytes under another name: one photo, which cannot be both.
  const twins = join(library.top, 'copies');
  await mkdir(twins, { recursive: true });
  for (const name of library.names.slice(0, 30))
    await cp(join(library.top, 'photos', name), join(twins, name));
  await engine.call('roots.add', { grant: engine.grant(twins) });
  await engine.call('indexing.run', {});
  for (const [n, name] of library.names.slice(0, 30).entries()) {
    const photoId = (await engine.photoAt(join(twins, name))) ?? 0;
    await engine.call('feedback.set', { photoId, text: wordOf(n), vote: 'down' });
  }
  // The last thumb counts, for all copies.
  const { up, down } = await engine.call('feedback.list', {});
  assert.deepEqual([up, down], [0, 60]);
  await refuses(engine, {}, { code: 'input-invalid', message: /nothing to learn from/ });
});

test('a captions file with wrong names is told line by line; one with nothing usable says why', async () => {
  const { engine } = await library.with(0);
  const wrong = Array.from({ length: 50 }, (_, n) => `nowhere-${String(n)}.jpg,${wordOf(n)}`);
  const folder = join(library.top, 'wrong captions');
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'captions.txt'), ['image,caption', ...wrong].join('\n'));
  const grant = engine.grant(folder);
  const none = await engine.call('tune.sources', { grant, sources: ['file'] });
  assert.deepEqual([none.pairs, none.problem?.code], [0, 'input-invalid']);
  await refuses(
    engine,
    { grant, sources: ['file'] },
    { code: 'input-invalid', message: /No line of "captions\.txt" can be used.*nowhere-0\.jpg/ },
  );
  await refuses(
    engine,
    { grant: engine.grant(join(library.top, 'no such folder')), sources: ['file'] },
    { code: 'file-vanished', message: /no such folder/ },
  );
  await refuses(engine, { grant: 'made up' }, { code: 'not-found', message: /Choose the folder again/ });

  const right = library.names.slice(0, 80).map((name, n) => `${name},${wordOf(n)} caf\xe9`);
  const file = join(library.top, 'photos', 'captions.txt');
  await writeFile(file, Buffer.from(['image,caption', ...right, ...wrong].join('\r\n'), 'latin1'));
  const some = await engine.call('tune.sources', { grant: engine.grant(file), sources: ['file'] });
  await rm(file, { force: true });
  assert.deepEqual([some.pairs, some.problem, some.skippedTotal], [80, null, 50]);
  assert.deepEqual([some.skipped[0]?.line, some.remarks?.length], [82, 1]);
});

test('a vector that is no number is left out by name, and the rest is learnt from', async () => {
  const first = await library.with(60);
  await first.engine.close();
  // The store takes no such vector; a disk that goes bad asks nobody.
  const db = new Database(join(first.directory, 'library.db'));
  db.prepare('UPDATE embeddings SET vector = ? WHERE key % 4294967296 = ?').run(
    Buffer.alloc(256 * 4, 0xff),
    first.ids[0],
  );
  db.close();
  const { engine } = await library.open(first.directory);
  const sources = await engine.call('tune.sources', {});
  assert.deepEqual([sources.pairs, sources.skipped[0]?.line], [59, 0]);
  assert.match(sources.skipped[0]?.reason ?? '', /000\.png|number|vector/);
  const { run } = await engine.call('tune.run', { epochs: 1 });
  assert.ok(['offered', 'refused'].includes(run.state) && run.pairs === 59);
});

test('a run that is stopped goes on where it was; a pack that is changed ends it, and what was learnt for the former', async () => {
  const opened = await library.with(captioned);
  const { engine } = opened;
  const asItWas = await standing(engine);
  /** Starts a run whose trainer is not heard any more after its second epoch. */
  const held = async (input: CallInput<'tune.run'>): Promise<Promise<{ run: TuneRun }>[]> => {
    const reached = Promise.withResolvers<undefined>();
    let isHeld = false;
    const running = engine.call('tune.run', input, {
      progress({ stage, epoch }) {
        if (stage !== 'training' || epoch < 2 || isHeld) return;
        isHeld = true;
        opened.hold = true;
        reached.resolve(undefined);
      },
    });
    running.catch(() => undefined);
    await Promise.race([reached.promise, running]);
    return [running];
  };
  const [first] = await held({ epochs: 9 });
  assert.equal((await engine.call('tune.state', {})).progress?.stage, 'training');
  await assert.rejects(engine.call('tune.run', {}), { code: 'input-invalid', message: /stop it first/ });
  const stopping = engine.call('tune.stop', {});
  opened.release();
  await stopping;
  const stopped = (await first)?.run;
  assert.equal(stopped?.state, 'stopped');
  assert.ok(stopped.curve.length >= 2 && stopped.curve.length < 9);
  assert.equal((await engine.call('tune.state', {})).progress, null);

  // Something else was said meanwhile: these are not the pairs that it began with.
  const photoId = opened.ids.at(-1) ?? 0;
  await engine.call('captions.set', { photoId, text: wordOf(3) });
  await assert.rejects(engine.call('tune.run', { resume: stopped.id }), {
    code: 'input-invalid',
    message: /changed since.*Start a new run/,
  });
  await engine.call('captions.set', { photoId, text: '' });

  const [second] = await held({ resume: stopped.id });
  await engine.call('packs.use', { packId: 'other' });
  opened.release();
  await assert.rejects(second ?? Promise.resolve(), { message: /model was changed meanwhile.*Start again/ });
  const [failed] = (await engine.call('tune.runs', {})).runs;
  assert.equal(failed?.state, 'failed');
  assert.ok((await engine.call('search.query', { text: 'kiwsed' })).total > 0);
  await engine.call('packs.use', { packId: 'starter' });
  assert.deepEqual(await standing(engine), asItWas);
});

test('captions that belong to other photos are refused, and a library that is only read refuses to be taught', async () => {
  // The words are drawn without a look at the picture.
  const { engine, directory } = await library.with(captioned, (n) =>
    wordOf((n * 7 + Math.floor(n / 16) * 5) % 97),
  );
  const asItWas = await standing(engine);
  const { run } = await engine.call('tune.run', {});
  assert.equal(run.state, 'refused');
  assert.match(run.reason ?? '', /The search stays as it is/);
  await assert.rejects(engine.call('tune.accept', { runId: run.id }), { code: 'input-invalid' });
  await assert.rejects(engine.call('tune.export', { runId: run.id, grant: engine.grant(library.top) }), {
    code: 'input-invalid',
  });
  assert.deepEqual(await standing(engine), asItWas);
  const { engine: reader } = await library.open(directory, { readOnly: true });
  assert.equal((await reader.call('tune.runs', {})).runs.length, 1);
  assert.equal((await reader.call('tune.sources', {})).pairs, captioned);
  for (const refused of [
    reader.call('tune.run', {}),
    reader.call('tune.undo', {}),
    reader.call('tune.remove', { runId: run.id }),
  ])
    await assert.rejects(refused, { code: 'library-locked' });
});
