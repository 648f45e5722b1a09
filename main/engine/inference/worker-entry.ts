/** Where the entry file of each worker process lies: `.ts` in a checkout, `.js` after the build. */
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { WorkerName } from './types.ts';

/** @returns absolute path of the file to fork (Node) or to hand to `utilityProcess.fork` (Electron). */
export function workerEntry(name: WorkerName): string {
  const extension = extname(fileURLToPath(import.meta.url));
  const room = name === 'tune' ? '../tune' : '.';
  return fileURLToPath(new URL(`${room}/${name}-process${extension}`, import.meta.url));
}
