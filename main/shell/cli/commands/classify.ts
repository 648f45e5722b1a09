/** `afterimage classify PHOTO LABEL…`: which of the labels fits a photo. */
import type { Command } from 'commander';
import type { CommandContext } from '../command-context.ts';
import { findPhoto } from '../photo-argument.ts';
import { table } from '../table.ts';

export function addClassifyCommand(program: Command, context: CommandContext): void {
  program
    .command('classify')
    .summary('say which of some labels fits a photo')
    .description('Zero-shot probabilities of labels for a photo of the library or any picture file.')
    .argument('<photo>', 'path of a picture')
    .argument('<label...>', 'e.g. dog cat "a red car"')
    .action((path: string, labels: string[]) =>
      context.run({ writes: false }, async (session) => {
        const photo = await findPhoto(session, path);
        const { example } = photo;
        const which = 'photoId' in example ? { photoId: example.photoId } : { exampleId: example.exampleId };
        const answer = await session.client.call('search.classify', { ...which, labels }, session);
        const sorted = [...answer.labels].sort((a, b) => b.probability - a.probability);
        session.output.answer({ path: photo.path, labels: sorted }, () =>
          table(
            [{ align: 'right' }, {}],
            sorted.map(({ label, probability }) => [`${(100 * probability).toFixed(1)} %`, label]),
            undefined,
          ),
        );
      }),
    );
}
