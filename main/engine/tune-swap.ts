/** Heads into use and out of it again: what may be accepted, what was there before, what must be undone first. */
import type { SwapProgress, TuneRun } from '../contract.ts';
import { AppError } from '../errors.ts';
import type { HeadSwitch } from './head-switch.ts';
import type { Log } from './log.ts';
import type { RunRow, Store } from './store/types.ts';
import type { TuneMemory } from './tune-memory.ts';
import { toRun, type TuneBase } from './tune-record.ts';
import { createTurns } from './turns.ts';
import { movesVectors } from './tune/projection.ts';

export interface TuneSwapOptions {
  readonly store: Store;
  readonly memory: TuneMemory;
  readonly heads: Pick<HeadSwitch, 'use'>;
  readonly log: Log;
  readonly now: () => number;
  readonly base: () => Promise<TuneBase>;
  /** The run under way, whose states are its own. */
  readonly running: () => number | undefined;
  /** States of runs changed. */
  readonly onRuns: () => void;
  /** What is found, or its order, is another. */
  readonly onSwapped: () => void;
}

interface SwapContext {
  readonly signal: AbortSignal;
  readonly onProgress: (progress: SwapProgress) => void;
}

export interface TuneSwap {
  /** The run whose head is in use, whether it moves vectors or orders what is found; null for none. */
  active(): number | null;
  /**
   * Puts a run's head into use in place of what is. After a failure everything is as it was.
   * @throws AppError not-found, input-invalid (not offered, made for another pack), disk-full, cancelled, worker-died
   */
  accept(runId: number, context: SwapContext): Promise<{ run: TuneRun; seconds: number }>;
  /** Back to what was in use before. @throws AppError input-invalid (nothing is in use), as `accept` */
  undo(context: SwapContext): Promise<{ active: number | null; seconds: number }>;
  /** @throws AppError not-found, input-invalid when it is not on offer */
  decline(runId: number): TuneRun;
  /** @throws AppError not-found, input-invalid while it is in use or under way */
  remove(runId: number): void;
  /** Nothing is in use any more, and nothing was before. Tries to: erasing goes on without a pack, too. */
  reset(signal: AbortSignal): Promise<void>;
  /**
   * Makes the states of runs say what is so: the pointers are the truth, and a crash, a change of packs or a full
   * disk may have come between them and the states.
   */
  reconcile(): void;
}

export function createTuneSwap(options: TuneSwapOptions): TuneSwap {
  const { store, memory, heads, now } = options;
  /** What is in use before a change is not to be changed by another meanwhile. */
  const inTurn = createTurns();

  const find = (runId: number): RunRow => {
    const row = store.runs.get(runId);
    if (row !== undefined) return row;
    throw new AppError('not-found', 'That run is not there any more.', { details: { runId } });
  };
  const active = (): number | null => store.embeddings.activeModel()?.base?.runId ?? store.runs.ordering();

  const reconcile = (): void => {
    if (store.readOnly) return;
    const model = store.embeddings.activeModel();
    const ordering = store.runs.ordering();
    const rows = store.runs.list();
    const pack = model?.base?.fingerprint ?? model?.fingerprint;
    if (ordering !== null && rows.find(({ id }) => id === ordering)?.fingerprint !== pack)
      store.runs.setOrdering(null);
    const inUse = active();
    const running = options.running();
    let changed = false;
    for (const { id, state } of rows) {
      const truth =
        id === inUse
          ? 'active'
          : state === 'active'
            ? 'retired'
            : state === 'running' && id !== running
              ? 'interrupted'
              : state;
      if (truth === state) continue;
      store.runs.update(id, { state: truth, ...(truth === 'interrupted' ? { endedAt: now() } : {}) });
      changed = true;
    }
    if (changed) options.onRuns();
  };

  /** One head is in use at a time: they were all trained over the pack as it is. */
  const pointTo = async (row: RunRow | null, context: SwapContext): Promise<void> => {
    const moved = store.embeddings.activeModel()?.base ?? null;
    const ordering = row !== null && !movesVectors(row.settings.head) ? row.id : null;
    if (row !== null && ordering === null) await heads.use(row.id, context);
    else if (moved !== null) await heads.use(null, context);
    // Last, so that a failure of the swap leaves the order as it was; nothing is awaited in between.
    store.runs.setOrdering(ordering);
    reconcile();
    options.onSwapped();
  };
  /** Milliseconds would do for heads that only order; the clock is the caller's. */
  const timed = async <T>(work: () => Promise<T>): Promise<T & { seconds: number }> => {
    const startedAt = now();
    const result = await work();
    return { ...result, seconds: Math.max(0, now() - startedAt) / 1_000 };
  };

  return {
    active,
    reconcile,
    accept: (runId, context) =>
      inTurn(() =>
        timed(async () => {
          context.signal.throwIfAborted();
          const base = await options.base();
          reconcile();
          const row = find(runId);
          const before = active();
          if (before === runId) return { run: toRun(row) };
          checkAcceptable(row, base, store);
          await pointTo(row, context);
          memory.setBefore([...memory.before(), before]);
          return { run: toRun(find(runId)) };
        }),
      ),
    undo: (context) =>
      inTurn(() =>
        timed(async () => {
          context.signal.throwIfAborted();
          const base = await options.base();
          reconcile();
          const current = active();
          if (current === null)
            throw new AppError(
              'input-invalid',
              'Nothing that was learnt is in use, so there is nothing to undo.',
            );
          const before = [...memory.before()];
          let target: RunRow | null = null;
          while (before.length > 0) {
            const runId = before.pop() ?? null;
            const row = runId === null ? undefined : store.runs.get(runId);
            if (runId === null) break;
            // Runs of another pack, or that are gone, are no way back.
            if (row === undefined || runId === current || problemOf(row, base, store) !== undefined) continue;
            target = row;
            break;
          }
          await pointTo(target, context);
          memory.setBefore(before);
          return { active: active() };
        }),
      ),
    decline(runId) {
      const row = find(runId);
      if (row.state !== 'offered')
        throw new AppError('input-invalid', 'Only a run that is on offer can be declined.', {
          details: { runId },
        });
      const declined = store.runs.update(runId, { state: 'declined' });
      options.onRuns();
      return toRun(declined);
    },
    remove(runId) {
      find(runId);
      if (runId === options.running())
        throw new AppError('input-invalid', 'That run is under way. Stop it first, then remove it.', {
          details: { runId },
        });
      // Its head, checkpoint and vectors go with it; one that is in use is refused.
      store.runs.remove(runId);
      memory.forget(runId);
      options.onRuns();
    },
    reset: (signal) =>
      inTurn(async () => {
        try {
          if (active() !== null) await pointTo(null, { signal, onProgress: () => undefined });
        } catch (thrown) {
          // Without its pack nothing is loaded that would have to be swapped; erasing moves the pointer.
          options.log.warn('a head could not be put out of use', { message: AppError.from(thrown).message });
        }
        memory.clear();
      }),
  };
}

function checkAcceptable(row: RunRow, base: TuneBase, store: Store): void {
  const problem = problemOf(row, base, store);
  if (problem !== undefined) throw new AppError('input-invalid', problem, { details: { runId: row.id } });
}

/** Why a run's head cannot be put into use; undefined when it can. */
export function problemOf(row: RunRow, base: TuneBase, store: Store): string | undefined {
  if (row.state === 'refused' || row.accepted === false)
    return `That run proved no better, so its head was not kept. ${row.reason ?? ''}`.trim();
  if (row.accepted === null)
    return 'That run has not come to a verdict, so there is nothing to put into use. Let it go on first.';
  if (row.dims !== base.dims)
    return `That head was trained for ${row.packName} with ${row.dims} dimensions, and ${base.packName}, which is in use, has ${base.dims}. Use ${row.packName} first, or start a new run.`;
  if (row.fingerprint !== base.fingerprint)
    return row.packName === base.packName
      ? `That head was trained for other files of ${row.packName} than those in use. Start a new run.`
      : `That head was trained for ${row.packName}, and ${base.packName} is in use. Use ${row.packName} first, or start a new run.`;
  if (store.runs.head(row.id) === undefined)
    return 'The head of that run is not there any more. Start a new run.';
  return undefined;
}
