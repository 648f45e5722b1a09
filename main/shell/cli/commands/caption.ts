/** `afterimage caption PHOTO|--all` and `afterimage captions export`. */
import { mkdir } from 'node:fs/promises';
import { resolve } from 'node:path';
import { Option, type Command } from 'commander';
import type { CallOutput } from '../../../contract.ts';
import { AppError } from '../../../errors.ts';
import type { CommandContext } from '../command-context.ts';
import { formatCount, formatDuration, UsageError } from '../output.ts';
import { findLibraryPhoto } from '../photo-argument.ts';
import { createProgressLine } from '../progress-line.ts';
import type { Session } from '../session.ts';
import { createStreamedText } from '../streamed-text.ts';

interface CaptionOptions {
  readonly all?: boolean;
  readonly prompt?: string;
  readonly again?: boolean;
}
interface ExportOptions {
  readonly format: 'xmp' | 'csv';
  readonly out?: string;
}

export function addCaptionCommands(program: Command, context: CommandContext): void {
  program
    .command('caption')
    .summary('say what a photo shows')
    .description(
      'Says what a photo of the library shows. The caption is kept and can be searched; one by hand stays.',
    )
    .argument('[photo]', 'path of a photo of the library')
    .option('--all', 'caption every photo that has no caption yet')
    .option('--prompt <words>', 'words that the caption goes on from; such a caption is shown, not kept')
    .option('--again', 'ask the model again, even where there is a caption')
    .action((path: string | undefined, options: CaptionOptions) => {
      if ((path === undefined) === (options.all !== true))
        throw new UsageError('Name one photo, or use --all for every photo without a caption.');
      if (path === undefined) {
        if (options.prompt !== undefined)
          throw new UsageError(
            'A prompt is for one photo: captions from a prompt are not kept. Leave out --all or --prompt.',
          );
        return context.run({ writes: true }, (session) => captionAll(session, options.again === true));
      }
      return context.run({ writes: 'where-it-may' }, (session) => captionOne(session, path, options));
    });
  program
    .command('captions')
    .summary('write captions and tags out')
    .description('Captions of the library as files for other programs.')
    .command('export')
    .summary('write captions and tags beside the photos or into a table')
    .description(
      'Writes captions and tags as XMP sidecars (photo.jpg.xmp) beside the photos or into a folder, or as one ' +
        'captions.csv. Photos and sidecars of other programs are never touched.',
    )
    .addOption(new Option('--format <format>', 'xmp or csv').choices(['xmp', 'csv']).makeOptionMandatory())
    .option('--out <dir>', 'folder to write into (csv: the current one, xmp: beside each photo)')
    .action((options: ExportOptions) =>
      context.run({ writes: false }, (session) => exportCaptions(session, options)),
    );
}

async function captionOne(session: Session, path: string, options: CaptionOptions): Promise<void> {
  const { client, output, terminal, signal } = session;
  const photo = await findLibraryPhoto(session, path);
  const streamed = createStreamedText(terminal, output);
  const { prompt, again = false } = options;
  const made = await client.call(
    'captions.make',
    { photoId: photo.photoId, again, ...(prompt === undefined ? {} : { prompt }) },
    { signal, onProgress: ({ text }) => streamed.show(text) },
  );
  const { caption, pack, cached, seconds } = made;
  const { sure, confidence, by } = caption;
  const text = sure ? caption.text : 'not sure';
  const isShown = streamed.end(text);
  output.answer(
    { path: photo.path, caption: text, pack: pack?.id ?? null, seconds, sure, confidence, by, cached },
    () => (isShown ? [] : [sure ? text : 'Not sure what this shows.']),
  );
}

async function captionAll(session: Session, again: boolean): Promise<void> {
  const { client, output, terminal, signal } = session;
  const line = createProgressLine(terminal, output.quiet);
  try {
    const report = await client.call(
      'captions.run',
      { again },
      {
        signal,
        onProgress: ({ phase, done, total, photosPerMinute, secondsLeft }) =>
          line.show({
            label: phase === 'waiting' ? 'Waiting' : 'Captioning',
            done,
            total,
            rate: photosPerMinute > 0 ? `${photosPerMinute.toFixed(0)} photos/min` : undefined,
            secondsLeft,
          }),
      },
    );
    line.end();
    output.answer(report, () => describe(report));
  } catch (thrown) {
    line.end();
    const error = AppError.from(thrown, 'Captioning');
    if (error.code !== 'cancelled') throw error;
    const { captions } = await client.call('library.status', {});
    throw new AppError(
      'cancelled',
      `Stopped. ${captions.captioned} of ${formatCount(captions.total, 'photo', 'photos')} are done; run it again to go on.`,
      { cause: thrown },
    );
  }
}

function describe(report: CallOutput<'captions.run'>): string[] {
  const { captioned, unsure, skipped, failed, seconds } = report;
  return [
    `${formatCount(captioned, 'photo', 'photos')} captioned, ${unsure} not sure, ${skipped} had a caption, ${failed.length} failed (${formatDuration(seconds)})`,
    ...failed.map(({ path, message }) => `  ${path}: ${message}`),
  ];
}

async function exportCaptions(session: Session, { format, out }: ExportOptions): Promise<void> {
  const { client, output, terminal, signal } = session;
  const folder = out === undefined ? (format === 'csv' ? resolve('.') : undefined) : resolve(out);
  if (out !== undefined && folder !== undefined) await makeFolder(folder);
  const line = createProgressLine(terminal, output.quiet);
  try {
    const grant = folder === undefined ? null : await client.grant(folder);
    const answer = await client.call(
      'captions.export',
      { format, grant },
      {
        signal,
        onProgress: ({ done, total }) =>
          line.show({ label: 'Writing', done, total, rate: undefined, secondsLeft: null }),
      },
    );
    line.end();
    const { written, skipped, path } = answer;
    output.answer(answer, () => [
      format === 'csv'
        ? `${formatCount(written, 'photo', 'photos')} written to ${path ?? ''}`
        : `${formatCount(written, 'sidecar', 'sidecars')} written ${path === null ? 'beside the photos' : `into ${path}`}`,
      ...skipped.map(({ path: left, reason }) => `  ${left}: ${reason}`),
    ]);
  } finally {
    line.end();
  }
}

async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
  } catch (thrown) {
    throw AppError.from(thrown, `Making the folder ${folder}`);
  }
}
