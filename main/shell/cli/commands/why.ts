/** `afterimage why PHOTO QUERY`: how a photo matches a query, with a picture of where. */
import { writeFile } from 'node:fs/promises';
import { basename, extname, resolve } from 'node:path';
import type { Command } from 'commander';
import type { Why } from '../../../contract.ts';
import { AppError } from '../../../errors.ts';
import type { CommandContext } from '../command-context.ts';
import { heatPicture } from '../heat-picture.ts';
import { findLibraryPhoto } from '../photo-argument.ts';
import type { Session } from '../session.ts';
import { table } from '../table.ts';

/** Pixels of the longer side: enough to look at, quick to write. */
const pictureEdge = 1_200;
const mostNames = 1_000;

export function addWhyCommand(program: Command, context: CommandContext): void {
  program
    .command('why')
    .summary('show why a photo matches a query')
    .description(
      'Says how a photo of the library scores for a query, which tags and words speak for it, and writes a ' +
        'picture of where in the photo it is.',
    )
    .argument('<photo>', 'path of a photo of the library')
    .argument('<query...>', 'as for search')
    .option('--out <file>', 'the picture to write, .png (default: the photo’s name with .why.png, here)')
    // A query may begin with a dash: -snow is not an option.
    .allowUnknownOption()
    .helpOption('--help', 'show this help')
    .action((path: string, words: string[], { out }: { out?: string }) => {
      const text = context.queryText(words);
      return context.run({ writes: false }, (session) => why(session, path, text, out));
    });
}

async function why(session: Session, path: string, text: string, out: string | undefined): Promise<void> {
  const { client, output, signal } = session;
  const photo = await findLibraryPhoto(session, path);
  if (out !== undefined) await refusePhotos(session, resolve(out));
  const answer = await client.call('search.why', { photoId: photo.photoId, text }, { signal });
  const { heat, ...rest } = answer;
  let picture: string | null = null;
  if (heat === null)
    output.say('There is no heat map: the photo cannot be read now, or the query has no words to see.');
  else {
    const bytes = await heatPicture({
      photo: await client.displayImage(photo.photoId, pictureEdge),
      heat,
      legend: [
        text,
        `score ${answer.score.toFixed(3)}, ${answer.band}, above ${percent(answer.library.percentile)} of the library`,
      ],
    });
    picture = out === undefined ? await writeBeside(photo.path, bytes) : await writeTo(resolve(out), bytes);
  }
  output.answer({ path: photo.path, query: text, ...rest, heat, picture }, () => describe(answer, picture));
}

/** An original is never written over. */
async function refusePhotos({ client }: Session, path: string): Promise<void> {
  if (extname(path).toLowerCase() !== '.png')
    throw new AppError('input-invalid', `The picture is a PNG, so ${path} must end in .png.`);
  if ((await client.photoAt(path)) !== null)
    throw new AppError(
      'input-invalid',
      `${path} is a photo of the library. Choose another file for the picture.`,
    );
}

async function writeTo(path: string, bytes: Uint8Array): Promise<string> {
  try {
    await writeFile(path, bytes);
  } catch (thrown) {
    throw AppError.from(thrown, `Writing ${path}`);
  }
  return path;
}

/** In the current folder, under a name that nothing has yet. */
async function writeBeside(photo: string, bytes: Uint8Array): Promise<string> {
  const name = basename(photo, extname(photo));
  for (let i = 1; i <= mostNames; i++) {
    const path = resolve(i === 1 ? `${name}.why.png` : `${name}.why-${i}.png`);
    try {
      await writeFile(path, bytes, { flag: 'wx' });
      return path;
    } catch (thrown) {
      if ((thrown as NodeJS.ErrnoException).code !== 'EEXIST') throw AppError.from(thrown, `Writing ${path}`);
    }
  }
  throw new AppError('io-failed', `There are too many pictures of ${name} here. Name one with --out.`);
}

function percent(share: number): string {
  return `${Math.floor(100 * share)} %`;
}

function describe({ score, band, library, tags, words, foundBy }: Why, picture: string | null): string[] {
  const nearest = tags.slice(0, 5).map(({ name, probability }) => `${name} ${percent(probability)}`);
  const by = { looks: 'its looks', words: 'its words', both: 'its looks and its words' }[foundBy];
  const from = (name: string, at: number | null): string =>
    at === null ? '' : `, ${name} from ${at.toFixed(3)}`;
  const spread = `mean ${library.mean.toFixed(3)} ± ${library.std.toFixed(3)}${from('likely', library.likelyAt)}${from('strong', library.strongAt)}`;
  const rows = [
    ['Score', `${score.toFixed(3)}, ${band}, found by ${by}`],
    ['Library', `above ${percent(library.percentile)} of ${library.photos} photos (${spread})`],
    ['Tags', nearest.length === 0 ? 'none' : nearest.join(', ')],
    ...words.map(({ word, where, text }) => ['Word', `${word} (${where}: ${text})`]),
    ...(picture === null ? [] : [['Picture', picture]]),
  ];
  return table([{}, {}], rows, undefined);
}
