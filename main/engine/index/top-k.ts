/** Keeps the k best of a stream of scored ids. */
import type { Neighbour } from './types.ts';

/** A binary heap with the worst kept one on top. Better is a higher score, or the same score and a lower id. */
export class TopK {
  readonly #k: number;
  readonly #ids: number[] = [];
  readonly #scores: number[] = [];
  /** Scores below this cannot enter: callers compare before they call. */
  threshold = -Infinity;

  constructor(k: number) {
    this.#k = k;
  }

  offer(id: number, score: number): void {
    if (this.#k === 0) return;
    if (this.#ids.length < this.#k) {
      this.#ids.push(id);
      this.#scores.push(score);
      this.#rise(this.#ids.length - 1);
      if (this.#ids.length === this.#k) this.threshold = this.#score(0);
      return;
    }
    if (!better(score, id, this.#score(0), this.#id(0))) return;
    this.#ids[0] = id;
    this.#scores[0] = score;
    this.#sink();
    this.threshold = this.#score(0);
  }

  /** Best first. */
  sorted(): Neighbour[] {
    const found = this.#ids.map((id, at) => ({ id, score: this.#score(at) }));
    return found.sort((a, b) => b.score - a.score || a.id - b.id);
  }

  #id(at: number): number {
    return this.#ids[at] ?? -1;
  }

  #score(at: number): number {
    return this.#scores[at] ?? NaN;
  }

  #swap(a: number, b: number): void {
    const [id, score] = [this.#id(a), this.#score(a)];
    this.#ids[a] = this.#id(b);
    this.#scores[a] = this.#score(b);
    this.#ids[b] = id;
    this.#scores[b] = score;
  }

  /** Whether the one at a is worse than the one at b. */
  #worse(a: number, b: number): boolean {
    return better(this.#score(b), this.#id(b), this.#score(a), this.#id(a));
  }

  #rise(from: number): void {
    let at = from;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.#worse(at, parent)) return;
      this.#swap(at, parent);
      at = parent;
    }
  }

  #sink(): void {
    let at = 0;
    for (;;) {
      let worst = at;
      for (const child of [2 * at + 1, 2 * at + 2])
        if (child < this.#ids.length && this.#worse(child, worst)) worst = child;
      if (worst === at) return;
      this.#swap(at, worst);
      at = worst;
    }
  }
}

function better(score: number, id: number, thanScore: number, thanId: number): boolean {
  return score > thanScore || (score === thanScore && id < thanId);
}
