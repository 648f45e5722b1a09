/**
 * Peak memory of indexing at 1,000 and at 10,000 photos: the largest resident set of each process, which must
 * not grow with the library.
 * Run: npm run bench -- memory [small] [large]
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { makePhotos } from './photos.ts';
import { check, report, say } from './report.ts';

const sizes = [Number(process.argv[2] ?? 1_000), Number(process.argv[3] ?? 10_000)];
const cli = fileURLToPath(new URL('../../main/shell/cli/bin.ts', import.meta.url));
const work = mkdtempSync(join(tmpdir(), 'afterimage-bench-'));

/** Peak resident megabytes (VmHWM) of a process and its children, by entry file. Linux only. */
function peaks(parent: number, into: Map<string, number>): void {
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const status = readFileSync(`/proc/${pid}/status`, 'utf8');
      const isOurs = Number(pid) === parent || new RegExp(`^PPid:\\t${parent}$`, 'm').test(status);
      const peak = /^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1];
      if (!isOurs || peak === undefined) continue;
      const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
      const name = /([a-z]+)-process\.[jt]s/.exec(command)?.[1] ?? 'engine';
      into.set(name, Math.max(into.get(name) ?? 0, Number(peak) / 1_024));
    } catch {
      // The process ended between the listing and the reading.
    }
  }
}

async function index(photos: number): Promise<Record<string, number>> {
  const folder = join(work, `photos-${photos}`);
  say(`making ${photos} photos`);
  await makePhotos(folder, { count: photos, width: 640, height: 480 });
  say(`indexing ${photos} photos`);
  const library = join(work, `library-${photos}`);
  const child = spawn(process.execPath, [cli, '--library', library, '--json', '--quiet', 'index', folder], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let stdout = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  const found = new Map<string, number>();
  const sampler = setInterval(() => peaks(child.pid!, found), 100);
  await new Promise((resolve) => child.on('close', resolve));
  clearInterval(sampler);
  const done = JSON.parse(stdout) as { indexed: number; imagesPerSecond: number };
  if (done.indexed !== photos) throw new Error(`${done.indexed} of ${photos} were indexed`);
  return { ...Object.fromEntries(found), imagesPerSecond: done.imagesPerSecond };
}

if (process.platform !== 'linux') {
  report('memory', { skipped: 'reads /proc, which only Linux has' }, []);
} else {
  try {
    const [small, large] = [await index(sizes[0]!), await index(sizes[1]!)];
    const checks = ['decoder', 'vision'].map((name) =>
      check(
        `${name}: peak at ${sizes[1]} over peak at ${sizes[0]}`,
        (large[name] ?? 0) / (small[name] ?? 1),
        {
          max: 1.15,
        },
      ),
    );
    // The engine holds the vectors themselves (1 kB a photo at 256 dimensions) and the graph; the rest must not grow.
    const vectorsMiB = ((sizes[1]! - sizes[0]!) * 4_096) / 2 ** 20;
    checks.push(
      check(
        'engine: growth beyond its vectors and graph, MiB',
        large['engine']! - small['engine']! - vectorsMiB,
        {
          max: 40,
        },
      ),
    );
    report('memory', { [`peakMiBAt${sizes[0]}`]: small, [`peakMiBAt${sizes[1]}`]: large }, checks);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}
