/** Runs the command line over a small library, in this process, and takes down what it says. */
import assert from 'node:assert/strict';
import { runCli } from '../../../main/shell/cli/run-cli.ts';
import type { SmallLibrary } from '../../contract/small-library.ts';

interface Ran {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}
export interface RunOptions {
  /** Called with what a Ctrl-C would do. */
  readonly interrupt?: (stop: () => void) => void;
  /** Width of the person's window; without one nobody watches. */
  readonly columns?: number;
  readonly onStdout?: (text: string) => void;
  readonly onStderr?: (text: string) => void;
}
export type RunCli = (args: readonly string[], options?: RunOptions) => Promise<Ran>;
/** What a command that must succeed answers with --json. */
export type RunJson = (...args: string[]) => Promise<Record<string, unknown>>;

export function cliOver(place: Pick<SmallLibrary, 'directory' | 'modelsDirectory'>): {
  run: RunCli;
  json: RunJson;
} {
  const run: RunCli = async (args, { interrupt, columns, onStdout, onStderr } = {}) => {
    let stdout = '';
    let stderr = '';
    const status = await runCli(args, {
      env: { AFTERIMAGE_LIBRARY: place.directory },
      modelsDirectory: place.modelsDirectory,
      stdout(text) {
        stdout += text;
        onStdout?.(text);
      },
      stderr(text) {
        stderr += text;
        onStderr?.(text);
      },
      stdoutColumns: columns,
      stderrColumns: columns,
      now: () => Date.now(),
      onInterrupt: (listener) => {
        interrupt?.(listener);
        return () => undefined;
      },
      abandon: () => assert.fail('it was ended by force'),
    });
    return { status, stdout, stderr };
  };
  return {
    run,
    async json(...args) {
      const { status, stdout, stderr } = await run(['--json', '--quiet', ...args]);
      assert.equal(status, 0, stdout + stderr);
      return parseOne(stdout);
    },
  };
}

/** Exactly one JSON object, on one line. */
export function parseOne(stdout: string): Record<string, unknown> {
  assert.match(stdout, /^\{[^\n]*\}\n$/);
  return JSON.parse(stdout) as Record<string, unknown>;
}
