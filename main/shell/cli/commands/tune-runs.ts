/** `afterimage tune list|accept|decline|undo|remove|export|import|compare`: what was learnt, and what becomes of it. */
import { mkdir } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import type { CallOutput, QueryComparison, SwapProgress } from '../../../contract.ts';
import { AppError } from '../../../errors.ts';
import type { CommandContext } from '../command-context.ts';
import { formatCount, formatDuration } from '../output.ts';
import { createProgressLine } from '../progress-line.ts';
import { describeRun, runAnswer, runTable } from '../run-report.ts';
import type { Session } from '../session.ts';
import { table } from '../table.ts';

export function addRunCommands(tune: Command, context: CommandContext): void {
  const onRun = (verb: string, summary: string): Command =>
    tune.command(verb).summary(summary).argument('<run>', 'its number', context.parseCount(1, 1e9));
  tune
    .command('list')
    .summary('list what was learnt, and what is in use')
    .action(() =>
      context.run({ writes: false }, async ({ client, output }) => {
        const answer = await client.call('tune.runs', {});
        output.answer(answer, () => runTable(answer.runs, answer.active));
      }),
    );
  onRun('accept', 'put what a run learnt to use').action((runId: number) =>
    context.run({ writes: true }, async (session) => {
      const { run, seconds } = await acceptRun(session, runId);
      session.output.answer({ run: runAnswer(run), seconds }, () => [
        `Run ${run.id} is in use (${formatDuration(seconds)}). \`afterimage tune undo\` goes back.`,
      ]);
    }),
  );
  onRun('decline', 'turn down what a run offers').action((runId: number) =>
    context.run({ writes: true }, async ({ client, output }) => {
      const { run } = await client.call('tune.decline', { runId });
      output.answer({ run: runAnswer(run) }, () => [
        `Declined. \`afterimage tune accept ${run.id}\` takes it into use after all.`,
      ]);
    }),
  );
  tune
    .command('undo')
    .summary('go back to what was in use before')
    .action(() =>
      context.run({ writes: true }, async (session) => {
        const { client, output, signal } = session;
        const answer = await withSwapLine(session, (onProgress) =>
          client.call('tune.undo', {}, { signal, onProgress }),
        );
        output.answer(answer, () => [
          answer.active === null
            ? `Back to the pack as it came (${formatDuration(answer.seconds)}).`
            : `Run ${answer.active} is in use again (${formatDuration(answer.seconds)}).`,
        ]);
      }),
    );
  onRun('remove', 'forget a run and what it learnt').action((runId: number) =>
    context.run({ writes: true }, async ({ client, output }) => {
      await client.call('tune.remove', { runId });
      output.answer({ removed: runId }, () => [`Removed run ${runId}.`]);
    }),
  );
  onRun('export', 'write what a run learnt into a file')
    .argument('<folder>', 'to write into; made when it is not there')
    .action((runId: number, folder: string) =>
      context.run({ writes: false }, async ({ client, output }) => {
        const grant = await client.grant(await madeFolder(folder));
        const answer = await client.call('tune.export', { runId, grant });
        output.answer(answer, () => [`Written to ${answer.path}`]);
      }),
    );
  tune
    .command('import')
    .summary('take what was learnt from such a file')
    .argument('<file>', 'as `tune export` wrote it, or the folder that it is in')
    .action((file: string) =>
      context.run({ writes: true }, async ({ client, output }) => {
        const { run } = await client.call('tune.import', { grant: await client.grant(resolve(file)) });
        output.answer({ run: runAnswer(run) }, () => [`It is run ${run.id} here.`, ...describeRun(run)]);
      }),
    );
  onRun('compare', 'show queries with what a run learnt, and without it')
    .argument('[query...]', 'each in quotes; your latest ones without any')
    .option('--limit <count>', 'how many hits on each side', context.parseCount(1, 100), 12)
    .action((runId: number, queries: string[], { limit }: { limit: number }) =>
      context.run({ writes: false }, async ({ client, output, terminal, signal }) => {
        const { comparisons } = await client.call(
          'tune.compare',
          { runId, limit, ...(queries.length === 0 ? {} : { queries }) },
          { signal },
        );
        output.answer({ run: runId, comparisons }, () =>
          comparisons.length === 0
            ? ['There are no queries to compare. Search for something first, or name queries.']
            : comparisons.flatMap((each) => describeComparison(each, terminal.stdoutColumns)),
        );
      }),
    );
}

export function acceptRun(session: Session, runId: number): Promise<CallOutput<'tune.accept'>> {
  const { client, signal } = session;
  return withSwapLine(session, (onProgress) => client.call('tune.accept', { runId }, { signal, onProgress }));
}

const labels = { projecting: 'Moving vectors', index: 'Building the index', swap: 'Swapping' };

async function withSwapLine<T>(
  { terminal, output }: Session,
  work: (onProgress: (progress: SwapProgress) => void) => Promise<T>,
): Promise<T> {
  const line = createProgressLine(terminal, output.quiet);
  try {
    return await work(({ stage, done, total }) => {
      line.show({ label: labels[stage], done, total, rate: undefined, secondsLeft: null });
    });
  } finally {
    line.end();
  }
}

function describeComparison(
  { text, before, after, up, down }: QueryComparison,
  width: number | undefined,
): string[] {
  const found = new Set(after.map(({ id }) => id));
  const gone = before.filter(({ id }) => !found.has(id));
  return [
    `“${text}”: ${formatCount(up, 'photo moves', 'photos move')} up, ${down} down`,
    ...table(
      [{ align: 'right' }, {}, { shrinks: true }],
      [
        ...after.map(({ rank, otherRank, name }) => [`${rank}`, movement(rank, otherRank), name]),
        ...gone.map(({ rank, name }) => ['', `was ${rank}`, name]),
      ],
      width,
    ),
  ];
}

function movement(rank: number, before: number | null): string {
  if (before === null) return 'new';
  if (before === rank) return '';
  return before > rank ? `↑ from ${before}` : `↓ from ${before}`;
}

async function madeFolder(folder: string): Promise<string> {
  const absolute = resolve(folder);
  try {
    await mkdir(absolute, { recursive: true });
    return absolute;
  } catch (thrown) {
    throw AppError.from(thrown, `Making the folder ${absolute}`);
  }
}
