/** `afterimage index DIR…`: makes folders part of the library and indexes what is new in them. */
import { resolve } from 'node:path';
import type { Command } from 'commander';
import type { IndexReport } from '../../../contract.ts';
import { AppError } from '../../../errors.ts';
import type { CommandContext } from '../command-context.ts';
import { formatCount, formatDuration, UsageError } from '../output.ts';
import { createProgressLine } from '../progress-line.ts';
import type { Session } from '../session.ts';

export function addIndexCommand(program: Command, context: CommandContext): void {
  program
    .command('index')
    .summary('add folders and index what is new in them')
    .description(
      'Adds folders to the library and indexes what is new or changed in them. Originals are only read.',
    )
    .argument('[dir...]', 'folders of photos')
    .option('--all', 'look through every folder of the library')
    .action((dirs: string[], options: { all?: boolean }) => {
      if (dirs.length === 0 && options.all !== true)
        throw new UsageError('Name a folder to index, or use --all for every folder of the library.');
      return context.run({ writes: true }, (session) => indexFolders(session, dirs, options.all === true));
    });
}

async function indexFolders(session: Session, dirs: readonly string[], all: boolean): Promise<void> {
  const { client, output, terminal, signal } = session;
  const rootIds: number[] = [];
  for (const dir of dirs) {
    const { root } = await client.call('roots.add', { grant: await client.grant(resolve(dir)) });
    rootIds.push(root.id);
  }
  const line = createProgressLine(terminal, output.quiet);
  try {
    const report = await client.call('indexing.run', all ? {} : { rootIds: [...new Set(rootIds)] }, {
      signal,
      onProgress: ({ phase, done, total, imagesPerSecond, secondsLeft }) =>
        line.show({
          label: phase === 'scanning' ? 'Looking for photos' : 'Indexing',
          done,
          total,
          rate: imagesPerSecond > 0 ? `${imagesPerSecond.toFixed(1)} photos/s` : undefined,
          secondsLeft,
        }),
    });
    line.end();
    output.answer(report, () => describe(report));
  } catch (thrown) {
    line.end();
    const error = AppError.from(thrown, 'Indexing');
    if (error.code !== 'cancelled') throw error;
    const { indexed, pending } = await client.call('library.status', {});
    throw new AppError(
      'cancelled',
      `Stopped. ${formatCount(indexed, 'photo is', 'photos are')} indexed and ${pending} left; run it again to go on.`,
      { cause: thrown },
    );
  }
}

function describe(report: IndexReport): string[] {
  const { photos, indexed, unchanged, moved, removed, failed, seconds, imagesPerSecond } = report;
  const rate = indexed > 0 ? `, ${imagesPerSecond.toFixed(1)} photos/s` : '';
  return [
    `${formatCount(photos, 'photo', 'photos')}: ${indexed} indexed, ${unchanged} unchanged, ${moved} moved, ${removed} removed, ${failed.length} failed (${formatDuration(seconds)}${rate})`,
    ...failed.map(({ path, message }) => `  ${path}: ${message}`),
  ];
}
