/** Parts of the pairs for training, for choosing and for proving, with everything alike on one side. */
import { takePairs } from './batches.ts';
import type { TrainingPairs } from './train-head.ts';

export interface Split {
  readonly train: TrainingPairs;
  /** Decides when to stop and how far to go. */
  readonly choose: TrainingPairs;
  /** Seen once, at the end. */
  readonly prove: TrainingPairs;
  /** (prove,): of the pairs to prove on. */
  readonly proveKin: Int32Array;
}

/** Joins what belongs together: near-duplicates, bursts, texts of one photo. */
export class Kin {
  readonly #parents: Int32Array;

  constructor(count: number) {
    this.#parents = Int32Array.from({ length: count }, (_, i) => i);
  }

  /** The one that stands for all that `member` belongs together with. */
  of(member: number): number {
    let root = member;
    while (this.#parents[root] !== root) root = this.#parents[root] ?? root;
    // Paths are shortened on the way, so that long chains are walked once.
    for (let at = member; at !== root;) {
      const next = this.#parents[at] ?? root;
      this.#parents[at] = root;
      at = next;
    }
    return root;
  }

  join(a: number, b: number): void {
    this.#parents[this.of(a)] = this.of(b);
  }

  /** (count,): the same number for all that belong together. */
  groups(): Int32Array {
    return Int32Array.from(this.#parents, (_, i) => this.of(i));
  }
}

/**
 * Draws whole groups until each part has its share of the pairs.
 * @param kin (pairs,) from `Kin.groups`: pairs of one number stay on one side. Coarser than `pairs.groups`.
 * @param random uniform in [0, 1), seeded.
 */
export function splitPairs(
  pairs: TrainingPairs,
  kin: Int32Array,
  random: () => number,
  shares = { choose: 0.15, prove: 0.15 },
): Split {
  const members = new Map<number, number[]>();
  kin.forEach((group, row) => {
    const list = members.get(group);
    if (list === undefined) members.set(group, [row]);
    else list.push(row);
  });
  const drawn = [...members.values()]
    .map((rows) => ({ rows, at: random() }))
    .sort((a, b) => a.at - b.at || (a.rows[0] ?? 0) - (b.rows[0] ?? 0));
  const count = kin.length;
  const parts = { prove: [] as number[], choose: [] as number[], train: [] as number[] };
  for (const { rows } of drawn) {
    const side =
      parts.prove.length < shares.prove * count
        ? parts.prove
        : parts.choose.length < shares.choose * count
          ? parts.choose
          : parts.train;
    side.push(...rows);
  }
  const part = (rows: readonly number[]): TrainingPairs =>
    ownNegatives(takePairs(pairs, rows), pairs.hard, rows, kin);
  return {
    train: part(parts.train),
    choose: part(parts.choose),
    prove: part(parts.prove),
    proveKin: Int32Array.from(parts.prove, (row) => kin[row] ?? row),
  };
}

/** Leaves out hard negatives whose photos are of pairs in another part. */
function ownNegatives(
  part: TrainingPairs,
  all: TrainingPairs['hard'],
  rows: readonly number[],
  kin: Int32Array,
): TrainingPairs {
  const kinOfHard = all?.kin;
  if (part.hard === undefined || all === undefined || kinOfHard === undefined) return part;
  const paired = new Set(kin);
  const here = new Set(rows.map((row) => kin[row]));
  const present = part.hard.present.map((is, i) => {
    const each = all.each;
    const other = kinOfHard[(rows[Math.floor(i / each)] ?? 0) * each + (i % each)] ?? -1;
    return paired.has(other) && !here.has(other) ? 0 : is;
  });
  return { ...part, hard: { ...part.hard, present } };
}
