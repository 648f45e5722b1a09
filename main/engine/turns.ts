/** One after the other: work that would race for the same files, memory and active-model pointer. */

export type InTurn = <T>(work: () => Promise<T>) => Promise<T>;

/** @returns a function that starts work when all that was given to it before has ended, well or not. */
export function createTurns(): InTurn {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const result = last.then(work, work);
    last = result.catch(() => undefined);
    return result;
  };
}
