/** Puts a head into use in a process that may be killed: prints each step, then waits for its end. */
import { silentLog } from '../../main/engine/log.ts';
import { openTuneProcess } from '../../main/engine/tune/tune-client.ts';
import { createNodeSpawner } from '../../main/engine/workers.ts';
import { openWithHeads } from '../unit/engine/head-library.ts';

const [directory = '', dims, runId] = process.argv.slice(2);
const tune = openTuneProcess({ spawn: createNodeSpawner({ log: silentLog }), log: silentLog, threads: 1 });
const opened = openWithHeads(directory, Number(dims), {
  process: tune,
  freeBytes: () => Promise.resolve(Infinity),
});
await opened.heads.use(Number(runId), {
  onProgress: ({ stage, done }) => process.stdout.write(`${stage} ${String(done)}\n`),
});
process.stdout.write('done\n');
await opened.close();
await tune.close();
