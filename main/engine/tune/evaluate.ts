/** How well pairs of images and texts find each other: recall at k and mean reciprocal rank, with how sure that is. */

export interface PairVectors {
  /** (count, dims) float32, row-major, unit rows; row i of both is a pair. */
  readonly images: Float32Array;
  readonly texts: Float32Array;
  readonly dims: number;
}

/** Shares between 0 and 1. */
export interface Retrieval {
  readonly r1: number;
  readonly r5: number;
  readonly r10: number;
  readonly mrr: number;
}

/** For each pair: the rank, from 1, of its image among all images for its text, and the other way round. */
export interface Ranks {
  readonly textToImage: Int32Array;
  readonly imageToText: Int32Array;
}

/** What is right for what, and rows of scores turned into ranks one at a time: the whole matrix never stands in memory. */
export interface RankCounter {
  /** One for each photo: the first row of each group. */
  readonly imageRows: readonly number[];
  /** @param scores (count,): of this row's text with the image of every row. @returns the rank of its own image. */
  readonly ofText: (row: number, scores: Float32Array) => number;
  /** @param scores (count,): of this row's image with the text of every row. @returns the rank of its best own text. */
  readonly ofImage: (row: number, scores: Float32Array) => number;
}

/**
 * Candidates that are as good as the right one count half: a model that gives everything the same score must not look
 * perfect.
 * @param sameAs groups of rows of one image (five captions of one photo share a group): the best of the group counts,
 *   as in Flickr8k's protocol (Hodosh et al. 2013), and an image is one candidate, not five.
 * @param sameText rows of one text (photos of one album share it): each pair is ranked among what is wrong for it, so
 *   other right ones are no candidates (the filtered setting of Bordes et al. 2013), and a text is one candidate.
 */
export function createRankCounter(count: number, sameAs?: Int32Array, sameText?: Int32Array): RankCounter {
  const own = Int32Array.from({ length: count }, (_, i) => i);
  const groups = sameAs ?? own;
  const wordings = sameText ?? own;
  const imageRows = firsts(groups);
  const textRows = firsts(wordings);
  const firstOfGroup = new Map(imageRows.map((row) => [groups[row] ?? row, row]));
  const firstOfWording = new Map(textRows.map((row) => [wordings[row] ?? row, row]));
  const groupsOf = gather(wordings, groups);
  const wordingsOf = gather(groups, wordings);
  const membersOf = gather(groups, own);
  const rankAmong = (
    target: number,
    scores: Float32Array,
    candidates: readonly number[],
    right: Iterable<number>,
  ): number => {
    let above = 0;
    let equal = 0;
    for (const row of candidates) {
      const score = scores[row] ?? 0;
      if (score > target) above++;
      else if (score === target) equal++;
    }
    // What is right is no rival: it was counted with the others, and is taken off again.
    for (const row of right) {
      const score = scores[row] ?? 0;
      if (score > target) above--;
      else if (score === target) equal--;
    }
    return 1 + above + Math.floor(equal / 2);
  };
  const rows = (numbers: ReadonlySet<number> | undefined, first: ReadonlyMap<number, number>): number[] =>
    [...(numbers ?? [])].map((number) => first.get(number) ?? 0);
  return {
    imageRows,
    ofText(row, scores) {
      const target = scores[firstOfGroup.get(groups[row] ?? row) ?? row] ?? 0;
      return rankAmong(target, scores, imageRows, rows(groupsOf.get(wordings[row] ?? row), firstOfGroup));
    },
    ofImage(row, scores) {
      const group = groups[row] ?? row;
      let target = -Infinity;
      for (const member of membersOf.get(group) ?? []) target = Math.max(target, scores[member] ?? -Infinity);
      return rankAmong(target, scores, textRows, rows(wordingsOf.get(group), firstOfWording));
    },
  };
}

/** Ranks of all pairs among each other, see `createRankCounter`. For some hundreds; `score-head.ts` takes thousands. */
export function rankPairs(
  { images, texts, dims }: PairVectors,
  sameAs?: Int32Array,
  sameText?: Int32Array,
): Ranks {
  const count = texts.length / dims;
  const counter = createRankCounter(count, sameAs, sameText);
  const rows = Array.from({ length: count }, (_, row) => row);
  const scores = (of: Float32Array, row: number, all: Float32Array): Float32Array =>
    Float32Array.from(rows, (other) => dot(of, row, all, other, dims));
  return {
    textToImage: Int32Array.from(rows, (row) => counter.ofText(row, scores(texts, row, images))),
    imageToText: Int32Array.from(counter.imageRows, (row) =>
      counter.ofImage(row, scores(images, row, texts)),
    ),
  };
}

/** The first row of each number, in order. */
function firsts(numbers: Int32Array): number[] {
  const seen = new Set<number>();
  return [...numbers.keys()].filter((row) => {
    const number = numbers[row] ?? row;
    if (seen.has(number)) return false;
    seen.add(number);
    return true;
  });
}

/** For each number of `by`, the numbers of `of` that its rows have. */
function gather(by: Int32Array, of: Int32Array): Map<number, Set<number>> {
  const found = new Map<number, Set<number>>();
  by.forEach((number, row) => {
    const set = found.get(number);
    const other = of[row] ?? row;
    if (set === undefined) found.set(number, new Set([other]));
    else set.add(other);
  });
  return found;
}

/** @param chosen indices into the ranks, for a bootstrap sample; all of them by default. */
export function retrieval(ranks: Int32Array, chosen?: Int32Array): Retrieval {
  const count = chosen?.length ?? ranks.length;
  const found = { r1: 0, r5: 0, r10: 0, mrr: 0 };
  for (let i = 0; i < count; i++) {
    const rank = ranks[chosen === undefined ? i : (chosen[i] ?? 0)] ?? Infinity;
    if (rank <= 1) found.r1++;
    if (rank <= 5) found.r5++;
    if (rank <= 10) found.r10++;
    found.mrr += 1 / rank;
  }
  const share = (sum: number): number => (count === 0 ? 0 : sum / count);
  return {
    r1: share(found.r1),
    r5: share(found.r5),
    r10: share(found.r10),
    mrr: share(found.mrr),
  };
}

/** Mean of both directions. */
export function bothWays({ textToImage, imageToText }: Ranks): Retrieval {
  const there = retrieval(textToImage);
  const back = retrieval(imageToText);
  return {
    r1: (there.r1 + back.r1) / 2,
    r5: (there.r5 + back.r5) / 2,
    r10: (there.r10 + back.r10) / 2,
    mrr: (there.mrr + back.mrr) / 2,
  };
}

export interface Interval {
  readonly low: number;
  readonly high: number;
}

/** For each rank, what it was measured on: ranks of one number are drawn together. */
export type RankClusters = Readonly<Record<keyof Ranks, Int32Array>>;

/**
 * Interval of a difference in R@10 between two models over the same pairs (paired bootstrap, Efron and Tibshirani
 * 1993): pairs are drawn again with replacement, and both models are judged on the same draw.
 * @param level e.g. 0.95
 * @param clusters near-duplicates rise and fall together: drawn one by one, they would make chance look certain.
 */
export function differenceInterval(
  before: Ranks,
  after: Ranks,
  {
    random,
    samples = 2_000,
    level = 0.95,
    clusters,
  }: { random: () => number; samples?: number; level?: number; clusters?: RankClusters | undefined },
): Interval {
  const directions = (['textToImage', 'imageToText'] as const).map((direction) => {
    const gained = new Map<number, { sum: number; count: number }>();
    before[direction].forEach((rank, i) => {
      const cluster = clusters?.[direction][i] ?? i;
      const own = gained.get(cluster) ?? { sum: 0, count: 0 };
      own.sum += Number((after[direction][i] ?? Infinity) <= 10) - Number(rank <= 10);
      own.count += 1;
      gained.set(cluster, own);
    });
    return [...gained.values()];
  });
  const differences = new Float64Array(samples);
  for (let sample = 0; sample < samples; sample++) {
    let total = 0;
    for (const groups of directions) {
      let [sum, count] = [0, 0];
      for (let i = 0; i < groups.length; i++) {
        const drawn = groups[Math.floor(random() * groups.length)];
        sum += drawn?.sum ?? 0;
        count += drawn?.count ?? 0;
      }
      total += count === 0 ? 0 : sum / count / 2;
    }
    differences[sample] = total;
  }
  differences.sort();
  const at = (share: number): number =>
    differences[Math.min(samples - 1, Math.max(0, Math.round(share * (samples - 1))))] ?? 0;
  return { low: at((1 - level) / 2), high: at((1 + level) / 2) };
}

function dot(a: Float32Array, rowA: number, b: Float32Array, rowB: number, dims: number): number {
  let sum = 0;
  const fromA = rowA * dims;
  const fromB = rowB * dims;
  for (let i = 0; i < dims; i++) sum += (a[fromA + i] ?? 0) * (b[fromB + i] ?? 0);
  return sum;
}
