/** Pages of a ranking that stay consistent while photos are being indexed. */
import { join } from 'node:path';
import type { Chip, Hit, SearchResult } from '../../contract.ts';
import type { PhotoRow, RootRow, Store } from '../store/types.ts';
import type { BlendedPhoto } from './blend.ts';
import type { Ranking } from './rank.ts';

export interface StoredRanking extends Ranking {
  readonly chips: readonly Chip[];
  readonly encodeMs: number;
  readonly searchMs: number;
}

export interface Pages {
  /**
   * @param generation of all that the ranking came from.
   * @param later a further page: takes the ranking its first page came from, though the library has changed.
   */
  find(key: string, generation: string, later: boolean): StoredRanking | undefined;
  keep(key: string, generation: string, ranking: StoredRanking): void;
}

/** A handful of queries back and forth; one ranking of 100,000 photos is some megabytes. */
const mostRankings = 12;
/** How long a person may take between two pages before the first is too old to go on from. */
const laterPagesForMs = 5 * 60_000;

export function createPages(now: () => number): Pages {
  const kept = new Map<string, { generation: string; at: number; ranking: StoredRanking }>();
  return {
    find(key, generation, later) {
      const found = kept.get(key);
      if (found === undefined) return undefined;
      const fits = found.generation === generation || (later && now() - found.at < laterPagesForMs);
      return fits ? found.ranking : undefined;
    },
    keep(key, generation, ranking) {
      kept.delete(key);
      kept.set(key, { generation, at: now(), ranking });
      const [oldest] = kept.keys();
      if (kept.size > mostRankings && oldest !== undefined) kept.delete(oldest);
    },
  };
}

export function bandCounts({ photos }: Ranking): SearchResult['bands'] {
  const counts = { strong: 0, likely: 0, weak: 0 };
  for (const { band } of photos) counts[band]++;
  return counts;
}

/** The hits asked for; photos that went since they were ranked are left out. */
export function pageOf(
  store: Store,
  { photos }: Ranking,
  { offset, limit }: { offset: number; limit: number },
): Hit[] {
  const page = photos.slice(offset, offset + limit);
  const rows = new Map(store.photos.getMany(page.map(({ id }) => id)).map((row) => [row.id, row]));
  const roots = new Map(store.roots.list().map((root) => [root.id, root]));
  return page.flatMap((photo) => {
    const row = rows.get(photo.id);
    const root = row === undefined ? undefined : roots.get(row.rootId);
    return row === undefined || root === undefined ? [] : [hitOf(store, photo, row, root)];
  });
}

function hitOf(store: Store, { id, score, band, foundBy }: BlendedPhoto, row: PhotoRow, root: RootRow): Hit {
  return {
    id,
    name: row.relPath.slice(row.relPath.lastIndexOf('/') + 1),
    width: row.metadata?.width ?? 0,
    height: row.metadata?.height ?? 0,
    takenAt: row.metadata?.takenAt ?? row.mtimeMs,
    path: join(root.path, row.relPath),
    rootId: root.id,
    offline: !root.online,
    score,
    band,
    foundBy,
    copies: row.hash === null ? 0 : Math.max(0, store.photos.byHash(row.hash).length - 1),
  };
}
