/** The contract over the host: an engine in this process, and one in a process of its own. */
import { createEngine } from '../../main/engine/engine.ts';
import { createNodeSpawner } from '../../main/engine/inference/node-spawner.ts';
import { silentLog } from '../../main/engine/log.ts';
import { forkEngine } from '../../main/host/fork-engine.ts';
import { connectInProcess } from '../../main/host/open-in-process.ts';
import { startHost } from '../../main/host/start-host.ts';
import { contractSuite } from './suite.ts';

const now = (): number => Date.now();

contractSuite('a host in this process', async ({ directory, modelsDirectory }) => {
  const spawn = createNodeSpawner({ log: silentLog });
  const engine = await createEngine({ directory, modelsDirectory, spawn, now, log: silentLog, watch: false });
  const client = await connectInProcess(engine, { now });
  return { client, grant: (path) => client.grant(path) };
});

contractSuite('a host in a process of its own', async ({ directory, modelsDirectory }) => {
  const client = await startHost({
    spawnEngine: () => forkEngine({ directory, modelsDirectory }),
    log: silentLog,
    now,
  });
  return { client, grant: (path) => client.grant(path) };
});
