/** Thumbs, past queries, taught names, runs and the lab, as every adapter must offer them. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import test from 'node:test';
import type { EventName, EventPayload } from '../../main/contract.ts';
import type { SuiteTools } from './suite.ts';

export function learningCalls(tools: SuiteTools): void {
  const { call, refused } = tools;
  const photos = async (): Promise<number[]> => (await call('photos.timeline', {})).ids;
  /** Resolves with the first event of this name that `is` what is waited for. */
  const eventOf = <K extends EventName>(name: K, is: (payload: EventPayload<K>) => boolean): Promise<void> =>
    new Promise((resolve) => {
      const stop = tools.adapter.client.on(name, (payload) => {
        if (!is(payload)) return;
        stop();
        resolve();
      });
    });

  test('a thumb is kept for a photo and a query, told of, and taken back', async () => {
    const [first = 0, second = 0] = await photos();
    const told = eventOf('feedback', ({ up, down }) => up === 1 && down === 1);
    assert.deepEqual(await call('feedback.set', { photoId: first, text: 'The sea', vote: 'up' }), {
      up: 1,
      down: 0,
    });
    await call('feedback.set', { photoId: second, text: 'the  SEA', vote: 'down' });
    await told;
    assert.deepEqual((await call('feedback.of', { text: ' the sea', photoIds: [second, first] })).votes, [
      { photoId: second, vote: 'down' },
      { photoId: first, vote: 'up' },
    ]);
    const { entries } = await call('feedback.list', {});
    assert.equal(entries.length, 2);
    const up = entries.find(({ vote }) => vote === 'up');
    assert.deepEqual([up?.photo.id, up?.text], [first, 'The sea']);
    assert.equal(up?.photo.path, (await call('photos.get', { photoId: first })).path);
    assert.deepEqual(await call('feedback.set', { photoId: first, text: 'the sea', vote: null }), {
      up: 0,
      down: 1,
    });
    await call('feedback.clear', {});
    assert.deepEqual(await call('feedback.list', {}), { up: 0, down: 0, entries: [] });
    await refused(
      tools.adapter.client.call('feedback.set', { photoId: 999_999, text: 'sea', vote: 'up' }),
      'not-found',
    );
  });

  test('queries are noted, each once, and forgotten', async () => {
    await call('queries.remember', { text: 'a house' });
    await call('queries.remember', { text: 'a boat' });
    await call('queries.remember', { text: 'A  house' });
    const { queries } = await call('queries.list', { limit: 2 });
    assert.deepEqual(queries.map(({ text, times }) => [text, times]).sort(), [
      ['A  house', 2],
      ['a boat', 1],
    ]);
    await call('queries.forget', { text: 'a boat' });
    assert.equal((await call('queries.list', {})).queries.length, 1);
    await call('queries.forget', {});
    assert.deepEqual((await call('queries.list', {})).queries, []);
  });

  test('a name is taught by photos, searched for, changed, taken off and forgotten', async () => {
    const [first = 0, second = 0, third = 0] = await photos();
    const told = eventOf('names', ({ names }) => names.some(({ name }) => name === 'Rex'));
    const { name: rex } = await call('names.teach', {
      name: ' Rex ',
      kind: 'dog',
      photoIds: [first, second],
    });
    assert.deepEqual([rex.name, rex.kind, rex.photos, rex.problem], ['Rex', 'dog', 2, null]);
    assert.equal(rex.check?.of, 2);
    await told;
    const more = await call('names.teach', { name: 'REX', photoIds: [second, third] });
    assert.deepEqual([more.name.id, more.name.photos], [rex.id, 3]);
    assert.deepEqual(
      (await call('names.photos', { nameId: rex.id })).photoIds,
      [first, second, third].sort((a, b) => a - b),
    );
    const found = await call('search.query', { text: 'rex' });
    assert.ok(found.total > 0);
    await call('search.query', { text: 'Rex on a beach' });
    const renamed = await call('names.update', { nameId: rex.id, name: 'Rexi', kind: null });
    assert.deepEqual([renamed.name.name, renamed.name.kind], ['Rexi', null]);
    assert.equal((await call('names.take', { nameId: rex.id, photoIds: [third] })).name.photos, 2);
    assert.deepEqual(
      (await call('names.list', {})).names.map(({ name }) => name),
      ['Rexi'],
    );
    await call('names.remove', { nameId: rex.id });
    assert.deepEqual((await call('names.list', {})).names, []);
    await refused(tools.adapter.client.call('names.photos', { nameId: rex.id }), 'not-found');
    await refused(
      tools.adapter.client.call('names.take', { nameId: rex.id, photoIds: [first] }),
      'not-found',
    );
  });

  test('too little to learn from is told before, and refused when it is tried', async () => {
    const [first = 0] = await photos();
    await call('feedback.set', { photoId: first, text: 'the sea', vote: 'up' });
    const found = await call('tune.sources', {});
    assert.deepEqual([found.pairs, found.photos], [1, 1]);
    assert.deepEqual(
      found.sources.filter(({ pairs }) => pairs > 0).map(({ source }) => source),
      ['thumbs'],
    );
    assert.ok(found.needed > 1);
    assert.equal(found.problem?.code, 'input-invalid');
    await refused(call('tune.run', {}), 'input-invalid');
    assert.equal((await call('tune.state', {})).progress, null);
    await call('tune.stop', {});
    assert.deepEqual(await call('tune.runs', {}), { runs: [], active: null });
    assert.equal((await call('library.status', {})).activeRun, null);
    await call('feedback.clear', {});
  });

  test('captions of a granted folder are read, and lines that do not fit are told', async () => {
    const grant = await tools.adapter.grant(tools.place.captions);
    const found = await call('tune.sources', { grant });
    assert.equal(found.sources.find(({ source }) => source === 'file')?.pairs, 2);
    assert.equal(found.skippedTotal, 1);
    assert.equal(found.skipped[0]?.line, 3);
    await refused(
      tools.adapter.client.call('tune.sources', { grant: join(tools.place.photos, 'made-up') }),
      'not-found',
    );
  });

  test('what was never learnt cannot be used, compared, written out or undone', async () => {
    const grant = await tools.adapter.grant(tools.place.captions);
    for (const work of [
      () => call('tune.accept', { runId: 99 }),
      () => call('tune.decline', { runId: 99 }),
      () => call('tune.remove', { runId: 99 }),
      () => call('tune.compare', { runId: 99 }),
      () => call('tune.export', { runId: 99, grant }),
    ])
      await refused(work(), 'not-found');
    await refused(call('tune.undo', {}), 'input-invalid');
    await refused(call('tune.import', { grant }), 'input-invalid');
    await refused(call('tune.run', { resume: 99 }), 'not-found');
  });

  test('the lab lists its heads, and refuses what it cannot study', async () => {
    const { heads } = await call('lab.heads', {});
    assert.ok(heads.length >= 17);
    assert.ok(heads.every(({ description }) => description !== ''));
    assert.equal(heads.find(({ name }) => name === 'v0')?.parameters, 0);
    assert.ok((heads.find(({ name }) => name === 'v11')?.parameters ?? 0) > 0);
    assert.equal((await call('lab.last', {})).report, null);
    await refused(call('lab.run', { heads: ['v0'] }), 'input-invalid');
    await refused(tools.adapter.client.call('lab.run', { heads: ['v99'] }), 'input-invalid');
  });
}
