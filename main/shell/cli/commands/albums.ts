/** `afterimage albums list|create|show|remove|add|take`: plain and smart albums. */
import { Option, type Command } from 'commander';
import type { Album } from '../../../contract.ts';
import { AppError } from '../../../errors.ts';
import type { CommandContext } from '../command-context.ts';
import { formatCount, UsageError } from '../output.ts';
import { findLibraryPhotos } from '../photo-argument.ts';
import type { Session } from '../session.ts';
import { table } from '../table.ts';

interface CreateOptions {
  readonly photos?: readonly string[];
  readonly like?: readonly string[];
  readonly band: 'strong' | 'likely';
}

export function addAlbumCommands(program: Command, context: CommandContext): void {
  const albums = program
    .command('albums')
    .summary('list and make albums')
    .description('Albums: plain ones of photos that were put in, smart ones of what a query finds.');
  albums
    .command('list', { isDefault: true })
    .summary('list the albums')
    .action(() =>
      context.run({ writes: 'where-it-may' }, async ({ client, output, terminal, signal }) => {
        const answer = await client.call('albums.list', {}, { signal });
        output.answer(answer, () => albumTable(answer.albums, terminal.stdoutColumns));
      }),
    );
  albums
    .command('create')
    .summary('make an album of photos, or a smart one of what a query finds')
    .argument('<name>', 'of the new album')
    .argument('[query...]', 'as for search; the album follows the library')
    .option('--photos <photo...>', 'photos of the library to put in')
    .option('--like <photo...>', 'photos of the library that those of a smart album resemble')
    .addOption(
      new Option('--band <band>', 'the weakest that belongs').choices(['strong', 'likely']).default('likely'),
    )
    // A query may begin with a dash: -snow is not an option.
    .allowUnknownOption()
    .helpOption('--help', 'show this help')
    .action((name: string, words: string[], options: CreateOptions) => {
      const text = context.queryText(words);
      const { photos = [], like = [] } = options;
      if (photos.length > 0 && (text !== '' || like.length > 0))
        throw new UsageError('An album has either photos or a query. Leave out --photos, or the query.');
      return context.run({ writes: true }, (session) => create(session, name, text, options));
    });
  albums
    .command('show')
    .summary("list an album's photos, newest first")
    .argument('<name>', 'of the list')
    .option('--limit <count>', 'how many photos', context.parseCount(1, 1_000_000), 1_000)
    .action((name: string, { limit }: { limit: number }) =>
      context.run({ writes: 'where-it-may' }, (session) => show(session, name, limit)),
    );
  albums
    .command('remove')
    .summary('remove an album; its photos stay')
    .argument('<name>', 'of the list')
    .action((name: string) =>
      context.run({ writes: true }, async (session) => {
        const album = await albumNamed(session, name);
        await session.client.call('albums.remove', { albumId: album.id });
        session.output.answer({ removed: album.name }, () => [
          `Removed the album ${album.name}. Its photos are where they were.`,
        ]);
      }),
    );
  for (const [verb, summary] of [
    ['add', 'put photos into an album'],
    ['take', 'take photos out of an album'],
  ] as const)
    albums
      .command(verb)
      .summary(summary)
      .argument('<name>', 'of the list')
      .argument('<photo...>', 'paths of photos of the library')
      .action((name: string, paths: string[]) =>
        context.run({ writes: true }, async (session) => {
          const { id } = await albumNamed(session, name);
          const photoIds = await findLibraryPhotos(session, paths);
          const input = { albumId: id, photoIds };
          const { album } =
            verb === 'add'
              ? await session.client.call('albums.add', input)
              : await session.client.call('albums.take', input);
          session.output.answer({ album }, () => [sentence(album)]);
        }),
      );
}

async function create(session: Session, name: string, text: string, options: CreateOptions): Promise<void> {
  const { client, output, signal } = session;
  const like = await findLibraryPhotos(session, options.like ?? []);
  const input =
    text !== '' || like.length > 0
      ? { name, query: { text, band: options.band, examples: like.map((photoId) => ({ photoId })) } }
      : { name, photoIds: await findLibraryPhotos(session, options.photos ?? []) };
  const { album } = await client.call('albums.create', input, { signal });
  output.answer({ album }, () => [sentence(album)]);
}

async function show(session: Session, name: string, limit: number): Promise<void> {
  const { client, output, terminal, signal } = session;
  const found = await albumNamed(session, name);
  const { ids } = await client.call('albums.photos', { albumId: found.id }, { signal });
  const album = await albumNamed(session, name);
  const photos: { id: number; path: string }[] = [];
  for (const photoId of ids.slice(0, limit)) {
    signal.throwIfAborted();
    const { id, path } = await client.call('photos.get', { photoId });
    photos.push({ id, path });
  }
  output.answer({ album, photos }, () => [
    sentence(album),
    ...table(
      [{ shrinks: true }],
      photos.map(({ path }) => [path]),
      terminal.stdoutColumns,
    ),
    ...(ids.length > photos.length ? [`and ${ids.length - photos.length} more (--limit)`] : []),
  ]);
}

async function albumNamed({ client, signal }: Session, name: string): Promise<Album> {
  const wanted = name.replace(/\s+/g, ' ').trim();
  const { albums } = await client.call('albums.list', {}, { signal });
  const album = albums.find(
    (each) => each.name.localeCompare(wanted, undefined, { sensitivity: 'accent' }) === 0,
  );
  if (album !== undefined) return album;
  throw new AppError('not-found', `There is no album named ${wanted}. \`afterimage albums\` lists them.`);
}

function sentence({ name, kind, photos, problem }: Album): string {
  const count = formatCount(photos, 'photo', 'photos');
  const state = problem === null ? '' : ` It could not be brought up to date: ${problem.message}`;
  return `${name}${kind === 'smart' ? ' (smart)' : ''}: ${count}.${state}`;
}

function albumTable(albums: readonly Album[], width: number | undefined): string[] {
  if (albums.length === 0) return ['No albums yet. Make one with `afterimage albums create NAME QUERY`.'];
  return table(
    [{ align: 'right' }, {}, { shrinks: true }],
    albums.map(({ photos, name, query, problem }) => [
      formatCount(photos, 'photo', 'photos'),
      name,
      [query === null ? '' : query.text, problem === null ? '' : `(${problem.message})`]
        .filter((each) => each !== '')
        .join(' '),
    ]),
    width,
  );
}
