/** `afterimage serve`: the window in a browser, over loopback HTTP. */
import { join } from 'node:path';
import type { Command } from 'commander';
import { createLog } from '../../../engine/log.ts';
import { forkEngine } from '../../../host/fork-engine.ts';
import { startHost } from '../../../host/start-host.ts';
import { appDirectory, appVersion, libraryDirectory } from '../../app-paths.ts';
import type { CommandContext } from '../command-context.ts';
import type { Terminal } from '../output.ts';

export function addServeCommand(program: Command, context: CommandContext, terminal: Terminal): void {
  program
    .command('serve')
    .summary('open the library in a browser')
    .description('Serves the window to a browser on this machine and prints its address. Ctrl-C ends it.')
    .option('--port <port>', 'of 127.0.0.1', context.parseCount(1, 65_535))
    .action(async ({ port }: { port?: number }) => {
      const { library, verbose, json, quiet } = context.globals();
      const log = createLog((line) => terminal.stderr(`${line}\n`), { verbose, now: terminal.now });
      // Loaded here only: no other command needs an HTTP server.
      const { serveWeb } = await import('../../web/server.ts');
      const access = await startHost({
        spawnEngine: () =>
          forkEngine({
            directory: libraryDirectory(library, terminal.env),
            modelsDirectory: join(appDirectory(), 'models'),
            verbose,
          }),
        log,
        now: terminal.now,
      });
      try {
        const shell = await serveWeb({
          access,
          rendererDir: join(appDirectory(), 'renderer', 'dist'),
          version: appVersion(),
          log,
          ...(port === undefined ? {} : { port }),
        });
        terminal.stdout(
          json ? `${JSON.stringify({ url: shell.url, port: shell.port })}\n` : `${shell.url}\n`,
        );
        if (!quiet && !json) terminal.stderr('Open this address in a browser. Ctrl-C ends it.\n');
        await new Promise<void>((resolve) => void terminal.onInterrupt(resolve));
        await shell.close();
      } finally {
        await access.close();
      }
    });
}
