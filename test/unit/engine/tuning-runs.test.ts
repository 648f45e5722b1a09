/** Runs of tuning: one at a time, what is kept of them, and every way that they end. */
import assert from 'node:assert/strict';
import test from 'node:test';
import type { TuneRun } from '../../../main/contract.ts';
import { tuneRun } from '../../../main/contract-tuning.ts';
import { AppError } from '../../../main/errors.ts';
import type { RunRecord } from '../../../main/engine/store/types.ts';
import { asked, epoch, learnUntilStopped, learnWell, pairs, quietly, tuningRoom } from './tuning-room.ts';

const recordOf = (run: TuneRun): RunRecord => tuneRun.omit({ id: true }).parse(run);

test('a run goes from gathering through its epochs to an offer, and all of it is kept', async (t) => {
  const { tuning, store, tasks, progress, told } = await tuningRoom(t);
  const run = await tuning.run(asked(), quietly);
  assert.equal(run.state, 'offered');
  assert.deepEqual(run.bySource, [
    { source: 'thumbs', pairs: 20 },
    { source: 'captions', pairs: 40 },
  ]);
  assert.deepEqual(run.settings.sources, ['thumbs', 'captions']);
  assert.deepEqual([run.pairs, run.dataHash, run.packName, run.dims], [60, 'da7a', 'Axes', 64]);
  assert.deepEqual(
    run.curve.map((point) => point.epoch),
    [1, 2, 3],
  );
  assert.ok(!('checkpoint' in (run.curve[0] ?? {})));
  assert.deepEqual(
    [run.before?.r10, run.after?.r10, run.gain?.low, run.generic?.name, run.share, run.accepted],
    [0.4, 0.6, 0.1, 'made', 0.5, true],
  );
  assert.ok(run.seconds > 0 && run.endedAt !== null && run.endedAt > run.startedAt);
  assert.deepEqual(
    progress.map((step) => step?.stage ?? null),
    ['gathering', 'training', 'training', 'training', 'training', 'proving', null],
  );
  assert.ok((progress[3]?.secondsLeft ?? 0) > (progress[4]?.secondsLeft ?? Infinity));
  assert.deepEqual(
    told.map(({ runs }) => runs[0]?.state),
    ['running', 'offered'],
  );
  assert.deepEqual(store.runs.head(run.id)?.parameters.weight?.shape, [64, 64]);
  assert.equal(store.runs.checkpoint(run.id), undefined);
  assert.equal(tasks[0]?.checkpoint, undefined);
  assert.equal(tuning.progress(), null);
  assert.deepEqual(tuning.list().runs, [run]);
});

test('batch and learning rate follow the number of pairs unless they are given', async (t) => {
  const { tuning, script, tasks } = await tuningRoom(t);
  script.gather = () => Promise.resolve(pairs(12_000));
  await tuning.run(asked(), quietly);
  script.gather = () => Promise.resolve(pairs(60));
  await tuning.run(asked(), quietly);
  await tuning.run({ ...asked(), settings: { ...asked().settings, batch: 24, learningRate: 0.5 } }, quietly);
  assert.deepEqual(
    tasks.map(({ settings }) => settings.batch),
    [1_024, 16, 24],
  );
  assert.equal(tasks[2]?.settings.learningRate, 0.5);
});

test('a head that proved no better is refused with its reason, and cannot be put into use', async (t) => {
  const { tuning, store, script } = await tuningRoom(t);
  script.learn = learnWell({ accepted: false, reason: 'It finds no better than before.' });
  const run = await tuning.run(asked(), quietly);
  assert.deepEqual(
    [run.state, run.accepted, run.reason],
    ['refused', false, 'It finds no better than before.'],
  );
  assert.equal(store.runs.head(run.id), undefined);
  await assert.rejects(tuning.accept(run.id, quietly), {
    code: 'input-invalid',
    message: /proved no better.*It finds no better than before/,
  });
  assert.deepEqual(tuning.list().active, null);
});

test('a second run is refused while one is under way, and both tell what to do', async (t) => {
  const { tuning, script } = await tuningRoom(t);
  const learn = learnUntilStopped(1);
  script.learn = learn;
  const first = tuning.run(asked(), quietly);
  await assert.rejects(tuning.run(asked(), quietly), { code: 'input-invalid', message: /stop it first/ });
  await learn.reached;
  assert.equal(tuning.progress()?.epoch, 1);
  const [running] = tuning.list().runs;
  assert.equal(running?.state, 'running');
  assert.throws(() => tuning.remove(running.id), { code: 'input-invalid', message: /under way/ });
  await tuning.stop();
  assert.equal((await first).state, 'stopped');
  assert.equal(tuning.progress(), null);
});

test('a run that was stopped goes on from its last epoch, with its own settings, and only with the same pairs', async (t) => {
  const { tuning, store, script, tasks } = await tuningRoom(t);
  const learn = learnUntilStopped(2);
  script.learn = learn;
  const first = tuning.run(asked('residual', 7), quietly);
  await learn.reached;
  await tuning.stop();
  const stopped = await first;
  assert.deepEqual([stopped.state, stopped.curve.length, stopped.error], ['stopped', 2, null]);
  assert.deepEqual([...(store.runs.checkpoint(stopped.id) ?? [])], [...epoch(2).checkpoint]);

  script.gather = () => Promise.resolve(pairs(60, 'other'));
  await assert.rejects(tuning.run({ ...asked(), resume: stopped.id }, quietly), {
    code: 'input-invalid',
    message: /has changed since.*Start a new run/,
  });
  assert.deepEqual(tuning.list().runs, [stopped]);

  const times: number[] = [];
  script.gather = (_base, wanted) => {
    times.push(wanted.at);
    return Promise.resolve(pairs());
  };
  script.learn = learnWell({}, 4);
  const run = await tuning.run({ ...asked(), resume: stopped.id }, quietly);
  assert.deepEqual(
    [run.id, run.state, run.settings.head, run.settings.epochs],
    [stopped.id, 'offered', 'residual', 7],
  );
  assert.deepEqual(
    run.curve.map((point) => point.epoch),
    [1, 2, 3, 4],
  );
  assert.equal(tasks.at(-1)?.checkpoint?.[0], 2);
  assert.ok(run.seconds > stopped.seconds);
  // Ages are counted from the same moment, or no data would ever be the same.
  assert.deepEqual(times, [stopped.startedAt]);
  await assert.rejects(tuning.run({ ...asked(), resume: run.id }, quietly), { code: 'input-invalid' });
  await assert.rejects(tuning.run({ ...asked(), resume: 999 }, quietly), { code: 'not-found' });
});

test('a caller that gives up stops the run; before there are pairs nothing of it is kept', async (t) => {
  const { tuning, script } = await tuningRoom(t);
  const controller = new AbortController();
  const learn = learnUntilStopped(1);
  script.learn = learn;
  const run = tuning.run(asked(), { ...quietly, signal: controller.signal });
  await learn.reached;
  controller.abort();
  await assert.rejects(run, { code: 'cancelled' });
  assert.equal(tuning.list().runs[0]?.state, 'stopped');

  const early = new AbortController();
  script.gather = (_base, _asked, signal) =>
    new Promise((_resolve, reject) => {
      signal.addEventListener('abort', () => reject(new AppError('cancelled', 'Gathering was cancelled.')));
      early.abort();
    });
  await assert.rejects(tuning.run(asked(), { ...quietly, signal: early.signal }), { code: 'cancelled' });
  assert.equal(tuning.list().runs.length, 1);
});

test('closing interrupts a run, and the next start finds it and goes on', async (t) => {
  const { tuning, script, reopen, tasks } = await tuningRoom(t);
  const learn = learnUntilStopped(2);
  script.learn = learn;
  const run = assert.rejects(tuning.run(asked(), quietly), { code: 'engine-stopped' });
  await learn.reached;
  await tuning.close();
  await run;
  await assert.rejects(tuning.run(asked(), quietly), { code: 'engine-stopped' });
  const next = reopen();
  const [left] = next.list().runs;
  assert.deepEqual([left?.state, left?.error?.code], ['interrupted', 'engine-stopped']);
  script.learn = learnWell();
  assert.equal((await next.run({ ...asked(), resume: left?.id }, quietly)).state, 'offered');
  assert.equal(tasks.at(-1)?.checkpoint?.[0], 2);
});

test('after a kill, runs that say they are running are interrupted, and those without pairs are gone', async (t) => {
  const { tuning, store, script, reopen } = await tuningRoom(t);
  const run = await tuning.run(asked(), quietly);
  // As a process that was killed leaves them.
  store.runs.update(run.id, { state: 'running', endedAt: null });
  store.runs.setCheckpoint(run.id, epoch(3).checkpoint);
  const record = recordOf(run);
  store.runs.add('axes', { ...record, state: 'running', dataHash: '', pairs: 0 });
  const next = reopen();
  assert.deepEqual(
    next.list().runs.map(({ id, state }) => ({ id, state })),
    [{ id: run.id, state: 'interrupted' }],
  );
  assert.match(next.list().runs[0]?.error?.message ?? '', /can go on/);
  script.learn = learnWell({}, 3);
  assert.equal((await next.run({ ...asked(), resume: run.id }, quietly)).state, 'offered');
});

test('when the process dies the run is interrupted with the reason, and goes on where it was', async (t) => {
  const { tuning, script, tasks } = await tuningRoom(t);
  script.learn = (_task, { onEpoch }) => {
    onEpoch?.(epoch(1));
    return Promise.reject(new AppError('worker-died', 'The process that trains ended unexpectedly.'));
  };
  await assert.rejects(tuning.run(asked(), quietly), { code: 'worker-died' });
  const [left] = tuning.list().runs;
  assert.deepEqual([left?.state, left?.error?.code], ['interrupted', 'worker-died']);
  script.learn = learnWell();
  const run = await tuning.run({ ...asked(), resume: left?.id }, quietly);
  assert.deepEqual([run.state, run.error, tasks.at(-1)?.checkpoint?.[0]], ['offered', null, 1]);
});

test('what cannot be learnt from is said, and leaves no run behind; a fault leaves one that failed', async (t) => {
  const { tuning, script } = await tuningRoom(t);
  script.gather = () =>
    Promise.reject(new AppError('input-invalid', 'There are 10 examples; 40 are needed.'));
  await assert.rejects(tuning.run(asked(), quietly), { code: 'input-invalid', message: /10 examples/ });
  script.gather = () => Promise.resolve(pairs());
  script.learn = () => Promise.reject(new AppError('input-invalid', 'All examples have the same words.'));
  await assert.rejects(tuning.run(asked(), quietly), { code: 'input-invalid', message: /same words/ });
  assert.deepEqual(tuning.list().runs, []);
  script.learn = (_task, { onEpoch }) => {
    onEpoch?.(epoch(1));
    return Promise.reject(new AppError('internal', 'The training ran away. Try a lower learning rate.'));
  };
  await assert.rejects(tuning.run(asked(), quietly), { code: 'internal' });
  const [failed] = tuning.list().runs;
  assert.deepEqual([failed?.state, failed?.error?.code, failed?.curve.length], ['failed', 'internal', 1]);
  await assert.rejects(tuning.run({ ...asked(), resume: failed?.id }, quietly), { code: 'input-invalid' });
});

test('a pack that is changed meanwhile ends the run, which says so', async (t) => {
  const { tuning, store, script } = await tuningRoom(t);
  const learn = learnUntilStopped(1);
  script.learn = learn;
  const run = assert.rejects(tuning.run(asked(), quietly), {
    code: 'input-invalid',
    message: /model was changed meanwhile.*Start again/,
  });
  await learn.reached;
  tuning.packChanged();
  assert.equal(tuning.progress()?.stage, 'training');
  store.embeddings.setActiveModel(store.embeddings.model('another', 'another', 8));
  script.fingerprint = 'another';
  tuning.packChanged();
  await run;
  const [failed] = tuning.list().runs;
  assert.equal(failed?.state, 'failed');
  assert.match(failed.error?.message ?? '', /model was changed/);

  // So it does before there are pairs, which would be of a pack that is closed.
  const gathering = Promise.withResolvers<undefined>();
  script.gather = (_base, _asked, signal) =>
    new Promise((_resolve, reject) => {
      signal.addEventListener('abort', () => reject(new AppError('cancelled', 'Gathering was cancelled.')));
      gathering.resolve(undefined);
    });
  const early = assert.rejects(tuning.run(asked(), quietly), { message: /model was changed meanwhile/ });
  await gathering.promise;
  store.embeddings.setActiveModel(store.embeddings.model('third', 'third', 8));
  tuning.packChanged();
  await early;
  assert.equal(tuning.list().runs.length, 1);
});

test('the captions file of a run is read again when it goes on, without being chosen again', async (t) => {
  const { tuning, script } = await tuningRoom(t);
  const learn = learnUntilStopped(1);
  script.learn = learn;
  const files: (string | null)[] = [];
  script.gather = (_base, { file }) => {
    files.push(file);
    return Promise.resolve(pairs());
  };
  const first = tuning.run({ ...asked(), file: '/photos/captions.txt' }, quietly);
  await learn.reached;
  await tuning.stop();
  script.learn = learnWell();
  await tuning.run({ ...asked(), resume: (await first).id }, quietly);
  assert.deepEqual(files, ['/photos/captions.txt', '/photos/captions.txt']);
});

test('a hundred runs that proved no better are kept, and every other one', async (t) => {
  const { tuning, store, script } = await tuningRoom(t);
  const offered = await tuning.run(asked(), quietly);
  const record = recordOf(offered);
  for (let i = 0; i < 100; i++) store.runs.add('axes', { ...record, state: 'refused', accepted: false });
  script.learn = learnWell({ accepted: false });
  const last = await tuning.run(asked(), quietly);
  const runs = tuning.list().runs;
  assert.equal(runs.length, 101);
  assert.deepEqual([runs[0]?.id, runs.at(-1)?.id], [last.id, offered.id]);
});
