/** Which pills stand at the bottom left: other things there make room for them. */
import type { CaptionRun } from './caption-run.svelte.ts';
import type { Indexing } from './indexing.svelte.ts';
import type { Packs } from './packs.svelte.ts';
import type { Routes } from './routes.svelte.ts';
import type { Tuning } from './tuning.svelte.ts';

interface Background {
  readonly indexing: Indexing;
  readonly packs: Packs;
  readonly captionRun: CaptionRun;
  readonly tuning: Tuning;
  readonly routes: Routes;
}

export function pillsOf({ indexing, packs, captionRun, tuning, routes }: Background): {
  indexing: boolean;
  captions: boolean;
  tuning: boolean;
} {
  return {
    indexing: indexing.busy || packs.progress !== null || indexing.failureTotal > 0 || indexing.open,
    captions: captionRun.busy || captionRun.failures.length > 0,
    // Where one teaches, it is shown large.
    tuning: (tuning.busy || tuning.changing) && routes.place !== 'teach',
  };
}
