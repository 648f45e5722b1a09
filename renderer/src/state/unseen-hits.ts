/** Pages of a result overlap when the library changes between them. */
import type { Hit } from '../../../main/contract.ts';

/** @returns the hits of a page that are not held yet. */
export function unseen(held: readonly Hit[], page: readonly Hit[]): Hit[] {
  const known = new Set(held.map((hit) => hit.id));
  return page.filter((hit) => !known.has(hit.id));
}
