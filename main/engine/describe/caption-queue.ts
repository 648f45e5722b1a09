/** Which photo a caption run takes next, and how many there are: those asked for first, then the rest of the library. */
import type { Store } from '../store/types.ts';

export interface QueuedPhoto {
  readonly photoId: number;
  /** Caption it though this model has before. */
  readonly again: boolean;
  /** Asked for by id; the others are whatever has no caption yet. */
  readonly asked: boolean;
}

export interface CaptionQueue {
  /** Photos that are settled stay so; those that are in already are not put in twice. */
  add(photoIds: readonly number[], options: { again: boolean; asked: boolean }): void;
  /** From now on every photo that this model has not captioned belongs to the run. */
  addLibrary(): void;
  /** @param fingerprint of the model in use; another than before begins the library anew. */
  next(fingerprint: string): QueuedPhoto | undefined;
  /** This photo was taken and got no caption: it does not wait. */
  pass(photoId: number): void;
  /** Photos taken, and those known to wait. */
  counts(): { readonly taken: number; readonly left: number };
}

const pageRows = 128;

/** @param isLeftOut photos of the library that the run passes over. */
export function createCaptionQueue(
  store: Pick<Store, 'captions'>,
  isLeftOut: (photoId: number) => boolean,
): CaptionQueue {
  const first = new Map<number, { again: boolean; asked: boolean }>();
  /** Everything ever taken in this run: no photo is begun twice, unless it is asked for again. */
  const seen = new Set<number>();
  const passed = new Set<number>();
  let library = false;
  let fingerprint: string | undefined;
  let page: number[] = [];
  let afterId = 0;
  let taken = 0;
  let libraryLeft = 0;

  const restartLibrary = (): void => {
    page = [];
    afterId = 0;
    libraryLeft = fingerprint === undefined ? 0 : store.captions.countWithout(fingerprint);
  };
  const nextOfLibrary = (model: string): number | undefined => {
    for (;;) {
      const photoId = page.shift();
      if (photoId !== undefined) {
        const leftOut = isLeftOut(photoId);
        if (leftOut) passed.add(photoId);
        if (!leftOut && !seen.has(photoId)) return photoId;
        libraryLeft = Math.max(0, libraryLeft - 1);
        continue;
      }
      page = store.captions.without(model, { limit: pageRows, afterId });
      afterId = page.at(-1) ?? afterId;
      if (page.length === 0) {
        libraryLeft = 0;
        return undefined;
      }
      // Photos came since it was counted. Counting looks at every photo, so that it is not done for each page.
      if (libraryLeft < page.length)
        libraryLeft = Math.max(page.length, store.captions.countWithout(model) - passed.size);
    }
  };

  return {
    add(photoIds, { again, asked }) {
      for (const photoId of photoIds) {
        if (again) seen.delete(photoId);
        if (seen.has(photoId)) continue;
        const before = first.get(photoId);
        first.set(photoId, {
          again: again || before?.again === true,
          asked: asked || before?.asked === true,
        });
      }
    },
    addLibrary() {
      if (!library) restartLibrary();
      library = true;
    },
    next(model) {
      if (fingerprint !== model) {
        fingerprint = model;
        // What another model said of them is not what this one says.
        seen.clear();
        passed.clear();
        restartLibrary();
      }
      for (const [photoId, how] of first) {
        first.delete(photoId);
        seen.add(photoId);
        taken += 1;
        if (store.captions.ofModel(photoId, model) === undefined) libraryLeft = Math.max(0, libraryLeft - 1);
        return { photoId, ...how };
      }
      if (!library) return undefined;
      const photoId = nextOfLibrary(model);
      if (photoId === undefined) return undefined;
      seen.add(photoId);
      taken += 1;
      libraryLeft = Math.max(0, libraryLeft - 1);
      return { photoId, again: false, asked: false };
    },
    pass: (photoId) => passed.add(photoId),
    counts: () => ({ taken, left: library ? Math.max(libraryLeft, first.size) : first.size }),
  };
}
