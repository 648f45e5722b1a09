/**
 * Opens a library of 100,000 photos in a fresh process and answers the first typed query.
 * Run: npm run bench -- opening [photos]
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { silentLog } from '../../main/engine/log.ts';
import { readEmbedPack } from '../../main/engine/packs/pack.ts';
import { openLibrary } from '../../main/host/open-in-process.ts';
import { fillLibrary } from './library-of-vectors.ts';
import { check, percentile, report, say } from './report.ts';
import { modelsDirectory, starterPack } from './rooms.ts';

const self = fileURLToPath(import.meta.url);
const open = (directory: string): ReturnType<typeof openLibrary> =>
  openLibrary({ directory, modelsDirectory, writes: false, log: silentLog, now: Date.now });

interface Opening {
  readonly openMs: number;
  readonly firstQueryMs: number;
  readonly secondQueryMs: number;
  readonly timelineMs: number;
  readonly plan: string;
}

/** What the child process measures: from the first line of the program's own work to the answer. */
async function measureOpening(directory: string): Promise<Opening> {
  const t0 = performance.now();
  const client = await open(directory);
  const t1 = performance.now();
  const first = await client.call('search.query', { text: 'a dog on a beach' });
  const t2 = performance.now();
  await client.call('search.query', { text: 'red car' });
  const t3 = performance.now();
  await client.call('photos.timeline', {});
  const t4 = performance.now();
  await client.close();
  return {
    openMs: t1 - t0,
    firstQueryMs: t2 - t1,
    secondQueryMs: t3 - t2,
    timelineMs: t4 - t3,
    plan: first.plan,
  };
}

if (process.argv[2] === '--child') {
  process.stdout.write(JSON.stringify(await measureOpening(process.argv[3]!)));
} else {
  const photos = Number(process.argv[2] ?? 100_000);
  const directory = mkdtempSync(join(tmpdir(), 'afterimage-bench-'));
  try {
    const pack = await readEmbedPack(starterPack);
    say(`filling a library of ${photos} photos`);
    fillLibrary({
      directory,
      photos,
      dims: pack.dims,
      fingerprint: pack.fingerprint,
      packId: pack.id,
      seed: 3,
    });
    say('building the graph once');
    const builder = await openLibrary({
      directory,
      modelsDirectory,
      writes: true,
      log: silentLog,
      now: Date.now,
    });
    await builder.call('search.query', { text: 'a dog' });
    while ((await builder.call('library.status', {})).index.building) await setTimeout(500);
    await builder.close();
    say('opening it, five times');
    const openings = Array.from({ length: 5 }, (): Opening => {
      const child = spawnSync(process.execPath, [self, '--child', directory], { encoding: 'utf8' });
      if (child.status !== 0) throw new Error(child.stderr);
      return JSON.parse(child.stdout) as Opening;
    });
    const seconds = openings.map((opening) => (opening.openMs + opening.firstQueryMs) / 1_000);
    report('opening', { photos, dims: pack.dims, openings }, [
      check('open and answer the first query, seconds (median)', percentile(seconds, 0.5), { max: 2 }),
    ]);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
