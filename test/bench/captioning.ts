/**
 * A library-wide caption run on the captioner that ships: photos a minute, how much it slows typing a search (against
 * the idle library, in the same run), and how soon a caption that is stopped leaves the model free.
 * Run: npm run bench -- captioning [photos]
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { silentLog } from '../../main/engine/log.ts';
import { openLibrary } from '../../main/host/open-in-process.ts';
import { makePhotos } from './photos.ts';
import { check, percentile, report, say } from './report.ts';
import { modelsDirectory } from './rooms.ts';

const count = Number(process.argv[2] ?? 400);
const work = mkdtempSync(join(tmpdir(), 'afterimage-bench-'));
const words = ['red dog', 'blue car', 'snow', 'a house', 'flowers', 'boat on water', 'old street', 'a child'];
let asked = 0;

try {
  say(`making and indexing ${count} photos`);
  const folder = join(work, 'photos');
  await makePhotos(folder, { count, width: 1_600, height: 1_200 });
  const client = await openLibrary({
    directory: join(work, 'library'),
    modelsDirectory,
    writes: true,
    log: silentLog,
    now: Date.now,
  });
  const { root } = await client.call('roots.add', { grant: await client.grant(folder) });
  await client.call('indexing.run', { rootIds: [root.id] });
  const time = async (queries: number): Promise<number[]> => {
    const times: number[] = [];
    for (let i = 0; i < queries; i += 1) {
      asked += 1;
      const start = performance.now();
      await client.call('search.query', { text: `${words[asked % words.length]!} ${asked}` });
      times.push(performance.now() - start);
      await setTimeout(60);
    }
    return times;
  };
  /** While nobody types, a run is as fast as it gets. */
  const undisturbed = async (seconds: number): Promise<number> => {
    const before = (await client.call('captions.state', {})).done;
    await setTimeout(seconds * 1_000);
    return ((await client.call('captions.state', {})).done - before) / (seconds / 60);
  };
  await time(5);
  const { ids } = await client.call('photos.timeline', {});
  await client.call('captions.make', { photoId: ids[0]! });
  say('idle');
  const idle = await time(30);
  say('while the library is captioned');
  const ended = { value: false };
  const run = client.call('captions.run', {}).finally(() => (ended.value = true));
  while ((await client.call('captions.state', {})).done < 2) await setTimeout(20);
  const perMinute = await undisturbed(4);
  const before = (await client.call('captions.state', {})).done;
  const busy = await time(40);
  const doneWhileTyping = (await client.call('captions.state', {})).done - before;
  const stillRunning = !ended.value;
  say(stillRunning ? 'the run goes on: the figures stand' : 'the run ended too early: use more photos');
  await client.call('captions.stop', {});
  await run.catch(() => undefined);
  const idleAgain = await time(30);

  say('stopping captions in the middle');
  const freed: number[] = [];
  for (const photoId of ids.slice(1, 11)) {
    const stop = new AbortController();
    const caption = client
      .call(
        'captions.make',
        { photoId, again: true },
        { signal: stop.signal, onProgress: () => stop.abort() },
      )
      .catch(() => undefined);
    await caption;
    const start = performance.now();
    // The next one can only begin when the model is free.
    await new Promise<void>((resolve) => {
      const next = new AbortController();
      client
        .call(
          'captions.make',
          { photoId, again: true },
          { signal: next.signal, onProgress: () => next.abort() },
        )
        .catch(() => undefined)
        .finally(resolve);
    });
    freed.push(performance.now() - start);
  }
  const idleMs = percentile([...idle, ...idleAgain], 0.5);
  report(
    'captioning',
    {
      photos: count,
      stillRunning,
      photosPerMinute: perMinute,
      captionedWhileTyping: doneWhileTyping,
      idleP50Ms: idleMs,
      idleP95Ms: percentile([...idle, ...idleAgain], 0.95),
      captioningP50Ms: percentile(busy, 0.5),
      captioningP95Ms: percentile(busy, 0.95),
      firstWordsAfterACancelP50Ms: percentile(freed, 0.5),
    },
    [check('query time while captioning over idle (median)', percentile(busy, 0.5) / idleMs, { max: 3 })],
  );
  await client.close();
} finally {
  rmSync(work, { recursive: true, force: true });
}
