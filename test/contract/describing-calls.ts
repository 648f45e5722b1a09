/** Captions, questions and why, as every adapter must offer them: streamed, stoppable, and with errors that arrive. */
import assert from 'node:assert/strict';
import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import { photoCount } from './small-library.ts';
import type { SuiteTools } from './suite.ts';

export function describingCalls(tools: SuiteTools): void {
  const { call, refused, firstId } = tools;
  const path = (photoId: number): Promise<string> =>
    call('photos.get', { photoId }).then((detail) => detail.path);

  test('a caption streams, is kept, and can be searched', async () => {
    const photoId = await firstId();
    const grown: string[] = [];
    const made = await call('captions.make', { photoId }, { onProgress: ({ text }) => grown.push(text) });
    assert.deepEqual([made.cached, made.caption.by, made.caption.sure], [false, 'model', true]);
    assert.equal(made.pack?.id, 'starter-captioner');
    assert.equal(made.path, await path(photoId));
    assert.ok(made.caption.text.length > 0);
    assert.ok(grown.length > 0);
    assert.ok(grown.every((text, i) => i === 0 || text.length >= (grown[i - 1] ?? '').length));
    const again = await call('captions.make', { photoId });
    assert.deepEqual([again.cached, again.caption], [true, made.caption]);
    assert.equal((await call('photos.get', { photoId })).caption?.text, made.caption.text);
    const found = await call('search.query', { text: `"${made.caption.text}"` });
    assert.ok(found.hits.some(({ id }) => id === photoId));
    const anew = await call('captions.make', { photoId, again: true });
    assert.equal(anew.cached, false);
  });

  test('a caption goes on from a prompt and is not kept', async () => {
    const photoId = await firstId();
    const kept = (await call('photos.get', { photoId })).caption;
    const made = await call('captions.make', { photoId, prompt: 'a photo of' });
    // Random words may be the rest of one that began.
    assert.ok(made.caption.text.startsWith('a photo of') && made.caption.text.length > 'a photo of'.length);
    assert.deepEqual((await call('photos.get', { photoId })).caption, kept);
  });

  test('a caption by hand goes first, is found at once, and gives way again', async () => {
    const photoId = await firstId();
    const model = (await call('photos.get', { photoId })).caption;
    const { caption } = await call('captions.set', { photoId, text: ' grandmother\n  and the zeppelin ' });
    assert.deepEqual(
      [caption?.text, caption?.by, caption?.confidence],
      ['grandmother and the zeppelin', 'hand', null],
    );
    assert.equal((await call('captions.make', { photoId })).caption.by, 'hand');
    const found = await call('search.query', { text: 'zeppelin' });
    const [first] = found.hits;
    assert.ok(first !== undefined);
    assert.equal(first.id, photoId);
    assert.notEqual(first.foundBy, 'looks');
    assert.deepEqual((await call('captions.of', { photoIds: [photoId, 999_999] })).captions, [
      { photoId, text: 'grandmother and the zeppelin' },
    ]);
    const back = await call('captions.set', { photoId, text: '' });
    assert.equal(back.caption?.text, model?.text);
    await refused(tools.adapter.client.call('captions.set', { photoId: 999_999, text: 'x' }), 'not-found');
    await refused(tools.adapter.client.call('captions.make', { photoId: 999_999 }), 'not-found');
  });

  test('the whole library is captioned with progress, and a second run has nothing to do', async () => {
    await call('captions.pause', {});
    await call('captions.resume', {});
    const counts: number[] = [];
    const report = await call('captions.run', {}, { onProgress: ({ done }) => counts.push(done) });
    assert.deepEqual(report.failed, []);
    assert.ok(report.captioned + report.unsure >= photoCount - 2, `${report.captioned} captioned`);
    assert.deepEqual(
      [...counts].sort((a, b) => a - b),
      counts,
    );
    assert.deepEqual((await call('library.status', {})).captions, {
      total: photoCount,
      captioned: photoCount,
    });
    const again = await call('captions.run', {});
    assert.equal(again.captioned, 0);
    assert.equal((await call('captions.state', {})).phase, 'idle');
    await call('captions.stop', {});
    await heardOf('captions');
  });

  test('captions are written out where a person said, never beside what others wrote', async () => {
    const folder = join(tools.place.photos, '..', `captions ${Math.random().toString(36).slice(2)}`);
    await mkdir(folder);
    const grant = await tools.adapter.grant(folder);
    const csv = await call('captions.export', { format: 'csv', grant });
    assert.ok(csv.written >= photoCount - 1 && csv.path?.endsWith('.csv') === true);
    assert.match(await readFile(csv.path, 'utf8'), /photo 1\.png/);
    const xmp = await call('captions.export', { format: 'xmp', grant });
    assert.ok(xmp.written > 0);
    const names = await readdir(folder, { recursive: true });
    assert.ok(names.some((name) => name.endsWith('.xmp')));
    await refused(
      tools.adapter.client.call('captions.export', { format: 'csv', grant: 'made-up' }),
      'not-found',
    );
  });

  test('a question is answered with what else was considered, and kept until it is forgotten', async () => {
    const photoId = await firstId();
    const given = await call('ask.photo', { photoId, question: '  What   is this? ' });
    assert.deepEqual([given.cached, given.sure, given.question], [false, true, 'What is this?']);
    assert.equal(given.answer, given.answers[0]?.answer);
    assert.ok(given.answers.length > 1 && given.answers.length <= 5);
    assert.ok(
      given.answers.every(({ probability }, i) => probability <= (given.answers[i - 1]?.probability ?? 1)),
    );
    const again = await call('ask.photo', { photoId, question: 'what is this?' });
    assert.deepEqual([again.cached, again.answers], [true, given.answers]);
    assert.ok((await call('ask.history', { photoId })).answers.some(({ answer }) => answer === given.answer));
    await call('ask.forget', { photoId });
    assert.deepEqual((await call('ask.history', { photoId })).answers, []);
    assert.ok((await call('ask.suggestions', { photoId })).questions.length > 0);
    const { client } = tools.adapter;
    await refused(client.call('ask.photo', { photoId, question: ' \n ' }), 'input-invalid');
    await refused(client.call('ask.photo', { photoId, question: 'why '.repeat(5_000) }), 'input-invalid');
    await refused(client.call('ask.photo', { photoId: 999_999, question: 'what?' }), 'not-found');
    await refused(client.call('ask.history', { photoId: 999_999 }), 'not-found');
  });

  test('a model that is not sure says nothing, and shows what it considered', async () => {
    const photoId = await firstId();
    await call('packs.use', { packId: 'doubter' });
    const { packs } = await call('packs.list', {});
    assert.deepEqual(packs.find(({ id }) => id === 'doubter')?.active, ['answer']);
    assert.deepEqual(packs.find(({ id }) => id === 'starter-answerer')?.active, []);
    const given = await call('ask.photo', { photoId, question: 'what colour is it?' });
    assert.deepEqual([given.answer, given.sure, given.packId], ['', false, 'doubter']);
    assert.ok(given.answers.length > 0);
    await call('packs.use', { packId: 'starter-answerer' });
  });

  test('the results of a search are asked one by one, with early answers and the photos behind them', async () => {
    const steps: { done: number; total: number }[] = [];
    const result = await call(
      'ask.results',
      { text: 'a house', question: 'which of these have a dog?', limit: 5 },
      { onProgress: ({ done, total }) => steps.push({ done, total }) },
    );
    const all = [...result.supporting, ...result.opposing, ...result.unsure];
    assert.equal(all.length + result.failed.length, 5);
    assert.ok(result.answer.length > 0);
    assert.ok(steps.length > 0 && steps.every(({ done, total }) => done <= total && total === 5));
    const photoIds = (await call('photos.timeline', {})).ids.slice(0, 2);
    const chosen = await call('ask.results', { photoIds, question: 'what is this?' });
    const asked = [...chosen.supporting, ...chosen.opposing, ...chosen.unsure].map(({ photo }) => photo.id);
    assert.deepEqual(asked.sort(), [...photoIds].sort());
    await refused(
      tools.adapter.client.call('ask.results', { text: 'a house', question: '' }),
      'input-invalid',
    );
  });

  test('whoever stops a model that goes on and on has it back at once', async () => {
    const photoId = await firstId();
    await call('packs.use', { packId: 'talker' });
    const controller = new AbortController();
    const grown: string[] = [];
    const running = tools.adapter.client.call(
      'captions.make',
      { photoId, again: true },
      {
        signal: controller.signal,
        onProgress({ text }) {
          grown.push(text);
          if (grown.length === 3) controller.abort();
        },
      },
    );
    await refused(running, 'cancelled');
    assert.ok(grown.length >= 3 && grown.every((text, i) => text.startsWith(grown[i - 1] ?? '')));
    const run = new AbortController();
    const whole = tools.adapter.client.call('captions.run', { again: true }, { signal: run.signal });
    run.abort();
    await refused(whole, 'cancelled');
    assert.equal((await call('captions.state', {})).phase, 'idle');
    await call('packs.use', { packId: 'starter-captioner' });
    assert.equal((await call('captions.make', { photoId, again: true })).caption.by, 'model');
  });

  test('why a photo matches: its score among the library’s own, its tags, its words and where', async () => {
    const photoId = await firstId();
    await call('captions.set', { photoId, text: 'the old windmill' });
    const reason = await call('search.why', { photoId, text: 'windmill' });
    const { hits } = await call('search.query', { text: 'windmill' });
    const hit = hits.find(({ id }) => id === photoId);
    assert.ok(hit !== undefined);
    assert.ok(Math.abs(reason.score - hit.score) < 1e-5);
    assert.deepEqual([reason.band, reason.foundBy], [hit.band, hit.foundBy]);
    assert.ok(reason.words.some(({ word, where }) => /windmill/.test(word) && where === 'caption'));
    const { histogram, percentile, photos } = reason.library;
    assert.ok(percentile >= 0 && percentile <= 1);
    assert.ok(histogram.counts.reduce((sum, each) => sum + each, 0) <= photos);
    assert.ok(
      reason.tags.every(({ probability }, i) => probability <= (reason.tags[i - 1]?.probability ?? 1)),
    );
    const { heat } = reason;
    assert.ok(heat !== null);
    assert.equal(heat.values.length, heat.rows * heat.columns);
    assert.ok(heat.values.every((value) => value >= 0 && value <= 1));
    assert.ok(heat.window.width > 0 && heat.window.left + heat.window.width <= 1 + 1e-9);
    await call('captions.set', { photoId, text: '' });
    await refused(tools.adapter.client.call('search.why', { photoId: 999_999, text: 'dog' }), 'not-found');
    await refused(tools.adapter.client.call('search.why', { photoId }), 'input-invalid');
  });

  test('photos whose words changed are told of', () => heardOf('described'));

  /** Events come on their own way, which may be longer than an answer's. */
  async function heardOf(name: string): Promise<void> {
    for (let i = 0; i < 2_000 && !tools.heard.some((event) => event.name === name); i++)
      await call('app.info', {}).catch(() => call('settings.get', {}));
    assert.ok(
      tools.heard.some((event) => event.name === name),
      `no event ${name}`,
    );
  }
}
