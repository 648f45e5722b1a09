/** Which pills stand at the bottom left: other things there make room for them. */
import type { CaptionRun } from './caption-run.svelte.ts';
import type { Indexing } from './indexing.svelte.ts';
import type { Packs } from './packs.svelte.ts';

interface Background {
  readonly indexing: Indexing;
  readonly packs: Packs;
  readonly captionRun: CaptionRun;
}

export function pillsOf({ indexing, packs, captionRun }: Background): {
  indexing: boolean;
  captions: boolean;
} {
  return {
    indexing: indexing.busy || packs.progress !== null || indexing.failureTotal > 0 || indexing.open,
    captions: captionRun.busy || captionRun.failures.length > 0,
  };
}
