/** `afterimage tags list|set|remove|restore|of`: the list of zero-shot tags, and those of one photo. */
import type { Command } from 'commander';
import type { PhotoTag, Tag } from '../../../contract.ts';
import { AppError } from '../../../errors.ts';
import type { CommandContext } from '../command-context.ts';
import { formatCount } from '../output.ts';
import { findLibraryPhoto } from '../photo-argument.ts';
import type { Session } from '../session.ts';
import { table } from '../table.ts';

export function addTagCommands(program: Command, context: CommandContext): void {
  const tags = program
    .command('tags')
    .summary('list and change the tags that photos are given')
    .description('Tags that photos are given by what they show. Search for one with tag:NAME.');
  tags
    .command('list', { isDefault: true })
    .summary('list the tags, and how many photos carry each')
    .action(() =>
      context.run({ writes: false }, async ({ client, output, terminal }) => {
        const answer = await client.call('tags.list', {});
        output.answer(answer, () => tagTable(answer.tags, terminal.stdoutColumns));
      }),
    );
  tags
    .command('set')
    .summary('make a tag, or change what it is looked for by')
    .argument('<name>', 'of the tag')
    .option(
      '--prompt <sentence>',
      'a sentence that describes it; may be given several times (without: the name itself)',
      (sentence: string, before: string[]) => [...before, sentence],
      [] as string[],
    )
    .action((name: string, { prompt: prompts }: { prompt: string[] }) =>
      context.run({ writes: true }, async ({ client, output, signal }) => {
        const known = (await client.call('tags.list', {})).tags.find((tag) => isNamed(tag, name));
        const answer = await client.call(
          'tags.set',
          { name, prompts, ...(known === undefined ? {} : { tagId: known.id }) },
          { signal },
        );
        output.answer(answer, () => [
          `${formatCount(answer.tag.photos, 'photo carries', 'photos carry')} the tag ${answer.tag.name}.`,
        ]);
      }),
    );
  tags
    .command('remove')
    .summary('take a tag off the list and off all photos')
    .argument('<name>', 'of the list')
    .action((name: string) =>
      context.run({ writes: true }, async (session) => {
        const { id, name: known } = await tagNamed(session, name);
        await session.client.call('tags.remove', { tagId: id });
        session.output.answer({ removed: known }, () => [`Removed the tag ${known}.`]);
      }),
    );
  tags
    .command('restore')
    .summary('bring back the tags that a new library has')
    .action(() =>
      context.run({ writes: true }, async ({ client, output, terminal, signal }) => {
        const answer = await client.call('tags.restore', {}, { signal });
        output.answer(answer, () => tagTable(answer.tags, terminal.stdoutColumns));
      }),
    );
  tags
    .command('of')
    .summary('say how probable each tag is for a photo')
    .argument('<photo>', 'path of a photo of the library')
    .action((path: string) =>
      context.run({ writes: false }, async (session) => {
        const { photoId, path: absolute } = await findLibraryPhoto(session, path);
        const carried = await session.client.call('photos.get', { photoId });
        const { tags: all } = await session.client.call('tags.ofPhoto', { photoId }, session);
        const onIt = new Set(carried.tags.map(({ tagId }) => tagId));
        session.output.answer(
          {
            path: absolute,
            tags: all.map(({ name, probability, tagId }) => ({
              name,
              probability,
              carried: onIt.has(tagId),
            })),
          },
          () => photoTagTable(all, onIt),
        );
      }),
    );
}

function isNamed(tag: Tag, name: string): boolean {
  return tag.name.localeCompare(name.replace(/\s+/g, ' ').trim(), undefined, { sensitivity: 'accent' }) === 0;
}

async function tagNamed({ client }: Session, name: string): Promise<Tag> {
  const tag = (await client.call('tags.list', {})).tags.find((each) => isNamed(each, name));
  if (tag !== undefined) return tag;
  throw new AppError('not-found', `There is no tag named ${name}. \`afterimage tags\` lists them.`);
}

function tagTable(tags: readonly Tag[], width: number | undefined): string[] {
  if (tags.length === 0) return ['No tags. Make one with `afterimage tags set NAME`.'];
  return table(
    [{ align: 'right' }, {}, { shrinks: true }],
    tags.map(({ photos, name, prompts }) => [
      formatCount(photos, 'photo', 'photos'),
      name,
      prompts.map((prompt) => `“${prompt}”`).join(' '),
    ]),
    width,
  );
}

/** Improbable ones say nothing to a person; the JSON has them all. */
function photoTagTable(tags: readonly PhotoTag[], carried: ReadonlySet<number>): string[] {
  const shown = tags.filter(({ tagId }, i) => carried.has(tagId) || i < 8);
  return table(
    [{ align: 'right' }, {}, {}],
    shown.map(({ tagId, name, probability }) => [
      `${(100 * probability).toFixed(0)} %`,
      name,
      carried.has(tagId) ? 'carried' : '',
    ]),
    undefined,
  );
}
