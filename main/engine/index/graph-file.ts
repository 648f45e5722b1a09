/** hnswlib's file format, taken apart: the snapshot keeps the links, the vectors are in the store already. */
import { AppError } from '../../errors.ts';

/**
 * hnswlib's header as saveIndex writes it on 64-bit systems (hnswalg.h of hnswlib 0.8): thirteen fields, 96 bytes,
 * then per element its level-0 links, vector and label, then per element the links of its upper levels.
 */
const headerBytes = 96;
const magic = 0x31474941; // "AIG1"
const snapshotHeaderBytes = 40;
/** Third byte of an element's level-0 link list: hnswlib's DELETE_MARK. */
const deleteMarkOffset = 2;

export interface GraphShape {
  readonly dims: number;
  /** Links per element on upper levels; level 0 has twice as many. */
  readonly m: number;
}
const linksBytes = ({ m }: GraphShape): number => 4 + 2 * m * 4;
const upperBytes = ({ m }: GraphShape): number => 4 + m * 4;
const elementBytes = (shape: GraphShape): number => linksBytes(shape) + shape.dims * 4 + 8;

/** The file's length without the upper levels' links, which are few. */
export const graphFileBytes = (count: number, shape: GraphShape): number =>
  headerBytes + count * (elementBytes(shape) + 4);

/** The graph without its vectors: about 140 bytes an element at M 16. */
export interface GraphLinks {
  readonly count: number;
  readonly maxLevel: number;
  readonly entryPoint: number;
  readonly mult: number;
  readonly efConstruction: number;
  /** Photo of each element; 0 where it is deleted. Photo ids start at 1. */
  readonly ids: Uint32Array;
  /** (count, 4 + 8 m) bytes: link count, delete mark, links. */
  readonly level0: Buffer;
  /** Bytes of upper links per element, then those links one after the other. */
  readonly upperSizes: Uint32Array;
  readonly upper: Buffer;
}

/** Reads `length` bytes at `position`, whole. */
export type ReadAt = (position: number, length: number) => Promise<Buffer>;

/**
 * Takes a file that hnswlib wrote apart.
 * @param idOf photo id of a label; 0 for a deleted one
 * @throws AppError io-failed when the file is shorter or other than it must be
 */
export async function parseGraphFile(
  read: ReadAt,
  fileBytes: number,
  shape: GraphShape,
  idOf: (label: number) => number,
): Promise<GraphLinks> {
  if (fileBytes < headerBytes) throw unwritten(`it has ${fileBytes} bytes`);
  const header = await read(0, headerBytes);
  const size = (at: number): number => Number(header.readBigUInt64LE(at));
  const count = size(16);
  const element = elementBytes(shape);
  const asExpected =
    size(0) === 0 &&
    size(24) === element &&
    size(32) === element - 8 &&
    size(40) === linksBytes(shape) &&
    size(56) === shape.m &&
    size(64) === 2 * shape.m &&
    size(72) === shape.m;
  if (!asExpected) throw unwritten('its header is not the expected one');
  if (fileBytes < graphFileBytes(count, shape)) throw unwritten('it is cut short');

  const ids = new Uint32Array(count);
  const links = linksBytes(shape);
  const level0 = Buffer.alloc(count * links);
  const perRead = Math.max(1, Math.floor((4 * 2 ** 20) / element));
  for (let first = 0; first < count; first += perRead) {
    const n = Math.min(perRead, count - first);
    const bytes = await read(headerBytes + first * element, n * element);
    for (let i = 0; i < n; i += 1) {
      const at = i * element;
      bytes.copy(level0, (first + i) * links, at, at + links);
      const deleted = ((bytes[at + deleteMarkOffset] ?? 0) & 1) === 1;
      ids[first + i] = deleted ? 0 : idOf(bytes.readUInt32LE(at + element - 8));
    }
  }
  const tail = await read(headerBytes + count * element, fileBytes - headerBytes - count * element);
  const upperSizes = new Uint32Array(count);
  const parts: Buffer[] = [];
  let at = 0;
  for (let i = 0; i < count; i += 1) {
    if (at + 4 > tail.length) throw unwritten('its upper levels are cut short');
    const bytes = tail.readUInt32LE(at);
    if (at + 4 + bytes > tail.length) throw unwritten('its upper levels are cut short');
    upperSizes[i] = bytes;
    if (bytes > 0) parts.push(tail.subarray(at + 4, at + 4 + bytes));
    at += 4 + bytes;
  }
  if (at !== tail.length) throw unwritten('it is longer than it should be');
  return {
    count,
    maxLevel: header.readInt32LE(48),
    entryPoint: header.readUInt32LE(52),
    mult: header.readDoubleLE(80),
    efConstruction: size(88),
    ids,
    level0,
    upperSizes,
    upper: Buffer.concat(parts),
  };
}

/** hnswlib reports success even where nothing was written: the file itself has to be looked at. */
function unwritten(reason: string): AppError {
  return new AppError(
    'io-failed',
    `The search graph could not be saved: ${reason}. Check the free space of the library's drive; the graph is saved again later, and rebuilt if it never is.`,
  );
}

/** The snapshot as it goes into the store, in pieces of at most `chunkBytes`. */
export function* encodeSnapshot(
  links: GraphLinks,
  shape: GraphShape,
  chunkBytes: number,
): Generator<Uint8Array> {
  const header = Buffer.alloc(snapshotHeaderBytes);
  for (const [i, value] of [
    magic,
    shape.dims,
    shape.m,
    links.efConstruction,
    links.count,
    links.maxLevel,
    links.entryPoint,
    links.upper.length,
  ].entries())
    header.writeUInt32LE(value, i * 4);
  header.writeDoubleLE(links.mult, 32);
  const whole = Buffer.concat([
    header,
    bytesOf(links.ids),
    bytesOf(links.upperSizes),
    links.level0,
    links.upper,
  ]);
  for (let at = 0; at < whole.length; at += chunkBytes) yield whole.subarray(at, at + chunkBytes);
}

const bytesOf = (array: Uint32Array): Buffer => Buffer.from(array.buffer, array.byteOffset, array.byteLength);

/**
 * Reads a snapshot back and checks every link in it: hnswlib follows them without looking, and a wrong one would
 * end the process.
 * @throws AppError library-damaged
 */
export function decodeSnapshot(bytes: Buffer, shape: GraphShape): GraphLinks {
  if (bytes.length < snapshotHeaderBytes) throw broken('it is cut short');
  const field = (i: number): number => bytes.readUInt32LE(i * 4);
  if (field(0) !== magic) throw broken('its first bytes are not a graph’s');
  if (field(1) !== shape.dims || field(2) !== shape.m) throw broken('it was made for other vectors');
  const count = field(4);
  const level0Bytes = count * linksBytes(shape);
  const expected = snapshotHeaderBytes + count * 8 + level0Bytes + field(7);
  if (bytes.length !== expected) throw broken(`it has ${bytes.length} bytes instead of ${expected}`);
  let at = snapshotHeaderBytes;
  const take = (length: number): Buffer => bytes.subarray(at, (at += length));
  const links: GraphLinks = {
    efConstruction: field(3),
    count,
    maxLevel: bytes.readInt32LE(20),
    entryPoint: field(6),
    mult: bytes.readDoubleLE(32),
    ids: toUint32(take(count * 4)),
    upperSizes: toUint32(take(count * 4)),
    level0: take(level0Bytes),
    upper: take(field(7)),
  };
  checkLinks(links, shape);
  return links;
}

/** A copy: a view would need an offset that is a multiple of four. */
const toUint32 = (bytes: Buffer): Uint32Array => new Uint32Array(Uint8Array.from(bytes).buffer);

function checkLinks(links: GraphLinks, shape: GraphShape): void {
  const { count, maxLevel, entryPoint, level0, upperSizes, upper } = links;
  const perLevel = upperBytes(shape);
  if (count === 0) throw broken('it is empty');
  if (!(links.mult > 0 && links.mult < 10) || links.efConstruction < 1)
    throw broken('its parameters are not possible');
  const levels = new Uint8Array(count);
  let total = 0;
  for (const [i, bytes] of upperSizes.entries()) {
    if (bytes % perLevel !== 0 || bytes / perLevel > maxLevel)
      throw broken(`element ${i} has a broken level`);
    levels[i] = bytes / perLevel;
    total += bytes;
  }
  if (total !== upper.length) throw broken('its upper levels do not add up');
  if (entryPoint >= count || levels[entryPoint] !== maxLevel)
    throw broken('its entry point is not on the top level');
  const checkList = (list: Buffer, start: number, most: number, level: number): void => {
    const n = list.readUInt16LE(start);
    if (n > most) throw broken('a link list is too long');
    for (let i = 0; i < n; i += 1) {
      const to = list.readUInt32LE(start + 4 + i * 4);
      if (to >= count || (levels[to] ?? 0) < level) throw broken('a link leads nowhere');
    }
  };
  const step = linksBytes(shape);
  for (let i = 0; i < count; i += 1) checkList(level0, i * step, 2 * shape.m, 0);
  let at = 0;
  for (const own of levels)
    for (let level = 1; level <= own; level += 1, at += perLevel) checkList(upper, at, shape.m, level);
}

function broken(reason: string): AppError {
  return new AppError(
    'library-damaged',
    `The stored search graph is damaged: ${reason}. It is rebuilt from the stored vectors by itself.`,
  );
}

/** What hnswlib is to find in the file for one element. */
export interface GraphElement {
  readonly label: number;
  readonly deleted: boolean;
  readonly vector: Float32Array;
}

/**
 * The file that hnswlib reads, in pieces of a few MiB.
 * @param capacity how many elements fit before the graph has to be resized
 */
export function* composeGraphFile(
  links: GraphLinks,
  shape: GraphShape,
  capacity: number,
  element: (index: number) => GraphElement,
): Generator<Buffer> {
  const header = Buffer.alloc(headerBytes);
  const size = elementBytes(shape);
  const own = linksBytes(shape);
  for (const [i, value] of [0, capacity, links.count, size, size - 8, own].entries())
    header.writeBigUInt64LE(BigInt(value), i * 8);
  header.writeInt32LE(links.maxLevel, 48);
  header.writeUInt32LE(links.entryPoint, 52);
  for (const [i, value] of [shape.m, 2 * shape.m, shape.m].entries())
    header.writeBigUInt64LE(BigInt(value), 56 + i * 8);
  header.writeDoubleLE(links.mult, 80);
  header.writeBigUInt64LE(BigInt(links.efConstruction), 88);
  yield header;

  const perPiece = Math.max(1, Math.floor((4 * 2 ** 20) / size));
  for (let first = 0; first < links.count; first += perPiece) {
    const n = Math.min(perPiece, links.count - first);
    const piece = Buffer.alloc(n * size);
    for (let i = 0; i < n; i += 1) {
      const { label, deleted, vector } = element(first + i);
      const at = i * size;
      links.level0.copy(piece, at, (first + i) * own, (first + i + 1) * own);
      const mark = piece[at + deleteMarkOffset] ?? 0;
      piece[at + deleteMarkOffset] = deleted ? mark | 1 : mark & ~1;
      bytesOfVector(vector).copy(piece, at + own);
      piece.writeUInt32LE(label, at + size - 8);
    }
    yield piece;
  }

  const pieces: Buffer[] = [];
  let at = 0;
  for (const bytes of links.upperSizes) {
    const length = Buffer.alloc(4);
    length.writeUInt32LE(bytes, 0);
    pieces.push(length);
    if (bytes > 0) pieces.push(links.upper.subarray(at, at + bytes));
    at += bytes;
  }
  yield Buffer.concat(pieces);
}

const bytesOfVector = (vector: Float32Array): Buffer =>
  Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength);
