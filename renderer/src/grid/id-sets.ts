/** Sets of photo ids that are replaced, never changed, so that a page that shows one sees every step. */
import type { GridSource } from './source.ts';

export type Ids = ReadonlySet<number>;

export const noIds: Ids = new Set();

export function toggled(ids: Ids, id: number): Ids {
  const next = new Set(ids);
  if (!next.delete(id)) next.add(id);
  return next;
}

/** @returns the ids that are not among the known ones, in their order. */
export function idsNotIn(known: Iterable<number>, ids: readonly number[]): number[] {
  const there = new Set(known);
  return ids.filter((id) => !there.has(id));
}

/** @returns `before` and every photo from one place to another, in either direction. */
export function withRange(source: GridSource, a: number, b: number, before: Ids): Ids {
  const next = new Set(before);
  for (let i = Math.min(a, b); i <= Math.max(a, b); i++) {
    const id = source.idAt(i);
    if (id !== undefined) next.add(id);
  }
  return next;
}
