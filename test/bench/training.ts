/**
 * A head trained on 10,000 pairs of 512-d embeddings: residual head, batches of 1,024, 20 epochs. Seconds in all, a
 * step against its matrix products alone, and against PyTorch at the same work in the same run where it is installed
 * (AFTERIMAGE_PYTHON names the Python that has it; else python3).
 * Run: npm run bench -- training
 */
import { spawnSync } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { openGraph } from '../../main/engine/tune/autodiff/graph-session.ts';
import { gemm } from '../../main/engine/tune/autodiff/linear-algebra.ts';
import { input } from '../../main/engine/tune/autodiff/tensor.ts';
import { createHead } from '../../main/engine/tune/heads.ts';
import { trainHead, type TrainingPairs } from '../../main/engine/tune/train-head.ts';
import { seeded } from './photos.ts';
import { check, percentile, report, say } from './report.ts';

const dims = 512;
const batch = 1_024;
const epochs = 20;
const threads = Math.min(8, availableParallelism());

function unitRows(count: number, random: () => number): Float32Array {
  const rows = Float32Array.from({ length: count * dims }, () => random() + random() + random() - 1.5);
  for (let from = 0; from < rows.length; from += dims) {
    const row = rows.subarray(from, from + dims);
    const length = Math.hypot(...row);
    row.forEach((value, i) => (row[i] = value / length));
  }
  return rows;
}

function makePairs(count: number, seed: number): TrainingPairs {
  const random = seeded(seed);
  return {
    images: unitRows(count, random),
    texts: unitRows(count, random),
    dims,
    weights: new Float32Array(count).fill(1),
    groups: Int32Array.from({ length: count }, (_, i) => i),
  };
}

/** The four products of a step: the head, the similarities, and what images and head are worth; texts are frozen. */
async function productsAlone(): Promise<number> {
  const x = input('x', [batch, dims]);
  const t = input('t', [batch, dims]);
  const w = input('w', [dims, dims]);
  const g = input('g', [batch, batch]);
  const graph = await openGraph(
    {
      head: gemm(x, w),
      logits: gemm(x, t, { transB: true }),
      toImages: gemm(g, t),
      toWeight: gemm(x, t, { transA: true }),
    },
    { threads },
  );
  const random = seeded(9);
  const feeds = {
    x: unitRows(batch, random),
    t: unitRows(batch, random),
    w: unitRows(dims, random),
    g: Float32Array.from({ length: batch * batch }, random),
  };
  const times: number[] = [];
  for (let i = 0; i < 25; i += 1) {
    const start = performance.now();
    await graph.run(feeds);
    times.push(performance.now() - start);
  }
  await graph.release();
  return percentile(times.slice(5), 0.5);
}

const train = makePairs(10_000, 1);
const heldOut = makePairs(1_000, 2);
say('training');
const start = performance.now();
const random = seeded(3);
let done = 0;
await trainHead({
  head: createHead('residual', { dims, normal: random, pull: 1e-3 }),
  loss: 'infonce',
  train,
  heldOut,
  epochs,
  batch,
  learningRate: 1e-3,
  seed: 3,
  threads,
  patience: epochs,
  onEpoch: ({ epoch }) => (done = epoch),
});
const seconds = (performance.now() - start) / 1_000;
const stepMs = (1_000 * seconds) / (done * Math.floor(10_000 / batch));
say('its matrix products alone');
const productsMs = await productsAlone();
say('PyTorch');
const python = process.env['AFTERIMAGE_PYTHON'] ?? 'python3';
const script = fileURLToPath(new URL('training.py', import.meta.url));
const found = spawnSync(python, [script, String(threads), String(done)], { encoding: 'utf8' });
const torch = found.status === 0 ? (JSON.parse(found.stdout) as { seconds: number; version: string }) : null;
if (torch === null) say('PyTorch is not to be had here: the comparison is left out');
report(
  'training',
  {
    pairs: 10_000,
    dims,
    batch,
    epochs: done,
    threads,
    seconds,
    stepMs,
    productsMs,
    torchSeconds: torch?.seconds ?? null,
    torchVersion: torch?.version ?? null,
  },
  [
    check('seconds for 20 epochs', (seconds * epochs) / done, { max: 15 }),
    check('a step over its matrix products', stepMs / productsMs, { max: 1.5 }),
    ...(torch === null ? [] : [check("PyTorch's time over ours", torch.seconds / seconds, { min: 1 })]),
  ],
);
