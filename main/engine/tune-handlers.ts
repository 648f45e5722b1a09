/** Calls about learning from a person: what there is, runs, comparing, accepting and undoing, heads as files. */
import type { SwapProgress } from '../contract.ts';
import type { Rooms } from './rooms.ts';
import type { CallContext, Handlers } from './types.ts';

type TuneCalls =
  | 'tune.sources'
  | 'tune.run'
  | 'tune.state'
  | 'tune.stop'
  | 'tune.runs'
  | 'tune.compare'
  | 'tune.accept'
  | 'tune.decline'
  | 'tune.undo'
  | 'tune.remove'
  | 'tune.export'
  | 'tune.import';

const progressEveryMs = 200;

export function tuneHandlers({ tuning, grants, bus, describing }: Rooms): Pick<Handlers, TuneCalls> {
  const fileOf = (grant: string | null): string | null => (grant === null ? null : grants.path(grant));
  /** Progress goes to the caller and, since it may take long, to every other client too. */
  const following = async <T>(
    { signal, progress }: Pick<CallContext<'tune.accept'>, 'signal' | 'progress'>,
    work: (context: { signal: AbortSignal; onProgress: (step: SwapProgress) => void }) => Promise<T>,
  ): Promise<T> => {
    try {
      return await work({
        signal,
        onProgress(step) {
          progress(step);
          bus.emitThinned('swap', progressEveryMs, () => step);
        },
      });
    } finally {
      bus.emitThinned('swap', progressEveryMs, () => null);
    }
  };
  return {
    'tune.sources': ({ grant, sources }, { signal }) =>
      tuning.sources({ file: fileOf(grant), sources }, signal),
    'tune.run': async (input, { signal, progress }) => {
      const { head, loss, epochs, seed, batch, learningRate, sources, grant, resume } = input;
      const settings = { head, loss, epochs, seed, batch, learningRate };
      const asked = { settings, sources, file: fileOf(grant), resume };
      return { run: await tuning.run(asked, { signal, onProgress: progress }) };
    },
    'tune.state': () => ({ progress: tuning.progress() }),
    'tune.stop': async () => {
      await tuning.stop();
      return {};
    },
    'tune.runs': () => tuning.list(),
    'tune.compare': async (input, { signal }) => ({
      comparisons: await describing.courtesy.search(() => tuning.compare(input, signal)),
    }),
    'tune.accept': ({ runId }, context) => following(context, (steps) => tuning.accept(runId, steps)),
    'tune.decline': ({ runId }) => ({ run: tuning.decline(runId) }),
    'tune.undo': (_input, context) => following(context, (steps) => tuning.undo(steps)),
    'tune.remove': ({ runId }) => {
      tuning.remove(runId);
      return {};
    },
    'tune.export': async ({ runId, grant }) => ({ path: await tuning.export(runId, grants.path(grant)) }),
    'tune.import': async ({ grant }) => ({ run: await tuning.import(grants.path(grant)) }),
  };
}
