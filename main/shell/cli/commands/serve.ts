/** `afterimage serve`: the window in a browser, over loopback HTTP. */
import type { Command } from 'commander';
import { createLog } from '../../../engine/log.ts';
import { libraryDirectory } from '../../app-paths.ts';
import type { CommandContext } from '../command-context.ts';
import { createOutput, type Terminal } from '../output.ts';

export function addServeCommand(program: Command, context: CommandContext, terminal: Terminal): void {
  program
    .command('serve')
    .summary('open the library in a browser')
    .description('Serves the window to a browser on this machine and prints its address. Ctrl-C ends it.')
    .option('--port <port>', 'of 127.0.0.1', context.parseCount(1, 65_535))
    .action(async ({ port }: { port?: number }) => {
      const options = context.globals();
      const output = createOutput(terminal, options);
      // Loaded here only: no other command needs an HTTP server.
      const { runWeb } = await import('../../run-web.ts');
      const web = await runWeb({
        library: libraryDirectory(options.library, terminal.env),
        port,
        verbose: options.verbose,
        log: createLog((line) => terminal.stderr(`${line}\n`), {
          verbose: options.verbose,
          now: terminal.now,
        }),
        now: terminal.now,
      });
      let interrupts = 0;
      await new Promise<void>((resolve) => {
        terminal.onInterrupt(() => {
          interrupts++;
          if (interrupts > 1) terminal.abandon();
          resolve();
        });
        // Only now, so that whoever waits for this line may stop it right away.
        output.answer({ url: web.url }, () => [web.url]);
        if (!output.json) output.say('Open this address in a browser. Ctrl-C ends it.');
      });
      await web.close();
    });
}
