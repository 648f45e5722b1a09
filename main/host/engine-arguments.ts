/** What an engine process is told on its command line, and where its entry file is. */
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { AppError } from '../errors.ts';

const engineArguments = z.strictObject({
  /** Folder of the library. */
  directory: z.string().min(1),
  /** Folder with manifest.json and the packs that ship. */
  modelsDirectory: z.string().min(1),
  readOnly: z.boolean().default(false),
  /** Watch the roots and index what changes. */
  watch: z.boolean().default(true),
  /** Debug lines on stderr too. */
  verbose: z.boolean().default(false),
});

export type EngineArguments = z.input<typeof engineArguments>;
export type ParsedEngineArguments = z.output<typeof engineArguments>;

/** For `child_process.fork` or Electron's `utilityProcess.fork`: the entry file and its one argument. */
export function engineCommand(options: EngineArguments): { modulePath: string; args: string[] } {
  // The entry lies beside this file, as .ts from the sources and as .js in dist.
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  return {
    modulePath: fileURLToPath(new URL(`engine-process.${extension}`, import.meta.url)),
    args: [JSON.stringify(options)],
  };
}

/** @throws AppError input-invalid */
export function parseEngineArguments(text: string | undefined): ParsedEngineArguments {
  const parsed = engineArguments.safeParse(text === undefined ? undefined : safeJson(text));
  if (parsed.success) return parsed.data;
  throw new AppError(
    'input-invalid',
    `The engine process was started with unfit arguments: ${z.prettifyError(parsed.error)}`,
  );
}

function safeJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
