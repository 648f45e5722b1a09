import assert from 'node:assert/strict';
import test from 'node:test';
import { add, multiply } from '../../../../main/engine/tune/autodiff/arithmetic.ts';
import { gradients } from '../../../../main/engine/tune/autodiff/gradients.ts';
import { openGraph } from '../../../../main/engine/tune/autodiff/graph-session.ts';
import { sum } from '../../../../main/engine/tune/autodiff/shaping.ts';
import { elementCount, input, type Tensor } from '../../../../main/engine/tune/autodiff/tensor.ts';
import { pool, type ParameterLookup, type Workshop } from '../../../../main/engine/tune/lab/blocks.ts';
import type { TokenPair } from '../../../../main/engine/tune/lab/cross-attention.ts';
import {
  collectParameters,
  labHeadNames,
  labHeads,
  lookupIn,
} from '../../../../main/engine/tune/lab/registry.ts';
import { seededNormal, seededRandom } from '../../search/seeded-random.ts';

const dims = 8;
const [batch, imageTokens, textTokens] = [2, 5, 3];
const shop = (parameter: ParameterLookup, dropoutRate = 0): Workshop => ({
  dims,
  heads: 2,
  parameter,
  dropoutRate,
});
const pair: TokenPair = {
  images: input('images', [batch, imageTokens, dims]),
  texts: input('texts', [batch, textTokens, dims]),
};

for (const name of labHeadNames)
  await test(`the head ${name} keeps its inputs' shapes, and its gradients agree with differences`, async () => {
    const normal = seededNormal(5);
    const specs = collectParameters((lookup) => labHeads[name](pair, shop(lookup)), normal);
    const names = Object.keys(specs);
    const parameters = Object.fromEntries(names.map((key) => [key, input(key, specs[key]!.shape)]));
    const out = labHeads[name](pair, shop(lookupIn(parameters)));
    assert.deepEqual(out.texts.shape, pair.texts.shape);
    assert.equal(out.images.shape[2], dims);

    const weighted = (x: Tensor, key: string): Tensor => sum(multiply(x, input(key, x.shape)), [0, 1, 2]);
    const loss = add(weighted(out.images, 'image weights'), weighted(out.texts, 'text weights'));
    const wanted = [...names.map((key) => parameters[key]!), pair.images, pair.texts];
    const keys = [...names, 'images', 'texts'];
    const derived = gradients(loss, wanted);
    const graph = await openGraph(
      { loss, ...Object.fromEntries(keys.map((key, i) => [`gradient ${key}`, derived[i]!])) },
      { threads: 1 },
    );
    const numbers = (length: number): Float32Array => Float32Array.from({ length }, normal);
    const feeds: Record<string, Float32Array> = {
      ...Object.fromEntries(
        names.map((key) => {
          const { start } = specs[key]!;
          // Off the start, where some gradients are zero by construction.
          return [key, start.map((value) => value + 0.3 * normal())];
        }),
      ),
      images: numbers(elementCount(pair.images.shape)),
      texts: numbers(elementCount(pair.texts.shape)),
      'image weights': numbers(elementCount(out.images.shape)),
      'text weights': numbers(elementCount(out.texts.shape)),
    };
    const run = async () => (await graph.run(feeds)) as Record<string, Float32Array>;
    const found = await run();
    const random = seededRandom(11);
    // Some elements of each: a wrong rule shows in any of them.
    for (const key of keys)
      for (let tried = 0; tried < 2; tried++) {
        const values = feeds[key]!;
        const at = Math.floor(random() * values.length);
        const middle = values[at]!;
        values[at] = middle + 1e-2;
        const above = (await run())['loss']![0]!;
        values[at] = middle - 1e-2;
        const below = (await run())['loss']![0]!;
        values[at] = middle;
        const measured = (above - below) / 2e-2;
        const gradient = found[`gradient ${key}`]![at]!;
        assert.ok(
          Math.abs(gradient - measured) <= 2e-2 * Math.max(1, Math.abs(measured)),
          `${key}[${String(at)}]: derived ${String(gradient)}, measured ${String(measured)}`,
        );
      }
    await graph.release();
  });

await test('with one token on each side v0 and v1 do nothing but exchange the modalities', async () => {
  const one = { images: input('images', [2, 1, dims]), texts: input('texts', [2, 1, dims]) };
  const images = Float32Array.from({ length: 2 * dims }, seededNormal(1));
  const texts = Float32Array.from({ length: 2 * dims }, seededNormal(2));
  for (const name of ['v0', 'v1'] as const) {
    const out = labHeads[name](one, shop(lookupIn({})));
    const graph = await openGraph({ ...out }, { threads: 1 });
    const found = await graph.run({ images, texts });
    assert.deepEqual(found.images, texts);
    assert.deepEqual(found.texts, images);
    await graph.release();
  }
});

await test('with one token on each side v5 and co-attention make the same of photo and caption, whatever they are', async () => {
  const one = { images: input('images', [2, 1, dims]), texts: input('texts', [2, 1, dims]) };
  const normal = seededNormal(4);
  for (const name of ['v5', 'co-attention'] as const) {
    const specs = collectParameters((lookup) => labHeads[name](one, shop(lookup)), normal);
    const inputs = Object.fromEntries(
      Object.entries(specs).map(([key, { shape }]) => [key, input(key, shape)]),
    );
    const graph = await openGraph({ ...labHeads[name](one, shop(lookupIn(inputs))) }, { threads: 1 });
    const found = await graph.run({
      ...Object.fromEntries(
        Object.entries(specs).map(([key, { start }]) => [key, start.map((value) => value + 0.3 * normal())]),
      ),
      images: Float32Array.from({ length: 2 * dims }, normal),
      texts: Float32Array.from({ length: 2 * dims }, normal),
    });
    for (const [i, value] of found.images.entries())
      assert.ok(Math.abs(Number(value) - Number(found.texts[i])) < 1e-5, name);
    await graph.release();
  }
});

await test('what the Perceiver computes grows linearly with the tokens, what v9 computes does not', () => {
  const multiplications = (name: 'perceiver' | 'v9', tokens: number): number => {
    const long = { images: input('images', [1, tokens, dims]), texts: input('texts', [1, tokens, dims]) };
    const out = labHeads[name](
      long,
      shop((key, shape) => input(key, shape)),
    );
    let total = 0;
    const seen = new Set<object>();
    const visit = ({ origin, shape }: Tensor): void => {
      if (origin.kind !== 'result' || seen.has(origin.operation)) return;
      seen.add(origin.operation);
      const { operator, inputs } = origin.operation;
      if (operator === 'MatMul' || operator === 'Gemm')
        total += elementCount(shape) * inputs[0]!.shape.at(-1)!;
      inputs.forEach(visit);
    };
    [out.images, out.texts].forEach(visit);
    return total;
  };
  const growth = (name: 'perceiver' | 'v9'): number => {
    const [a, b, c] = [64, 128, 256].map((tokens) => multiplications(name, tokens)) as [
      number,
      number,
      number,
    ];
    return (c - b) / (b - a);
  };
  // Twice the tokens, twice the increase: linear. v9's weights between all pairs of tokens add a square.
  assert.equal(growth('perceiver'), 2);
  assert.ok(growth('v9') > 2.5);
});

await test('pooling leaves out what the mask says', async () => {
  const tokens = input('tokens', [1, 3, 2]);
  const graph = await openGraph({ out: pool(tokens, input('mask', [1, 3])) }, { threads: 1 });
  const { out } = await graph.run({
    tokens: Float32Array.of(1, 2, 3, 4, 100, 100),
    mask: Float32Array.of(1, 1, 0),
  });
  assert.deepEqual([...out], [2, 3]);
  await graph.release();
});

await test('padding after a text changes nothing, in any head', async () => {
  const normal = seededNormal(9);
  const numbers = (length: number): Float32Array => Float32Array.from({ length }, normal);
  const images = numbers(batch * imageTokens * dims);
  const texts = numbers(batch * textTokens * dims);
  const longer = textTokens + 2;
  // Padding of any kind, also of large numbers.
  const padded = numbers(batch * longer * dims).map((value) => 50 * value);
  const mask = new Float32Array(batch * longer);
  for (let row = 0; row < batch; row++) {
    padded.set(texts.subarray(row * textTokens * dims, (row + 1) * textTokens * dims), row * longer * dims);
    mask.fill(1, row * longer, row * longer + textTokens);
  }
  for (const name of labHeadNames) {
    const specs = collectParameters((lookup) => labHeads[name](pair, shop(lookup)), normal);
    const parameters = Object.fromEntries(
      Object.entries(specs).map(([key, { start }]) => [key, start.map((value) => value + 0.3 * normal())]),
    );
    const inputs = Object.fromEntries(
      Object.entries(specs).map(([key, { shape }]) => [key, input(key, shape)]),
    );
    const pooled = async (count: number, feeds: Record<string, Float32Array>): Promise<number[]> => {
      const keep = input('mask', [batch, count]);
      const out = labHeads[name](
        { images: pair.images, texts: input('texts', [batch, count, dims]), keep },
        shop(lookupIn(inputs)),
      );
      const graph = await openGraph(
        { images: pool(out.images), texts: pool(out.texts, keep) },
        { threads: 1 },
      );
      const found = await graph.run({ ...parameters, images, ...feeds });
      await graph.release();
      return [...found.images, ...found.texts].map(Number);
    };
    const plain = await pooled(textTokens, { texts, mask: new Float32Array(batch * textTokens).fill(1) });
    const withPadding = await pooled(longer, { texts: padded, mask });
    for (const [i, value] of plain.entries())
      assert.ok(
        Math.abs(value - withPadding[i]!) <= 1e-4 * Math.max(1, Math.abs(value)),
        `${name}: ${String(value)} without padding, ${String(withPadding[i])} with it`,
      );
  }
});
