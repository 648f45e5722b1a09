/**
 * What words in captions, tags and names are worth beside looks, learnt from thumbs (late fusion): a logistic regression
 * on pairs of photos of one search, of which one was wanted and the other was not.
 */
import { add, exp, multiply, negate, scale, softplus, square } from './autodiff/arithmetic.ts';
import { gemm } from './autodiff/linear-algebra.ts';
import { concat, reshape, sum, transpose } from './autodiff/shaping.ts';
import { constant, input, type Tensor } from './autodiff/tensor.ts';
import { openTrainingStep, type TrainingStep } from './autodiff/training-step.ts';
import type { Interval, Retrieval } from './evaluate.ts';
import type { Evidence } from './types.ts';

export const wordKinds = ['hand', 'caption', 'tag', 'name'] as const;
export type Worth = Readonly<Record<(typeof wordKinds)[number], number>>;

/** What search takes where nothing was learnt (search/blend.ts): where the learning starts, and what it is pulled to. */
export const usualWorth: Worth = { hand: 1.5, caption: 1, tag: 0.7, name: 0.7 };
/** Deviations above the background that looks which match are at, as search expects of packs without figures. */
const matchingLooks = 3.5;
/** Weight of the squared logarithm of how often a worth is its usual one: with a dozen searches, little changes. */
const pull = 0.02;
/** Five numbers on all pairs at once bear, and need, larger steps than a matrix does. */
const learningRate = 0.05;
const stepsPerEpoch = 20;

/** Photos of one search that got thumbs, each as [looks, hand, caption, tag, name] in shares of what matches. */
export interface JudgedQuery {
  readonly wanted: readonly Features[];
  readonly unwanted: readonly Features[];
  /** Of all its photos. */
  readonly kin: ReadonlySet<number>;
}
type Features = readonly number[];

/** @returns the searches that can teach an order: those with thumbs both ways. */
export function judgedQueries(evidence: readonly Evidence[]): JudgedQuery[] {
  const byQuery = Map.groupBy(evidence, ({ query }) => query);
  return [...byQuery.values()].flatMap((rows) => {
    const of = (wanted: 0 | 1): Features[] =>
      rows
        .filter((row) => row.wanted === wanted)
        .map(({ looks, words }) => [looks / matchingLooks, ...wordKinds.map((kind) => words[kind])]);
    const [wanted, unwanted] = [of(1), of(0)];
    return wanted.length === 0 || unwanted.length === 0
      ? []
      : [{ wanted, unwanted, kin: new Set(rows.map(({ kin }) => kin)) }];
  });
}

/** More pairs of one search say nothing new. */
const mostPairsEach = 64;

/**
 * Several models at once, which share the pairs but not what they learn: all of them in one graph, one column each.
 * @param models for each, the searches that it learns from.
 */
export async function openFusionTraining(
  models: readonly (readonly JudgedQuery[])[],
  threads: number,
): Promise<{ step: TrainingStep; epoch: () => Promise<number> }> {
  const queries = [...new Set(models.flat())];
  const differences: Features[] = [];
  const weights: number[][] = [];
  for (const query of queries) {
    const pairs = query.wanted
      .flatMap((up) => query.unwanted.map((down) => up.map((value, i) => value - (down[i] ?? 0))))
      .filter((_, i, all) => i % Math.ceil(all.length / mostPairsEach) === 0);
    const shares = models.map((own) => (own.includes(query) ? 1 / (own.length * pairs.length) : 0));
    for (const pair of pairs) {
      differences.push(pair);
      weights.push(shares);
    }
  }
  const [rows, count, kinds] = [differences.length, models.length, wordKinds.length];
  const step = await openTrainingStep({
    threads,
    parameters: {
      // Logarithms: of the usual worth's factor, and of how sure a difference of one makes.
      factor: { shape: [kinds, count], start: new Float32Array(kinds * count), decays: false },
      sureness: { shape: [1, count], start: new Float32Array(count), decays: false },
    },
    loss(p) {
      const factor = p['factor'] ?? input('factor', [kinds, count]);
      const sureness = p['sureness'] ?? input('sureness', [1, count]);
      const worth = multiply(exp(factor), usualColumn(factor));
      const looks = constant(new Array<number>(count).fill(1), [1, count], 'float32');
      const gap = gemm(input('differences', [rows, kinds + 1]), concat([looks, worth], 0));
      const wrong = softplus(negate(multiply(gap, exp(sureness))));
      const loss = sum(multiply(wrong, input('weights', [rows, count])), [0, 1]);
      return add(loss, scale(add(total(square(factor)), total(square(sureness))), pull));
    },
    // A limit over all columns together would let one model slow the others.
    optimizer: { clipNorm: null },
  });
  const feeds = {
    differences: Float32Array.from(differences.flat()),
    weights: Float32Array.from(weights.flat()),
  };
  return {
    step,
    async epoch() {
      let last = 0;
      for (let i = 0; i < stepsPerEpoch; i++) last = (await step.run(feeds, learningRate)).loss;
      return last / count;
    },
  };
}

const total = (x: Tensor): Tensor => sum(reshape(x, [x.shape.reduce((a, b) => a * b, 1)]), [0]);

function usualColumn(like: Tensor): Tensor {
  const column = constant(
    wordKinds.map((kind) => usualWorth[kind]),
    [1, wordKinds.length],
    like.type,
  );
  return transpose(column);
}

/** What one of the models learnt. @param factor (kinds, models), logarithms */
export function worthOf(factor: Float32Array, model: number, models: number): Worth {
  return worthFrom(wordKinds.map((kind, i) => usualWorth[kind] * Math.exp(factor[i * models + model] ?? 0)));
}

/** @param values in the order of `wordKinds` */
export function worthFrom(values: readonly number[]): Worth {
  return Object.fromEntries(wordKinds.map((kind, i) => [kind, values[i] ?? 0])) as Record<
    (typeof wordKinds)[number],
    number
  >;
}

/** How a search's thumbs are ordered by looks and words of these worths. */
export interface Ordered {
  /** Share of its pairs of a wanted and an unwanted photo that stand the right way round; ties are half. */
  readonly order: number;
  /** For each wanted photo its rank from 1 among the unwanted ones. */
  readonly ranks: Int32Array;
}

export function orderOf({ wanted, unwanted }: JudgedQuery, worth: Worth): Ordered {
  const value = (features: Features): number =>
    wordKinds.reduce((sum, kind, i) => sum + worth[kind] * (features[i + 1] ?? 0), features[0] ?? 0);
  const below = unwanted.map(value);
  let right = 0;
  const ranks = Int32Array.from(wanted, (features) => {
    const own = value(features);
    const above = below.filter((other) => other > own).length;
    const equal = below.filter((other) => other === own).length;
    right += below.length - above - equal / 2;
    return 1 + above + Math.floor(equal / 2);
  });
  return { order: right / (wanted.length * unwanted.length), ranks };
}

/** Of the mean difference in `order` between two ways of ordering the same searches (paired bootstrap). */
export function orderInterval(
  before: readonly Ordered[],
  after: readonly Ordered[],
  random: () => number,
  samples = 2_000,
): Interval {
  const gains = before.map(({ order }, i) => (after[i]?.order ?? 0) - order);
  const means = Float64Array.from({ length: samples }, () => {
    let drawn = 0;
    for (let i = 0; i < gains.length; i++) drawn += gains[Math.floor(random() * gains.length)] ?? 0;
    return drawn / gains.length;
  }).sort();
  const at = (share: number): number => means[Math.round(share * (samples - 1))] ?? 0;
  return { low: at(0.025), high: at(0.975) };
}

/** Every search counts the same, however many thumbs it got. */
export function retrievalOfOrders(
  orders: readonly Ordered[],
  retrieval: (ranks: Int32Array) => Retrieval,
): Retrieval {
  const each = orders.map(({ ranks }) => retrieval(ranks));
  const mean = (of: keyof Retrieval): number => each.reduce((sum, found) => sum + found[of], 0) / each.length;
  return { r1: mean('r1'), r5: mean('r5'), r10: mean('r10'), mrr: mean('mrr') };
}
