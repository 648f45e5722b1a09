/** `afterimage search QUERY` and `afterimage similar PHOTO`. */
import type { Command } from 'commander';
import type { CallInput, SearchResult } from '../../../contract.ts';
import type { CommandContext } from '../command-context.ts';
import { findPhoto } from '../photo-argument.ts';
import type { Session } from '../session.ts';
import { table } from '../table.ts';

interface PageOptions {
  readonly limit: number;
  readonly offset: number;
}

export function addSearchCommands(program: Command, context: CommandContext): void {
  program
    .command('search')
    .summary('find photos by what is in them')
    .description(
      'Finds photos by what is in them: words, -without, "words of a caption, tag or name", in: after: before: ' +
        'camera: type: tag: album: is:',
    )
    .argument('<query...>', 'e.g. red car -snow after:2021')
    .option('--limit <count>', 'how many hits', context.parseCount(1, 5_000), 20)
    .option('--offset <count>', 'hits to skip', context.parseCount(0, 1_000_000_000), 0)
    // A query may begin with a dash: -snow is not an option.
    .allowUnknownOption()
    .helpOption('--help', 'show this help')
    .action(async (words: string[], page: PageOptions) => {
      const text = context.queryText(words);
      await context.run({ writes: false }, async (session) => {
        const result = await session.client.call('search.query', { text, ...page }, session);
        const problem = result.chips.find((chip) => chip.problem !== null);
        if (problem !== undefined) session.output.say(problem.problem ?? '');
        answer(session, result);
      });
      await remember(context, text);
    });
  program
    .command('similar')
    .summary('find photos like another')
    .description('Finds photos like another: one of the library, or any picture file.')
    .argument('<photo>', 'path of a picture')
    .option('--text <query>', 'words that the photos should match, too')
    .option('--limit <count>', 'how many hits', context.parseCount(1, 5_000), 20)
    .option('--offset <count>', 'hits to skip', context.parseCount(0, 1_000_000_000), 0)
    .action((path: string, { text = '', ...page }: PageOptions & { text?: string }) =>
      context.run({ writes: false }, async (session) => {
        const photo = await findPhoto(session, path);
        const input: CallInput<'search.query'> = { text, examples: [photo.example], ...page };
        const result = await session.client.call('search.query', input, session);
        answer(session, { ...result, query: photo.path });
      }),
    );
}

/** The answer is out by then, and the library is locked for a moment only: searching itself locks nobody out. */
function remember(context: CommandContext, text: string): Promise<void> {
  return context.run({ writes: 'in-passing' }, async ({ client }) => {
    await client.call('queries.remember', { text });
  });
}

function answer({ output, terminal }: Session, result: SearchResult): void {
  const { query, total, timings } = result;
  const hits = result.hits.map(({ id, path, score, band }) => ({ id, path, score, band }));
  output.answer({ query, total, hits, timings }, () => describe(result, terminal.stdoutColumns));
}

function describe(result: SearchResult, width: number | undefined): string[] {
  const { hits, bands, thin, timings, total } = result;
  if (hits.length === 0) return ['Nothing found.'];
  const byDate = result.plan === 'empty' || result.plan === 'filter-only';
  const rows = hits.map(({ score, band, path, copies, offline }) => [
    byDate ? '' : score.toFixed(3),
    byDate ? '' : band,
    path,
    [copies > 0 ? `+${copies} the same` : '', offline ? 'offline' : '']
      .filter((each) => each !== '')
      .join(', '),
  ]);
  const ms = (timings.encodeMs + timings.searchMs).toFixed(0);
  const summary = byDate
    ? `${total} by date, ${ms} ms`
    : `${bands.strong} strong, ${bands.likely} likely, ${bands.weak} weaker, ${ms} ms`;
  return [
    ...(thin ? ['Nothing here looks like that; the nearest are:'] : []),
    ...table([{ align: 'right' }, {}, { shrinks: true }, {}], rows, width),
    summary,
  ];
}
