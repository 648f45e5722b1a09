/**
 * What a head costs as a photo gets more tokens: the Perceiver, whose latents look at all tokens once, beside one encoder
 * of full self-attention over all of them (single-stream). Products are counted exactly and times measured.
 * Run: npm run bench -- lab-cost
 */
import { inOrder } from '../../main/engine/tune/autodiff/gradients.ts';
import { openGraph } from '../../main/engine/tune/autodiff/graph-session.ts';
import { elementCount, input } from '../../main/engine/tune/autodiff/tensor.ts';
import type { TokenPair } from '../../main/engine/tune/lab/cross-attention.ts';
import { collectParameters, labHeads, lookupIn } from '../../main/engine/tune/lab/registry.ts';
import { seeded } from './photos.ts';
import { check, percentile, report, say } from './report.ts';

/** Narrow, so that attention between all tokens shows early among the products that grow with the tokens alone. */
const dims = 64;
const textTokens = 12;
/** Side by side in a run. */
const photos = 2;
/** Four times as many at each step: 6 x 6 patches, 12 x 12, 24 x 24, 48 x 48. */
const tokenCounts = [36, 144, 576, 2_304];
const names = ['perceiver', 'single-stream'] as const;
const rounds = 9;

interface Cost {
  readonly imageTokens: number;
  readonly millionProducts: number;
  readonly milliseconds: number;
}

async function costOf(name: (typeof names)[number], imageTokens: number): Promise<Cost> {
  const random = seeded(1);
  const pair: TokenPair = {
    images: input('images', [photos, imageTokens, dims]),
    texts: input('texts', [photos, textTokens, dims]),
  };
  const shop = { dims, heads: 4, dropoutRate: 0 };
  const specs = collectParameters((parameter) => labHeads[name](pair, { ...shop, parameter }), random);
  const inputs = Object.fromEntries(
    Object.entries(specs).map(([key, { shape }]) => [key, input(key, shape)]),
  );
  const out = labHeads[name](pair, { ...shop, parameter: lookupIn(inputs) });
  const products = inOrder([out.images, out.texts])
    .filter(({ operator }) => operator === 'MatMul' || operator === 'Gemm')
    .reduce((total, operation) => total + productsOf(operation), 0);
  const graph = await openGraph({ images: out.images, texts: out.texts }, { threads: 1 });
  const feeds = {
    ...Object.fromEntries(Object.entries(specs).map(([key, { start }]) => [key, start])),
    images: Float32Array.from({ length: elementCount(pair.images.shape) }, random),
    texts: Float32Array.from({ length: elementCount(pair.texts.shape) }, random),
  };
  await graph.run(feeds);
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) {
    // What other work on the machine takes is not the head's: this process's own time counts, not the clock's.
    const began = process.cpuUsage();
    await graph.run(feeds);
    const { user, system } = process.cpuUsage(began);
    times.push((user + system) / 1_000);
  }
  await graph.release();
  return {
    imageTokens,
    millionProducts: products / photos / 1e6,
    milliseconds: percentile(times, 0) / photos,
  };
}

/** Multiplications of a product of matrices (..., m, k) x (..., k, n). */
function productsOf({ inputs: [a, b], attributes }: ReturnType<typeof inOrder>[number]): number {
  if (a === undefined || b === undefined) return 0;
  const columns = attributes['transB'] === 1 ? b.shape.at(-2) : b.shape.at(-1);
  return elementCount(a.shape) * (columns ?? 0);
}

const costs: Record<string, Cost[]> = {};
for (const name of names) {
  const found: Cost[] = [];
  for (const tokens of tokenCounts) {
    found.push(await costOf(name, tokens));
    say(`${name}: ${JSON.stringify(found.at(-1))}`);
  }
  costs[name] = found;
}
type Measure = 'millionProducts' | 'milliseconds';
/** What each further token of a photo adds, from one count to the next. Linear: always the same. Quadratic: ever more. */
const perToken = (name: string, what: Measure): number[] =>
  (costs[name] ?? []).slice(1).map((cost, i) => {
    const before = costs[name]?.[i];
    return before === undefined
      ? Number.NaN
      : (cost[what] - before[what]) / (cost.imageTokens - before.imageTokens);
  });
/** How many times as much a token adds at the end as at the beginning. */
const rise = (name: string, what: Measure): number => {
  const added = perToken(name, what);
  return (added.at(-1) ?? Number.NaN) / (added[0] ?? Number.NaN);
};
report(
  'lab-cost',
  {
    dims,
    textTokens,
    costs,
    perToken: Object.fromEntries(
      names.map((name) => [
        name,
        { millionProducts: perToken(name, 'millionProducts'), milliseconds: perToken(name, 'milliseconds') },
      ]),
    ),
  },
  [
    check('Perceiver: products that a token adds, last over first', rise('perceiver', 'millionProducts'), {
      max: 1.001,
    }),
    check('full self-attention: the same', rise('single-stream', 'millionProducts'), { min: 4 }),
    check(
      'Perceiver over full self-attention: milliseconds at the most tokens',
      times('perceiver') / times('single-stream'),
      {
        max: 0.25,
      },
    ),
  ],
);

function times(name: string): number {
  return costs[name]?.at(-1)?.milliseconds ?? Number.NaN;
}
