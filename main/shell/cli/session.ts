/** One run of a command: opens the library in this process, passes on Ctrl-C, and closes what it opened. */
import { createLog, silentLog, type Log } from '../../engine/log.ts';
import { AppError } from '../../errors.ts';
import type { HostClient } from '../../host/connect-host.ts';
import { openLibrary } from '../../host/open-in-process.ts';
import { libraryDirectory } from '../app-paths.ts';
import type { Output, Terminal } from './output.ts';

export interface GlobalOptions {
  readonly library?: string | undefined;
  readonly json: boolean;
  readonly quiet: boolean;
  readonly verbose: boolean;
}

export interface Session {
  readonly terminal: Terminal;
  readonly output: Output;
  readonly client: HostClient;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
}

export interface SessionNeeds {
  /**
   * A command that only looks opens beside an app that has the library open; one that writes where it may answers
   * there, too, and keeps nothing. What is done in passing is left out there without a word.
   */
  readonly writes: boolean | 'where-it-may' | 'in-passing';
  /** Said at the first Ctrl-C: what is waited for. */
  readonly stopping?: string;
}

/** @throws AppError what opening or the work threw; cancelled after Ctrl-C. */
export async function withSession(
  options: GlobalOptions,
  parts: { readonly terminal: Terminal; readonly output: Output },
  needs: SessionNeeds,
  work: (session: Session) => Promise<void>,
): Promise<void> {
  const { terminal, output } = parts;
  const controller = new AbortController();
  let interrupts = 0;
  const stopListening = terminal.onInterrupt(() => {
    interrupts++;
    if (interrupts > 1) {
      terminal.abandon();
      return;
    }
    output.say(needs.stopping ?? 'Stopping after the photos in hand; once more to stop at once.');
    controller.abort();
  });
  try {
    const open = (writes: boolean): Promise<HostClient> =>
      openLibrary({
        directory: libraryDirectory(options.library, terminal.env),
        modelsDirectory: terminal.modelsDirectory,
        writes,
        log: logOf(terminal, options),
        now: terminal.now,
      });
    const client =
      typeof needs.writes === 'boolean'
        ? await open(needs.writes)
        : await open(true).catch((thrown: unknown) => {
            if (AppError.from(thrown).code !== 'library-locked') throw thrown;
            if (needs.writes === 'in-passing') return undefined;
            output.say('The library is open elsewhere: the answer is shown here and not kept.');
            return open(false);
          });
    if (client === undefined) return;
    const stopNotices = client.on('notice', ({ level, message }) => {
      if (level !== 'info' && needs.writes !== 'in-passing') output.say(message);
    });
    try {
      controller.signal.throwIfAborted();
      await work({ terminal, output, client, signal: controller.signal });
    } finally {
      stopNotices();
      await client.close();
    }
  } catch (thrown) {
    throw AppError.from(thrown, 'The command');
  } finally {
    stopListening();
  }
}

function logOf(terminal: Terminal, { quiet, verbose }: GlobalOptions): Log {
  if (quiet && !verbose) return silentLog;
  const log = createLog((line) => terminal.stderr(`${line}\n`), { verbose, now: terminal.now });
  // What goes as it should is told by the command itself.
  return verbose ? log : { ...log, info: () => undefined };
}
