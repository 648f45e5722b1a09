/** Tuning over a real store, with a process and a swap that do what a test says: for the states that runs go through. */
import type { TestContext } from 'node:test';
import type { HeadName, TuneProgress, TuneRun } from '../../../main/contract.ts';
import { AppError } from '../../../main/errors.ts';
import { silentLog } from '../../../main/engine/log.ts';
import { createSearch } from '../../../main/engine/search/search.ts';
import { createTuning, type Tuning, type TuningOptions } from '../../../main/engine/tuning.ts';
import type { HeadRow, Store } from '../../../main/engine/store/types.ts';
import type {
  GatheredPairs,
  LearningEpoch,
  LearningOptions,
  LearningTask,
  LearntHead,
} from '../../../main/engine/tune/types.ts';
import { madeLibrary, type MadeLibrary } from '../search/made-library.ts';

export const dims = 64;

/** What the process does when it is asked to learn; by default three epochs and a head that proved better. */
export type Learn = (task: LearningTask, options: LearningOptions) => Promise<LearntHead>;

export interface TuningRoom {
  readonly library: MadeLibrary;
  readonly store: Store;
  readonly tuning: Tuning;
  /** Opens tuning again over the same store, as the next start of the app does. */
  readonly reopen: () => Tuning;
  /** Changed by tests as they go. */
  readonly script: {
    learn: Learn;
    gather: TuningOptions['gather'];
    /** Thrown by the next swap. */
    swapFails: AppError | undefined;
    fingerprint: string;
    packName: string;
    dims: number;
    at: number;
  };
  readonly tasks: LearningTask[];
  readonly progress: (TuneProgress | null)[];
  readonly told: { runs: TuneRun[]; active: number | null }[];
  readonly swapped: () => number;
}

export async function tuningRoom(t: TestContext): Promise<TuningRoom> {
  const library = await madeLibrary(t, ['dog', 'cat', 'car', 'tree']);
  const { store, modelId, index, texts } = library;
  const script: TuningRoom['script'] = {
    learn: learnWell(),
    gather: () => Promise.resolve(pairs()),
    swapFails: undefined,
    fingerprint: 'axes',
    packName: 'Axes',
    dims,
    at: 1_000_000,
  };
  const tasks: LearningTask[] = [];
  const progress: TuningRoom['progress'] = [];
  const told: TuningRoom['told'] = [];
  let swapped = 0;
  let movedBy: number | null = null;
  const options: TuningOptions = {
    store,
    log: silentLog,
    now: () => (script.at += 250),
    threads: 1,
    base: () =>
      Promise.resolve({
        modelId,
        fingerprint: script.fingerprint,
        packId: script.fingerprint,
        packName: script.packName,
        dims: script.dims,
      }),
    gather: (...asked) => script.gather(...asked),
    survey: () => Promise.reject(new Error('not asked here')),
    process: {
      learn(task, given = {}) {
        tasks.push(task);
        return script.learn(task, given);
      },
      project: (head, rows) => Promise.resolve(projected(head, rows)),
    },
    heads: {
      async use(runId) {
        await Promise.resolve();
        if (script.swapFails !== undefined) throw script.swapFails;
        if (runId === null) store.embeddings.setActiveModel(modelId);
        else {
          const head = store.runs.head(runId);
          if (head === undefined) throw new Error('no such head');
          const derived = store.embeddings.derivedModel(modelId, runId, head.hash);
          store.embeddings.setActiveModel(derived);
        }
        movedBy = runId;
        return { seconds: 0 };
      },
    },
    inUse: () => Promise.resolve({ index, runId: movedBy }),
    searchOver: ({ index: over, ordering }) =>
      createSearch({
        store,
        model: () => Promise.resolve({ embedder: texts, index: over }),
        ordering: () => ordering,
        embedder: () => Promise.reject(new Error('no picture is looked at here')),
        decoder: () => {
          throw new Error('no picture is looked at here');
        },
        now: () => Date.UTC(2024, 0, 1),
      }),
    // What looks like a cat comes first, whatever is asked.
    orderingOf: () => ({ extraScore: () => (photo) => photo[1] ?? 0 }),
    checkShapes: ({ head, parameters }) => {
      if (head === 'linear' && parameters.weight?.shape.join() !== `${dims},${dims}`)
        throw new AppError('input-invalid', 'The parameters are not those of a linear head.');
    },
    onProgress: (step) => void progress.push(step),
    onRuns: (state) => void told.push(state),
    onSwapped: () => (swapped += 1),
  };
  return {
    library,
    store,
    tuning: createTuning(options),
    reopen: () => createTuning(options),
    script,
    tasks,
    progress,
    told,
    swapped: () => swapped,
  };
}

/** Rows times the head's `weight`, made unit again. */
function projected({ parameters }: Pick<HeadRow, 'parameters'>, rows: Float32Array): Float32Array {
  const weight = parameters.weight?.values ?? new Float32Array(0);
  const out = new Float32Array(rows.length);
  for (let row = 0; row < rows.length; row += dims) {
    let square = 0;
    for (let to = 0; to < dims; to++) {
      let sum = 0;
      for (let from = 0; from < dims; from++)
        sum += (rows[row + from] ?? 0) * (weight[from * dims + to] ?? 0);
      out[row + to] = sum;
      square += sum * sum;
    }
    for (let to = 0; to < dims; to++) out[row + to] = (out[row + to] ?? 0) / Math.sqrt(square);
  }
  return out;
}

/** The identity, with what stands at `from` put at `to` as well. */
export function weightThat(moves: readonly { from: number; to: number }[] = []): Float32Array {
  const weight = new Float32Array(dims * dims);
  for (let i = 0; i < dims; i++) weight[i * dims + i] = 1;
  for (const { from, to } of moves) weight[from * dims + to] = 1;
  return weight;
}

export function pairs(count = 60, dataHash = 'da7a'): GatheredPairs {
  const block = {
    images: new Float32Array(count * dims),
    texts: new Float32Array(count * dims),
    dims,
    weights: new Float32Array(count).fill(1),
    groups: Int32Array.from({ length: count }, (_, i) => i),
  };
  return {
    pairs: block,
    kin: block.groups,
    sources: Array.from({ length: count }, (_, i) => (i % 3 === 0 ? 'thumbs' : 'captions')),
    replay: block,
    generic: { ...block, name: 'made' },
    evidence: [],
    dataHash,
  };
}

export function epoch(number: number): LearningEpoch {
  const loss = 3 / number;
  const checkpoint = Uint8Array.of(number, 1, 2);
  return { epoch: number, trainLoss: loss, heldOutLoss: loss + 0.1, r10: 1 - loss / 4, checkpoint };
}

const found = (r10: number): LearntHead['before'] => ({ r1: r10 / 4, r5: r10 / 2, r10, mrr: r10 / 3 });

export function learnt(changes: Partial<LearntHead> & { weight?: Float32Array } = {}): LearntHead {
  const { weight = weightThat(), ...others } = changes;
  return {
    head: 'linear',
    parameters: { weight: { shape: [dims, dims], values: weight } },
    share: 0.5,
    bestEpoch: 2,
    split: { train: 42, choose: 9, prove: 9 },
    before: found(0.4),
    after: found(0.6),
    gain: { low: 0.1, high: 0.3 },
    generic: { before: found(0.5), after: found(0.5) },
    accepted: true,
    reason: 'On photos kept aside R@10 rose.',
    ...others,
  };
}

/** From the task's checkpoint on, as the real one. */
export function learnWell(result: Partial<LearntHead> & { weight?: Float32Array } = {}, epochs = 3): Learn {
  return async ({ settings, checkpoint }, { onEpoch, onProving, signal }) => {
    for (let at = (checkpoint?.[0] ?? 0) + 1; at <= epochs; at++) {
      await new Promise(setImmediate);
      signal?.throwIfAborted();
      onEpoch?.(epoch(at));
    }
    onProving?.();
    return learnt({ head: settings.head, ...result });
  };
}

/** Comes so far, then waits for the signal, as training that takes long. */
export function learnUntilStopped(epochs: number): Learn & { readonly reached: Promise<void> } {
  const reached = Promise.withResolvers<undefined>();
  const learn: Learn = async (_task, { onEpoch, signal }) => {
    for (let at = 1; at <= epochs; at++) onEpoch?.(epoch(at));
    reached.resolve(undefined);
    return new Promise((_resolve, reject) => {
      signal?.addEventListener('abort', () => reject(new AppError('cancelled', 'The training was stopped.')));
    });
  };
  return Object.assign(learn, { reached: reached.promise });
}

export const quietly = {
  get signal(): AbortSignal {
    return new AbortController().signal;
  },
  onProgress: (): void => undefined,
};

export function asked(head: HeadName = 'linear', epochs = 3): Parameters<Tuning['run']>[0] {
  return { settings: { head, loss: 'infonce', epochs, seed: 1 }, file: null };
}
