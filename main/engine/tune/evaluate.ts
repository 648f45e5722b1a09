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

/**
 * Ranks of all pairs among each other. Candidates that are as good as the right one count half: a model that gives
 * everything the same score must not look perfect.
 * @param sameAs groups of rows of one image (five captions of one photo share a group): the best of the group counts,
 *   as in Flickr8k's protocol (Hodosh et al. 2013), and an image is one candidate, not five.
 * @param sameText rows of one text (photos of one album share it): each pair is ranked among what is wrong for it, so
 *   other right ones are no candidates (the filtered setting of Bordes et al. 2013), and a text is one candidate.
 */
export function rankPairs(
  { images, texts, dims }: PairVectors,
  sameAs?: Int32Array,
  sameText?: Int32Array,
): Ranks {
  const count = texts.length / dims;
  const own = Int32Array.from({ length: count }, (_, i) => i);
  const groups = sameAs ?? own;
  const wordings = sameText ?? own;
  /** The first row of each group stands for its image, the first of each wording for its text. */
  const imageRows = firsts(groups);
  const textRows = firsts(wordings);
  const wordingsOf = gather(groups, wordings);
  const groupsOf = gather(wordings, groups);
  const textToImage = new Int32Array(count);
  const best = new Float32Array(imageRows.length).fill(-Infinity);
  const scores = new Float32Array(imageRows.length * count);
  for (let text = 0; text < count; text++) {
    for (const [place, row] of imageRows.entries()) {
      const score = dot(texts, text, images, row, dims);
      scores[place * count + text] = score;
      if (groups[row] === groups[text] && score > (best[place] ?? -Infinity)) best[place] = score;
    }
  }
  const placeOf = new Map(imageRows.map((row, place) => [groups[row] ?? row, place]));
  for (let text = 0; text < count; text++) {
    const right = placeOf.get(groups[text] ?? text) ?? 0;
    const target = scores[right * count + text] ?? 0;
    let above = 0;
    let equal = 0;
    for (let place = 0; place < imageRows.length; place++) {
      if (place === right) continue;
      const row = imageRows[place] ?? 0;
      if (sameText !== undefined && groupsOf.get(wordings[text] ?? text)?.has(groups[row] ?? row) === true)
        continue;
      const score = scores[place * count + text] ?? 0;
      if (score > target) above++;
      else if (score === target) equal++;
    }
    textToImage[text] = 1 + above + Math.floor(equal / 2);
  }
  const imageToText = new Int32Array(imageRows.length);
  for (const [place, row] of imageRows.entries()) {
    const target = best[place] ?? 0;
    let above = 0;
    let equal = 0;
    const rightTexts = wordingsOf.get(groups[row] ?? row);
    for (const text of textRows) {
      if (rightTexts?.has(wordings[text] ?? text) === true) continue;
      const score = scores[place * count + text] ?? 0;
      if (score > target) above++;
      else if (score === target) equal++;
    }
    imageToText[place] = 1 + above + Math.floor(equal / 2);
  }
  return { textToImage, imageToText };
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

/**
 * Interval of a difference in R@10 between two models over the same pairs (paired bootstrap, Efron and Tibshirani
 * 1993): pairs are drawn again with replacement, and both models are judged on the same draw.
 * @param level e.g. 0.95
 */
export function differenceInterval(
  before: Ranks,
  after: Ranks,
  { random, samples = 2_000, level = 0.95 }: { random: () => number; samples?: number; level?: number },
): Interval {
  const differences = new Float64Array(samples);
  const gain = (from: Int32Array, to: Int32Array): Int8Array =>
    Int8Array.from(from, (rank, i) => Number((to[i] ?? Infinity) <= 10) - Number(rank <= 10));
  const gains = [
    gain(before.textToImage, after.textToImage),
    gain(before.imageToText, after.imageToText),
  ] as const;
  for (let sample = 0; sample < samples; sample++) {
    let total = 0;
    for (const direction of gains) {
      let sum = 0;
      for (let i = 0; i < direction.length; i++)
        sum += direction[Math.floor(random() * direction.length)] ?? 0;
      total += direction.length === 0 ? 0 : sum / direction.length / 2;
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
