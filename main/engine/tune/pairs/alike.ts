/** Which photos are as good as one: near-duplicates, and those of one burst. */
import { setImmediate } from 'node:timers/promises';
import { cosine, dot } from '../../inference/unit-vectors.ts';
import { seededRandom } from '../../inference/language/token-scores.ts';
import { Kin } from '../split-pairs.ts';

export interface AlikePhoto {
  /** Unit vector (dims,); undefined for photos not looked at yet, which are like no other. */
  readonly vector: Float32Array | undefined;
  readonly camera: string | null;
  /** Milliseconds; null when unknown. */
  readonly takenAt: number | null;
}

export interface Alike {
  /** (photos,): near-duplicates share a number. */
  readonly groups: Int32Array;
  /** (photos,): near-duplicates and bursts share a number; coarser than groups. */
  readonly kin: Int32Array;
}

/**
 * Measured on 3,000 photos of the starter's data, the pack with the coarsest space: of each photo against itself as JPEG
 * at quality 50, with 20 % more or less light, mirrored or with 5 % cut away, half lie above 0.974 to 0.998; the nearest
 * other photo lies above 0.986 for one in twenty. Above 0.99 one photo in thirty has another that is not a copy, above
 * 0.985 one in twelve: false negatives are looked for above the first, and for the split, where an error hides a gain
 * and makes none, the second serves. At a copy's edge a fifth cut away leaves 0.91 (median): frames of a burst move as much.
 */
export const likeness = { same: 0.99, kin: 0.985, burst: 0.9 };
/** Between neighbouring frames of one camera. */
const burstMs = 10_000;

/**
 * 10,000 photos of 512 dims take about 1 s.
 * @throws AbortError when the signal fires
 */
export async function findAlike(photos: readonly AlikePhoto[], signal?: AbortSignal): Promise<Alike> {
  const groups = new Kin(photos.length);
  const kin = new Kin(photos.length);
  joinBursts(photos, kin);
  await forEachNear(photos, likeness.kin, signal, (a, b, score) => {
    kin.join(a, b);
    if (score >= likeness.same) groups.join(a, b);
  });
  return { groups: firstOf(groups.groups()), kin: firstOf(kin.groups()) };
}

/** Numbers that don't depend on the order in which photos were joined: each group has that of its first member. */
function firstOf(numbers: Int32Array): Int32Array {
  const first = new Map<number, number>();
  return numbers.map((number, i) => {
    if (!first.has(number)) first.set(number, i);
    return first.get(number) ?? i;
  });
}

function joinBursts(photos: readonly AlikePhoto[], kin: Kin): void {
  const timed = photos.flatMap(({ camera, takenAt, vector }, i) =>
    camera === null || takenAt === null || vector === undefined ? [] : [{ camera, takenAt, vector, i }],
  );
  timed.sort((a, b) =>
    a.camera < b.camera ? -1 : a.camera > b.camera ? 1 : a.takenAt - b.takenAt || a.i - b.i,
  );
  for (const [at, photo] of timed.entries()) {
    const next = timed[at + 1];
    if (next?.camera === photo.camera && next.takenAt - photo.takenAt <= burstMs)
      if (cosine(photo.vector, next.vector) >= likeness.burst) kin.join(photo.i, next.i);
  }
}

const words = 4;
const bits = 32 * words;

/**
 * Compares all with all by the sides on which they lie of 128 random planes through their middle (Charikar 2002), and only
 * those exactly whose sides nearly agree.
 */
async function forEachNear(
  photos: readonly AlikePhoto[],
  least: number,
  signal: AbortSignal | undefined,
  found: (a: number, b: number, score: number) => void,
): Promise<void> {
  const known = photos.flatMap(({ vector }, i) => (vector === undefined ? [] : [{ vector, i }]));
  const dims = known[0]?.vector.length ?? 0;
  const middle = new Float64Array(dims);
  for (const { vector } of known)
    for (let d = 0; d < dims; d++) middle[d] = (middle[d] ?? 0) + (vector[d] ?? 0) / known.length;
  const { sides, most } = sidesOf(known, middle, least);
  const candidates = new Int32Array(known.length);
  for (let a = 0; a < known.length; a++) {
    if (a % 256 === 0) {
      signal?.throwIfAborted();
      await setImmediate();
    }
    const one = known[a];
    const count = agreeing(sides, a, most, candidates);
    for (let at = 0; at < count && one !== undefined; at++) {
      const other = known[candidates[at] ?? a];
      if (other === undefined) continue;
      const score = dot(one.vector, other.vector);
      if (score >= least) found(one.i, other.i, score);
    }
  }
}

/** Rows after `a` whose sides differ from its own in at most so many bits. @returns how many were put into `into`. */
function agreeing(sides: Uint32Array, a: number, most: number, into: Int32Array): number {
  const from = a * words;
  const [s0 = 0, s1 = 0, s2 = 0, s3 = 0] = sides.subarray(from, from + words);
  let count = 0;
  for (let at = from + words, b = a + 1; at < sides.length; at += words, b++) {
    const half = ones((sides[at] ?? 0) ^ s0) + ones((sides[at + 1] ?? 0) ^ s1);
    if (half > most) continue;
    if (half + ones((sides[at + 2] ?? 0) ^ s2) + ones((sides[at + 3] ?? 0) ^ s3) <= most) into[count++] = b;
  }
  return count;
}

/** @returns (photos, 4) uint32 bits, and how many of them may differ between vectors of the least cosine. */
function sidesOf(
  known: readonly { readonly vector: Float32Array }[],
  middle: Float64Array,
  least: number,
): { sides: Uint32Array; most: number } {
  const dims = middle.length;
  const random = seededRandom(1);
  // Uniform numbers do for planes: only their signs along each axis and rough lengths matter.
  const planes = Float32Array.from({ length: bits * dims }, () => random() - 0.5);
  const sides = new Uint32Array(known.length * words);
  known.forEach(({ vector }, row) => {
    const centred = Float32Array.from(vector, (value, d) => value - (middle[d] ?? 0));
    for (let bit = 0; bit < bits; bit++) {
      let side = 0;
      for (let d = 0; d < dims; d++) side += (planes[bit * dims + d] ?? 0) * (centred[d] ?? 0);
      const word = row * words + (bit >> 5);
      if (side > 0) sides[word] = (sides[word] ?? 0) | (1 << (bit & 31));
    }
  });
  // Around their middle the vectors are shorter, so that the same distance is a wider angle.
  const spread = Math.max(1e-6, 1 - middle.reduce((sum, value) => sum + value * value, 0));
  const angle = Math.acos(Math.max(0, 1 - (1 - least) / spread)) / Math.PI;
  return { sides, most: bits * angle + 5 * Math.sqrt(bits * angle * (1 - angle)) };
}

/** Set bits of 32 (Warren, Hacker's Delight). */
function ones(word: number): number {
  let sum = word - ((word >>> 1) & 0x55555555);
  sum = (sum & 0x33333333) + ((sum >>> 2) & 0x33333333);
  return Math.imul((sum + (sum >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}
