/** Progress of a long command: one line that redraws itself on a terminal, or a line now and then in a log. */
import { formatDuration, type Terminal } from './output.ts';

export interface ProgressStep {
  readonly label: string;
  readonly done: number;
  /** 0 while it isn't known. */
  readonly total: number;
  /** E.g. "12.3 photos/s". */
  readonly rate: string | undefined;
  readonly secondsLeft: number | null;
}

export interface ProgressLine {
  show(step: ProgressStep): void;
  /** Clears the line, so that what follows begins on an empty one. */
  end(): void;
}

const redrawEveryMs = 100;
const logEveryMs = 10_000;

export function createProgressLine(terminal: Terminal, quiet: boolean): ProgressLine {
  const { stderrColumns: columns, now, stderr } = terminal;
  if (quiet) return { show: () => undefined, end: () => undefined };
  let lastAt = -Infinity;
  let drawn = false;
  return {
    show(step) {
      const everyMs = columns === undefined ? logEveryMs : redrawEveryMs;
      const at = now();
      const isEnd = step.total > 0 && step.done >= step.total;
      if (at - lastAt < everyMs && !(isEnd && columns !== undefined)) return;
      lastAt = at;
      if (columns === undefined) {
        stderr(`${describe(step)}\n`);
        return;
      }
      stderr(`\r\u001b[K${drawing(step, columns)}`);
      drawn = true;
    },
    end() {
      if (drawn) stderr('\r\u001b[K');
      drawn = false;
    },
  };
}

function describe({ label, done, total, rate, secondsLeft }: ProgressStep): string {
  const parts = [total > 0 ? `${done}/${total}` : `${done}`];
  if (rate !== undefined) parts.push(rate);
  if (secondsLeft !== null) parts.push(`${formatDuration(secondsLeft)} left`);
  return `${label}  ${parts.join('  ')}`;
}

function drawing(step: ProgressStep, columns: number): string {
  const words = describe(step);
  const room = Math.min(30, columns - words.length - 4);
  if (step.total === 0 || room < 8) return words.slice(0, columns - 1);
  const filled = Math.round((room * Math.min(step.done, step.total)) / step.total);
  const bar = '█'.repeat(filled) + '░'.repeat(room - filled);
  return `${step.label} ${bar} ${words.slice(step.label.length + 2)}`.slice(0, columns - 1);
}
