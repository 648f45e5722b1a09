/** The photos that pairs speak of, each once: copies of the same bytes are one, and so is a file that is in the library. */
import { AppError } from '../../../errors.ts';
import type { PhotoRow, Store } from '../../store/types.ts';
import { stableOrder } from './stable-order.ts';

export interface PairPhoto {
  /** The same in every run: the hash of its bytes, or its path where it is not in the library. */
  readonly key: string;
  readonly photoId: number | null;
  /** For messages; relative to its root or to the captions file. */
  readonly name: string;
  /** Absolute; only of photos outside the library. */
  readonly path: string | null;
  readonly camera: string | null;
  /** Milliseconds; null when unknown. */
  readonly takenAt: number | null;
}

/** Vectors may be some digits off one by rounding, never more. */
const lengthSlack = 0.01;

export class PhotoBook {
  readonly #store: Store;
  readonly #modelId: number;
  readonly #byId = new Map<number, PairPhoto | null>();
  readonly #byKey = new Map<string, PairPhoto>();
  readonly #vectors = new Map<string, Float32Array | string>();

  constructor(store: Store, modelId: number) {
    this.#store = store;
    this.#modelId = modelId;
  }

  /** Looks photos up, many at once; those that are gone stay unknown. */
  lookUp(photoIds: readonly number[]): void {
    const fresh = photoIds.filter((id) => !this.#byId.has(id));
    for (const row of this.#store.photos.getMany(fresh)) this.#byId.set(row.id, this.#keep(row));
    for (const id of fresh) if (!this.#byId.has(id)) this.#byId.set(id, null);
  }

  ofId(photoId: number): PairPhoto | undefined {
    if (!this.#byId.has(photoId)) this.lookUp([photoId]);
    return this.#byId.get(photoId) ?? undefined;
  }

  /** A photo of a captions file that the library doesn't have. */
  ofPath(path: string, name: string): PairPhoto {
    const key = `file:${path}`;
    const known = this.#byKey.get(key);
    if (known !== undefined) return known;
    const photo = { key, photoId: null, name, path, camera: null, takenAt: null };
    this.#byKey.set(key, photo);
    return photo;
  }

  get(key: string): PairPhoto | undefined {
    return this.#byKey.get(key);
  }

  /** The pack's own unit vector (dims,), or why there is none; undefined for a file that was not embedded yet. */
  vector({ key, photoId, name }: PairPhoto): Float32Array | string | undefined {
    const known = this.#vectors.get(key);
    if (known !== undefined || photoId === null) return known;
    const found = this.#read(photoId, name);
    this.#vectors.set(key, found);
    return found;
  }

  /** @param found what embedding a file gave, or why it could not be embedded. */
  setVector({ key, name }: PairPhoto, found: Float32Array | string): void {
    this.#vectors.set(key, typeof found === 'string' ? found : usable(found, name));
  }

  #keep(row: PhotoRow): PairPhoto {
    const key = row.hash ?? `photo:${String(row.id)}`;
    const known = this.#byKey.get(key);
    if (known !== undefined) return known;
    const photo = {
      key,
      photoId: row.id,
      name: row.relPath,
      path: null,
      camera: row.metadata?.camera ?? null,
      takenAt: row.metadata?.takenAt ?? null,
    };
    this.#byKey.set(key, photo);
    return photo;
  }

  #read(photoId: number, name: string): Float32Array | string {
    const vector = readVector(this.#store, this.#modelId, photoId);
    if (vector === undefined)
      return `${name} was not indexed with this model yet. Let indexing finish first.`;
    return vector === null ? broken(name) : usable(vector, name);
  }
}

/** A photo's vector (dims,); undefined when it has none, null when it is torn or has no direction. */
export function readVector(store: Store, modelId: number, photoId: number): Float32Array | null | undefined {
  try {
    const vector = store.embeddings.get(modelId, photoId);
    if (vector === undefined) return undefined;
    const length = Math.hypot(...vector);
    return length > 0 && Number.isFinite(length) ? vector : null;
  } catch (thrown) {
    // A torn row is this photo's misfortune alone.
    if (thrown instanceof AppError && thrown.code === 'library-damaged') return null;
    throw thrown;
  }
}

/**
 * Photos drawn from the whole library, the same for a seed whatever ids they have; of large libraries from a part, for
 * not every row need be read.
 */
export function drawPhotos(store: Store, count: number, seed: number): number[] {
  const ids = store.photos.filter({});
  const step = Math.max(1, Math.floor(ids.length / (4 * count)));
  const rows = store.photos.getMany(ids.filter((_, i) => i % step === 0));
  const idOf = new Map(rows.map(({ hash, id }) => [hash ?? `photo:${String(id)}`, id]));
  return stableOrder([...idOf.keys()], seed)
    .slice(0, count)
    .flatMap((key) => idOf.get(key) ?? []);
}

function usable(vector: Float32Array, name: string): Float32Array | string {
  const length = Math.hypot(...vector);
  if (!(length > 0) || !Number.isFinite(length)) return broken(name);
  return Math.abs(length - 1) < lengthSlack ? vector : vector.map((value) => value / length);
}

function broken(name: string): string {
  return `${name} has a vector that is not a direction (no number, or all zeros). Index it again.`;
}
