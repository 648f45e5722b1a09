/**
 * Learns what is added to a query's vector where a name stands: one token per name, by contrast with photos that don't
 * carry it. Small enough (a thousand numbers a name) for plain arithmetic in the engine's own process.
 */

/** Photos as rows of one matrix; names refer to them by row. */
export interface TokenTask {
  readonly dims: number;
  /** (photos, dims) unit rows. */
  readonly photos: Float32Array;
  readonly names: readonly NameTask[];
  /** Factor of the cosines in the softmax. */
  readonly sharpness: number;
}

export interface NameTask {
  /** Unit vector of the text that stands in for the name alone; null for none. */
  readonly text: Float32Array | null;
  /** Where the token starts: its length is kept in mind, too. */
  readonly start: Float32Array;
  /** Rows that carry the name. */
  readonly own: readonly number[];
  /** Rows of the library that don't, mostly those that look like it. */
  readonly others: readonly number[];
  /** Other names (by place) that are likely to be confused with it; symmetric. */
  readonly rivals: readonly number[];
}

/** Thirty steps end where a hundred do: see the figures of test/bench/tuning-quality.ts. */
const steps = 30;
/** Of Adam (Kingma and Ba 2015), in lengths of the token over the root of the dimensions. */
const stepSize = 0.32;
const decay = { first: 0.9, second: 0.999 };
/** Few photos say little of what is by chance in them: the fewer, the nearer a token stays to its start. */
const pull = (photos: number): number => 1 + 3 / photos;

interface Learner {
  readonly task: NameTask;
  readonly token: Float32Array;
  readonly query: Float32Array;
  readonly gradient: Float32Array;
  readonly momentum: Float32Array;
  readonly spread: Float32Array;
  /** All rows that it is scored on: its own, then its rivals' that don't carry it, then others. */
  readonly rows: Int32Array;
  readonly scores: Float64Array;
  /** Place of a row among `rows`, for rows of names. */
  readonly places: ReadonlyMap<number, number>;
  readonly weights: Float64Array;
  readonly length: number;
  queryLength: number;
}

/**
 * Two losses, each a mean over a name's photos. Among photos (InfoNCE): the name's query must find this photo rather
 * than any that does not carry the name. Among names: the photo must be this name's rather than a rival's. A pull
 * keeps the token near its start. Deterministic.
 * @param pause called between names: lets the process answer others when it has been at it for long.
 * @returns a token each (dims,), to be added to a unit text vector before normalising.
 */
export async function learnTokens(task: TokenTask, pause: () => Promise<void>): Promise<Float32Array[]> {
  const learners = task.names.map((name) => learner(task, name));
  for (let step = 1; step <= steps; step++) {
    for (const each of learners) {
      score(each, task);
      await pause();
    }
    for (const each of learners) {
      contrastPhotos(each);
      contrastNames(each, learners);
      await pause();
    }
    const rate = stepSize * (step / steps < 0.5 ? 1 : 2 - (2 * step) / (steps + 1));
    for (const each of learners) {
      move(each, task, step, rate);
      await pause();
    }
  }
  return learners.map(({ token }) => token);
}

function learner({ dims, names }: TokenTask, task: NameTask): Learner {
  const own = new Set(task.own);
  const rivals = new Set(task.rivals.flatMap((rival) => names[rival]?.own ?? []));
  const rows = Int32Array.from([
    ...task.own,
    ...[...rivals].filter((row) => !own.has(row)),
    ...task.others.filter((row) => !own.has(row) && !rivals.has(row)),
  ]);
  return {
    task,
    token: task.start.slice(),
    query: new Float32Array(dims),
    gradient: new Float32Array(dims),
    momentum: new Float32Array(dims),
    spread: new Float32Array(dims),
    rows,
    scores: new Float64Array(rows.length),
    places: new Map(Array.from(rows, (row, place) => [row, place])),
    weights: new Float64Array(rows.length),
    length: Math.max(Math.hypot(...task.start), 1e-6),
    queryLength: 1,
  };
}

/** q = (t + c) / |t + c|, and its scores. */
function score(each: Learner, { photos, dims, sharpness }: TokenTask): void {
  const { query, token, rows, scores, task } = each;
  let sum = 0;
  for (let d = 0; d < dims; d++) {
    const value = (task.text?.[d] ?? 0) + (token[d] ?? 0);
    query[d] = value;
    sum += value * value;
  }
  each.queryLength = Math.max(Math.sqrt(sum), 1e-6);
  for (let d = 0; d < dims; d++) query[d] = (query[d] ?? 0) / each.queryLength;
  for (let place = 0; place < rows.length; place++) {
    const from = (rows[place] ?? 0) * dims;
    let dot = 0;
    for (let d = 0; d < dims; d++) dot += (query[d] ?? 0) * (photos[from + d] ?? 0);
    scores[place] = sharpness * dot;
  }
  each.weights.fill(0);
}

/** Softmax of each own photo against all rows that are not own: what its score is worth goes into `weights`. */
function contrastPhotos({ task, rows, scores, weights }: Learner): void {
  const own = task.own.length;
  const highest = scores.reduce((a, b) => Math.max(a, b), -Infinity);
  let against = 0;
  for (let place = own; place < rows.length; place++) against += Math.exp((scores[place] ?? 0) - highest);
  let shares = 0;
  for (let place = 0; place < own; place++) {
    const right = Math.exp((scores[place] ?? 0) - highest);
    weights[place] = (weights[place] ?? 0) + (right / (right + against) - 1) / own;
    shares += 1 / (right + against) / own;
  }
  for (let place = own; place < rows.length; place++)
    weights[place] = (weights[place] ?? 0) + Math.exp((scores[place] ?? 0) - highest) * shares;
}

/** Softmax of this name's score of each own photo against the rivals' scores of the same photo. */
function contrastNames({ task, scores, weights }: Learner, learners: readonly Learner[]): void {
  for (const [place, row] of task.own.entries()) {
    const rivals = task.rivals.flatMap((rival) => {
      const other = learners[rival];
      const at = other?.places.get(row);
      // A photo that carries both names is right for both.
      return other === undefined || at === undefined || at < other.task.own.length ? [] : [{ other, at }];
    });
    if (rivals.length === 0) continue;
    const mine = scores[place] ?? 0;
    const highest = rivals.reduce((most, { other, at }) => Math.max(most, other.scores[at] ?? 0), mine);
    const right = Math.exp(mine - highest);
    const all = rivals.reduce(
      (sum, { other, at }) => sum + Math.exp((other.scores[at] ?? 0) - highest),
      right,
    );
    weights[place] = (weights[place] ?? 0) + (right / all - 1) / task.own.length;
    for (const { other, at } of rivals)
      other.weights[at] =
        (other.weights[at] ?? 0) + Math.exp((other.scores[at] ?? 0) - highest) / all / task.own.length;
  }
}

/** Carries the weights back through score and normalising to the token, and moves it by Adam. */
function move(each: Learner, { photos, dims, sharpness }: TokenTask, step: number, rate: number): void {
  const { gradient, query, token, rows, weights, momentum, spread, task, length, queryLength } = each;
  gradient.fill(0);
  for (let place = 0; place < rows.length; place++) {
    const weight = sharpness * (weights[place] ?? 0);
    if (Math.abs(weight) < 1e-7) continue;
    const from = (rows[place] ?? 0) * dims;
    for (let d = 0; d < dims; d++) gradient[d] = (gradient[d] ?? 0) + weight * (photos[from + d] ?? 0);
  }
  let along = 0;
  for (let d = 0; d < dims; d++) along += (gradient[d] ?? 0) * (query[d] ?? 0);
  const holding = (2 * pull(task.own.length)) / length ** 2;
  const reach = (rate * length) / Math.sqrt(dims);
  for (let d = 0; d < dims; d++) {
    const slope =
      ((gradient[d] ?? 0) - along * (query[d] ?? 0)) / queryLength +
      holding * ((token[d] ?? 0) - (task.start[d] ?? 0));
    const first = decay.first * (momentum[d] ?? 0) + (1 - decay.first) * slope;
    const second = decay.second * (spread[d] ?? 0) + (1 - decay.second) * slope * slope;
    momentum[d] = first;
    spread[d] = second;
    const mean = first / (1 - decay.first ** step);
    const variance = second / (1 - decay.second ** step);
    token[d] = (token[d] ?? 0) - (reach * mean) / (Math.sqrt(variance) + 1e-8);
  }
}
