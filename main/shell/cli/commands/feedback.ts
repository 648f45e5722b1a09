/** `afterimage feedback PHOTO QUERY up|down|none`: thumbs, which `afterimage tune` learns from. */
import type { Command } from 'commander';
import type { FeedbackEntry, Vote } from '../../../contract.ts';
import type { CommandContext } from '../command-context.ts';
import { formatCount, UsageError } from '../output.ts';
import { findLibraryPhoto } from '../photo-argument.ts';
import type { Session } from '../session.ts';
import { table } from '../table.ts';

export function addFeedbackCommand(program: Command, context: CommandContext): void {
  program
    .command('feedback')
    .summary('say whether a photo is right for a query')
    .description(
      'Keeps a thumb for a photo and a query; the last one counts. `afterimage tune` learns from them.',
    )
    .usage('[options] <photo> <query...> up|down|none')
    .argument('[words...]', 'path of a photo of the library, the query, and up, down or none')
    .option('--list', 'list the thumbs, the newest first')
    .option('--clear', 'forget all thumbs')
    // A query may begin with a dash: -snow is not an option.
    .allowUnknownOption()
    .helpOption('--help', 'show this help')
    .action((words: string[], { list, clear }: { list?: boolean; clear?: boolean }) => {
      if (list === true || clear === true) {
        if (words.length > 0 || list === clear)
          throw new UsageError('Listing or clearing thumbs takes nothing else.');
        return list === true
          ? context.run({ writes: false }, listThumbs)
          : context.run({ writes: true }, clearThumbs);
      }
      const [path, ...rest] = words;
      const vote = voteOf(rest.at(-1));
      const text = context.queryText(rest.slice(0, -1));
      if (path === undefined || vote === undefined || text.trim() === '')
        throw new UsageError(
          'Give a photo, the query, and up, down or none: afterimage feedback photo.jpg red car up',
        );
      return context.run({ writes: true }, (session) => judge(session, path, text, vote));
    });
}

function voteOf(word: string | undefined): Vote | null | undefined {
  if (word === 'none') return null;
  return word === 'up' || word === 'down' ? word : undefined;
}

async function judge(session: Session, path: string, text: string, vote: Vote | null): Promise<void> {
  const photo = await findLibraryPhoto(session, path);
  const counts = await session.client.call('feedback.set', { photoId: photo.photoId, text, vote });
  session.output.answer({ path: photo.path, text, vote, ...counts }, () => [
    vote === null ? 'Taken back.' : `Kept. ${sumOf(counts)}`,
  ]);
}

async function listThumbs({ client, output, terminal, signal }: Session): Promise<void> {
  const entries: FeedbackEntry[] = [];
  for (;;) {
    signal.throwIfAborted();
    const page = await client.call('feedback.list', { offset: entries.length, limit: 1_000 });
    entries.push(...page.entries);
    if (page.entries.length > 0) continue;
    const { up, down } = page;
    const thumbs = entries.map(({ photo, text, vote, at }) => ({ path: photo.path, text, vote, at }));
    output.answer({ up, down, thumbs }, () =>
      thumbs.length === 0
        ? ['No thumbs yet. Give one with `afterimage feedback PHOTO QUERY up`.']
        : [
            ...table(
              [{}, {}, { shrinks: true }],
              thumbs.map(({ vote, text, path }) => [vote, `“${text}”`, path]),
              terminal.stdoutColumns,
            ),
            sumOf({ up, down }),
          ],
    );
    return;
  }
}

async function clearThumbs({ client, output }: Session): Promise<void> {
  const { up, down } = await client.call('feedback.list', { limit: 1 });
  await client.call('feedback.clear', {});
  output.answer({ cleared: up + down }, () => [`Forgot ${formatCount(up + down, 'thumb', 'thumbs')}.`]);
}

function sumOf({ up, down }: { up: number; down: number }): string {
  return `${formatCount(up, 'thumb', 'thumbs')} up, ${down} down.`;
}
