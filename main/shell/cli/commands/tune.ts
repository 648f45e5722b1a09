/** `afterimage tune`: learns from thumbs, names, captions and albums, and proves that it helps. */
import { resolve } from 'node:path';
import { InvalidArgumentError, Option, type Command } from 'commander';
import type {
  CallInput,
  CurvePoint,
  HeadName,
  LossName,
  PairSource,
  TuneProgress,
  TuneRun,
  TuneSources,
} from '../../../contract.ts';
import { AppError } from '../../../errors.ts';
import type { CommandContext } from '../command-context.ts';
import { formatCount, formatDuration, UsageError } from '../output.ts';
import { createProgressLine } from '../progress-line.ts';
import { describeRun, percent, runAnswer } from '../run-report.ts';
import type { Session } from '../session.ts';
import { table } from '../table.ts';
import { acceptRun, addRunCommands } from './tune-runs.ts';

interface SourceOptions {
  readonly pairs?: string;
  readonly source?: readonly PairSource[];
}
interface TuneOptions extends SourceOptions {
  readonly head?: HeadName;
  readonly loss?: LossName;
  readonly epochs?: number;
  readonly seed?: number;
  readonly batch?: number;
  readonly lr?: number;
  readonly resume?: number;
  readonly accept?: boolean;
}

const heads: readonly HeadName[] = ['cache', 'residual', 'linear', 'low-rank', 'mlp', 'joint', 'fusion'];
const losses: readonly LossName[] = ['infonce', 'siglip', 'ntxent', 'triplet'];
const sources: readonly PairSource[] = ['thumbs', 'names', 'captions', 'albums', 'file'];

export function addTuneCommands(program: Command, context: CommandContext): void {
  const tune = program
    .command('tune')
    .summary('learn from thumbs, names, captions and albums')
    .description(
      'Teaches the library what you mean: learns from thumbs, taught names, captions by hand and albums, proves on ' +
        'pairs kept aside that search gets better and elsewhere no worse, and changes nothing until you accept it.',
    )
    .addHelpText('after', '\nOptions of `afterimage tune` alone: see `afterimage tune run --help`.');
  addSourceOptions(
    tune
      .command('run', { isDefault: true })
      .summary('train a head and prove it (what `afterimage tune` does alone)')
      .addOption(new Option('--head <head>', 'what is trained (cache)').choices(heads))
      .addOption(new Option('--loss <loss>', 'what it is trained by (infonce)').choices(losses))
      .option('--epochs <count>', 'how often each pair is looked at (20)', context.parseCount(1, 500))
      .option('--seed <seed>', 'of everything drawn (1)', context.parseCount(0, 4_294_967_295))
      .option('--batch <count>', 'pairs for one step', context.parseCount(2, 8_192))
      .option('--lr <rate>', 'learning rate', parseRate)
      .option('--resume <run>', 'go on with a run that was stopped', context.parseCount(1, 1e9))
      .option('--accept', 'put what proved better to use at once'),
  ).action((options: TuneOptions) => {
    const settled = ['head', 'loss', 'epochs', 'seed', 'batch', 'lr', 'source'] as const;
    if (options.resume !== undefined && settled.some((name) => options[name] !== undefined))
      throw new UsageError(
        'A run goes on with its own settings. Leave out --resume to train anew, or the other options.',
      );
    return context.run(
      { writes: true, stopping: 'Stopping after this epoch; once more to stop at once.' },
      (session) => train(session, options),
    );
  });
  addSourceOptions(tune.command('sources').summary('say what there is to learn from')).action(
    (options: SourceOptions) =>
      context.run({ writes: false }, async (session) => {
        const { client, output, signal } = session;
        const grant = await grantOf(session, options.pairs);
        const answer = await client.call(
          'tune.sources',
          { grant, ...(options.source === undefined ? {} : { sources: [...options.source] }) },
          { signal },
        );
        output.answer(answer, () => describeSources(answer));
      }),
  );
  addRunCommands(tune, context);
}

function addSourceOptions(command: Command): Command {
  return command
    .option('--pairs <path>', 'a folder with captions.txt or a CSV of photos and captions, or such a file')
    .addOption(
      new Option('--source <source...>', 'learn from these only (default: all there is)').choices(sources),
    );
}

async function train(session: Session, options: TuneOptions): Promise<void> {
  const { client, output, terminal, signal } = session;
  const { head, loss, epochs, seed, batch, lr, source, resume } = options;
  const grant = await grantOf(session, options.pairs);
  const input: CallInput<'tune.run'> = {
    grant,
    ...(head === undefined ? {} : { head }),
    ...(loss === undefined ? {} : { loss }),
    ...(epochs === undefined ? {} : { epochs }),
    ...(seed === undefined ? {} : { seed }),
    ...(batch === undefined ? {} : { batch }),
    ...(lr === undefined ? {} : { learningRate: lr }),
    ...(source === undefined ? {} : { sources: [...source] }),
    ...(resume === undefined ? {} : { resume }),
  };
  const shown = createEpochLines(session);
  let run: TuneRun;
  try {
    ({ run } = await client.call('tune.run', input, { signal, onProgress: shown.show }));
  } catch (thrown) {
    shown.end();
    const error = AppError.from(thrown, 'Learning');
    throw error.code === 'cancelled' ? stopped(shown.runId(), error) : error;
  }
  shown.end();
  if (run.state === 'stopped') throw stopped(run.id);
  if (run.error !== null) throw AppError.fromShape(run.error);
  if (options.accept !== true) {
    output.answer(runAnswer(run), () => describeRun(run));
    return;
  }
  const inUse = run.state === 'offered';
  const used = inUse ? (await acceptRun(session, run.id)).run : run;
  if (terminal.stderrColumns !== undefined && inUse) output.say('It is in use now.');
  output.answer({ ...runAnswer(used), inUse }, () => describeRun(used));
}

function stopped(runId: number | undefined, cause?: unknown): AppError {
  return new AppError(
    'cancelled',
    runId === undefined
      ? 'Stopped before there was anything to keep.'
      : `Stopped. Go on with \`afterimage tune --resume ${runId}\`.`,
    { cause, ...(runId === undefined ? {} : { details: { runId } }) },
  );
}

/** On a terminal each epoch leaves a line behind; in a log progress comes now and then. */
function createEpochLines({ terminal, output }: Session): {
  show: (progress: TuneProgress) => void;
  end: () => void;
  runId: () => number | undefined;
} {
  const line = createProgressLine(terminal, output.quiet);
  const labels = { gathering: 'Gathering pairs', training: 'Learning', proving: 'Proving' };
  let told = 0;
  let runId: number | undefined;
  return {
    show({ runId: id, stage, epoch, epochs, curve, secondsLeft }) {
      runId = id;
      if (terminal.stderrColumns !== undefined)
        for (const point of curve) {
          if (point.epoch <= told) continue;
          told = point.epoch;
          line.end();
          output.say(epochLine(point, epochs));
        }
      line.show({ label: labels[stage], done: epoch, total: epochs, rate: undefined, secondsLeft });
    },
    end: () => {
      line.end();
    },
    runId: () => runId,
  };
}

function epochLine({ epoch, trainLoss, heldOutLoss, r10 }: CurvePoint, epochs: number): string {
  const number = `${epoch}`.padStart(`${epochs}`.length);
  return `epoch ${number}/${epochs}  loss ${trainLoss.toFixed(3)}  kept aside ${heldOutLoss.toFixed(3)}  R@10 ${percent(r10)}`;
}

function describeSources(found: TuneSources): string[] {
  const { pairs, photos, needed, negatives, contradictions, skipped, skippedTotal, problem } = found;
  const total = `${formatCount(pairs, 'pair', 'pairs')} of ${formatCount(photos, 'photo', 'photos')}, ${formatCount(negatives, 'thumb', 'thumbs')} down`;
  return [
    ...table(
      [{}, { align: 'right' }, { align: 'right' }],
      found.sources.map((each) => [
        each.source,
        formatCount(each.pairs, 'pair', 'pairs'),
        formatCount(each.photos, 'photo', 'photos'),
      ]),
      undefined,
    ),
    contradictions === 0
      ? `${total}.`
      : `${total}; ${formatCount(contradictions, 'contradiction', 'contradictions')} left out.`,
    ...(found.remarks ?? []),
    ...(skippedTotal === 0 ? [] : [`Left out (${skippedTotal.toLocaleString('en')}):`]),
    // Line 0 is about the library.
    ...skipped.map(({ line, reason }) => (line === 0 ? `  ${reason}` : `  line ${line}: ${reason}`)),
    ...(skippedTotal > skipped.length ? [`  and ${skippedTotal - skipped.length} more`] : []),
    `A proof needs ${formatCount(needed, 'photo', 'photos')}; general search is judged by ${found.generic.name}.`,
    problem === null
      ? `\`afterimage tune\` takes about ${formatDuration(found.secondsEstimate)}.`
      : problem.message,
  ];
}

async function grantOf({ client }: Session, path: string | undefined): Promise<string | null> {
  return path === undefined ? null : client.grant(resolve(path));
}

function parseRate(text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && value > 0 && value <= 1) return value;
  throw new InvalidArgumentError('It must be a number above 0, at most 1.');
}
