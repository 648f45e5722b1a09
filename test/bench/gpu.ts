/**
 * Images a second of a ViT-B/32-shaped pack on each provider of this machine against its CPU, and against
 * PyTorch in half precision on the same card (vit_b_32.py). Says so where there is no GPU or no PyTorch.
 * Run: npm run bench -- gpu
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { AppError } from '../../main/errors.ts';
import { makePack } from '../fixtures/make-pack.ts';
import { report, say } from './report.ts';
import { openEmbedder } from './rooms.ts';

const work = mkdtempSync(join(tmpdir(), 'afterimage-bench-'));
const rounds = 12;

async function imagesPerSecond(
  packDir: string,
  provider: 'cpu' | 'webgpu' | 'cuda',
): Promise<number | string> {
  try {
    const embedder = await openEmbedder(packDir, provider);
    try {
      if (embedder.provider !== provider)
        return `not on this machine: ${embedder.selfTest.messages.join(' ')}`;
      const image = { pixels: new Uint8Array(224 * 224 * 3).fill(127), width: 224, height: 224 };
      const batch = Array.from({ length: embedder.batchSize }, () => image);
      await embedder.embedImages(batch);
      const start = performance.now();
      for (let i = 0; i < rounds; i += 1) await embedder.embedImages(batch);
      return (rounds * batch.length * 1_000) / (performance.now() - start);
    } finally {
      await embedder.close();
    }
  } catch (thrown) {
    return `not on this machine: ${AppError.from(thrown, provider).message}`;
  }
}

/** What vit_b_32.py prints: `imagesPerSecond`, or why it was `skipped`. */
function pytorch(): { imagesPerSecond?: number; skipped?: string } {
  const script = fileURLToPath(new URL('vit_b_32.py', import.meta.url));
  const ran = spawnSync(process.env['PYTHON'] ?? 'python3', [script, '8', String(rounds * 4)], {
    encoding: 'utf8',
  });
  if (ran.status !== 0) return { skipped: 'Python with PyTorch could not be run' };
  return JSON.parse(ran.stdout) as { imagesPerSecond?: number; skipped?: string };
}

try {
  say('making a random-weight pack of ViT-B/32 shape');
  const packDir = await makePack({ dir: join(work, 'vit'), family: 'clip', shape: 'vit-b-32', seed: 1 });
  const figures: Record<string, number | string> = {};
  for (const provider of ['cpu', 'webgpu', 'cuda'] as const) {
    say(provider);
    figures[provider] = await imagesPerSecond(packDir, provider);
  }
  const { cpu } = figures;
  const ratios: Record<string, number> = Object.fromEntries(
    Object.entries(figures).flatMap(([name, rate]) =>
      name !== 'cpu' && typeof rate === 'number' && typeof cpu === 'number'
        ? [[`${name}OverCpu`, rate / cpu]]
        : [],
    ),
  );
  say('PyTorch');
  const reference = pytorch();
  const { webgpu } = figures;
  if (typeof webgpu === 'number' && reference.imagesPerSecond !== undefined)
    ratios['webgpuOverPyTorch'] = webgpu / reference.imagesPerSecond;
  const gpu = Object.keys(ratios).length > 0;
  report(
    'gpu',
    {
      imagesPerSecond: figures,
      pytorch: reference,
      ...ratios,
      ...(gpu ? {} : { note: 'no GPU provider here' }),
    },
    [],
  );
} finally {
  rmSync(work, { recursive: true, force: true });
}
