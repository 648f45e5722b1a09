#!/usr/bin/env node
/** `afterimage` of a clone: runs bin.ts with the Node that the clone pins, whatever Node found this file. */
const { spawn } = require('node:child_process');
const { existsSync } = require('node:fs');
const { join } = require('node:path');

const top = join(__dirname, '..', '..', '..');
const pinned = join(top, 'node_modules', '.bin', process.platform === 'win32' ? 'node.exe' : 'node');
const node = existsSync(pinned) ? pinned : process.execPath;
const child = spawn(node, [join(__dirname, 'bin.ts'), ...process.argv.slice(2)], { stdio: 'inherit' });
// Ctrl-C reaches the child, too, and it is the child that knows how to stop.
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => undefined);
child.on('error', (error) => {
  process.stderr.write(`Afterimage could not be started: ${error.message}\n`);
  process.exit(1);
});
child.on('exit', (code) => process.exit(code ?? 1));
