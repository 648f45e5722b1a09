/** `afterimage packs list|install|use|verify|remove`: model packs. */
import type { Command } from 'commander';
import type { Pack, PackProgress } from '../../../contract.ts';
import { AppError } from '../../../errors.ts';
import type { CommandContext } from '../command-context.ts';
import { formatBytes } from '../output.ts';
import { createProgressLine } from '../progress-line.ts';
import type { Session } from '../session.ts';
import { table } from '../table.ts';

const stageLabels: Readonly<Record<PackProgress['stage'], string>> = {
  download: 'Downloading',
  verify: 'Checking',
  'self-test': 'Trying out',
  index: 'Looking at the photos',
  swap: 'Switching',
};

export function addPackCommands(program: Command, context: CommandContext): void {
  const packs = program
    .command('packs')
    .summary('list, install and choose models')
    .description('Model packs.');
  packs
    .command('list')
    .summary('list the models there are')
    .action(() =>
      context.run({ writes: false }, async ({ client, output }) => {
        const answer = await client.call('packs.list', {});
        output.answer(answer, () => packTable(answer.packs));
      }),
    );
  packs
    .command('install')
    .summary('download a model')
    .argument('<id>', 'of the list')
    .action((packId: string) =>
      context.run({ writes: true }, async (session) => {
        const answer = await withProgress(session, (options) =>
          session.client.call('packs.install', { packId }, options),
        );
        session.output.answer(answer, () => [
          `Installed ${answer.pack.name} (${answer.pack.licence.name}). Use it with \`afterimage packs use ${packId}\`.`,
        ]);
      }),
    );
  packs
    .command('use')
    .summary('use a model for what it can do')
    .description(
      'Uses a model for what it can do. One for searching first looks at all photos; one that captions or answers is used at once.',
    )
    .argument('<id>', 'of the list')
    .action((packId: string) =>
      context.run({ writes: true }, async (session) => {
        const answer = await withProgress(session, (options) =>
          session.client.call('packs.use', { packId }, options),
        );
        session.output.answer(answer, () => [
          `Now using ${answer.pack.name} to ${answer.pack.tasks.map((task) => taskWords[task]).join(' and to ')}.`,
        ]);
      }),
    );
  packs
    .command('verify')
    .summary("check a model's files and try it out")
    .argument('<id>', 'of the list')
    .action((packId: string) =>
      context.run({ writes: false }, async ({ client, output }) => {
        const { selfTest } = await client.call('packs.verify', { packId });
        if (!selfTest.passed)
          throw new AppError('pack-unfit', `${packId} failed its test: ${selfTest.messages.join(' ')}`);
        output.answer({ selfTest }, () => [
          `${packId} passes on ${selfTest.provider}.`,
          ...selfTest.messages.map((message) => `  ${message}`),
        ]);
      }),
    );
  packs
    .command('remove')
    .summary('delete a downloaded model')
    .argument('<id>', 'of the list')
    .action((packId: string) =>
      context.run({ writes: true }, async ({ client, output }) => {
        await client.call('packs.remove', { packId });
        output.answer({ removed: packId }, () => [`Removed ${packId}.`]);
      }),
    );
}

async function withProgress<T>(
  { terminal, output, signal }: Session,
  work: (options: { signal: AbortSignal; onProgress: (progress: PackProgress) => void }) => Promise<T>,
): Promise<T> {
  const line = createProgressLine(terminal, output.quiet);
  try {
    return await work({
      signal,
      onProgress: ({ stage, done, total, bytesPerSecond }) =>
        line.show({
          label: stageLabels[stage],
          done,
          total,
          rate: bytesPerSecond === null ? undefined : `${formatBytes(bytesPerSecond)}/s`,
          secondsLeft:
            bytesPerSecond === null || bytesPerSecond <= 0 ? null : (total - done) / bytesPerSecond,
        }),
    });
  } finally {
    line.end();
  }
}

const taskWords: Readonly<Record<Pack['tasks'][number], string>> = {
  embed: 'search',
  caption: 'caption',
  answer: 'answer',
};

function packTable(packs: readonly Pack[]): string[] {
  return table(
    [{}, {}, {}, { align: 'right' }, {}, {}, {}],
    packs.map(({ id, tasks, active, installed, recommended, bytes, licence, name, quality }) => [
      id,
      tasks.map((task) => taskWords[task]).join(', '),
      active.length > 0 ? 'in use' : installed ? 'installed' : recommended ? 'recommended' : '',
      formatBytes(bytes),
      licence.name,
      name,
      // The figure that the pack puts first; the JSON has all.
      ...quality.slice(0, 1).map(({ metric, dataset, value }) => `${metric} ${value} (${dataset})`),
    ]),
    undefined,
  );
}
