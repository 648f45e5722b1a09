/**
 * Runs after `npm install`: makes sure that the one native module without prebuilt binaries, hnswlib-node, is
 * there, and builds it where it is not. npm itself is told not to build it (allowScripts in package.json): its
 * build would ask nodejs.org for Node's headers, which npm's own `node` package carries already.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

const top = fileURLToPath(new URL('../..', import.meta.url));
const addon = join(top, 'node_modules', 'hnswlib-node');

/** Folders with Node's headers, best first; none means that node-gyp fetches them (Windows needs node.lib, too). */
function headersFolder(): string | undefined {
  if (process.platform === 'win32') return undefined;
  const carried = join(top, 'node_modules/node/node_modules', `node-${process.platform}-${process.arch}`);
  const running = dirname(dirname(process.execPath));
  return [carried, running].find((folder) => existsSync(join(folder, 'include', 'node', 'node_api.h')));
}

/** In a process of its own: an addon of another system can end the process that loads it. */
function loads(): boolean {
  return spawnSync(process.execPath, ['-e', 'require(process.argv[1])', addon]).status === 0;
}

function build(): boolean {
  const nodeGyp =
    process.env['npm_config_node_gyp'] ?? join(top, 'node_modules', 'node-gyp', 'bin', 'node-gyp.js');
  const headers = headersFolder();
  const args = [nodeGyp, 'rebuild', ...(headers === undefined ? [] : [`--nodedir=${headers}`])];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: addon, encoding: 'utf8' });
  if (status === 0 && loads()) return true;
  process.stderr.write(`${stdout}${stderr}\n`);
  return false;
}

const tools: Partial<Record<NodeJS.Platform, string>> = {
  linux: 'sudo apt install build-essential python3',
  darwin: 'xcode-select --install',
  win32: 'winget install Microsoft.VisualStudio.2022.BuildTools Python.Python.3.13',
};

if (!existsSync(addon)) {
  process.stderr.write('hnswlib-node is not installed. Run npm install again.\n');
  process.exitCode = 1;
} else if (!loads() && !build()) {
  process.stderr.write(
    'The search index (hnswlib-node) could not be built: it needs a C++ compiler and Python 3.\n' +
      `Install them (${tools[process.platform] ?? 'your system names them'}), then run npm install again.\n`,
  );
  process.exitCode = 1;
}
