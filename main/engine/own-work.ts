/** What the engine does by itself: indexing what is pending, catching up with a change of models, watching. */
import type { Background } from './background.ts';
import type { Timers } from './library/types.ts';
import type { Rooms } from './rooms.ts';

export interface OwnWorkOptions {
  readonly rooms: () => Pick<Rooms, 'store' | 'library' | 'models' | 'packSwitch'>;
  readonly work: Background;
  /** False where nothing runs by itself: a command line, or a library that is only read. */
  readonly inBackground: boolean;
  readonly onCaughtUp: () => void;
}

export interface OwnWork {
  readonly indexSoon: Rooms['indexSoon'];
  /** Vectors that the model in use lacks are made. */
  readonly catchUpSoon: () => void;
}

export function createOwnWork({ rooms, work, inBackground, onCaughtUp }: OwnWorkOptions): OwnWork {
  let catchingUp = false;
  return {
    indexSoon(rootIds) {
      // A command line runs what it wants run and waits for it.
      if (!inBackground) return;
      const { library, models } = rooms();
      work.run('Indexing', async () => {
        await models.ready();
        const report = await library.run({ rootIds });
        if (report.indexed + report.removed > 0) await models.index()?.save();
      });
    },
    catchUpSoon() {
      const { store, models, packSwitch } = rooms();
      if (catchingUp || store.readOnly) return;
      catchingUp = true;
      work.run('Looking at the photos with the new model', async () => {
        try {
          await models.ready();
          if ((await packSwitch.catchUp()) > 0) onCaughtUp();
        } finally {
          catchingUp = false;
        }
      });
    },
  };
}

/** What a window does by itself. A command line may need no pack at all; the calls that do load it. */
export function startUp(rooms: Rooms, { indexSoon, catchUpSoon }: OwnWork, work: Background): void {
  // Its failure is told by notice, and again to every call that needs it.
  rooms.models.load().then(
    () => rooms.names.changed(),
    () => undefined,
  );
  // The files of the active pack were replaced (a newer version of the app), or a crash came between two commits.
  catchUpSoon();
  work.run('Watching the folders', () => rooms.applySettings());
  // Finishes what was interrupted, and finds what changed while nobody watched.
  if (rooms.store.roots.list().length > 0) indexSoon();
  rooms.tags.changed();
  rooms.albums.changed();
  rooms.describing.background.changed();
}

export const processTimers: Timers = {
  after(delayMs, run) {
    const timer = setTimeout(run, delayMs);
    return () => clearTimeout(timer);
  },
};
