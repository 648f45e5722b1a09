/** Random numbers of a run: all come from its seed, and those of an epoch from its number too, so that any can be repeated. */
import { seededRandom } from '../inference/language/token-scores.ts';

/** What numbers are drawn for: each use has a stream of its own, so that one more draw here changes nothing there. */
const streams = { split: 1, start: 2, order: 3, replay: 4, bootstrap: 5, sample: 6 } as const;

/** @returns uniform numbers in [0, 1). @param epoch from 1; 0 for what is drawn once in a run. */
export function randomOf(seed: number, stream: keyof typeof streams, epoch = 0): () => number {
  // Knuth's multiplicative hash, so that neighbouring seeds and epochs start far apart.
  return seededRandom(Math.imul(seed + 1, 2_654_435_761) ^ Math.imul(epoch * 8 + streams[stream], 40_503));
}

/** Standard normal numbers (Box and Muller 1958). */
export function normalOf(random: () => number): () => number {
  return () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

/** The numbers below `count` in a drawn order (Fisher and Yates). */
export function drawnOrder(count: number, random: () => number): Uint32Array {
  const order = Uint32Array.from({ length: count }, (_, i) => i);
  for (let i = count - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    const here = order[i] ?? 0;
    order[i] = order[j] ?? 0;
    order[j] = here;
  }
  return order;
}
