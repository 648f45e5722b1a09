/** One door for every call from a page: parsed by the contract, then to the engine or to this shell's handlers. */
import { z } from 'zod';
import {
  calls,
  type CallInput,
  type CallName,
  type CallOptions,
  type CallOutput,
  type EngineCallName,
  type ParsedInput,
} from '../contract.ts';
import { AppError } from '../errors.ts';
import type { EngineAccess } from './engine-access.ts';
import type { GrantBook } from './grant-book.ts';

type ShellCallName = Exclude<CallName, EngineCallName>;
export type ShellHandlers = {
  readonly [K in ShellCallName]: (input: ParsedInput<K>) => Promise<CallOutput<K>>;
};

interface DispatchOptions {
  readonly signal: AbortSignal;
  readonly onProgress?: ((progress: unknown) => void) | undefined;
}

/** @throws AppError input-invalid for an unknown call or an input that the contract refuses. */
export type Dispatch = (name: string, input: unknown, options: DispatchOptions) => Promise<unknown>;

export function createDispatch(
  access: Pick<EngineAccess, 'call' | 'grant'>,
  handlers: ShellHandlers,
  grants: GrantBook,
): Dispatch {
  async function run(name: CallName, raw: unknown, options: DispatchOptions): Promise<unknown> {
    const input = parseInput(name, raw);
    if (calls[name].at === 'shell') return (handlers as Handlers)[name as ShellCallName](input);
    const engineInput = await withEngineGrant(input);
    options.signal.throwIfAborted();
    return access.call(name, engineInput as CallInput<CallName>, {
      signal: options.signal,
      onProgress: options.onProgress as CallOptions<CallName>['onProgress'],
    });
  }

  /** Tokens of this shell's book become grants of the engine; anything else is for the engine to judge. */
  async function withEngineGrant(input: unknown): Promise<unknown> {
    if (!hasGrant(input)) return input;
    const path = grants.resolve(input.grant);
    return path === undefined ? input : { ...input, grant: await access.grant(path) };
  }

  return async (name, input, options) => {
    if (!isCallName(name)) throw new AppError('input-invalid', 'There is no call of that name.');
    return run(name, input, options);
  };
}

/** The handler table seen from the outside, where a call's name and its parsed input can no longer be paired. */
type Handlers = Readonly<Record<ShellCallName, (input: unknown) => Promise<unknown>>>;

function isCallName(name: string): name is CallName {
  return Object.hasOwn(calls, name);
}

function parseInput(name: CallName, raw: unknown): unknown {
  const parsed = calls[name].input.safeParse(raw);
  if (parsed.success) return parsed.data;
  throw new AppError(
    'input-invalid',
    `${name} was called with input that does not fit: ${explain(parsed.error)}.`,
  );
}

function explain(error: z.ZodError): string {
  return error.issues
    .slice(0, 3)
    .map((issue) => `${issue.path.length === 0 ? 'input' : issue.path.join('.')}: ${issue.message}`)
    .join('; ');
}

function hasGrant(input: unknown): input is { grant: string } {
  return typeof input === 'object' && input !== null && 'grant' in input && typeof input.grant === 'string';
}
