/** `afterimage teach NAME PHOTO…`: names that a person gives to pets, places and things, by a few photos of them. */
import type { Command } from 'commander';
import type { TaughtName } from '../../../contract.ts';
import { AppError } from '../../../errors.ts';
import type { CommandContext } from '../command-context.ts';
import { formatCount, UsageError } from '../output.ts';
import { findLibraryPhotos } from '../photo-argument.ts';
import type { Session } from '../session.ts';
import { table } from '../table.ts';

interface TeachOptions {
  readonly kind?: string;
  readonly list?: boolean;
  readonly forget?: string;
  readonly take?: string;
}

export function addTeachCommand(program: Command, context: CommandContext): void {
  program
    .command('teach')
    .summary('give a name to what some photos show')
    .description(
      'Gives a name to what a few photos show, such as a pet or a place. It can be searched for at once, also among ' +
        'other words: afterimage search "Rex on a beach".',
    )
    .usage('[options] <name> <photo...>')
    .argument('[words...]', 'the name, then paths of photos of the library')
    .option('--kind <words>', 'what it is in common words, e.g. dog')
    .option('--list', 'list the names')
    .option('--forget <name>', 'forget a name; its photos stay')
    .option('--take <name>', 'take the name off the photos that follow')
    .action((words: string[], options: TeachOptions) => {
      const { kind, list, forget, take } = options;
      const [name, ...photos] = words;
      const chosen = [list === true, forget !== undefined, take !== undefined].filter(Boolean).length;
      if (chosen > 1 || (chosen === 1 && kind !== undefined))
        throw new UsageError('Teach, list, forget or take: one at a time.');
      if (take !== undefined) {
        if (words.length === 0) throw new UsageError(`Name the photos that ${take} is to be taken off.`);
        return context.run({ writes: true }, (session) => takeOff(session, take, words));
      }
      if (list === true || forget !== undefined) {
        if (words.length > 0) throw new UsageError('Listing and forgetting take no photos. Leave them out.');
        return forget === undefined
          ? context.run({ writes: false }, listNames)
          : context.run({ writes: true }, (session) => forgetName(session, forget));
      }
      if (name === undefined || (photos.length === 0 && kind === undefined))
        throw new UsageError('Give the name and the photos that show it: afterimage teach Rex a.jpg b.jpg');
      return context.run({ writes: true }, (session) => teach(session, name, photos, kind));
    });
}

async function teach(
  session: Session,
  name: string,
  paths: readonly string[],
  kind: string | undefined,
): Promise<void> {
  const { client, output, signal } = session;
  const photoIds = await findLibraryPhotos(session, paths);
  const answer = await client.call(
    'names.teach',
    { name, photoIds, ...(kind === undefined ? {} : { kind }) },
    { signal },
  );
  output.answer(answer, () => [sentence(answer.name), `Try \`afterimage search ${answer.name.name}\`.`]);
}

async function takeOff(session: Session, name: string, paths: readonly string[]): Promise<void> {
  const { client, output } = session;
  const { id } = await nameNamed(session, name);
  const answer = await client.call('names.take', {
    nameId: id,
    photoIds: await findLibraryPhotos(session, paths),
  });
  output.answer(answer, () => [sentence(answer.name)]);
}

async function forgetName(session: Session, name: string): Promise<void> {
  const { client, output } = session;
  const known = await nameNamed(session, name);
  await client.call('names.remove', { nameId: known.id });
  output.answer({ forgotten: known.name }, () => [
    `Forgot the name ${known.name}. Its photos are where they were.`,
  ]);
}

async function listNames({ client, output, terminal, signal }: Session): Promise<void> {
  const answer = await client.call('names.list', {}, { signal });
  output.answer(answer, () =>
    answer.names.length === 0
      ? ['No names yet. Teach one with `afterimage teach NAME PHOTO…`.']
      : table(
          [{ align: 'right' }, {}, {}, { shrinks: true }],
          answer.names.map((each) => [
            formatCount(each.photos, 'photo', 'photos'),
            each.name,
            each.kind ?? '',
            [checked(each), each.problem === null ? '' : `(${each.problem.message})`]
              .filter((part) => part !== '')
              .join(' '),
          ]),
          terminal.stdoutColumns,
        ),
  );
}

async function nameNamed({ client, signal }: Session, name: string): Promise<TaughtName> {
  const wanted = name.replace(/\s+/g, ' ').trim();
  const { names } = await client.call('names.list', {}, { signal });
  const known = names.find(
    (each) => each.name.localeCompare(wanted, undefined, { sensitivity: 'accent' }) === 0,
  );
  if (known !== undefined) return known;
  throw new AppError('not-found', `There is no name ${wanted}. \`afterimage teach --list\` lists them.`);
}

function sentence(name: TaughtName): string {
  const on = `${name.name} is the name of ${formatCount(name.photos, 'photo', 'photos')}.`;
  const check = checked(name);
  return [on, check === '' ? '' : `${check}.`, name.problem?.message ?? '']
    .filter((part) => part !== '')
    .join(' ');
}

function checked({ check }: TaughtName): string {
  return check === null ? '' : `${check.found} of ${check.of} are found by the others`;
}
