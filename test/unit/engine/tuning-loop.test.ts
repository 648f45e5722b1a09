/** The whole loop over the shipped pack: captions by hand, a run, its proof, into use, found better, undone; and interrupted. */
import assert from 'node:assert/strict';
import test, { after, afterEach, before } from 'node:test';
import type { SearchResult, TuneProgress, TuneRun } from '../../../main/contract.ts';
import { drawLibrary, standing, type DrawnLibrary } from './drawn-library.ts';
import { wordOf, words } from './drawn-words.ts';

const count = 208;
const captioned = 176;
let library: DrawnLibrary;

before(async () => {
  library = await drawLibrary(count);
});
// A test that failed leaves its engine open, and the next one would only hear that the library is locked.
afterEach(() => library.closeAll());
after(() => library.remove());

test('what a person called things is learnt, proved, compared, put into use, found better, and undone to the bit', async () => {
  const { engine, ids } = await library.with(captioned);
  const asItWas = await standing(engine);
  const sources = await engine.call('tune.sources', {});
  assert.deepEqual([sources.problem, sources.pairs], [null, captioned]);
  assert.ok(sources.photos >= sources.needed && sources.secondsEstimate > 0);

  const events: (TuneProgress | null)[] = [];
  engine.on('tune', (progress) => void events.push(progress));
  const states: (string | undefined)[] = [];
  engine.on('runs', ({ runs }) => void states.push(runs[0]?.state));
  const stages = new Set<string>();
  const searches: Promise<SearchResult>[] = [];
  const { run } = await engine.call(
    'tune.run',
    {},
    {
      progress(step) {
        stages.add(step.stage);
        // Searching goes on meanwhile.
        if (step.epoch === 2) searches.push(engine.call('search.query', { text: 'kiwsed' }));
      },
    },
  );
  assert.equal(run.state, 'offered', run.reason ?? '');
  assert.deepEqual([...stages], ['gathering', 'training', 'proving']);
  assert.ok((run.gain?.low ?? 0) > 0 && (run.after?.r10 ?? 0) > (run.before?.r10 ?? 1));
  assert.ok((await Promise.all(searches)).every(({ total }) => total > 0) && searches.length > 0);
  assert.deepEqual(await standing(engine), asItWas);

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

  const told = new Promise<void>((resolve) => {
    engine.on('swap', (step) => {
      if (step === null) resolve();
    });
  });
  const undone = await engine.call('tune.undo', {});
  assert.equal(undone.active, null);
  assert.deepEqual(await standing(engine), asItWas);
  assert.equal((await engine.call('tune.runs', {})).runs[0]?.state, 'retired');
  await told;
  assert.deepEqual([states[0], swaps.at(-1)], ['running', 'over']);
  assert.ok(events.some((step) => step?.stage === 'training'));
  await engine.call('tune.remove', { runId: run.id });
});

test('a run that the app was closed in, and whose trainer was then killed, ends with the bits of one never disturbed', async () => {
  const first = await library.with(captioned);
  const settings = { epochs: 12, seed: 9 };
  const whole = (await first.engine.call('tune.run', settings)).run;
  let closed: Promise<void> | undefined;
  await assert.rejects(
    first.engine.call('tune.run', settings, {
      progress({ epoch }) {
        if (epoch >= 3) closed ??= first.engine.close();
      },
    }),
    { code: 'engine-stopped' },
  );
  await closed;

  const { engine, trainer } = await library.open(first.directory);
  const [left] = (await engine.call('tune.runs', {})).runs;
  assert.deepEqual([left?.state, left?.error?.code], ['interrupted', 'engine-stopped']);
  const reached = left?.curve.length ?? 0;
  assert.ok(reached >= 3 && reached < 12);
  let killed = false;
  await assert.rejects(
    engine.call(
      'tune.run',
      { resume: left?.id },
      {
        progress({ epoch }) {
          if (epoch <= reached || killed) return;
          killed = true;
          trainer()?.kill();
        },
      },
    ),
    { code: 'worker-died' },
  );
  const [again] = (await engine.call('tune.runs', {})).runs;
  assert.deepEqual([again?.state, again?.error?.code], ['interrupted', 'worker-died']);
  assert.ok((again?.curve.length ?? 0) > reached);
  const resumed = (await engine.call('tune.run', { resume: left?.id })).run;
  const told = ({ dataHash, curve, before: b, after: a, gain, share, bestEpoch }: TuneRun): unknown => ({
    ...{ dataHash, curve, b, a, gain, share, bestEpoch },
  });
  assert.deepEqual(told(resumed), told(whole));
});
