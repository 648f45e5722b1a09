import assert from 'node:assert/strict';
import test from 'node:test';
import { add, scale, subtract } from '../../../../main/engine/tune/autodiff/arithmetic.ts';
import { openContrastStep } from '../../../../main/engine/tune/autodiff/contrast-step.ts';
import { gemm, l2Normalize, mean } from '../../../../main/engine/tune/autodiff/linear-algebra.ts';
import type { TrainingState } from '../../../../main/engine/tune/autodiff/optimizer-state.ts';
import { sum } from '../../../../main/engine/tune/autodiff/shaping.ts';
import { input, type Tensor } from '../../../../main/engine/tune/autodiff/tensor.ts';
import { openTrainingStep } from '../../../../main/engine/tune/autodiff/training-step.ts';
import { infoNce, logitScale, pullTowards } from '../../../../main/engine/tune/losses.ts';
import { seededNormal } from '../../search/seeded-random.ts';

const dims = 6;
const batch = 8;
const normal = seededNormal(3);
const numbers = (length: number, spread = 1): Float32Array =>
  Float32Array.from({ length }, () => spread * normal());
const rows = (values: Float32Array, from: number, to: number): Float32Array =>
  values.slice(from * dims, to * dims);

function assertClose(found: TrainingState, expected: TrainingState): void {
  assert.equal(found.steps, expected.steps);
  for (const [name, values] of Object.entries(expected.parameters))
    values.forEach((value, i) => {
      const difference = Math.abs(found.parameters[name]![i]! - value);
      assert.ok(difference <= 1e-5, `${name}[${String(i)}] differs by ${String(difference)}`);
    });
}

const weight = numbers(dims * dims, 0.4);
const parameters = {
  weight: { shape: [dims, dims], start: weight },
  logit_scale: { shape: [1], start: Float32Array.of(2), decays: false },
};
const images = numbers(batch * dims);
const texts = numbers(batch * dims);

await test('gradients of four small batches, added up, update as one large batch does', async () => {
  const build =
    (size: number) =>
    (p: Readonly<Record<string, Tensor>>): Tensor => {
      const guess = gemm(input('images', [size, dims]), p['weight']!);
      const difference = subtract(guess, input('texts', [size, dims]));
      return mean(sum(scale(add(difference, difference), 0.5), [1]), [0]);
    };
  const only = { weight: parameters.weight };
  const large = await openTrainingStep({ threads: 1, parameters: only, loss: build(batch) });
  const small = await openTrainingStep({ threads: 1, parameters: only, loss: build(2), accumulate: 4 });
  for (let round = 0; round < 3; round++) {
    await large.run({ images, texts }, 0.01);
    for (let from = 0; from < batch; from += 2) {
      const { gradientNorm } = await small.run(
        { images: rows(images, from, from + 2), texts: rows(texts, from, from + 2) },
        0.01,
      );
      assert.equal(gradientNorm === null, from < batch - 2);
    }
  }
  assertClose(small.state(), large.state());
  await Promise.all([large.close(), small.close()]);
});

await test('a contrastive batch in parts updates as the whole batch does, in-batch negatives included', async () => {
  const embed =
    (size: number) =>
    (p: Readonly<Record<string, Tensor>>): { images: Tensor; texts: Tensor } => ({
      images: l2Normalize(gemm(input('images', [size, dims]), p['weight']!)),
      texts: l2Normalize(input('texts', [size, dims])),
    });
  const loss = (e: { images: Tensor; texts: Tensor }, p: Readonly<Record<string, Tensor>>): Tensor =>
    add(
      infoNce({ ...e, scale: logitScale(p['logit_scale']!), weights: input('weights', [batch]) }),
      scale(pullTowards(p['weight']!, input('anchor', [dims, dims])), 0.1),
    );
  const whole = { weights: Float32Array.from({ length: batch }, (_, i) => 1 + i / 4), anchor: weight };
  const large = await openTrainingStep({
    threads: 1,
    parameters,
    loss: (p) => loss(embed(batch)(p), p),
  });
  const inParts = await openContrastStep({ threads: 1, parameters, embed: embed(2), loss, parts: 4 });
  const parts = [0, 2, 4, 6].map((from) => ({
    images: rows(images, from, from + 2),
    texts: rows(texts, from, from + 2),
  }));
  for (let round = 0; round < 3; round++) {
    const expected = await large.run({ images, texts, ...whole }, 0.01);
    const found = await inParts.run(parts, whole, 0.01);
    assert.ok(Math.abs(found.loss - expected.loss) <= 1e-5);
    assert.ok(Math.abs(found.gradientNorm - expected.gradientNorm!) <= 1e-5 * expected.gradientNorm!);
  }
  assertClose(inParts.state(), large.state());
  await Promise.all([large.close(), inParts.close()]);
});

await test('a run that is restored from its state goes on to the same bits', async () => {
  const open = () =>
    openTrainingStep({
      threads: 1,
      parameters,
      loss: (p) =>
        infoNce({
          images: l2Normalize(gemm(input('images', [batch, dims]), p['weight']!)),
          texts: l2Normalize(input('texts', [batch, dims])),
          scale: logitScale(p['logit_scale']!),
          weights: input('weights', [batch]),
        }),
    });
  const feeds = { images, texts, weights: new Float32Array(batch).fill(1) };
  const through = await open();
  for (let i = 0; i < 6; i++) await through.run(feeds, 0.01);
  const before = await open();
  for (let i = 0; i < 3; i++) await before.run(feeds, 0.01);
  const after = await open();
  after.restore(before.state());
  for (let i = 0; i < 3; i++) await after.run(feeds, 0.01);
  assert.deepEqual(after.state(), through.state());
  assert.throws(() => after.restore({ steps: 1, parameters: {}, moments: {} }), /no parameter "weight"/);
  await Promise.all([through.close(), before.close(), after.close()]);
});
