/**
 * A typed query while photos are being indexed, against the same on an idle library, in the same run. Every
 * query is new, so none comes from a cache.
 * Run: npm run bench -- typing [photos]
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { silentLog } from '../../main/engine/log.ts';
import { openLibrary } from '../../main/host/open-in-process.ts';
import { makePhotos, seeded } from './photos.ts';
import { check, percentile, report, say } from './report.ts';
import { modelsDirectory } from './rooms.ts';

const count = Number(process.argv[2] ?? 400);
const work = mkdtempSync(join(tmpdir(), 'afterimage-bench-'));
const random = seeded(5);
const colours = ['red', 'blue', 'green', 'white', 'black', 'yellow', 'old', 'small', 'big', 'wet'];
const things = ['dog', 'car', 'beach', 'house', 'flower', 'boat', 'cat', 'tree', 'horse', 'street'];
const places = ['snow', 'rain', 'a park', 'a kitchen', 'the sea', 'a forest', 'the city', 'a field'];
let asked = 0;
const pick = (words: readonly string[]): string => words[Math.floor(random() * words.length)]!;
const nextQuery = (): string => `${pick(colours)} ${pick(things)} in ${pick(places)} ${(asked += 1)}`;

try {
  say(`making ${count} photos of 12 megapixels`);
  const folder = join(work, 'photos');
  await makePhotos(folder, { count, width: 4_000, height: 3_000 });
  const client = await openLibrary({
    directory: join(work, 'library'),
    modelsDirectory,
    writes: true,
    log: silentLog,
    now: Date.now,
  });
  const time = async (queries: number): Promise<number[]> => {
    const times: number[] = [];
    for (let i = 0; i < queries; i += 1) {
      const start = performance.now();
      await client.call('search.query', { text: nextQuery() });
      times.push(performance.now() - start);
      // People pause between words; queries back to back would measure the queue, not the wait.
      await setTimeout(60);
    }
    return times;
  };
  const { root } = await client.call('roots.add', { grant: await client.grant(folder) });
  await time(5);
  say('idle');
  const idle = await time(40);
  say('while indexing');
  const ended = { value: false };
  const run = client.call('indexing.run', { rootIds: [root.id] }).finally(() => (ended.value = true));
  while ((await client.call('indexing.state', {})).done < 8) await setTimeout(20);
  const busy = await time(40);
  const stillIndexing = !ended.value;
  say(stillIndexing ? 'indexing goes on: the figures stand' : 'indexing ended too early: use more photos');
  const indexed = await run;
  const idleAgain = await time(40);
  const idleMs = percentile([...idle, ...idleAgain], 0.5);
  const ratio = percentile(busy, 0.5) / idleMs;
  report(
    'typing',
    {
      photos: indexed.indexed,
      stillIndexing,
      idleP50Ms: idleMs,
      idleP95Ms: percentile([...idle, ...idleAgain], 0.95),
      indexingP50Ms: percentile(busy, 0.5),
      indexingP95Ms: percentile(busy, 0.95),
    },
    [check('query time while indexing over idle (median)', ratio, { max: 3 })],
  );
  await client.close();
} finally {
  rmSync(work, { recursive: true, force: true });
}
