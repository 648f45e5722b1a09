/** Finds Electron's program on this machine, and fetches it once where the network allows. Never requires 'electron'. */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { lookup } from 'node:dns/promises';
import { join } from 'node:path';

export interface ElectronSearch {
  /** The folder of package.json. */
  readonly top: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly platform: NodeJS.Platform;
  /** True for root, as which Chromium's sandbox does not run. */
  readonly root: boolean;
  readonly say: (line: string) => void;
}

/** Electron's program, or in one clause why there is none: "because ...". */
export type Found = { readonly path: string } | { readonly because: string };

const installWithinMs = 20_000;
const lookupWithinMs = 3_000;

export async function findElectron(search: ElectronSearch): Promise<Found> {
  const { top, platform, root } = search;
  if (!hasDesktop(search)) return { because: 'there is no desktop here' };
  if (platform === 'linux' && root) return { because: 'a desktop window should not run as root' };
  const present = installedElectron(top, search.env);
  if (present !== undefined) return { path: present };
  if (!existsSync(join(top, 'node_modules', 'electron', 'install.js')))
    return { because: 'Electron is not installed' };
  if (!(await reachable(search.env))) return { because: 'Electron cannot be downloaded without a network' };
  search.say('Fetching Electron, once ...');
  await install(top);
  const fetched = installedElectron(top, search.env);
  return fetched === undefined ? { because: 'Electron could not be downloaded' } : { path: fetched };
}

/** A person sits in front of this machine. */
export function hasDesktop({ env, platform }: Pick<ElectronSearch, 'env' | 'platform'>): boolean {
  if (env['SSH_CONNECTION'] !== undefined && env['DISPLAY'] === undefined) return false;
  return platform !== 'linux' || Boolean(env['DISPLAY'] ?? env['WAYLAND_DISPLAY']);
}

/** As the electron package finds its own program: path.txt names it inside dist. */
function installedElectron(top: string, env: ElectronSearch['env']): string | undefined {
  const folder = join(top, 'node_modules', 'electron');
  const note = join(folder, 'path.txt');
  if (!existsSync(note)) return undefined;
  const program = join(
    env['ELECTRON_OVERRIDE_DIST_PATH'] ?? join(folder, 'dist'),
    readFileSync(note, 'utf8').trim(),
  );
  return existsSync(program) ? program : undefined;
}

async function reachable(env: ElectronSearch['env']): Promise<boolean> {
  // A mirror or a proxy is somebody's own arrangement: it is tried as it is.
  const names = ['ELECTRON_MIRROR', 'npm_config_electron_mirror', 'HTTPS_PROXY', 'https_proxy'];
  if (names.some((name) => env[name])) return true;
  const timeout = new Promise<false>((resolve) => setTimeout(resolve, lookupWithinMs, false).unref());
  const found = lookup('github.com').then(
    () => true,
    () => false,
  );
  return Promise.race([found, timeout]);
}

/** Runs the package's own installer; what becomes of it is seen afterwards. */
function install(top: string): Promise<void> {
  return new Promise((resolve) => {
    const installer = join(top, 'node_modules', 'electron', 'install.js');
    const child = spawn(process.execPath, [installer], {
      cwd: top,
      stdio: 'ignore',
      timeout: installWithinMs,
    });
    child.once('error', () => resolve());
    child.once('exit', () => resolve());
  });
}
