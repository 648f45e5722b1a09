/** The command line as a function: arguments in, exit status out. 0 done, 1 failed, 2 wrong usage. */
import { Command, CommanderError } from 'commander';
import { AppError } from '../../errors.ts';
import { appVersion } from '../app-paths.ts';
import { parseCount, queryText, type CommandContext } from './command-context.ts';
import { addAlbumCommands } from './commands/albums.ts';
import { addAskCommands } from './commands/ask.ts';
import { addCaptionCommands } from './commands/caption.ts';
import { addClassifyCommand } from './commands/classify.ts';
import { addFeedbackCommand } from './commands/feedback.ts';
import { addIndexCommand } from './commands/index-folders.ts';
import { addLabCommand } from './commands/lab.ts';
import { addLibraryCommands } from './commands/library.ts';
import { addPackCommands } from './commands/packs.ts';
import { addSearchCommands } from './commands/search.ts';
import { addServeCommand } from './commands/serve.ts';
import { addTagCommands } from './commands/tags.ts';
import { addTeachCommand } from './commands/teach.ts';
import { addTuneCommands } from './commands/tune.ts';
import { addWhyCommand } from './commands/why.ts';
import { createOutput, exitStatus, UsageError, type Terminal } from './output.ts';
import { withSession, type GlobalOptions } from './session.ts';

/** @param args without the program's name. */
export async function runCli(args: readonly string[], terminal: Terminal): Promise<0 | 1 | 2> {
  // Known before anything is parsed, so that a wrong usage is answered in the form asked for.
  const json = args.includes('--json');
  const program = new Command('afterimage');
  const globals = (): GlobalOptions => {
    const { library, quiet, verbose } = program.opts<{
      library?: string;
      quiet?: boolean;
      verbose?: boolean;
    }>();
    return { library, json, quiet: quiet === true, verbose: verbose === true };
  };
  const context: CommandContext = {
    globals,
    parseCount,
    queryText,
    run: (needs, work) => {
      const options = globals();
      return withSession(options, { terminal, output: createOutput(terminal, options) }, needs, work);
    },
  };
  program
    .description('Finds your own photos by what is in them. Everything stays on your machine.')
    .version(appVersion(), '--version', 'show the version')
    .option(
      '--library <dir>',
      'folder of the library (default: AFTERIMAGE_LIBRARY, or the system’s app data)',
    )
    .option('--json', 'one JSON object on stdout; logs and progress on stderr')
    .option('--quiet', 'no progress and no remarks')
    .option('--verbose', 'details of what is done, on stderr')
    .helpOption('--help', 'show this help')
    .helpCommand('help [command]', 'show the help of a command')
    .exitOverride()
    .configureOutput({
      writeOut: terminal.stdout,
      // Told below, as JSON when that was asked for.
      writeErr: (text) => {
        if (!json) terminal.stderr(text);
      },
    })
    .showSuggestionAfterError();
  addIndexCommand(program, context);
  addSearchCommands(program, context);
  addClassifyCommand(program, context);
  addCaptionCommands(program, context);
  addAskCommands(program, context);
  addWhyCommand(program, context);
  addTagCommands(program, context);
  addAlbumCommands(program, context);
  addFeedbackCommand(program, context);
  addTeachCommand(program, context);
  addTuneCommands(program, context);
  addLabCommand(program, context);
  addLibraryCommands(program, context);
  addPackCommands(program, context);
  addServeCommand(program, context, terminal);
  try {
    await program.parseAsync(args, { from: 'user' });
    return 0;
  } catch (thrown) {
    if (thrown instanceof CommanderError) {
      if (thrown.exitCode === 0) return 0;
      if (json) createOutput(terminal, globals()).fail(new UsageError(usageMessage(thrown)));
      return 2;
    }
    const error = AppError.from(thrown, 'The command');
    createOutput(terminal, globals()).fail(error);
    return exitStatus(error);
  }
}

function usageMessage({ code, message }: CommanderError): string {
  if (code === 'commander.help') return 'Name a command; `afterimage --help` lists them.';
  return message.replace(/^error: /, '');
}
