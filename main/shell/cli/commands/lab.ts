/** `afterimage lab`: the cross-attention study again, on one's own captioned photos. */
import { resolve } from 'node:path';
import { Option, type Command } from 'commander';
import type { LabProgress, LabReport, LabRow } from '../../../contract.ts';
import type { CommandContext } from '../command-context.ts';
import { UsageError } from '../output.ts';
import { findLibraryPhoto } from '../photo-argument.ts';
import { createProgressLine, type ProgressStep } from '../progress-line.ts';
import { percent } from '../run-report.ts';
import type { Session } from '../session.ts';
import { table } from '../table.ts';

interface LabOptions {
  readonly heads?: boolean;
  readonly pairs?: string;
  readonly photo?: string;
  readonly epochs?: number;
  readonly seed?: number;
  readonly limit?: number;
  readonly scoring?: LabReport['scoring'];
  readonly tokens?: 'all' | 'mean';
}

export function addLabCommand(program: Command, context: CommandContext): void {
  program
    .command('lab')
    .summary('compare ways to align photos and words')
    .description(
      'Trains heads of the alignment lab over image and text tokens of captioned photos, all with the same seed and ' +
        'budget, and shows how well each tells the caption of a photo kept aside from four others. It changes nothing.',
    )
    .argument('[head...]', 'which; all of them without any')
    .option('--heads', 'list the heads instead')
    .option('--pairs <path>', 'a folder with captions.txt or a CSV, or such a file (default: own captions)')
    .option('--photo <photo>', 'the photo of the library to ask about')
    .option('--epochs <count>', 'how often each pair is looked at (5)', context.parseCount(1, 200))
    .option('--seed <seed>', 'of everything drawn (1)', context.parseCount(0, 4_294_967_295))
    .option('--limit <count>', 'at most this many photos (600)', context.parseCount(20, 100_000))
    .addOption(
      new Option(
        '--scoring <scoring>',
        'every photo with every caption, or as the study did (pairs)',
      ).choices(['pairs', 'study']),
    )
    .addOption(
      new Option('--tokens <tokens>', 'all of them, or their mean as in the study (all)').choices([
        'all',
        'mean',
      ]),
    )
    .action((heads: string[], options: LabOptions) => {
      if (options.heads === true) {
        if (heads.length > 0) throw new UsageError('Listing the heads takes no names.');
        return context.run({ writes: false }, listHeads);
      }
      return context.run({ writes: false, stopping: 'Stopping; once more to stop at once.' }, (session) =>
        study(session, heads, options),
      );
    });
}

async function listHeads({ client, output, terminal }: Session): Promise<void> {
  const answer = await client.call('lab.heads', {});
  output.answer(answer, () =>
    table(
      [{}, { align: 'right' }, {}],
      answer.heads.map(({ name, parameters, description }) => [
        name,
        parameters.toLocaleString('en'),
        description,
      ]),
      terminal.stdoutColumns,
    ),
  );
}

async function study(session: Session, heads: string[], options: LabOptions): Promise<void> {
  const { client, output, terminal, signal } = session;
  const { pairs, photo, epochs, seed, limit, scoring, tokens } = options;
  const grant = pairs === undefined ? null : await client.grant(resolve(pairs));
  const asked = photo === undefined ? {} : { photoId: (await findLibraryPhoto(session, photo)).photoId };
  const line = createProgressLine(terminal, output.quiet);
  try {
    const report = await client.call(
      'lab.run',
      {
        grant,
        ...asked,
        ...(heads.length === 0 ? {} : { heads }),
        ...(epochs === undefined ? {} : { epochs }),
        ...(seed === undefined ? {} : { seed }),
        ...(limit === undefined ? {} : { limit }),
        ...(scoring === undefined ? {} : { scoring }),
        ...(tokens === undefined ? {} : { tokens }),
      },
      {
        signal,
        onProgress: (progress) => line.show(stepOf(progress)),
      },
    );
    line.end();
    output.answer(report, () => describe(report));
  } finally {
    line.end();
  }
}

function stepOf({ head, done, total, epoch, epochs }: LabProgress): ProgressStep {
  if (head === '') return { label: 'Reading photos', done, total, rate: undefined, secondsLeft: null };
  const rate = `head ${Math.min(done + 1, total)} of ${total}`;
  return { label: head, done: done * epochs + epoch, total: total * epochs, rate, secondsLeft: null };
}

function describe(report: LabReport): string[] {
  const { pairs, tokens, photo, captions, rightCaption, rows, epochs, seed, scoring, batch } = report;
  return [
    `${pairs.train} pairs to learn from, ${pairs.heldOut} kept aside; ${tokens.image} image tokens and up to ${tokens.text} text tokens of ${tokens.dims}; ${epochs} epochs, ${batch} photos a step, seed ${seed}, ${scoring === 'pairs' ? 'every photo scored with every caption' : 'scored as in the study'}.`,
    `Asked about ${photo.path}:`,
    ...captions.map((caption, i) => `  ${i + 1}${i === rightCaption ? '*' : ' '} ${caption}`),
    '',
    ...table(
      columns.map(({ left }) => ({ align: left === true ? ('left' as const) : ('right' as const) })),
      [columns.map(({ title }) => title), ...rows.map((row) => columns.map(({ cell }) => cell(row)))],
      undefined,
    ),
    '',
    ...rows.flatMap(({ head, remark }) => (remark === '' ? [] : [`${head}: ${remark}`])),
  ];
}

interface StudyColumn {
  readonly title: string;
  readonly left?: boolean;
  readonly cell: (row: LabRow) => string;
}
const columns: readonly StudyColumn[] = [
  { title: 'head', left: true, cell: ({ head }) => head },
  { title: 'best', cell: ({ best, right }) => `${best + 1}${right ? '*' : ' '}` },
  {
    title: 'similarities',
    left: true,
    cell: ({ similarities }) => similarities.map((each) => each.toFixed(2).padStart(6)).join(' '),
  },
  { title: 'ratio', cell: ({ ratio }) => ratio?.toFixed(2) ?? '–' },
  { title: 'gap', cell: ({ gap }) => gap.toFixed(2) },
  { title: 'trained', left: true, cell: ({ trained }) => (trained ? 'yes' : 'no') },
  {
    title: 'in the study',
    left: true,
    cell: ({ study: theirs }) => (theirs === null ? '–' : theirs.trained ? 'yes' : 'no'),
  },
  { title: 'rank', cell: ({ rank }) => rank?.toString() ?? '–' },
  { title: 'R@1', cell: ({ retrieval }) => percent(retrieval.r1) },
  { title: 'R@5', cell: ({ retrieval }) => percent(retrieval.r5) },
  { title: 'R@10', cell: ({ retrieval }) => percent(retrieval.r10) },
  { title: '1 of 5', cell: ({ bestOfFive }) => percent(bestOfFive) },
  { title: 'loss', cell: ({ loss }) => loss.heldOut.toFixed(3) },
  { title: 'seconds', cell: ({ seconds }) => seconds.toFixed(1) },
  { title: 'parameters', cell: ({ parameters }) => parameters.toLocaleString('en') },
];
