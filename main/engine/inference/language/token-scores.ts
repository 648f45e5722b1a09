/** What is done to a decoder's scores before a token is chosen, as transformers' logits processors do it. */
import type { Generation, Sampling } from '../../packs/types.ts';

/** Natural logarithms of probabilities. */
export function logSoftmax(scores: Float32Array): Float32Array {
  let highest = -Infinity;
  for (const score of scores) if (score > highest) highest = score;
  let sum = 0;
  for (const score of scores) sum += Math.exp(score - highest);
  const total = highest + Math.log(sum);
  return scores.map((score) => score - total);
}

/**
 * In place: repetition penalty (Keskar et al. 2019), then no run of n tokens twice.
 * @param text all ids so far, prompt included.
 */
export function discourageRepeats(
  scores: Float32Array,
  text: readonly number[],
  { repetitionPenalty, noRepeatNgram }: Pick<Generation, 'repetitionPenalty' | 'noRepeatNgram'>,
): void {
  if (repetitionPenalty !== 1) {
    for (const id of new Set(text)) {
      const score = scores[id] ?? 0;
      scores[id] = score < 0 ? score * repetitionPenalty : score / repetitionPenalty;
    }
  }
  if (noRepeatNgram > 0) {
    for (const id of completions(text, noRepeatNgram)) scores[id] = -Infinity;
  }
}

/** Tokens that would end a run of n that is there already. */
function completions(text: readonly number[], n: number): number[] {
  const found: number[] = [];
  const begun = text.slice(text.length - n + 1);
  if (begun.length < n - 1) return found;
  for (let start = 0; start + n <= text.length; start++) {
    const id = text[start + n - 1];
    if (id !== undefined && begun.every((token, i) => token === text[start + i])) found.push(id);
  }
  return found;
}

export function highest(scores: Float32Array): number {
  let best = 0;
  for (let id = 1; id < scores.length; id++) if ((scores[id] ?? 0) > (scores[best] ?? 0)) best = id;
  return best;
}

const longestList = 64;

/** The places of the highest scores, highest first. */
export function highestFew(scores: ArrayLike<number>, count: number): number[] {
  // Keeping a short list in order beats sorting, a long one doesn't.
  if (count > longestList) {
    const all = Array.from({ length: scores.length }, (_, id) => id);
    return all.sort((a, b) => (scores[b] ?? 0) - (scores[a] ?? 0)).slice(0, count);
  }
  const best: number[] = [];
  for (let id = 0; id < scores.length; id++) {
    const score = scores[id] ?? 0;
    if (best.length === count && score <= (scores[best[count - 1] ?? 0] ?? 0)) continue;
    let place = best.length;
    while (place > 0 && score > (scores[best[place - 1] ?? 0] ?? 0)) place--;
    best.splice(place, 0, id);
    if (best.length > count) best.pop();
  }
  return best;
}

/** Draws a token: temperature, then the most probable `topK`, then those that together have `topP`. */
export function draw(scores: Float32Array, sampling: Sampling, random: () => number): number {
  const warm = logSoftmax(scores.map((score) => score / sampling.temperature));
  const order = highestFew(warm, sampling.topK > 0 ? Math.min(sampling.topK, warm.length) : warm.length);
  let total = 0;
  const likely: { id: number; probability: number }[] = [];
  const mass = order.reduce((sum, id) => sum + Math.exp(warm[id] ?? -Infinity), 0);
  for (const id of order) {
    const probability = Math.exp(warm[id] ?? -Infinity) / mass;
    likely.push({ id, probability });
    total += probability;
    if (total >= sampling.topP) break;
  }
  let left = random() * total;
  for (const { id, probability } of likely) {
    left -= probability;
    if (left <= 0) return id;
  }
  return order[0] ?? 0;
}

/** Mulberry32, by Tommy Ettinger (public domain): the same seed draws the same words on every machine. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
