/** Puts the parts of the describe room together: captions, runs, questions, and what they do in the background. */
import type { CaptionProgress } from '../contract.ts';
import { readSettings } from './app-settings.ts';
import { createAsking, type Asking } from './describe/ask.ts';
import { createBackgroundCaptions, type BackgroundCaptions } from './describe/background-captions.ts';
import { createCaptionRuns, type CaptionRuns } from './describe/caption-runs.ts';
import { createCaptions, type Captions } from './describe/captions.ts';
import { createCourtesy, type Courtesy } from './describe/courtesy.ts';
import type { LanguageKeeper } from './language-keeper.ts';
import { createRate } from './library/rate.ts';
import type { Library, Timers } from './library/types.ts';
import type { Log } from './log.ts';
import type { Rooms } from './rooms.ts';
import type { Store } from './store/types.ts';

export interface DescribingOptions {
  readonly store: Store;
  readonly log: Log;
  readonly now: () => number;
  readonly timers: Timers;
  readonly library: Library;
  readonly language: LanguageKeeper;
  /** Names of the tags that a photo carries. */
  readonly tagsOf: (photoId: number) => readonly string[];
  /** False where nothing runs by itself: a command line, or a library that is only read. */
  readonly inBackground: boolean;
  readonly onProgress: (progress: CaptionProgress) => void;
  readonly onDescribed: (photoIds: readonly number[]) => void;
  readonly notice: Rooms['notice'];
}

export interface Describing {
  readonly captions: Captions;
  readonly runs: CaptionRuns;
  readonly background: BackgroundCaptions;
  readonly asking: Asking;
  readonly courtesy: Courtesy;
  readonly tagsOf: (photoId: number) => readonly string[];
  /** Ends what runs; what it wrote stays. */
  close(): Promise<void>;
}

export function createDescribing(options: DescribingOptions): Describing {
  const { store, library, language, timers, now } = options;
  const courtesy = createCourtesy(timers);
  const room = {
    store,
    log: options.log,
    now,
    locate: (photoId: number) => library.locate(photoId),
    useModel: language.useModel,
    courtesy,
    onDescribed: options.onDescribed,
  };
  const runs = createCaptionRuns({
    ...room,
    createRate: () => createRate(now),
    isIndexing: () => library.state().phase !== 'idle',
    onProgress: options.onProgress,
  });
  const background = createBackgroundCaptions({
    runs,
    isWanted: () => options.inBackground && readSettings(store).captionInBackground,
    hasWork: () =>
      language.useModel('caption', ({ fingerprint }) =>
        Promise.resolve(store.captions.countWithout(fingerprint) > 0),
      ),
    onProblem: (error) => options.notice({ ...error.toShape(), level: 'warning', key: 'captions' }),
  });
  return {
    captions: createCaptions(room),
    runs,
    background,
    asking: createAsking(room),
    courtesy,
    tagsOf: options.tagsOf,
    async close() {
      await Promise.all([runs.close(), background.close()]);
      courtesy.close();
    },
  };
}
