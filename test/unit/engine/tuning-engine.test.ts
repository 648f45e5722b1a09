/** The whole loop over the shipped pack: captions by hand, a run, its proof, into use, found better, undone; and bad input. */
import assert from 'node:assert/strict';
import { cp, mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { after, afterEach, before } from 'node:test';
import Database from 'better-sqlite3';
import type { CallInput, SearchResult, TuneProgress, TuneRun } from '../../../main/contract.ts';
import { createEngine } from '../../../main/engine/engine.ts';
import type { SpawnWorker, WorkerProcess } from '../../../main/engine/inference/types.ts';
import { silentLog } from '../../../main/engine/log.ts';
import { openStore } from '../../../main/engine/store/store.ts';
import type { Engine } from '../../../main/engine/types.ts';
import { createNodeSpawner } from '../../../main/engine/workers.ts';
import { makePack } from '../../fixtures/make-pack.ts';
import { drawWords, wordOf, words } from './drawn-words.ts';

const shipped = join(import.meta.dirname, '..', '..', '..', 'models');
const count = 208;
const captioned = 176;
const mostTries = 10;
const firstSeed = 6;
let top: string;
let names: string[];
/** An indexed library about which nothing was said yet; each test works on a copy. */
let pristine: string;
let engines: Engine[] = [];
let copies = 0;

interface Opened {
  readonly engine: Engine;
  readonly directory: string;
  /** Photo ids in the order of the names. */
  readonly ids: number[];
  /** The process that trains, once it was started. */
  readonly trainer: () => WorkerProcess | undefined;
  /** While it is set, what the trainer says is kept back until `release`. */
  hold: boolean;
  readonly release: () => void;
}

async function open(directory: string): Promise<Opened> {
  const spawn = createNodeSpawner({ log: silentLog });
  let trainer: WorkerProcess | undefined;
  const kept: (() => void)[] = [];
  const opened = { directory, hold: false };
  const watched: SpawnWorker = (name) => {
    const worker = spawn(name);
    if (name !== 'tune') return worker;
    trainer = worker;
    return {
      post: (message) => worker.post(message),
      onMessage: (listener) =>
        worker.onMessage((message) => {
          if (opened.hold) kept.push(() => listener(message));
          else listener(message);
        }),
      onExit: (listener) => worker.onExit(listener),
      kill: () => worker.kill(),
    };
  };
  const engine = await createEngine({
    directory,
    modelsDirectory: join(top, 'models'),
    spawn: watched,
    now: () => Date.now(),
    log: silentLog,
    watch: false,
  });
  engines.push(engine);
  const ids: number[] = [];
  for (const name of names) ids.push((await engine.photoAt(join(top, 'photos', name))) ?? -1);
  return Object.assign(opened, {
    engine,
    ids,
    trainer: () => trainer,
    release() {
      opened.hold = false;
      for (const pass of kept.splice(0)) pass();
    },
  });
}

/** A copy of the library, with captions by hand on the first `captioned` photos. */
async function libraryWith(captioned: number, textOf: (n: number) => string = wordOf): Promise<Opened> {
  copies += 1;
  const directory = join(top, `library ${String(copies)}`);
  await cp(pristine, directory, { recursive: true });
  const opened = await open(directory);
  for (const [n, photoId] of opened.ids.slice(0, captioned).entries())
    await opened.engine.call('captions.set', { photoId, text: textOf(n) });
  return opened;
}

/** What searching gives now, to the last digit. */
async function standing(engine: Engine): Promise<unknown> {
  const results: SearchResult['hits'][] = [];
  for (const text of ['kiwsed', 'a red circle', 'misvo -stripes'])
    results.push((await engine.call('search.query', { text, limit: 50 })).hits);
  const { index, activeRun, photos } = await engine.call('library.status', {});
  return { results, size: index.size, activeRun, photos };
}

/** The call fails as it should, and the library is as it was. */
async function refuses(
  engine: Engine,
  input: CallInput<'tune.run'>,
  error: { code: string; message: RegExp },
): Promise<void> {
  const before_ = await standing(engine);
  await assert.rejects(engine.call('tune.run', input), error);
  assert.deepEqual((await engine.call('tune.runs', {})).runs, []);
  assert.deepEqual(await standing(engine), before_);
}

before(async () => {
  top = await realpath(await mkdtemp(join(tmpdir(), 'afterimage-tuning-')));
  names = await drawWords(join(top, 'photos'), count);
  await mkdir(join(top, 'models'));
  await cp(join(shipped, 'starter'), join(top, 'models', 'starter'), { recursive: true });
  await makePack({
    dir: join(top, 'models', 'other'),
    family: 'clip',
    shape: 'tiny',
    seed: 5,
    id: 'other',
  });
  const manifest = { schema: 1, origin: 'https://localhost', hosts: ['localhost'], packs: [] };
  await writeFile(join(top, 'models', 'manifest.json'), JSON.stringify(manifest));
  pristine = join(top, 'pristine');
  const store = openStore({ directory: pristine, now: () => Date.now() });
  // Trying graphics cards takes seconds, and is another test's business.
  store.settings.set('app', { provider: 'cpu' });
  store.close();
  const { engine } = await open(pristine);
  await engine.call('roots.add', { grant: engine.grant(join(top, 'photos')) });
  await engine.call('indexing.run', {});
  await engine.close();
});
after(() => rm(top, { recursive: true, force: true, maxRetries: 5 }));
afterEach(async () => {
  for (const engine of engines.splice(0)) await engine.close();
});

test('what a person called things is learnt, proved, compared, put into use, found better, and undone to the bit', async () => {
  const { engine, ids } = await libraryWith(captioned);
  const before_ = await standing(engine);
  const sources = await engine.call('tune.sources', {});
  assert.deepEqual([sources.problem, sources.pairs], [null, captioned]);
  assert.ok(sources.photos >= sources.needed && sources.secondsEstimate > 0);

  const events: (TuneProgress | null)[] = [];
  engine.on('tune', (progress) => void events.push(progress));
  const states: (string | undefined)[] = [];
  engine.on('runs', ({ runs }) => void states.push(runs[0]?.state));
  const stages = new Set<string>();
  const searches: Promise<SearchResult>[] = [];
  // Few pictures prove little: as a person may, it is tried with other draws until one convinces.
  let run: TuneRun | undefined;
  for (let tries = 0; tries < mostTries && run?.state !== 'offered'; tries++)
    run = (
      await engine.call(
        'tune.run',
        { head: 'linear', seed: firstSeed + tries },
        {
          progress(step) {
            stages.add(step.stage);
            // Searching goes on meanwhile.
            if (step.epoch === 2) searches.push(engine.call('search.query', { text: 'kiwsed' }));
          },
        },
      )
    ).run;
  assert.ok(run?.state === 'offered', run?.reason ?? '');
  assert.deepEqual([...stages], ['gathering', 'training', 'proving']);
  assert.ok((run.gain?.low ?? 0) > 0 && (run.after?.r10 ?? 0) > (run.before?.r10 ?? 1));
  assert.ok((await Promise.all(searches)).every(({ total }) => total > 0) && searches.length > 0);
  assert.deepEqual(await standing(engine), before_);

  /** Photos without captions: only their looks can be learnt. The mean place of the right ones among them. */
  const meanPlace = async (): Promise<number> => {
    const places: number[] = [];
    const unsaid = new Set(ids.slice(captioned));
    for (const text of words) {
      const { hits } = await engine.call('search.query', { text, limit: count });
      const order = hits.filter(({ id }) => unsaid.has(id));
      order.forEach(({ id }, place) => {
        if (wordOf(ids.indexOf(id)) === text) places.push(place);
      });
    }
    return places.reduce((sum, place) => sum + place, 0) / places.length;
  };
  const placeBefore = await meanPlace();
  for (const text of ['mavlib', 'zorble']) await engine.call('queries.remember', { text });
  const { comparisons } = await engine.call('tune.compare', { runId: run.id, limit: 20 });
  assert.deepEqual(comparisons.map(({ text }) => text).sort(), ['mavlib', 'zorble']);
  assert.ok(comparisons.every(({ up, down }) => up > 0 && down > 0));

  const swaps: string[] = [];
  engine.on('swap', (step) => void swaps.push(step?.stage ?? 'over'));
  const accepted = await engine.call('tune.accept', { runId: run.id });
  assert.equal(accepted.run.state, 'active');
  assert.equal((await engine.call('library.status', {})).activeRun, run.id);
  for (const { text, after: promised } of comparisons) {
    const { hits } = await engine.call('search.query', { text, limit: 20 });
    assert.deepEqual(
      hits.map(({ id }) => id),
      promised.map(({ id }) => id),
      'what was shown beforehand is what comes',
    );
  }
  const placeAfter = await meanPlace();
  assert.ok(placeAfter < placeBefore, `${String(placeBefore)} before, ${String(placeAfter)} after`);

  const undone = await engine.call('tune.undo', {});
  assert.equal(undone.active, null);
  assert.deepEqual(await standing(engine), before_);
  assert.equal((await engine.call('tune.runs', {})).runs[0]?.state, 'retired');
  assert.deepEqual([states[0], swaps.at(-1)], ['running', 'over']);
  assert.ok(events.some((step) => step?.stage === 'training'));
  await engine.call('tune.remove', { runId: run.id });
});

test('the same data, settings and seed give the same head, also when the trainer was killed half-way', async () => {
  const { engine, trainer, directory } = await libraryWith(captioned);
  const settings = { epochs: 12, seed: 9 };
  const whole = (await engine.call('tune.run', settings)).run;
  let killed = false;
  await assert.rejects(
    engine.call('tune.run', settings, {
      progress({ epoch }) {
        if (epoch < 4 || killed) return;
        killed = true;
        trainer()?.kill();
      },
    }),
    { code: 'worker-died' },
  );
  const [left] = (await engine.call('tune.runs', {})).runs;
  assert.equal(left?.state, 'interrupted');
  assert.ok(left.curve.length >= 4 && left.curve.length < 12);
  const resumed = (await engine.call('tune.run', { resume: left.id })).run;
  const told = ({ dataHash, curve, before: b, after: a, gain, share, bestEpoch }: TuneRun): unknown => ({
    ...{ dataHash, curve, b, a, gain, share, bestEpoch },
  });
  assert.deepEqual(told(resumed), told(whole));
  await engine.close();
  engines = [];
  const store = openStore({ directory, now: () => 0 });
  const hashes = [whole.id, resumed.id].map((id) => store.runs.head(id)?.hash);
  store.close();
  assert.equal(hashes[0], hashes[1]);
});

test('nothing, one example, ten, and the same words everywhere are told apart and refused', async () => {
  const none = await libraryWith(0);
  assert.equal((await none.engine.call('tune.sources', {})).problem?.code, 'input-invalid');
  await refuses(none.engine, {}, { code: 'input-invalid', message: /nothing to learn from yet/ });
  const [first = 0] = none.ids;
  await none.engine.call('captions.set', { photoId: first, text: 'kiwsed' });
  await refuses(none.engine, {}, { code: 'input-invalid', message: /1 example of 1 photo; 39 more/ });
  const ten = await libraryWith(10);
  assert.match((await ten.engine.call('tune.sources', {})).problem?.message ?? '', /10 examples/);
  await refuses(
    ten.engine,
    {},
    { code: 'input-invalid', message: /10 examples of 10 different photos; 30 more/ },
  );
  const same = await libraryWith(80, () => 'our holiday');
  await refuses(same.engine, {}, { code: 'input-invalid', message: /same words/ });
});

test('thumbs that contradict each other are left out and said', async () => {
  const { engine, ids } = await libraryWith(0);
  for (const [n, photoId] of ids.slice(0, 60).entries())
    await engine.call('feedback.set', { photoId, text: wordOf(n), vote: n < 30 ? 'up' : 'down' });
  assert.equal((await engine.call('tune.sources', {})).negatives, 30);
  await refuses(engine, {}, { code: 'input-invalid', message: /30 examples/ });
  // The same bytes under another name: one photo, which cannot be both.
  const copies_ = join(top, 'copies');
  await mkdir(copies_, { recursive: true });
  for (const name of names.slice(0, 30)) await cp(join(top, 'photos', name), join(copies_, name));
  await engine.call('roots.add', { grant: engine.grant(copies_) });
  await engine.call('indexing.run', {});
  for (const [n, name] of names.slice(0, 30).entries()) {
    const photoId = (await engine.photoAt(join(copies_, name))) ?? 0;
    await engine.call('feedback.set', { photoId, text: wordOf(n), vote: 'down' });
  }
  // The last thumb counts, for all copies.
  const { up, down } = await engine.call('feedback.list', {});
  assert.deepEqual([up, down], [0, 60]);
  await refuses(engine, {}, { code: 'input-invalid', message: /nothing to learn from/ });
});

test('a captions file with wrong names is told line by line; one with nothing usable says why', async () => {
  const { engine } = await libraryWith(0);
  const wrong = Array.from({ length: 50 }, (_, n) => `nowhere-${String(n)}.jpg,${wordOf(n)}`);
  const folder = join(top, 'wrong captions');
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
    { grant: engine.grant(join(top, 'no such folder')), sources: ['file'] },
    { code: 'file-vanished', message: /no such folder/ },
  );
  await refuses(engine, { grant: 'made up' }, { code: 'not-found', message: /Choose the folder again/ });

  const right = names.slice(0, 80).map((name, n) => `${name},${wordOf(n)} caf\xe9`);
  const file = join(top, 'photos', 'captions.txt');
  await writeFile(file, Buffer.from(['image,caption', ...right, ...wrong].join('\r\n'), 'latin1'));
  const some = await engine.call('tune.sources', { grant: engine.grant(file), sources: ['file'] });
  await rm(file, { force: true });
  assert.deepEqual([some.pairs, some.problem, some.skippedTotal], [80, null, 50]);
  assert.deepEqual([some.skipped[0]?.line, some.remarks?.length], [82, 1]);
});

test('a vector that is no number is left out by name, and the rest is learnt from', async () => {
  const first = await libraryWith(60);
  await first.engine.close();
  // The store takes no such vector; a disk that goes bad asks nobody.
  const db = new Database(join(first.directory, 'library.db'));
  db.prepare('UPDATE embeddings SET vector = ? WHERE key % 4294967296 = ?').run(
    Buffer.alloc(256 * 4, 0xff),
    first.ids[0],
  );
  db.close();
  const { engine } = await open(first.directory);
  const sources = await engine.call('tune.sources', {});
  assert.deepEqual([sources.pairs, sources.skipped[0]?.line], [59, 0]);
  assert.match(sources.skipped[0]?.reason ?? '', /000\.png|number|vector/);
  const { run } = await engine.call('tune.run', { epochs: 1 });
  assert.ok(['offered', 'refused'].includes(run.state) && run.pairs === 59);
});

test('a run that is stopped goes on where it was; a pack that is changed ends it, and what was learnt for the former', async () => {
  const opened = await libraryWith(captioned);
  const { engine } = opened;
  const before_ = await standing(engine);
  /** Starts a run whose trainer is not heard any more after its second epoch. */
  const held = async (input: CallInput<'tune.run'>): Promise<Promise<{ run: TuneRun }>[]> => {
    const reached = Promise.withResolvers<undefined>();
    const running = engine.call('tune.run', input, {
      progress({ epoch }) {
        if (epoch < 2) return;
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
  assert.deepEqual(await standing(engine), before_);
});

test('captions that belong to other photos are refused, and a library that is only read refuses to be taught', async () => {
  // The words are drawn without a look at the picture.
  const { engine, directory } = await libraryWith(captioned, (n) =>
    wordOf((n * 7 + Math.floor(n / 16) * 5) % 97),
  );
  const before_ = await standing(engine);
  const { run } = await engine.call('tune.run', {});
  assert.equal(run.state, 'refused');
  assert.match(run.reason ?? '', /The search stays as it is/);
  await assert.rejects(engine.call('tune.accept', { runId: run.id }), { code: 'input-invalid' });
  await assert.rejects(engine.call('tune.export', { runId: run.id, grant: engine.grant(top) }), {
    code: 'input-invalid',
  });
  assert.deepEqual(await standing(engine), before_);
  const reader = await createEngine({
    directory,
    modelsDirectory: join(top, 'models'),
    spawn: createNodeSpawner({ log: silentLog }),
    now: () => Date.now(),
    log: silentLog,
    readOnly: true,
    watch: false,
  });
  engines.push(reader);
  assert.equal((await reader.call('tune.runs', {})).runs.length, 1);
  assert.equal((await reader.call('tune.sources', {})).pairs, captioned);
  for (const refused of [
    reader.call('tune.run', {}),
    reader.call('tune.undo', {}),
    reader.call('tune.remove', { runId: run.id }),
  ])
    await assert.rejects(refused, { code: 'library-locked' });
});
