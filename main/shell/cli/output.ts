/** Where a command's answer goes: one JSON object on stdout, or words and tables for a person. */
import { AppError } from '../../errors.ts';

/** What the command line is connected to; passed in, so that tests run it without a process. */
export interface Terminal {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Folder with manifest.json and the packs that ship. */
  readonly modelsDirectory: string;
  /** Writes text without adding a newline. */
  readonly stdout: (text: string) => void;
  readonly stderr: (text: string) => void;
  /** Whether a person watches, and how wide their window is. */
  readonly stdoutColumns: number | undefined;
  readonly stderrColumns: number | undefined;
  readonly now: () => number;
  /** Called for each Ctrl-C. @returns a function that stops listening. */
  readonly onInterrupt: (listener: () => void) => () => void;
  /** Ends the process at once. */
  readonly abandon: () => void;
}

export interface Output {
  readonly json: boolean;
  readonly quiet: boolean;
  /** The answer: `value` as the one JSON object, or `lines` for a person. */
  answer(value: object, lines: () => readonly string[]): void;
  /** Something said beside the answer, on stderr; not with --quiet. */
  say(line: string): void;
  fail(error: AppError): void;
}

export function createOutput(terminal: Terminal, options: { json: boolean; quiet: boolean }): Output {
  const { json, quiet } = options;
  return {
    json,
    quiet,
    answer(value, lines) {
      if (json) terminal.stdout(`${JSON.stringify(value)}\n`);
      else
        terminal.stdout(
          lines()
            .map((line) => `${line}\n`)
            .join(''),
        );
    },
    say(line) {
      if (!quiet) terminal.stderr(`${line}\n`);
    },
    fail(error) {
      const { code, message } = error;
      if (json) terminal.stdout(`${JSON.stringify({ error: { code, message } })}\n`);
      else terminal.stderr(`${message}\n`);
    },
  };
}

/** Wrong usage exits 2: what was typed, not what was found. */
export class UsageError extends AppError {
  constructor(message: string) {
    super('input-invalid', message);
  }
}

export function exitStatus(error: AppError): 1 | 2 {
  return error instanceof UsageError ? 2 : 1;
}

export function formatBytes(bytes: number): string {
  const units = ['B', 'KB', 'MB', 'GB', 'TB'];
  const power = Math.min(units.length - 1, bytes < 1 ? 0 : Math.floor(Math.log10(bytes) / 3));
  const value = bytes / 1_000 ** power;
  return `${value < 10 && power > 0 ? value.toFixed(1) : value.toFixed(0)} ${units[power] ?? ''}`;
}

export function formatDuration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  if (whole < 3_600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3_600)} h ${Math.floor((whole % 3_600) / 60)} min`;
}

export function formatCount(count: number, one: string, many: string): string {
  return `${count.toLocaleString('en')} ${count === 1 ? one : many}`;
}
