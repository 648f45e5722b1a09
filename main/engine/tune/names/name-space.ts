/** From the photos that carry names to tokens in the space that is searched. */
import { dot, meanDirection } from '../../inference/unit-vectors.ts';
import { expectedScores, meanAndSpread, type ExpectedScores } from './expected-scores.ts';
import { learnTokens, type NameTask } from './learn-tokens.ts';
import type { NamedSpace, PhotoVectors } from './types.ts';

export interface NameExamples {
  readonly id: number;
  readonly kind: string | null;
  /** Photos that carry it and have a vector, a sample of many. */
  readonly photoIds: readonly number[];
}

export interface LearntToken {
  readonly vector: Float32Array;
  /** How photos of it score against the token, and against the name's query alone. */
  readonly token: ExpectedScores;
  readonly alone: ExpectedScores;
}

/** Photos of one name that are learnt from: more say the same again. Fewer each where names are many. */
const mostPhotos = 64;
const mostPhotosInAll = 4_096;
export const photosEach = (names: number): number =>
  Math.max(6, Math.min(mostPhotos, Math.floor(mostPhotosInAll / Math.max(1, names))));
/** Photos that look most like the name and don't carry it, and any photos. */
const nearOthers = 30;
const anyOthers = 192;
/** Names that a name is told from. */
const mostRivals = 15;
/**
 * What a token counts beside the words: its scores spread 1.65 times as wide over the library as a word's. At 1 the
 * name gets lost among the words, at 3 the words do: on photos of one thing in six places, pasted, the right thing
 * before others in the same place 0.73, 0.76, 0.78 of the time at half, once and one and a half times this, and in
 * the right place before others of the thing itself 0.81, 0.76, 0.72.
 */
const spreadBesideWords = 1.65;
/** Logits of the contrast spread this wide over the library. */
const logitSpread = 11;
/** Everyday queries, by which the spread of words in a pack is known. */
const everyday = ['a person', 'a dog', 'a street', 'food', 'the sea', 'a room', 'a flower'];
/** Scores that tell how a query's spread over the library. */
export const sampled = 512;

/** Works for at most this long before it lets others have the process. */
const longestMs = 12;

/**
 * Tokens of all names that have photos with vectors.
 * @returns by name id
 * @throws AppError cancelled, worker-died
 */
export async function learnNames(
  names: readonly NameExamples[],
  { embedder, index }: NamedSpace,
): Promise<ReadonlyMap<number, LearntToken>> {
  const pause = pauses();
  const words = await Promise.all(everyday.map((text) => embedder.embedQuery(text)));
  const wordSpread = median(words.map((vector) => spreadOf(index, vector)));
  const texts = await Promise.all(
    names.map(async ({ kind }) => (kind === null ? null : embedder.embedQuery(kind))),
  );
  const rows = new Rows(index);
  const starts: Float32Array[] = [];
  const queries: Float32Array[] = [];
  const own: number[][] = [];
  const spreads: number[] = [];
  for (const [at, { photoIds }] of names.entries()) {
    own.push(rows.of(photoIds));
    const start = meanDirection(photoIds.map((id) => index.vector(id) ?? new Float32Array(index.dims)));
    const reach = Math.min(1.5, Math.max(0.1, (spreadBesideWords * wordSpread) / spreadOf(index, start)));
    starts.push(start.map((value) => value * reach));
    queries.push(unitSum(texts[at] ?? null, starts[at] ?? start));
    spreads.push(spreadOf(index, queries[at] ?? start));
    await pause();
  }
  const rivals = await rivalsOf(queries, pause);
  const any = rows.of(anyPhotos(words, index));
  const tasks: NameTask[] = [];
  for (const [at, { photoIds }] of names.entries()) {
    const query = queries[at] ?? new Float32Array(index.dims);
    const limit = likelyOwn(photoIds, texts[at] ?? null, starts[at] ?? query, index);
    const carrying = new Set(photoIds);
    const near =
      index.size === 0
        ? []
        : index.search(query, { k: Math.min(index.size, 2 * nearOthers + photoIds.length) }).neighbours;
    tasks.push({
      text: texts[at] ?? null,
      start: starts[at] ?? query,
      own: own[at] ?? [],
      rivals: rivals[at] ?? [],
      others: [
        ...rows.of(
          near
            .filter(({ id, score }) => !carrying.has(id) && score <= limit)
            .slice(0, nearOthers)
            .map(({ id }) => id),
        ),
        ...any.filter((row) => rows.score(row, query) <= limit),
      ],
    });
    await pause();
  }
  const vectors = await learnTokens(
    {
      dims: index.dims,
      photos: rows.matrix(),
      names: tasks,
      sharpness: Math.min(200, Math.max(10, logitSpread / median(spreads))),
    },
    pause,
  );
  const learnt = new Map<number, LearntToken>();
  for (const [at, { id }] of names.entries()) {
    const vector = vectors[at] ?? new Float32Array(index.dims);
    const expected = (query: Float32Array): ExpectedScores =>
      expectedScores(
        (own[at] ?? []).map((row) => rows.score(row, query)),
        index.sampleScores(query, sampled),
      );
    const alone = unitSum(texts[at] ?? null, vector);
    learnt.set(id, { vector, token: expected(vector), alone: expected(alone) });
    await pause();
  }
  return learnt;
}

/**
 * A photo that looks as much like the name as its photos look like each other probably shows it, though nobody said
 * so yet: it must not be pushed away.
 * @returns the score from which on that is so.
 */
function likelyOwn(
  photoIds: readonly number[],
  text: Float32Array | null,
  start: Float32Array,
  index: PhotoVectors,
): number {
  if (photoIds.length < 2) return Infinity;
  const vectors = photoIds.flatMap((id) => index.vector(id) ?? []);
  const reach = Math.hypot(...start);
  let sum = 0;
  for (const left of vectors) {
    const others = meanDirection(vectors.filter((vector) => vector !== left));
    sum += dot(
      unitSum(
        text,
        others.map((value) => value * reach),
      ),
      left,
    );
  }
  return sum / vectors.length;
}

/** Symmetric: the nearest names of each, and those that it is near to. */
async function rivalsOf(queries: readonly Float32Array[], pause: () => Promise<void>): Promise<number[][]> {
  const rivals = queries.map(() => new Set<number>());
  for (const [at, query] of queries.entries()) {
    const near = queries
      .map((other, place) => ({ place, score: dot(query, other) }))
      .filter(({ place }) => place !== at)
      .sort((a, b) => b.score - a.score || a.place - b.place)
      .slice(0, mostRivals);
    for (const { place } of near) {
      rivals[at]?.add(place);
      rivals[place]?.add(at);
    }
    await pause();
  }
  return rivals.map((set) => [...set].sort((a, b) => a - b));
}

/** Photos of all kinds: the nearest to everyday words, and to their opposites. */
function anyPhotos(words: readonly Float32Array[], index: PhotoVectors): number[] {
  const k = Math.min(index.size, Math.ceil(anyOthers / (2 * words.length)));
  if (k === 0) return [];
  const found = words.flatMap((vector) => [
    ...index.search(vector, { k }).neighbours,
    ...index.search(
      vector.map((value) => -value),
      { k },
    ).neighbours,
  ]);
  return [...new Set(found.map(({ id }) => id))];
}

/** Rows of one matrix, each photo once. */
class Rows {
  readonly #index: PhotoVectors;
  readonly #places = new Map<number, number>();
  readonly #vectors: Float32Array[] = [];

  constructor(index: PhotoVectors) {
    this.#index = index;
  }

  of(photoIds: readonly number[]): number[] {
    return photoIds.flatMap((id) => {
      const known = this.#places.get(id);
      if (known !== undefined) return [known];
      const vector = this.#index.vector(id);
      if (vector === undefined) return [];
      this.#places.set(id, this.#vectors.length);
      this.#vectors.push(vector);
      return [this.#vectors.length - 1];
    });
  }

  score(row: number, query: Float32Array): number {
    const vector = this.#vectors[row];
    return vector === undefined ? -1 : dot(vector, query);
  }

  matrix(): Float32Array {
    const matrix = new Float32Array(this.#vectors.length * this.#index.dims);
    for (const [row, vector] of this.#vectors.entries()) matrix.set(vector, row * this.#index.dims);
    return matrix;
  }
}

export function unitSum(text: Float32Array | null, token: Float32Array): Float32Array {
  return meanDirection(text === null ? [token] : [text, token]);
}

function spreadOf(index: PhotoVectors, vector: Float32Array): number {
  return Math.max(meanAndSpread([...index.sampleScores(vector, sampled)]).std, 0.01);
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? 1;
}

function pauses(): () => Promise<void> {
  let since = performance.now();
  return async () => {
    if (performance.now() - since < longestMs) return;
    await new Promise(setImmediate);
    since = performance.now();
  };
}
