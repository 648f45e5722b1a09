/** Where things are on this machine, the same for every shell: the library, and what ships with the app. */
import { readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import envPaths from 'env-paths';
import { z } from 'zod';

/** @param flag of the command line; it wins over AFTERIMAGE_LIBRARY, which wins over the system's data folder. */
export function libraryDirectory(
  flag: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
): string {
  const chosen = flag ?? env['AFTERIMAGE_LIBRARY'];
  if (chosen !== undefined && chosen !== '') return resolve(chosen);
  // A folder of its own: on macOS and Windows the data folder is Electron's for its caches, too.
  return join(envPaths('Afterimage', { suffix: '' }).data, 'library');
}

/**
 * The folder of package.json: the clone, or app.asar when packaged. This file is at main/shell in the sources
 * and at dist/main/shell when built.
 */
export function appDirectory(): string {
  const here = dirname(fileURLToPath(import.meta.url));
  return resolve(here, import.meta.url.endsWith('.ts') ? '../..' : '../../..');
}

const manifest = z.object({ version: z.string() });

export function appVersion(): string {
  return manifest.parse(JSON.parse(readFileSync(join(appDirectory(), 'package.json'), 'utf8'))).version;
}
