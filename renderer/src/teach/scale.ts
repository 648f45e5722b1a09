/** Lines of a chart, and ticks of its axes: few, round, and holding all values. */

/** One line of a chart. */
export interface ChartLine {
  readonly name: string;
  readonly tone: 'main' | 'other';
  /** One value a round; the first round is 1. */
  readonly values: readonly number[];
}

/** Steps that people read easily, as multiples of a power of ten. */
const steps = [1, 2, 2.5, 5, 10];

/**
 * @param wanted about how many ticks.
 * @returns ascending; the first is at most the least value and the last at least the greatest.
 */
export function niceTicks(values: readonly number[], wanted = 3): readonly number[] {
  const finite = values.filter(Number.isFinite);
  if (finite.length === 0) return [0, 1];
  const [low, high] = [Math.min(...finite), Math.max(...finite)];
  // A flat line still stands in a band.
  const span = high - low || Math.max(Math.abs(high), 1) * 0.1;
  const rough = span / Math.max(1, wanted - 1);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = (steps.find((each) => each * power >= rough * 0.999) ?? 10) * power;
  const first = Math.floor(low / step + 1e-9);
  const last = Math.max(first + 1, Math.ceil(high / step - 1e-9));
  // Multiplying keeps 0.1 + 0.2 from becoming 0.30000000000000004 further on.
  return Array.from({ length: last - first + 1 }, (_, at) => Number(((first + at) * step).toPrecision(12)));
}

/** Whole ticks from 1 to `last`: its ends, and the middle where there is room for one. */
export function roundTicks(last: number): readonly number[] {
  if (last <= 1) return [1];
  return last < 5 ? [1, last] : [1, Math.round((1 + last) / 2), last];
}
