/** One indexing run: scans what was asked for, works through what is pending, and reports. */
import type { IndexProgress, IndexReport } from '../../contract.ts';
import { AppError } from '../../errors.ts';
import { createIndexJob, type Tally } from './index-job.ts';
import { createWakeup, runPipeline } from './pipeline.ts';
import { createRate } from './rate.ts';
import { scan, type ScanRequest, type ScanTools } from './scan.ts';
import type { LibraryOptions } from './types.ts';

export interface IndexRun {
  readonly report: Promise<IndexReport>;
  /** True from the moment on when nothing further can be asked of it. */
  readonly isOver: () => boolean;
  /** Has more scanned before the run goes on; what is found is part of this run. */
  request(wanted: ScanRequest): void;
  /** To be called when the paused state changed. */
  wake(): void;
}

export interface IndexRunOptions {
  readonly tools: ScanTools;
  readonly library: LibraryOptions;
  readonly wanted: ScanRequest;
  /** The run begins when this is settled. */
  readonly turn: Promise<unknown>;
  readonly isPaused: () => boolean;
  readonly signal: AbortSignal;
  readonly onProgress: (progress: IndexProgress) => void;
  readonly onRootsChanged: () => void;
}

/** Progress is for people: more often than this only costs. A change of phase is told at once. */
const progressEveryMs = 100;

export function startIndexRun(options: IndexRunOptions): IndexRun {
  const { tools, library, signal } = options;
  const { store, now } = tools;
  let startedAt = now();
  const rate = createRate(now);
  const wakeup = createWakeup();
  /** Roots whose photos are worked on, and those of them that somebody asked for: the report is about these. */
  const scope = new Set<number>();
  const asked = new Set<number>();
  const tally: Tally = { indexed: 0, unchanged: 0, moved: 0, removed: 0, failed: new Map() };
  let requests = new Map(options.wanted);
  let vanished = new Set<number>();
  let done = 0;
  let total = 0;
  let working: IndexProgress['phase'] = 'scanning';
  let wasPaused = options.isPaused();
  let current: string | null = null;
  let lastProgressAt = -Infinity;
  let lastPhase: IndexProgress['phase'] | undefined;
  let over = false;

  const progress = (): void => {
    const phase = options.isPaused() && working === 'indexing' ? 'paused' : working;
    const at = now();
    if (phase === lastPhase && at - lastProgressAt < progressEveryMs) return;
    [lastPhase, lastProgressAt] = [phase, at];
    const left = phase === 'indexing' ? rate.secondsFor(total - done) : null;
    const imagesPerSecond = phase === 'indexing' ? rate.perSecond() : 0;
    const failed = tally.failed.size;
    options.onProgress({ phase, done, total, failed, imagesPerSecond, secondsLeft: left, current });
  };
  const enter = (phase: IndexProgress['phase']): void => {
    working = phase;
    progress();
  };

  const scanRequested = async (): Promise<void> => {
    enter('scanning');
    const wanted = requests;
    requests = new Map();
    const again = [...wanted.keys()].every((id) => asked.has(id));
    for (const id of wanted.keys()) {
      asked.add(id);
      scope.add(id);
    }
    const found = await scan(tools, wanted, signal);
    for (const id of found.alsoScanned) scope.add(id);
    // A second look would count what this very run has indexed.
    if (!again) tally.unchanged += found.unchanged;
    tally.moved += found.moved;
    tally.removed += found.removed;
    for (const problem of found.problems) tally.failed.set(problem.path, problem);
    // Photos that were pending before are in the total already when their root was part of the run.
    total = Math.max(done, total + found.queued + (again ? 0 : found.pending));
    if (found.rootsChanged) options.onRootsChanged();
  };

  const work = async (): Promise<IndexReport> => {
    await options.turn;
    startedAt = now();
    await scanRequested();
    rate.restart(0);
    const model = library.model();
    const job =
      model === undefined
        ? undefined
        : createIndexJob({
            tools,
            library,
            model,
            scope,
            tally,
            isHeld: () => requests.size > 0,
            onOffline(rootId) {
              if (store.roots.get(rootId)?.online !== true) return;
              store.roots.setOnline(rootId, false);
              options.onRootsChanged();
            },
            onVanished: (rootId) => vanished.add(rootId),
            onSettled(name) {
              done += 1;
              total = Math.max(total, done);
              current = name;
              rate.note(done);
              progress();
            },
          });
    for (;;) {
      signal.throwIfAborted();
      if (requests.size > 0) {
        await scanRequested();
        job?.rewind();
      }
      if (job === undefined || model === undefined) {
        if (store.photos.pending({ limit: 1, rootIds: [...scope] }).length > 0) throw noPack();
        break;
      }
      enter('indexing');
      await runPipeline(job, {
        embedder: model.embedder,
        concurrency: library.decoder.concurrency,
        isPaused: options.isPaused,
        mayReturn: () => requests.size > 0,
        wakeup,
        signal,
      });
      if (requests.size > 0) continue;
      if (vanished.size > 0) {
        requests = new Map([...vanished].map((id) => [id, 'all']));
        vanished = new Set();
      } else if (job.needsRewind()) job.rewind();
      else break;
    }
    enter('finishing');
    store.thumbnails.trim(library.thumbnailsMaxBytes());
    over = true;
    return report();
  };

  const report = (): IndexReport => {
    const counts = store.roots.counts();
    const seconds = (now() - startedAt) / 1_000;
    return {
      photos: [...asked].reduce((sum, id) => sum + (counts.get(id)?.photos ?? 0), 0),
      ...tally,
      failed: [...tally.failed.values()],
      seconds,
      imagesPerSecond: seconds > 0 ? tally.indexed / seconds : 0,
    };
  };

  return {
    report: work().catch((thrown: unknown) => {
      over = true;
      throw signal.aborted && signal.reason instanceof AppError
        ? signal.reason
        : AppError.from(thrown, 'Indexing');
    }),
    isOver: () => over,
    request(wanted) {
      for (const [id, targets] of wanted) {
        const before = requests.get(id);
        const all = targets === 'all' || before === 'all';
        requests.set(id, all ? 'all' : [...(before ?? []), ...targets]);
      }
      wakeup.wake();
    },
    wake() {
      const paused = options.isPaused();
      // The time of a pause counts neither for the rate nor for the time left.
      if (wasPaused && !paused) rate.restart(done);
      wasPaused = paused;
      progress();
      wakeup.wake();
    },
  };
}

function noPack(): AppError {
  return new AppError(
    'pack-missing',
    'The photos were found but not indexed: no model pack is installed. Install one on the models page, then index again.',
  );
}
