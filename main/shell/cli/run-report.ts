/** What the command line says of tuning runs: as JSON, as tables, and what to type next. */
import type { Retrieval, TuneRun } from '../../contract.ts';
import { formatCount } from './output.ts';
import { table } from './table.ts';

/** One run as `--json` tells it. */
export function runAnswer(run: TuneRun): object {
  const { id, settings, pairs, before, after, generic, accepted, seconds, state, gain, reason } = run;
  return {
    run: id,
    head: settings.head,
    loss: settings.loss,
    pairs,
    epochs: settings.epochs,
    before,
    after,
    generic: { before: generic?.before ?? null, after: generic?.after ?? null },
    accepted,
    seconds,
    state,
    gain,
    reason,
  };
}

/** Before and after, the verdict in words, and what can be done with it. */
export function describeRun(run: TuneRun): string[] {
  const { before, after, generic, gain, reason } = run;
  return [
    ...(before === null || after === null
      ? []
      : table(
          [{}, { align: 'right' }, { align: 'right' }],
          [
            ['', 'before', 'after'],
            ...compared(before, after),
            ...(generic === null
              ? []
              : [['R@10 elsewhere', percent(generic.before.r10), percent(generic.after.r10)]]),
          ],
          undefined,
        )),
    ...(generic === null ? [] : [`Elsewhere means ${generic.name}.`]),
    ...(gain === null
      ? []
      : [`R@10 changes by ${points(gain.low)} to ${points(gain.high)} points (95 % of resamplings).`]),
    ...(reason === null ? [] : [reason]),
    ...nextSteps(run),
  ];
}

function compared(before: Retrieval, after: Retrieval): string[][] {
  return [
    ['R@1', percent(before.r1), percent(after.r1)],
    ['R@5', percent(before.r5), percent(after.r5)],
    ['R@10', percent(before.r10), percent(after.r10)],
    ['MRR', before.mrr.toFixed(3), after.mrr.toFixed(3)],
  ];
}

function nextSteps({ id, state, error }: TuneRun): string[] {
  switch (state) {
    case 'offered':
      return [
        `Use it with \`afterimage tune accept ${id}\`; see it on your own queries first with \`afterimage tune compare ${id}\`.`,
      ];
    case 'active':
      return ['It is in use. `afterimage tune undo` goes back.'];
    case 'declined':
    case 'retired':
      return [`\`afterimage tune accept ${id}\` takes it into use after all.`];
    case 'stopped':
    case 'interrupted':
      return [`Go on with it: \`afterimage tune --resume ${id}\`.`];
    case 'failed':
      return error === null ? [] : [error.message];
    case 'refused':
    case 'running':
      return [];
  }
}

/** The newest first, as the engine gives them. */
export function runTable(runs: readonly TuneRun[], active: number | null): string[] {
  if (runs.length === 0) return ['Nothing was learnt yet. `afterimage tune` begins.'];
  return table(
    [{ align: 'right' }, {}, {}, {}, { align: 'right' }, {}, {}],
    runs.map(({ id, startedAt, state, settings, pairs, before, after, imported }) => [
      `${id}`,
      new Date(startedAt).toISOString().slice(0, 10),
      id === active ? 'in use' : state,
      `${settings.head}, ${settings.loss}`,
      formatCount(pairs, 'pair', 'pairs'),
      before === null || after === null ? '' : `R@10 ${percent(before.r10)} → ${percent(after.r10)}`,
      imported ? 'imported' : '',
    ]),
    undefined,
  );
}

export function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}

function points(share: number): string {
  return `${share < 0 ? '−' : '+'}${Math.abs(100 * share).toFixed(1)}`;
}
