/** Decides what became of each photo of a scan: edited, touched, moved, gone or new, by the content of the files. */
import type { FileStat, KnownFile, SeenFile } from '../store/types.ts';
import type { HashedFile } from './content-hash.ts';

/** What comparing one root with the store came to. */
export interface RootDifference {
  readonly rootId: number;
  /** On disk, not in the store. */
  readonly fresh: readonly SeenFile[];
  /** In both, with another size or time. */
  readonly changed: readonly { readonly known: KnownFile; readonly seen: SeenFile }[];
  /** In the store, not on disk, in folders that could be read. */
  readonly missing: readonly KnownFile[];
}

export interface Move {
  readonly photoId: number;
  readonly rootId: number;
  readonly relPath: string;
  readonly stat: FileStat;
  /** The photo that lies there so far and moves away itself, if any. */
  readonly after: number | null;
  readonly pending: boolean;
}

export interface Verdict {
  readonly touched: readonly { readonly id: number; readonly stat: FileStat }[];
  readonly moved: readonly Move[];
  readonly removed: readonly number[];
  readonly edited: readonly { readonly id: number; readonly stat: FileStat }[];
  readonly added: readonly { readonly rootId: number; readonly files: readonly SeenFile[] }[];
}

/** A photo whose content is no longer where the store has it. */
interface Vacated {
  readonly known: KnownFile;
  readonly rootId: number;
}

/** A path whose content is not (or no longer) that of a photo of ours. */
interface Place {
  readonly rootId: number;
  readonly seen: SeenFile;
  readonly holder: KnownFile | null;
  hashed: HashedFile | undefined;
}

/**
 * Contents are matched across all the roots given, so that renames, swaps (a ↔ b), overwriting renames and
 * moves between roots keep their photo, and a rename with an edit does not. Only files that may match are read.
 * @param hash undefined where the file can't be read now: it counts as new content, and indexing says why.
 */
export async function placeContents(
  differences: readonly RootDifference[],
  hash: (rootId: number, relPath: string) => Promise<HashedFile | undefined>,
): Promise<Verdict> {
  const touched: { id: number; stat: FileStat }[] = [];
  const vacated: Vacated[] = [];
  const places: Place[] = [];
  for (const { rootId, fresh, changed, missing } of differences) {
    for (const known of missing) vacated.push({ known, rootId });
    for (const seen of fresh) places.push({ rootId, seen, holder: null, hashed: undefined });
    await inParallel(changed, async ({ known, seen }) => {
      const mayBeSame = known.hash !== null && known.bytes === seen.bytes;
      const hashed = mayBeSame ? await hash(rootId, seen.relPath) : undefined;
      if (hashed !== undefined && hashed.hash === known.hash) {
        touched.push({ id: known.id, stat: hashed.stat });
        return;
      }
      vacated.push({ known, rootId });
      places.push({ rootId, seen, holder: known, hashed });
    });
  }

  const wanted = new Map<string, Vacated[]>();
  for (const one of vacated) {
    if (one.known.hash === null) continue;
    const same = wanted.get(one.known.hash);
    if (same === undefined) wanted.set(one.known.hash, [one]);
    else same.push(one);
  }
  const sizes = new Set(vacated.filter(({ known }) => known.hash !== null).map(({ known }) => known.bytes));
  await inParallel(places, async (place) => {
    if (sizes.has(place.seen.bytes)) place.hashed ??= await hash(place.rootId, place.seen.relPath);
  });

  const matches = new Map<Place, Vacated>();
  for (const place of places) {
    const same = place.hashed === undefined ? undefined : wanted.get(place.hashed.hash);
    const best = same === undefined ? undefined : takeNearest(same, place);
    if (best !== undefined) matches.set(place, best);
  }
  return { touched, ...settle(vacated, places, matches) };
}

/** Among photos with the same bytes, the one of the same name in the same root is the likeliest to have moved. */
function takeNearest(candidates: Vacated[], place: Place): Vacated | undefined {
  const name = baseName(place.seen.relPath);
  let best: Vacated | undefined;
  let bestRank = -1;
  for (const candidate of candidates) {
    const sameName = baseName(candidate.known.relPath) === name;
    const rank = (sameName ? 2 : 0) + (candidate.rootId === place.rootId ? 1 : 0);
    if (rank > bestRank) [best, bestRank] = [candidate, rank];
  }
  if (best !== undefined) candidates.splice(candidates.indexOf(best), 1);
  return best;
}

function settle(
  vacated: readonly Vacated[],
  places: readonly Place[],
  matches: ReadonlyMap<Place, Vacated>,
): Omit<Verdict, 'touched'> {
  const moving = new Set([...matches.values()].map(({ known }) => known.id));
  const moved: Move[] = [];
  const edited: { id: number; stat: FileStat }[] = [];
  const added = new Map<number, SeenFile[]>();
  const stays = new Set<number>();
  for (const place of places) {
    const { rootId, seen, holder } = place;
    const match = matches.get(place);
    if (match !== undefined) {
      const stat = place.hashed?.stat ?? seen;
      const after = holder !== null && moving.has(holder.id) ? holder.id : null;
      const { id: photoId, status } = match.known;
      moved.push({ photoId, rootId, relPath: seen.relPath, stat, after, pending: status === 'pending' });
    } else if (holder !== null && !moving.has(holder.id)) {
      edited.push({ id: holder.id, stat: { bytes: seen.bytes, mtimeMs: seen.mtimeMs } });
      stays.add(holder.id);
    } else {
      const files = added.get(rootId);
      if (files === undefined) added.set(rootId, [seen]);
      else files.push(seen);
    }
  }
  const removed = vacated.map(({ known }) => known.id).filter((id) => !moving.has(id) && !stays.has(id));
  return {
    moved: inOrder(moved),
    removed,
    edited,
    added: [...added].map(([rootId, files]) => ({ rootId, files })),
  };
}

/** Moves out of a place come before the move into it; of a circle (a swap), one photo is last to be placed. */
function inOrder(moves: readonly Move[]): Move[] {
  const waiting = new Map(moves.filter(({ after }) => after !== null).map((move) => [move.after, move]));
  const ordered: Move[] = [];
  const done = new Set<number>();
  const follow = (first: Move): void => {
    for (let move: Move | undefined = first; move !== undefined; move = waiting.get(move.photoId)) {
      if (done.has(move.photoId)) return;
      done.add(move.photoId);
      ordered.push(move);
    }
  };
  for (const move of moves) if (move.after === null) follow(move);
  for (const move of moves) follow(move);
  return ordered;
}

function baseName(relPath: string): string {
  return relPath.slice(relPath.lastIndexOf('/') + 1);
}

/** Reads of a disk: a few at once keep a solid-state drive busy and leave a turning one in peace. */
async function inParallel<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let item = items[next++]; item !== undefined; item = items[next++]) await work(item);
  };
  await Promise.all(Array.from({ length: Math.min(4, items.length) }, worker));
}
