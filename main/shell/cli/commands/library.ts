/** `afterimage status`, `afterimage roots` and `afterimage forget DIR`. */
import { realpath } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import type { LibraryStatus, Root } from '../../../contract.ts';
import { AppError } from '../../../errors.ts';
import type { CommandContext } from '../command-context.ts';
import { formatBytes, formatCount } from '../output.ts';
import type { Session } from '../session.ts';
import { table } from '../table.ts';

export function addLibraryCommands(program: Command, context: CommandContext): void {
  program
    .command('status')
    .summary('say what is in the library')
    .description('What is in the library, which model it uses, and how much disk it takes.')
    .action(() =>
      context.run({ writes: false }, async ({ client, output }) => {
        const status = await client.call('library.status', {});
        output.answer(status, () => describe(status));
      }),
    );
  program
    .command('roots')
    .summary('list the folders of the library')
    .action(() =>
      context.run({ writes: false }, async ({ client, output, terminal }) => {
        const { roots } = await client.call('roots.list', {});
        output.answer({ roots }, () => rootTable(roots, terminal.stdoutColumns));
      }),
    );
  program
    .command('forget')
    .summary('take a folder out of the library')
    .description('Takes a folder and its photos out of the library. The files stay where they are.')
    .argument('<dir>', 'a folder that was added')
    .action((dir: string) => context.run({ writes: true }, (session) => forget(session, resolve(dir))));
}

async function forget({ client, output }: Session, dir: string): Promise<void> {
  const { roots } = await client.call('roots.list', {});
  // A drive that is not mounted has no real path; its folder is forgotten by the path it was added with.
  const real = await realpath(dir).catch(() => dir);
  const root = roots.find(({ path }) => path === dir || path === real);
  if (root === undefined)
    throw new AppError(
      'not-found',
      `${dir} is no folder of the library. See \`afterimage roots\` for those that are.`,
    );
  const { removedPhotos } = await client.call('roots.remove', { rootId: root.id });
  output.answer({ path: root.path, removedPhotos }, () => [
    `Forgot ${root.path} (${formatCount(removedPhotos, 'photo', 'photos')}). Its files are untouched.`,
  ]);
}

function rootTable(roots: readonly Root[], width: number | undefined): string[] {
  if (roots.length === 0) return ['No folders yet. Add one with `afterimage index DIR`.'];
  return table(
    [{ align: 'right' }, {}, { shrinks: true }],
    roots.map(({ photos, state, path, failed }) => [
      formatCount(photos, 'photo', 'photos'),
      [state, failed > 0 ? `${failed} failed` : ''].filter((each) => each !== '').join(', '),
      path,
    ]),
    width,
  );
}

function describe(status: LibraryStatus): string[] {
  const { photos, indexed, failed, pending, activePack, provider, bytes, index } = status;
  const rows = [
    ['Library', status.path],
    ['Photos', `${photos}: ${indexed} indexed, ${pending} pending, ${failed} failed`],
    ['Folders', status.roots.map(({ path }) => path).join(', ') || 'none yet'],
    [
      'Model',
      activePack === null ? 'none' : `${activePack.name}${provider === null ? '' : ` on ${provider}`}`,
    ],
    ...(status.activeRun === null ? [] : [['Learnt', `run ${status.activeRun} is in use`]]),
    ['Captions', `${status.captions.captioned} of ${status.captions.total} photos`],
    ['Index', `${index.kind}, ${index.size} vectors${index.building ? ', being built' : ''}`],
    [
      'Disk',
      `${formatBytes(bytes.library)} library, ${formatBytes(bytes.thumbnails)} thumbnails, ${formatBytes(bytes.packs)} models`,
    ],
  ];
  return table([{}, {}], rows, undefined);
}
