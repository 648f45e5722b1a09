/** A folder that electron-builder takes for an unpacked Electron: a program with a fuse wire and nothing behind it. */
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** As electron/fuses finds the wire in a program: this text, the version 1, the wire's length, a sign a fuse. */
const fuseSentinel = 'dL7pKGdnNz796PbbjQWNKmHXBZaB9tsX';
const fuses = 9;

export function makeStandInElectron(directory: string, version: string): void {
  mkdirSync(join(directory, 'resources'), { recursive: true });
  mkdirSync(join(directory, 'locales'));
  const wire = Buffer.concat([
    Buffer.from(fuseSentinel),
    Buffer.from([1, fuses]),
    Buffer.from('1'.repeat(fuses)),
  ]);
  const program = join(directory, 'electron');
  writeFileSync(
    program,
    Buffer.concat([Buffer.from('a program that does nothing\n'), wire, Buffer.alloc(64)]),
  );
  chmodSync(program, 0o755);
  for (const sandbox of ['chrome-sandbox', 'chrome_crashpad_handler'])
    writeFileSync(join(directory, sandbox), '');
  for (const locale of ['en-US', 'de', 'zh-CN'])
    writeFileSync(join(directory, 'locales', `${locale}.pak`), '');
  writeFileSync(join(directory, 'version'), version);
  writeFileSync(join(directory, 'LICENSE'), 'licence of Electron');
  writeFileSync(join(directory, 'LICENSES.chromium.html'), 'licences of Chromium');
}
