/** What every command is given: sessions, and parsing of the arguments that several share. */
import { InvalidArgumentError } from 'commander';
import type { GlobalOptions, Session, SessionNeeds } from './session.ts';
import { UsageError } from './output.ts';

export interface CommandContext {
  readonly globals: () => GlobalOptions;
  /** Opens the library, does the work, closes it again. */
  run(needs: SessionNeeds, work: (session: Session) => Promise<void>): Promise<void>;
  /** A whole number within bounds, for commander. */
  parseCount(least: number, most: number): (text: string) => number;
  /** Words of the command line as one query; quotes that the shell took away are put back. */
  queryText(words: readonly string[]): string;
}

export function parseCount(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= least && value <= most) return value;
    throw new InvalidArgumentError(`It must be a whole number from ${least} to ${most}.`);
  };
}

/** @throws UsageError for `--something`: a slip of an option, not a query. */
export function queryText(words: readonly string[]): string {
  const slip = words.find((word) => /^--\w/.test(word));
  if (slip !== undefined)
    throw new UsageError(`There is no option ${slip}. See \`afterimage search --help\`.`);
  return words.join(' ');
}
