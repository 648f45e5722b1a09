/** Background work gives way to a person. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { createCourtesy } from '../../../main/engine/describe/courtesy.ts';
import { manualDelays, settle } from './manual-delays.ts';

const never = new AbortController().signal;

test('background work waits while a search runs and until a while after', async () => {
  const delays = manualDelays();
  const courtesy = createCourtesy(delays);
  const searching = Promise.withResolvers<number>();
  const search = courtesy.search(() => searching.promise);
  let begun = false;
  const work = courtesy.whenQuiet(() => {
    begun = true;
    return Promise.resolve('done');
  }, never);
  await settle();
  assert.equal(begun, false);
  searching.resolve(3);
  assert.equal(await search, 3);
  await settle();
  assert.equal(begun, false, 'the next letter may follow');
  delays.turn();
  assert.equal(await work, 'done');
});

test('typing on puts the work off again', async () => {
  const delays = manualDelays();
  const courtesy = createCourtesy(delays);
  let begun = 0;
  await courtesy.search(() => Promise.resolve());
  const work = courtesy.whenQuiet(() => Promise.resolve((begun += 1)), never);
  for (let i = 0; i < 5; i++) await courtesy.search(() => Promise.resolve());
  await settle();
  assert.equal(begun, 0);
  assert.equal(delays.waiting, 1, 'only the pause after the last letter counts');
  delays.turn();
  assert.equal(await work, 1);
});

test('a search lets the work in hand finish; an urgent request breaks it off and it is done again', async () => {
  const delays = manualDelays();
  const courtesy = createCourtesy(delays);
  const signals: AbortSignal[] = [];
  const finish = Promise.withResolvers<string>();
  const isBrokenOff = (): boolean | undefined => signals[0]?.aborted;
  const work = courtesy.whenQuiet((signal) => {
    signals.push(signal);
    if (signals.length > 1) return finish.promise;
    return new Promise<string>((_, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason as Error));
    });
  }, never);
  await settle();
  await courtesy.search(() => Promise.resolve());
  assert.equal(isBrokenOff(), false);
  await courtesy.urgent(() => Promise.resolve());
  assert.equal(isBrokenOff(), true);
  await settle();
  assert.equal(signals.length, 1, 'it waits for its turn');
  delays.turn();
  await settle();
  assert.equal(signals.length, 2);
  finish.resolve('again');
  assert.equal(await work, 'again');
});

test('a cancel ends the waiting, and errors of the work are its own', async () => {
  const delays = manualDelays();
  const courtesy = createCourtesy(delays);
  await courtesy.search(() => Promise.resolve());
  const controller = new AbortController();
  const waiting = courtesy.whenQuiet(() => Promise.resolve(), controller.signal);
  controller.abort(new Error('enough'));
  await assert.rejects(waiting, { message: 'enough' });
  delays.turn();
  await assert.rejects(
    courtesy.whenQuiet(() => Promise.reject(new Error('broken')), never),
    { message: 'broken' },
  );
  await assert.rejects(
    courtesy.search(() => Promise.reject(new Error('no such photo'))),
    { message: 'no such photo' },
  );
  delays.turn();
  assert.equal(
    await courtesy.whenQuiet(() => Promise.resolve(7), never),
    7,
    'a failed search holds nothing up',
  );
});

test('closing leaves no pause behind that would keep the process from ending', async () => {
  const delays = manualDelays();
  const courtesy = createCourtesy(delays);
  await courtesy.search(() => Promise.resolve());
  assert.equal(delays.waiting, 1);
  courtesy.close();
  assert.equal(delays.waiting, 0);
  await courtesy.search(() => Promise.resolve());
  assert.equal(delays.waiting, 0);
});
