/**
 * Matrix products in float16 with everything else in float32: the same training, nearly. A CPU without float16 products
 * takes the casts out again (and what is left to see is the loss's factor); ONNX's reference evaluator, which keeps them,
 * gave losses within 6e-4 of float32's and parameters within 0.02 on the five steps below.
 */
import assert from 'node:assert/strict';
import test from 'node:test';
import { multiply, scale } from '../../../../main/engine/tune/autodiff/arithmetic.ts';
import { emitGraph } from '../../../../main/engine/tune/autodiff/emit-graph.ts';
import { gemm, mean } from '../../../../main/engine/tune/autodiff/linear-algebra.ts';
import { input } from '../../../../main/engine/tune/autodiff/tensor.ts';
import { openTrainingStep, type TrainingStep } from '../../../../main/engine/tune/autodiff/training-step.ts';
import { batchFeeds } from '../../../../main/engine/tune/batches.ts';
import { createHead } from '../../../../main/engine/tune/heads.ts';
import {
  lossNames,
  lossParameters,
  pairLoss,
  type LossName,
} from '../../../../main/engine/tune/pair-loss.ts';
import { seededNormal } from '../../search/seeded-random.ts';
import { madePairs } from '../made-pairs.ts';

const dims = 32;
const pairs = madePairs(256, 4, { dims, turned: 6 });
const feeds = batchFeeds(pairs, [...pairs.groups.keys()], { masked: false, each: 0 });

function steps(loss: LossName, half: boolean): Promise<TrainingStep> {
  const head = createHead('linear', { dims, normal: seededNormal(1), pull: 1e-3 });
  return openTrainingStep({
    threads: 1,
    half,
    parameters: { ...head.parameters, ...lossParameters(loss) },
    loss: (p) => pairLoss(head, loss, { size: 256, dims, masked: false, each: 0 }, p),
  });
}

for (const loss of lossNames)
  await test(`five steps with float16 products stay within a hundredth of float32's, loss "${loss}"`, async () => {
    const [whole, half] = [await steps(loss, false), await steps(loss, true)];
    for (let i = 0; i < 5; i++) {
      const [exact, near] = [await whole.run(feeds, 0.01), await half.run(feeds, 0.01)];
      assert.ok(Math.abs(near.loss - exact.loss) <= 1e-2 * Math.max(1, exact.loss));
      assert.ok(
        Math.abs(near.gradientNorm! - exact.gradientNorm!) <= 1e-2 * Math.max(1, exact.gradientNorm!),
      );
    }
    const [exact, near] = [whole.state(), half.state()];
    let [difference, moved] = [0, 0];
    const { start } = createHead('linear', { dims, normal: seededNormal(1) }).parameters['weight']!;
    exact.parameters['weight']!.forEach((value, i) => {
      difference += (near.parameters['weight']![i]! - value) ** 2;
      moved += (value - start[i]!) ** 2;
    });
    assert.ok(Math.sqrt(difference / start.length) <= 1e-2);
    // Far less than the training itself moved them.
    assert.ok(difference < 0.05 * moved, `${String(difference)} of ${String(moved)}`);
    await Promise.all([whole.close(), half.close()]);
  });

await test('the factor that small gradients survive by is not seen outside', async () => {
  const step = await openTrainingStep({
    threads: 1,
    half: true,
    parameters: { w: { shape: [4, 4], start: new Float32Array(16).fill(0.5), decays: false } },
    loss: (p) => scale(mean(gemm(input('x', [4, 4]), p['w'] ?? input('w', [4, 4])), [0, 1]), 1e-7),
  });
  const { loss, gradientNorm } = await step.run({ x: new Float32Array(16).fill(0.3) }, 0.01);
  assert.ok(Math.abs(loss / (1e-7 * 4 * 0.3 * 0.5) - 1) < 0.01, String(loss));
  assert.ok(Math.abs(gradientNorm! / (1e-7 * 0.3) - 1) < 0.01, String(gradientNorm));
  await step.close();
});

await test('an update whose gradients overflow is left out, and a smaller factor is found', async () => {
  const step = await openTrainingStep({
    threads: 1,
    half: true,
    parameters: { w: { shape: [4, 4], start: new Float32Array(16).fill(0.5), decays: false } },
    // On the way back, 1e36 times the first factor is more than a float32 holds.
    loss: (p) =>
      scale(scale(mean(gemm(input('x', [4, 4]), p['w'] ?? input('w', [4, 4])), [0, 1]), 1e-36), 1e36),
  });
  const x = new Float32Array(16).fill(0.3);
  assert.equal((await step.run({ x }, 0.01)).gradientNorm, null);
  assert.equal(step.state().steps, 0);
  assert.ok(step.state().parameters['w']!.every((value) => value === 0.5));
  let norm: number | null = null;
  for (let i = 0; i < 12 && norm === null; i++) norm = (await step.run({ x }, 0.01)).gradientNorm;
  assert.ok(Math.abs(norm! / 0.3 - 1) < 0.01, String(norm));
  assert.equal(step.state().steps, 1);
  await step.close();
});

await test('only products are cast, each operand once, and the result is cast back', () => {
  const x = input('x', [2, 2]);
  const outputs = { twice: gemm(gemm(x, x), x), each: multiply(x, x) };
  const casts = (half: boolean): number =>
    Buffer.from(emitGraph(outputs, { half }).model).toString('latin1').split('Cast').length - 1;
  assert.equal(casts(false), 0);
  // x and the first product go in; both products come out.
  assert.equal(casts(true), 4);
});
