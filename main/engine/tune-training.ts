/** One tuning run from its pairs to its verdict, kept in the library on the way so that it can go on. */
import type { PairSource, TuneProgress } from '../contract.ts';
import { AppError, type ErrorShape } from '../errors.ts';
import type { Log } from './log.ts';
import { headHash } from './store/head-hash.ts';
import type { RunRow, Store } from './store/types.ts';
import type { TuneMemory } from './tune-memory.ts';
import { dataOf, newRecord, proofOf, settle, type AskedSettings, type TuneBase } from './tune-record.ts';
import type { GatheredPairs, LearningEpoch, TuneProcess } from './tune/types.ts';

export interface PairsAsked {
  /** All that there are when left out. */
  readonly sources?: readonly PairSource[] | undefined;
  /** A captions file, or a folder with one. */
  readonly file: string | null;
  readonly seed: number;
  /** What the age of an example is counted from, milliseconds since 1970. */
  readonly at: number;
}

export interface RunAsked {
  readonly settings: AskedSettings;
  readonly sources?: readonly PairSource[] | undefined;
  readonly file: string | null;
  /** Goes on with this run, with its own settings. */
  readonly resume?: number | undefined;
}

export interface TrainingOptions {
  readonly store: Store;
  readonly log: Log;
  readonly now: () => number;
  readonly memory: TuneMemory;
  readonly process: Pick<TuneProcess, 'learn'>;
  readonly threads: number;
  /** The pack in use. @throws AppError pack-missing */
  readonly base: () => Promise<TuneBase>;
  /** @throws AppError input-invalid, cancelled */
  readonly gather: (base: TuneBase, asked: PairsAsked, signal: AbortSignal) => Promise<GatheredPairs>;
}

/** How a run was made to end before its end. */
export interface Ending {
  readonly state: 'stopped' | 'interrupted' | 'failed';
  readonly error: AppError;
}

export interface TrainingContext {
  readonly signal: AbortSignal;
  /** Why the signal was aborted. */
  readonly ending: () => Ending | undefined;
  readonly show: (row: RunRow, stage: TuneProgress['stage'], secondsLeft: number | null) => void;
  /** What the run is for: it ends when this is not in use any more. */
  readonly onBase: (base: TuneBase) => void;
  /** Its pairs are there: from now on the run stays in the list, however it ends. */
  readonly onBegun: () => void;
}

/** Checkpoints hold all parameters several times over; a crash costs this much training, or one epoch. */
const checkpointEveryMs = 2_000;

/**
 * @throws AppError what ended it before its verdict. By then the library says so too: `interrupted` when a process
 *   died, `failed` for a fault, or what `ending` says; a new run that could not begin to train leaves nothing behind.
 */
export async function trainRun(
  options: TrainingOptions,
  asked: RunAsked,
  context: TrainingContext,
): Promise<RunRow> {
  const { store, now } = options;
  const base = await options.base();
  context.onBase(base);
  context.signal.throwIfAborted();
  const { row: begun, gathered } = await (asked.resume === undefined
    ? beginNew(options, asked, base, context)
    : takeUp(options, { ...asked, resume: asked.resume }, base, context));
  const checkpoint = asked.resume === undefined ? undefined : store.runs.checkpoint(begun.id);
  const journal = createJournal(options, checkpoint === undefined ? { ...begun, curve: [] } : begun);
  context.onBegun();
  try {
    context.show(journal.row(), 'training', null);
    const learnt = await options.process.learn(
      { settings: begun.settings, gathered, dims: base.dims, threads: options.threads, checkpoint },
      {
        signal: context.signal,
        onEpoch(epoch) {
          journal.note(epoch);
          context.show(journal.row(), 'training', journal.secondsLeft());
        },
        onProving: () => context.show(journal.row(), 'proving', journal.secondsForProof()),
      },
    );
    context.signal.throwIfAborted();
    // A head that proved no better is not kept: training it again gives the same.
    if (learnt.accepted) {
      const head = { head: learnt.head, dims: base.dims, parameters: learnt.parameters };
      store.runs.setHead({ ...head, runId: begun.id, fingerprint: base.fingerprint, hash: headHash(head) });
    }
    const row = journal.close({ ...proofOf(learnt, gathered.generic.name), endedAt: now() });
    store.runs.setCheckpoint(row.id, null);
    return row;
  } catch (thrown) {
    const ending = context.ending();
    const error = ending?.error ?? AppError.from(thrown, 'The training');
    try {
      const unfit =
        ending === undefined && error.code === 'input-invalid' && journal.row().curve.length === 0;
      if (unfit && asked.resume === undefined) forget(options, begun.id);
      else {
        const state = ending?.state ?? (error.code === 'worker-died' ? 'interrupted' : 'failed');
        journal.save();
        journal.close({ state, endedAt: now(), error: state === 'stopped' ? null : error.toShape() });
      }
    } catch (failed) {
      // The disk is full, most likely: at the next start the run counts as interrupted.
      options.log.warn('how a tuning run ended could not be kept', {
        message: AppError.from(failed).message,
      });
    }
    throw error;
  }
}

interface Begun {
  readonly row: RunRow;
  readonly gathered: GatheredPairs;
}

async function beginNew(
  options: TrainingOptions,
  asked: RunAsked,
  base: TuneBase,
  { signal, show }: TrainingContext,
): Promise<Begun> {
  const { store, memory } = options;
  const { seed } = asked.settings;
  const startedAt = options.now();
  const record = newRecord(base, settle(asked.settings, 0, asked.sources ?? []), startedAt);
  const { id } = store.runs.add(base.fingerprint, record);
  try {
    show({ ...record, id, fingerprint: base.fingerprint }, 'gathering', null);
    const wanted = { sources: asked.sources, file: asked.file, seed, at: startedAt };
    const gathered = await options.gather(base, wanted, signal);
    signal.throwIfAborted();
    const data = dataOf(gathered);
    const sources = asked.sources ?? data.bySource.map(({ source }) => source);
    if (asked.file !== null) memory.setFile(id, asked.file);
    const settings = settle(asked.settings, data.pairs, sources);
    return { row: store.runs.update(id, { ...data, settings }), gathered };
  } catch (thrown) {
    forget(options, id);
    throw AppError.from(thrown, 'Gathering what there is to learn from');
  }
}

/** The run is as it was until its pairs have proved to be the same. */
async function takeUp(
  { store, memory, gather }: TrainingOptions,
  { resume, file }: RunAsked & { readonly resume: number },
  base: TuneBase,
  { signal, show }: TrainingContext,
): Promise<Begun> {
  const former = resumable(store, resume, base);
  const { sources, seed } = former.settings;
  show(former, 'gathering', null);
  const gathered = await gather(
    base,
    { sources, file: file ?? memory.file(resume), seed, at: former.startedAt },
    signal,
  );
  signal.throwIfAborted();
  if (gathered.dataHash !== former.dataHash)
    throw new AppError(
      'input-invalid',
      'What this run learnt from has changed since (thumbs, names, captions, albums or photos), so it cannot go on where it was. Start a new run.',
      { details: { runId: resume } },
    );
  return { row: store.runs.update(resume, { state: 'running', endedAt: null, error: null }), gathered };
}

function resumable(store: Store, runId: number, base: TuneBase): RunRow {
  const row = store.runs.get(runId);
  const details = { runId };
  if (row === undefined)
    throw new AppError('not-found', 'That run is not there any more. Start a new one.', { details });
  if (row.state !== 'stopped' && row.state !== 'interrupted')
    throw new AppError(
      'input-invalid',
      'That run has come to its end; only runs that were stopped or interrupted can go on. Start a new one.',
      { details },
    );
  if (row.fingerprint !== base.fingerprint)
    throw new AppError(
      'input-invalid',
      `That run was made for ${row.packName}, and ${base.packName} is in use now${row.packName === base.packName ? ' with other files' : ''}. Start a new run.`,
      { details },
    );
  return row;
}

function forget({ store, memory }: TrainingOptions, runId: number): void {
  store.runs.remove(runId);
  memory.forget(runId);
}

interface Journal {
  row(): RunRow;
  note(epoch: LearningEpoch): void;
  secondsLeft(): number;
  secondsForProof(): number;
  /** Writes what is not written yet. */
  save(): void;
  close(change: Partial<RunRow> & { readonly error?: ErrorShape | null }): RunRow;
}

/** The curve and the latest checkpoint of a run on their way into the library. */
function createJournal({ store, log, now }: TrainingOptions, begun: RunRow): Journal {
  const startedAt = now();
  let row = begun;
  let unsaved: Uint8Array | undefined;
  let savedAt = startedAt;
  let epochs = 0;
  const elapsed = (): number => Math.max(0, now() - startedAt) / 1_000;
  const change = (with_: Parameters<Journal['close']>[0]): RunRow => {
    row = store.runs.update(row.id, { ...with_, curve: row.curve, seconds: begun.seconds + elapsed() });
    return row;
  };
  /** The curve first: one that is ahead of its checkpoint is put right when its epochs come again. */
  const save = (): void => {
    if (unsaved === undefined) return;
    change({});
    store.runs.setCheckpoint(row.id, unsaved);
    unsaved = undefined;
    savedAt = now();
  };
  const perEpoch = (): number => elapsed() / Math.max(1, epochs);
  return {
    row: () => row,
    note({ checkpoint, ...point }) {
      row = { ...row, curve: [...row.curve.filter(({ epoch }) => epoch < point.epoch), point] };
      unsaved = checkpoint;
      epochs += 1;
      if (now() - savedAt < checkpointEveryMs) return;
      try {
        save();
      } catch (thrown) {
        // Training needs no disk; whether its result can be kept shows at the end.
        log.warn('a checkpoint could not be kept', { message: AppError.from(thrown).message });
      }
    },
    // Proving looks at every pair about as often as an epoch does.
    secondsLeft: () => perEpoch() * (row.settings.epochs - (row.curve.at(-1)?.epoch ?? 0) + 1),
    secondsForProof: perEpoch,
    save,
    close: change,
  };
}
