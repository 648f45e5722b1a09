/** A rate that follows the work without jumping: over the last seconds of it, pauses left out. */
export interface Rate {
  /** @param done how many are finished by now. */
  note(done: number): void;
  /** Forgets the past, e.g. after a pause. */
  restart(done: number): void;
  perSecond(): number;
  /** Seconds until `left` more are done; null before anything is known. */
  secondsFor(left: number): number | null;
}

/** Long enough to smooth batches and folders of different cameras, short enough to follow a busy machine. */
const windowMs = 15_000;

export function createRate(now: () => number): Rate {
  let samples: { at: number; done: number }[] = [{ at: now(), done: 0 }];
  const perSecond = (): number => {
    const [first, last] = [samples[0], samples.at(-1)];
    if (first === undefined || last === undefined || last.at <= first.at) return 0;
    return (1_000 * (last.done - first.done)) / (last.at - first.at);
  };
  return {
    note(done) {
      const at = now();
      samples.push({ at, done });
      // The one just outside stays as the start of the window.
      while ((samples[1]?.at ?? at) < at - windowMs) samples.shift();
    },
    restart(done) {
      samples = [{ at: now(), done }];
    },
    perSecond,
    secondsFor(left) {
      const rate = perSecond();
      return rate > 0 ? left / rate : null;
    },
  };
}
