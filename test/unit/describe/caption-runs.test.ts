/** Caption runs over a real library: resumed, joined, paused, stopped, and kind to whoever types. */
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { AppError } from '../../../main/errors.ts';
import type { CaptionProgress } from '../../../main/contract.ts';
import { describedLibrary, listening } from './described-library.ts';
import { settle, until } from './manual-delays.ts';
import { died, scriptedModel } from './scripted-model.ts';

const { signal } = listening;
const everything = { again: false, signal } as const;

test('the whole library is captioned once, newest progress first to last, and a second run does nothing', async (t) => {
  const library = describedLibrary(t, 5);
  library.captions.set({ photoId: library.ids[1] ?? 0, text: 'mine' });
  library.model.write = ({ name }) =>
    name === 'photo 3.jpg' ? { text: '', sure: false, confidence: 0.1 } : { text: `about ${name}` };
  const steps: CaptionProgress[] = [];
  const report = await library.runs.run({ ...everything, onProgress: (step) => void steps.push(step) });
  assert.deepEqual([report.captioned, report.unsure, report.skipped, report.failed.length], [3, 1, 0, 0]);
  assert.deepEqual(
    library.model.requests.map(({ background }) => background),
    [true, true, true, true],
  );
  assert.equal(library.store.captions.get(library.ids[1] ?? 0)?.text, 'mine');
  assert.deepEqual(steps.at(-1), { ...steps.at(-1), phase: 'captioning', done: 4, total: 4, current: null });
  assert.equal(steps[0]?.current, 'photo 1.jpg');
  assert.equal(library.runs.state().phase, 'idle');
  const second = await library.runs.run(everything);
  assert.deepEqual([second.captioned, second.unsure, library.model.requests.length], [0, 0, 4]);
});

test('a selection is captioned alone; those that have words are skipped unless asked for again', async (t) => {
  const library = describedLibrary(t, 4);
  const [a = 0, b = 0, c = 0] = library.ids;
  await library.captions.make({ photoId: a, again: false }, listening);
  library.delays.turn();
  library.captions.set({ photoId: c, text: 'mine' });
  const report = await library.runs.run({ photoIds: [a, b, c, 999], again: false, signal });
  assert.deepEqual([report.captioned, report.skipped], [1, 2]);
  const again = await library.runs.run({ photoIds: [a, b, c], again: true, signal });
  assert.deepEqual([again.captioned, again.skipped], [2, 1]);
  assert.equal(library.store.captions.get(c)?.text, 'mine');
  assert.equal(library.store.captions.get(library.ids[3] ?? 0), undefined);
});

test('photos that fail are listed with their reason and stop nothing', async (t) => {
  const library = describedLibrary(t, 4);
  rmSync(join(library.photos, 'photo 2.jpg'));
  library.model.write = ({ name }) => {
    if (name === 'photo 3.jpg') throw new AppError('image-broken', 'photo 3.jpg is damaged.');
    return { text: 'fine' };
  };
  const report = await library.runs.run(everything);
  assert.equal(report.captioned, 2);
  assert.deepEqual(
    report.failed.map(({ code, photoId, path }) => [code, photoId, path]),
    [
      ['file-vanished', library.ids[1], join(library.photos, 'photo 2.jpg')],
      ['image-broken', library.ids[2], join(library.photos, 'photo 3.jpg')],
    ],
  );
  assert.equal(library.progress.at(-2)?.failed, 2);
});

test('of a drive that is away one photo is listed, and the others wait for it', async (t) => {
  const library = describedLibrary(t, 3);
  rmSync(library.photos, { recursive: true });
  const report = await library.runs.run(everything);
  assert.deepEqual(
    report.failed.map(({ code }) => code),
    ['root-offline'],
  );
  assert.equal(library.model.requests.length, 0);
});

test('a pause holds after the photo in work, and resuming goes on from there', async (t) => {
  const library = describedLibrary(t, 3);
  library.model.write = ({ name }) => {
    if (name === 'photo 1.jpg') library.runs.pause();
    return { text: 'fine' };
  };
  const running = library.runs.run(everything);
  await until('the run is held', () => library.runs.state().phase === 'paused');
  assert.equal(library.runs.state().done, 1);
  assert.equal(library.model.requests.length, 1);
  library.runs.resume();
  assert.equal((await running).captioned, 3);
});

test('stopping breaks off the photo in work, reports what was written, and leaves the rest to the next run', async (t) => {
  const library = describedLibrary(t, 3);
  const running = library.runs.run({
    ...everything,
    onProgress({ current }) {
      if (current === 'photo 2.jpg') {
        library.model.hold = new Promise(() => undefined);
        setImmediate(() => library.runs.stop());
      }
    },
  });
  const report = await running;
  assert.deepEqual([report.captioned, report.failed.length], [1, 0]);
  library.model.hold = undefined;
  assert.equal((await library.runs.run(everything)).captioned, 2);
});

test('callers join one run; who leaves is cancelled, and the last one out ends it', async (t) => {
  const library = describedLibrary(t, 4);
  library.model.hold = new Promise(() => undefined);
  const first = new AbortController();
  const second = new AbortController();
  const one = library.runs.run({ photoIds: library.ids.slice(0, 1), again: false, signal: first.signal });
  const two = library.runs.run({ again: false, signal: second.signal });
  await until('a photo is in work', () => library.model.requests.length === 1);
  assert.equal(library.runs.state().total, 4);
  first.abort();
  await assert.rejects(one, { code: 'cancelled' });
  assert.equal(library.runs.state().phase, 'captioning');
  second.abort();
  await assert.rejects(two, { code: 'cancelled' });
  await until('the run is over', () => library.runs.state().phase === 'idle');
  library.model.hold = undefined;
  assert.equal((await library.runs.run(everything)).captioned, 4);
});

test('both callers of a joined run get its one report', async (t) => {
  const library = describedLibrary(t, 3);
  const [one, two] = await Promise.all([
    library.runs.run({ photoIds: library.ids.slice(1, 2), again: false, signal }),
    library.runs.run(everything),
  ]);
  assert.deepEqual(one, two);
  assert.equal(one.captioned, 3);
  assert.deepEqual(
    library.model.requests.map(({ name }) => name),
    ['photo 2.jpg', 'photo 1.jpg', 'photo 3.jpg'],
    'what was asked for by name goes first',
  );
});

test('a photo that ends the process twice is set aside, in this run and the next', async (t) => {
  const library = describedLibrary(t, 3);
  library.model.write = ({ name }) => {
    if (name === 'photo 2.jpg') throw died();
    return { text: 'fine' };
  };
  const report = await library.runs.run(everything);
  assert.deepEqual([report.captioned, report.failed.map(({ code }) => code)], [2, ['photo-quarantined']]);
  assert.equal(library.model.requests.filter(({ name }) => name === 'photo 2.jpg').length, 2);
  const next = await library.runs.run(everything);
  assert.deepEqual(
    next.failed.map(({ code }) => code),
    ['photo-quarantined'],
  );
  assert.equal(library.model.requests.filter(({ name }) => name === 'photo 2.jpg').length, 2);
  library.model.write = () => ({ text: 'fine after all' });
  const asked = await library.runs.run({ photoIds: library.ids.slice(1, 2), again: true, signal });
  assert.equal(asked.captioned, 1);
});

test('one death is nobody’s fault: the photo is tried again', async (t) => {
  const library = describedLibrary(t, 1);
  let deaths = 0;
  library.model.write = () => {
    if (deaths++ === 0) throw died();
    return { text: 'fine' };
  };
  const report = await library.runs.run(everything);
  assert.deepEqual([report.captioned, report.failed.length], [1, 0]);
});

test('a model that dies with every photo ends the run, and no photo is blamed', async (t) => {
  const library = describedLibrary(t, 6);
  library.model.write = () => {
    throw died();
  };
  await assert.rejects(library.runs.run(everything), { code: 'worker-died' });
  assert.equal(library.model.requests.length, 6);
  library.model.write = () => ({ text: 'fine' });
  assert.equal((await library.runs.run(everything)).captioned, 6);
});

test('a fault of the model itself ends the run at once', async (t) => {
  const library = describedLibrary(t, 3);
  library.model.write = () => {
    throw new AppError('pack-invalid', 'A file of the pack is missing.');
  };
  await assert.rejects(library.runs.run(everything), { code: 'pack-invalid' });
  assert.equal(library.model.requests.length, 1);
  assert.equal(library.runs.state().phase, 'idle');
});

test('another captioner in the midst of a run captions every photo, those behind it too', async (t) => {
  const library = describedLibrary(t, 3);
  const newer = scriptedModel({ packId: 'newer', fingerprint: 'e'.repeat(32) });
  library.model.write = ({ name }) => {
    if (name === 'photo 2.jpg') library.model = newer;
    return { text: 'old words' };
  };
  const report = await library.runs.run(everything);
  assert.equal(report.captioned, 5, 'two by the former, three by the newer');
  for (const id of library.ids)
    assert.equal(library.store.captions.ofModel(id, newer.fingerprint)?.packId, 'newer');
});

test('a run steps aside while someone types and goes on when it is quiet', async (t) => {
  const library = describedLibrary(t, 3);
  await library.courtesy.search(() => Promise.resolve());
  const running = library.runs.run(everything);
  await settle();
  assert.equal(library.model.requests.length, 0);
  library.delays.turn();
  assert.equal((await running).captioned, 3);
});

test('a question about a photo breaks in on a run, which then does that photo again', async (t) => {
  const library = describedLibrary(t, 2);
  const forever = new Promise<void>(() => undefined);
  library.model.hold = forever;
  const running = library.runs.run(everything);
  await until('a photo is in work', () => library.model.requests.length === 1);
  library.model.hold = undefined;
  const answer = await library.asking.photo(
    { photoId: library.ids[1] ?? 0, question: 'What is this?', turns: [], again: false },
    listening,
  );
  assert.ok(answer.answer.length > 0);
  library.delays.turn();
  assert.equal((await running).captioned, 2);
  assert.deepEqual(
    library.model.requests.map(({ name, question }) => [name, question === undefined]),
    [
      ['photo 1.jpg', true],
      ['photo 2.jpg', false],
      ['photo 1.jpg', true],
      ['photo 2.jpg', true],
    ],
  );
});

test('background work waits for indexing, and a person’s does not', async (t) => {
  const library = describedLibrary(t, 2);
  library.indexing = true;
  const background = library.runs.run({ ...everything, background: true });
  await until('it waits', () => library.runs.state().phase === 'waiting');
  assert.equal(library.model.requests.length, 0);
  await library.runs.run({ photoIds: library.ids.slice(0, 1), again: false, signal });
  await background;
  assert.equal(library.model.requests.length, 2);
});

test('closing ends a run cleanly: its callers hear why, and nothing is written afterwards', async (t) => {
  const library = describedLibrary(t, 3);
  library.model.hold = new Promise(() => undefined);
  const running = library.runs.run(everything);
  const rejected = assert.rejects(running, { code: 'engine-stopped' });
  await until('a photo is in work', () => library.model.requests.length === 1);
  await library.runs.close();
  await rejected;
  assert.equal(library.store.captions.counts().captioned, 0);
  await assert.rejects(library.runs.run(everything), { code: 'engine-stopped' });
});
