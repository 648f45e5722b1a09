/** The graph into the store and back: links only, through a temporary file because hnswlib knows nothing else. */
import { open, readdir, rm, stat, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import hnswlib from 'hnswlib-node';
import { AppError } from '../../errors.ts';
import type { Log } from '../log.ts';
import type { Store } from '../store/types.ts';
import {
  composeGraphFile,
  decodeSnapshot,
  encodeSnapshot,
  graphFileBytes,
  parseGraphFile,
  type GraphElement,
  type GraphLinks,
  type GraphShape,
} from './graph-file.ts';
import { Graph, linksPerElement } from './graph.ts';
import type { VectorRows } from './vector-rows.ts';

const chunkBytes = 4 * 2 ** 20;
/** Deleted elements need labels that no row will have; hnswlib's labels end at 2^32. */
const firstDeletedLabel = 2 ** 31;
/** Above this share of deleted elements a graph is built anew. */
export const mostDeleted = 0.3;

let files = 0;
const temporaryFile = (directory: string): string => join(directory, `graph-${process.pid}-${++files}.tmp`);

/** Removes temporary files whose process is gone: a kill -9 leaves them behind. */
export async function removeStaleFiles(directory: string): Promise<void> {
  for (const name of await readdir(directory)) {
    const pid = /^graph-(\d+)-\d+\.tmp$/.exec(name)?.[1];
    if (pid !== undefined && !isAlive(Number(pid))) await rm(join(directory, name), { force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (thrown) {
    return (thrown as NodeJS.ErrnoException).code === 'EPERM';
  }
}

export interface SnapshotPlace {
  readonly store: Store;
  readonly modelId: number;
  readonly temporaryDirectory: string;
  readonly log: Log;
}

/** What cannot be removed now is removed at the next start. */
async function discard(path: string, log: Log): Promise<void> {
  try {
    await rm(path, { force: true });
  } catch (thrown) {
    log.warn('index: a temporary file stays', { error: AppError.from(thrown, `Removing ${path}`).toShape() });
  }
}

/**
 * Writes the graph in one transaction. The event loop is held only while that transaction runs (14 MB at 100,000
 * photos); hnswlib writes on another thread.
 * @throws AppError io-failed, disk-full, cancelled
 */
export async function saveGraph(
  place: SnapshotPlace,
  graph: Graph,
  rows: VectorRows,
  generation: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  // Rows may be given to other photos while the file is read: who had them is noted first.
  const ids = new Uint32Array(rows.rowLimit);
  for (let row = 0; row < ids.length; row += 1) ids[row] = rows.idOf(row) ?? 0;
  const path = temporaryFile(place.temporaryDirectory);
  try {
    signal?.throwIfAborted();
    await checkSpace(place.temporaryDirectory, graphFileBytes(graph.elements, graph.shape));
    await graph.writeFile(path);
    signal?.throwIfAborted();
    const links = await parseFile(path, graph.shape, (label) => ids[label] ?? 0);
    signal?.throwIfAborted();
    place.store.snapshots.write(
      place.modelId,
      { generation, count: links.count, dims: rows.dims },
      encodeSnapshot(links, graph.shape, chunkBytes),
    );
  } catch (thrown) {
    throw AppError.from(thrown, 'Saving the search graph');
  } finally {
    await discard(path, place.log);
  }
}

/** hnswlib reports success on a full disk, so there is a look beforehand and one at the file afterwards. */
async function checkSpace(directory: string, bytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(directory);
  if (bavail * bsize >= bytes) return;
  throw new AppError(
    'disk-full',
    `The search graph needs ${Math.ceil(bytes / 2 ** 20)} MB in ${directory} to be saved, and there is less. Free some space; until then it is rebuilt at each start.`,
    { details: { path: directory } },
  );
}

async function parseFile(
  path: string,
  shape: GraphShape,
  idOf: (label: number) => number,
): Promise<GraphLinks> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    return await parseGraphFile(
      async (position, length) => {
        const buffer = Buffer.alloc(length);
        const { bytesRead } = await file.read(buffer, 0, length, position);
        if (bytesRead !== length) throw new AppError('io-failed', `${path} is shorter than it was.`);
        return buffer;
      },
      size,
      shape,
      idOf,
    );
  } finally {
    await file.close();
  }
}

/**
 * Reads the model's graph; rows that changed since it was saved wait to join it again.
 * @param modelId whose graph: another model's, where its photos are known to have much the same neighbours. What
 *   changed is then asked of that model, and the vectors are the rows' own.
 * @returns undefined when there is no snapshot, or one that is too old.
 * @throws AppError library-damaged (missing or torn chunks, links that lead nowhere), io-failed, disk-full
 */
export async function loadGraph(
  place: SnapshotPlace,
  rows: VectorRows,
  modelId = place.modelId,
): Promise<Graph | undefined> {
  const { store, log } = place;
  const info = store.snapshots.info(modelId);
  if (info === undefined) return undefined;
  const shape = { dims: rows.dims, m: linksPerElement };
  const links = decodeSnapshot(Buffer.concat([...store.snapshots.read(modelId)]), shape);
  if (info.dims !== rows.dims || info.count !== links.count) throw mixedUp('it was made for other vectors');
  const changes = store.embeddings.changesSince(modelId, info.generation);
  if (changes === undefined) {
    log.info(tooOld, { ...info });
    return undefined;
  }
  const changed = new Set<number>();
  for (const id of changes.upserted.ids) changed.add(id);

  const present = new Set<number>();
  const rowOf = new Int32Array(links.count).fill(-1);
  for (const [element, id] of links.ids.entries()) {
    if (id === 0 || changed.has(id)) continue;
    const row = rows.rowOf(id);
    if (row === undefined) continue;
    if (present.has(row)) throw mixedUp(`photo ${id} is in it twice`);
    rowOf[element] = row;
    present.add(row);
  }
  const deleted = links.count - present.size;
  if (deleted > mostDeleted * links.count) {
    log.info(tooOld, { ...info, deleted });
    return undefined;
  }

  const vectorOf = (element: number): Float32Array | undefined => {
    const row = rowOf[element] ?? -1;
    return row < 0 ? undefined : rows.vectorAt(row);
  };
  const element = (index: number): GraphElement => {
    const vector = vectorOf(index);
    if (vector !== undefined) return { label: rowOf[index] ?? 0, deleted: false, vector };
    // Its vector is gone, but it still joins its neighbours: near one of them is where it was.
    return {
      label: firstDeletedLabel + index,
      deleted: true,
      vector: neighbourVector(links, index, vectorOf) ?? new Float32Array(rows.dims),
    };
  };
  const capacity = links.count + Math.max(1024, rows.size - present.size);
  const path = temporaryFile(place.temporaryDirectory);
  try {
    await writeFile(path, composeGraphFile(links, shape, capacity, element));
    await checkLength(path, links, shape);
    const hnsw = new hnswlib.HierarchicalNSW('ip', rows.dims);
    await hnsw.readIndex(path);
    return new Graph(rows, { hnsw, capacity, present, deleted });
  } catch (thrown) {
    throw AppError.from(thrown, 'Loading the search graph');
  } finally {
    await discard(path, log);
  }
}

/** hnswlib believes what it reads, so the file must be whole. */
async function checkLength(path: string, links: GraphLinks, shape: GraphShape): Promise<void> {
  const expected = graphFileBytes(links.count, shape) + links.upper.length;
  const { size } = await stat(path);
  if (size !== expected) throw new AppError('io-failed', `${path} has ${size} bytes instead of ${expected}.`);
}

function neighbourVector(
  links: GraphLinks,
  element: number,
  vectorOf: (element: number) => Float32Array | undefined,
): Float32Array | undefined {
  const start = element * (links.level0.length / links.count);
  const n = links.level0.readUInt16LE(start);
  for (let i = 0; i < n; i += 1) {
    const vector = vectorOf(links.level0.readUInt32LE(start + 4 + i * 4));
    if (vector !== undefined) return vector;
  }
  return undefined;
}

const tooOld = 'index: the stored graph is too old to catch up and is built anew';

function mixedUp(reason: string): AppError {
  return new AppError(
    'library-damaged',
    `The stored search graph is damaged: ${reason}. It is rebuilt from the stored vectors by itself.`,
  );
}
