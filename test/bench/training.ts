/**
 * A head trained on 10,000 pairs of 512-d embeddings: residual head, batches of 1,024, 20 epochs. Seconds in all, a
 * step against its matrix products alone, and against PyTorch at the same work in the same run where it is installed
 * (AFTERIMAGE_PYTHON names the Python that has it; else python3).
 * Run: npm run bench -- training
 */
import { spawnSync } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { AppError } from '../../main/errors.ts';
import { add } from '../../main/engine/tune/autodiff/arithmetic.ts';
import { openGraph } from '../../main/engine/tune/autodiff/graph-session.ts';
import { gemm } from '../../main/engine/tune/autodiff/linear-algebra.ts';
import { input } from '../../main/engine/tune/autodiff/tensor.ts';
import { openTrainingStep } from '../../main/engine/tune/autodiff/training-step.ts';
import { batchFeeds } from '../../main/engine/tune/batches.ts';
import { createHead } from '../../main/engine/tune/heads.ts';
import { lossParameters, pairLoss } from '../../main/engine/tune/pair-loss.ts';
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

interface Cost {
  /** Of all threads together: unlike the clock, it is nearly the same on a busy machine. */
  readonly processorMs: number;
  readonly wallMs: number;
}

/** Medians of many runs after some that only warm up; the two take turns. */
async function costs(runs: readonly (() => Promise<unknown>)[]): Promise<Cost[]> {
  const taken = runs.map((): Cost[] => []);
  for (let round = 0; round < 45; round += 1)
    for (const [i, run] of runs.entries()) {
      const [start, used] = [performance.now(), process.cpuUsage()];
      await run();
      const { user, system } = process.cpuUsage(used);
      if (round >= 5)
        taken[i]?.push({ processorMs: (user + system) / 1_000, wallMs: performance.now() - start });
    }
  const median = (of: readonly number[]): number => percentile([...of], 0.5);
  return taken.map((each) => ({
    processorMs: median(each.map(({ processorMs }) => processorMs)),
    wallMs: median(each.map(({ wallMs }) => wallMs)),
  }));
}

/**
 * A step beside its four products alone: the head, the similarities, and what images and head are worth; texts are
 * frozen.
 */
async function stepBesideProducts(): Promise<{ step: Cost; products: Cost }> {
  const random = seeded(9);
  const head = createHead('residual', { dims, normal: random, pull: 1e-3 });
  const step = await openTrainingStep({
    threads,
    parameters: { ...head.parameters, ...lossParameters('infonce') },
    loss: (p) => {
      const loss = pairLoss(head, 'infonce', { size: batch, dims, masked: false, each: 0 }, p);
      return add(loss, head.pull(p) ?? loss);
    },
  });
  const x = input('x', [batch, dims]);
  const t = input('t', [batch, dims]);
  const w = input('w', [dims, dims]);
  const g = input('g', [batch, batch]);
  const products = await openGraph(
    {
      head: gemm(x, w),
      logits: gemm(x, t, { transB: true }),
      toImages: gemm(g, t),
      toWeight: gemm(x, t, { transA: true }),
    },
    { threads },
  );
  const pairs = makePairs(batch, 9);
  const rows = [...pairs.groups.keys()];
  const feeds = {
    x: pairs.images,
    t: pairs.texts,
    w: unitRows(dims, random),
    g: Float32Array.from({ length: batch * batch }, random),
  };
  const [ofStep, ofProducts] = await costs([
    () => step.run(batchFeeds(pairs, rows, { masked: false, each: 0 }), 1e-3),
    () => products.run(feeds),
  ]);
  await Promise.all([step.close(), products.release()]);
  if (ofStep === undefined || ofProducts === undefined) throw new Error('Nothing was measured.');
  return { step: ofStep, products: ofProducts };
}

interface OnCard {
  readonly stepMs: number;
  readonly loss: number;
}

/** A step on a graphics card, with products in float32 and in float16; loss after ten of them, beside the CPU's. */
async function onCard(providers: readonly string[], half: boolean): Promise<OnCard | string> {
  const head = createHead('residual', { dims, normal: seeded(9), pull: 1e-3 });
  try {
    const step = await openTrainingStep({
      threads,
      providers,
      half,
      parameters: { ...head.parameters, ...lossParameters('infonce') },
      loss: (p) => {
        const loss = pairLoss(head, 'infonce', { size: batch, dims, masked: false, each: 0 }, p);
        return add(loss, head.pull(p) ?? loss);
      },
    });
    const pairs = makePairs(batch, 9);
    const feeds = batchFeeds(pairs, [...pairs.groups.keys()], { masked: false, each: 0 });
    const times: number[] = [];
    let last = NaN;
    for (let i = 0; i < 10; i += 1) {
      const start = performance.now();
      last = (await step.run(feeds, 1e-3)).loss;
      times.push(performance.now() - start);
    }
    await step.close();
    return { stepMs: percentile(times.slice(2), 0.5), loss: last };
  } catch (thrown) {
    return `not on this machine: ${AppError.from(thrown).message}`;
  }
}

const train = makePairs(10_000, 1);
const heldOut = makePairs(1_000, 2);
/** Seconds of the whole run. */
async function ours(): Promise<number> {
  const start = performance.now();
  const { epochs: done } = await trainHead({
    head: createHead('residual', { dims, normal: seeded(3), pull: 1e-3 }),
    loss: 'infonce',
    train,
    heldOut,
    epochs,
    batch,
    learningRate: 1e-3,
    seed: 3,
    threads,
    patience: epochs,
  });
  if (done.length !== epochs) throw new Error(`Only ${String(done.length)} epochs were made.`);
  return (performance.now() - start) / 1_000;
}

/** @param waiting of its threads: spinning gains a little where nothing else runs, and loses much where something does. */
function torchs(waiting: 'ACTIVE' | 'PASSIVE'): { seconds: number; version: string } | null {
  const python = process.env['AFTERIMAGE_PYTHON'] ?? 'python3';
  const script = fileURLToPath(new URL('training.py', import.meta.url));
  const found = spawnSync(python, [script, String(threads), String(epochs)], {
    encoding: 'utf8',
    env: { ...process.env, OMP_WAIT_POLICY: waiting },
  });
  return found.status === 0 ? (JSON.parse(found.stdout) as { seconds: number; version: string }) : null;
}

// They take turns, so that other work on the machine slows both alike; the best of each counts.
const seconds: number[] = [];
const torch: number[] = [];
let torchVersion: string | null = null;
for (const waiting of ['PASSIVE', 'ACTIVE'] as const) {
  say('training');
  seconds.push(await ours());
  say('PyTorch');
  const found = torchs(waiting);
  if (found === null) {
    say('PyTorch is not to be had here: the comparison is left out');
    break;
  }
  torch.push(found.seconds);
  torchVersion = found.version;
}
say('a step and its matrix products alone');
const { step, products } = await stepBesideProducts();
say('graphics cards');
const cards: Record<string, OnCard | string> = { cpu: await onCard(['cpu'], false) };
for (const provider of ['webgpu', 'cuda'])
  for (const half of [false, true])
    cards[`${provider} in ${half ? 'float16' : 'float32'}`] = await onCard([provider, 'cpu'], half);
report(
  'training',
  {
    pairs: 10_000,
    dims,
    batch,
    epochs,
    threads,
    seconds,
    step,
    products,
    torchSeconds: torch,
    torchVersion,
    cards,
  },
  [
    check('seconds for 20 epochs', Math.min(...seconds), { max: 15 }),
    check('processor time of a step over that of its products', step.processorMs / products.processorMs, {
      max: 1.5,
    }),
    ...(torch.length === 0
      ? []
      : [check("PyTorch's time over ours", Math.min(...torch) / Math.min(...seconds), { min: 1 })]),
  ],
);
