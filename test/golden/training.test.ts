/** Whole models against PyTorch: losses, gradients, and five clipped AdamW steps. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { add, gelu, multiply, scale } from '../../main/engine/tune/autodiff/arithmetic.ts';
import { gradients } from '../../main/engine/tune/autodiff/gradients.ts';
import { openGraph, type Feeds } from '../../main/engine/tune/autodiff/graph-session.ts';
import {
  gemm,
  l2Normalize,
  layerNormalization,
  linear,
  logSoftmax,
  matMul,
  mean,
  softmax,
} from '../../main/engine/tune/autodiff/linear-algebra.ts';
import { sum, transpose } from '../../main/engine/tune/autodiff/shaping.ts';
import { constant, input, type Tensor } from '../../main/engine/tune/autodiff/tensor.ts';
import { openTrainingStep } from '../../main/engine/tune/autodiff/training-step.ts';
import { infoNce, logitScale, ntXent, pullTowards, sigmoidLoss } from '../../main/engine/tune/losses.ts';

interface Golden {
  readonly shapes: Readonly<Record<string, number[]>>;
  readonly start: Readonly<Record<string, number[]>>;
  readonly inputs: Readonly<Record<string, { shape: number[]; values: number[] }>>;
  readonly rate: number;
  readonly losses: readonly number[];
  readonly gradients: Readonly<Record<string, number[]>>;
  readonly after: Readonly<Record<string, number[]>>;
}
const golden = JSON.parse(readFileSync(new URL('tune/training.json', import.meta.url), 'utf8')) as Readonly<
  Record<string, Golden>
>;

type Values = Readonly<Record<string, Tensor>>;
const identity = (size: number): Tensor =>
  constant(
    Array.from({ length: size * size }, (_, i) => (i % (size + 1) === 0 ? 1 : 0)),
    [size, size],
    'float32',
  );
const ones = (size: number): Tensor => constant(new Array<number>(size).fill(1), [size], 'float32');

const models: Readonly<Record<string, (p: Values, x: Values) => Tensor>> = {
  residual: (p, x) => {
    const weight = add(scale(identity(8), 0.8), scale(p['delta']!, 0.2));
    const loss = infoNce({
      images: l2Normalize(gemm(x['images']!, weight)),
      texts: x['texts']!,
      scale: logitScale(p['logit_scale']!),
      weights: ones(6),
    });
    return add(loss, scale(pullTowards(p['delta']!, identity(8)), 0.01));
  },
  transformer: (p, x) => {
    const tokens = x['tokens']!;
    const h = layerNormalization(tokens, p['gain']!, p['bias']!);
    const [query, key, value] = ['query', 'key', 'value'].map((name) => linear(h, p[name]!));
    const scores = scale(matMul(query!, transpose(key!)), 1 / Math.sqrt(8));
    const hidden = add(tokens, matMul(softmax(scores), value!));
    const out = add(hidden, linear(gelu(linear(hidden, p['up']!)), p['down']!));
    const logits = gemm(mean(out, [1]), p['classes']!);
    return scale(sum(multiply(logSoftmax(logits), x['targets']!), [0, 1]), -1 / 3);
  },
  siglip: (p, x) =>
    sigmoidLoss({
      images: l2Normalize(gemm(x['images']!, p['weight']!)),
      texts: x['texts']!,
      scale: logitScale(p['logit_scale']!),
      bias: p['logit_bias']!,
      weights: ones(6),
    }),
  ntXent: (p, x) =>
    ntXent({
      images: l2Normalize(gemm(x['images']!, p['weight']!)),
      texts: x['texts']!,
      weights: ones(6),
      temperature: 0.1,
    }),
};

function agree(found: ArrayLike<number>, expected: readonly number[], about: string): void {
  assert.equal(found.length, expected.length, about);
  expected.forEach((value, i) => {
    const difference = Math.abs(found[i]! - value);
    assert.ok(
      difference <= 1e-4 * Math.max(1, Math.abs(value)),
      `${about}[${String(i)}]: ${String(found[i])}, PyTorch ${String(value)}`,
    );
  });
}

for (const [name, build] of Object.entries(models)) {
  const expected = golden[name]!;
  const inputs = Object.fromEntries(
    Object.entries(expected.inputs).map(([key, { shape }]) => [key, input(key, shape)]),
  );
  const feeds: Feeds = Object.fromEntries(
    Object.entries(expected.inputs).map(([key, { values }]) => [key, Float32Array.from(values)]),
  );
  const start = Object.fromEntries(
    Object.entries(expected.start).map(([key, values]) => [key, Float32Array.from(values)]),
  );

  await test(`the gradients of the model "${name}" are PyTorch's`, async () => {
    const names = Object.keys(expected.shapes);
    const parameters = Object.fromEntries(names.map((key) => [key, input(key, expected.shapes[key]!)]));
    const loss = build(parameters, inputs);
    const derived = gradients(
      loss,
      names.map((key) => parameters[key]!),
    );
    const graph = await openGraph(
      { loss, ...Object.fromEntries(names.map((key, i) => [`gradient of ${key}`, derived[i]!])) },
      { threads: 1 },
    );
    const found = (await graph.run({ ...feeds, ...start })) as Record<string, Float32Array>;
    agree(found['loss']!, [expected.losses[0]!], 'loss');
    for (const key of names) agree(found[`gradient of ${key}`]!, expected.gradients[key]!, key);
    await graph.release();
  });

  await test(`five steps of the model "${name}" leave the parameters where PyTorch leaves them`, async () => {
    const step = await openTrainingStep({
      threads: 1,
      parameters: Object.fromEntries(
        Object.entries(start).map(([key, values]) => [key, { shape: expected.shapes[key]!, start: values }]),
      ),
      loss: (parameters) => build(parameters, inputs),
    });
    for (const loss of expected.losses) agree([(await step.run(feeds, expected.rate)).loss], [loss], 'loss');
    const { parameters } = step.state();
    for (const [key, values] of Object.entries(expected.after)) agree(parameters[key]!, values, key);
    await step.close();
  });
}
