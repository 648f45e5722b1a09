/** What every benchmark prints: one JSON object on stdout, with the machine it ran on. Progress goes to stderr. */
import { availableParallelism, cpus, totalmem } from 'node:os';

export interface Check {
  readonly name: string;
  readonly value: number;
  readonly target: string;
  readonly met: boolean;
}

/** A figure that must reach (`min`) or stay under (`max`) a target. */
export function check(name: string, value: number, target: { min: number } | { max: number }): Check {
  return 'min' in target
    ? { name, value, target: `>= ${target.min}`, met: value >= target.min }
    : { name, value, target: `<= ${target.max}`, met: value <= target.max };
}

export function report(
  bench: string,
  figures: Readonly<Record<string, unknown>>,
  checks: readonly Check[],
): void {
  const machine = {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: availableParallelism(),
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    node: process.version,
    platform: `${process.platform}-${process.arch}`,
  };
  process.stdout.write(`${JSON.stringify({ bench, machine, figures, checks }, null, 2)}\n`);
}

export function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

/** @param p between 0 and 1; nearest rank. */
export function percentile(values: readonly number[], p: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(p * sorted.length) - 1))] ?? Number.NaN;
}
