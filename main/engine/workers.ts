/** The workers' side door for hosts, which start engines but know none of their rooms. */
export { createNodeSpawner } from './inference/node-spawner.ts';
export type { SpawnWorker, WorkerProcess } from './inference/types.ts';
export { workerEntry } from './inference/worker-entry.ts';
