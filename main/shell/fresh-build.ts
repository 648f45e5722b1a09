/** Builds what `npm start` runs from, when it is missing or older than its sources. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError } from '../errors.ts';

export interface BuildStep {
  /** For the line that is printed while it runs. */
  readonly what: string;
  /** Files and folders that it is built from. */
  readonly sources: readonly string[];
  /** A file that every build writes. */
  readonly product: string;
  /** Of a program in node_modules: its file, and its arguments. */
  readonly command: readonly [string, ...string[]];
}

/** @param top the folder of package.json. */
export function buildSteps(top: string): { page: BuildStep; main: BuildStep } {
  const at = (...parts: string[]): string => join(top, ...parts);
  return {
    page: {
      what: 'the page',
      sources: ['src', 'public', 'index.html', 'vite.config.ts'].map((each) => at('renderer', each)),
      product: at('renderer', 'dist', 'index.html'),
      command: [
        at('node_modules', 'vite', 'bin', 'vite.js'),
        'build',
        '--config',
        at('renderer', 'vite.config.ts'),
        '--logLevel',
        'warn',
      ],
    },
    main: {
      what: 'the desktop app',
      sources: [at('main'), at('tsconfig.json')],
      product: at('dist', 'main', 'shell', 'electron', 'main.js'),
      command: [at('node_modules', 'typescript', 'bin', 'tsc'), '-p', at('main', 'tsconfig.build.json')],
    },
  };
}

/** @throws AppError internal when the build fails; its own words went to stderr. */
export async function buildIfStale(step: BuildStep, top: string, say: (line: string) => void): Promise<void> {
  const built = await stat(step.product).catch(() => undefined);
  if (built !== undefined && (await newest(step.sources)) <= built.mtimeMs) return;
  if (!existsSync(step.command[0])) {
    // An install without development tools runs what it came with.
    if (built !== undefined) return;
    throw new AppError(
      'file-vanished',
      `Building ${step.what} needs the development tools. Run npm install.`,
    );
  }
  say(`Building ${step.what} ...`);
  await run(step, top);
}

function run(step: BuildStep, top: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [...step.command], { cwd: top, stdio: ['ignore', 2, 2] });
    child.once('error', reject);
    child.once('exit', (code) => {
      if (code === 0) resolve();
      else reject(new AppError('internal', `Building ${step.what} failed. What is above says why.`));
    });
  });
}

/** @returns when anything under these files and folders was last changed, milliseconds since 1970. */
async function newest(paths: readonly string[]): Promise<number> {
  let latest = 0;
  for (const path of paths) {
    const info = await stat(path).catch(() => undefined);
    if (info === undefined) continue;
    latest = Math.max(latest, info.mtimeMs);
    if (!info.isDirectory()) continue;
    for (const entry of await readdir(path, { recursive: true, withFileTypes: true })) {
      // A removed file shows in its folder's time.
      latest = Math.max(latest, (await stat(join(entry.parentPath, entry.name))).mtimeMs);
    }
  }
  return latest;
}
