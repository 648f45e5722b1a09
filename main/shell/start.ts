/** `npm start`: opens the desktop app where Electron can be had, and otherwise serves the page and says why. */
import { spawn } from 'node:child_process';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { createLog } from '../engine/log.ts';
import { AppError } from '../errors.ts';
import { appDirectory, libraryDirectory } from './app-paths.ts';
import { findElectron, hasDesktop } from './electron-binary.ts';
import { buildIfStale, buildSteps } from './fresh-build.ts';
import { openInBrowser } from './open-in-browser.ts';
import { runWeb, untilStopped } from './run-web.ts';

const usage = `npm start -- [--web] [--library DIR] [--port N] [--verbose]

  --web          serve the page on this machine instead of opening the desktop app
  --library DIR  where Afterimage keeps what it learns (or AFTERIMAGE_LIBRARY)
  --port N       port of the page, with --web
  --verbose      log more`;

/** A window that ends this soon and unwell was never seen: Chromium's sandbox is refused on some systems. */
const startedAfterMs = 5_000;

const say = (line: string): void => void process.stdout.write(`${line}\n`);
const now = (): number => Date.now();

interface Flags {
  readonly library: string;
  readonly port: number | undefined;
  readonly web: boolean;
  readonly verbose: boolean;
}

function readFlags(): Flags | undefined {
  const { values } = parseArgs({
    options: {
      library: { type: 'string' },
      port: { type: 'string' },
      web: { type: 'boolean', default: false },
      verbose: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return undefined;
  const port = values.port === undefined ? undefined : Number(values.port);
  if (port !== undefined && !(Number.isInteger(port) && port >= 0 && port < 65_536))
    throw new AppError('input-invalid', `--port is a number from 0 to 65535, not "${values.port}".`);
  const library = libraryDirectory(values.library, process.env);
  return { library, port, web: values.web || port !== undefined, verbose: values.verbose };
}

/** @returns why the window could not be opened, or undefined once it was closed. */
async function runDesktop(flags: Flags, top: string): Promise<string | undefined> {
  const root = process.getuid?.() === 0;
  const found = await findElectron({ top, env: process.env, platform: process.platform, root, say });
  if ('because' in found) return found.because;
  await buildIfStale(buildSteps(top).main, top, say);
  const startedAt = now();
  const args = [top, '--library', flags.library, ...(flags.verbose ? ['--verbose'] : [])];
  const code = await new Promise<number>((resolve, reject) => {
    const child = spawn(found.path, args, { stdio: 'inherit' });
    // Ctrl-C reaches the window too, as it is of the same terminal; this process waits for its end.
    process.on('SIGINT', () => undefined);
    process.on('SIGTERM', () => child.kill());
    child.once('error', reject);
    child.once('exit', (status, signal) =>
      resolve(status ?? (signal === 'SIGINT' || signal === 'SIGTERM' ? 0 : 1)),
    );
  });
  if (code !== 0 && now() - startedAt < startedAfterMs)
    return 'Electron could not start (its own words are above)';
  process.exitCode = code;
  return undefined;
}

async function runInBrowser(flags: Flags, because: string): Promise<void> {
  const log = createLog((line) => process.stderr.write(`${line}\n`), { verbose: flags.verbose, now });
  const web = await runWeb({ ...flags, log, now });
  const seen = hasDesktop(process) && openInBrowser(web.url, process.platform);
  say(`\nAfterimage runs in your browser, because ${because}.\n\n  ${web.url}\n`);
  say(
    seen
      ? 'It opens by itself; Ctrl-C stops it.'
      : 'Open that link on this machine; Ctrl-C stops Afterimage.',
  );
  await untilStopped(
    process,
    async () => {
      say('\nStopping ...');
      await web.close();
    },
    () => process.exit(130),
  );
}

async function main(): Promise<void> {
  const flags = readFlags();
  if (flags === undefined) {
    say(usage);
    return;
  }
  const top = appDirectory();
  await buildIfStale(buildSteps(top).page, top, say);
  const because = flags.web ? 'you asked for it' : await runDesktop(flags, top);
  if (because !== undefined) await runInBrowser(flags, because);
}

main().then(
  () => process.exit(),
  (error: unknown) => {
    process.stderr.write(`${AppError.from(error, 'Starting Afterimage').message}\n`);
    process.exit((error as { code?: string }).code?.startsWith('ERR_PARSE_ARGS') === true ? 2 : 1);
  },
);
