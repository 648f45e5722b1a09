/** For packs that ship no generic set: what search finds today in this very library, for everyday words. */
import { setImmediate } from 'node:timers/promises';
import { dot, meanDirection } from '../../inference/unit-vectors.ts';
import type { GenericPairs, GenericSet } from '../../inference/types.ts';
import { findAlike } from './alike.ts';
import { everydayWords } from './everyday-words.ts';
import { drawPhotos, readVector } from './photo-book.ts';
import type { GatherOptions } from './types.ts';

export const libraryGenericName = 'what search finds today in this library';

/** Photos that are looked at, and pairs that are made of them: half to judge by, half to replay. */
const looked = 5_000;
const mostPairs = 500;
const fewestJudged = 100;
const mostOfWord = 12;
/** Deviations above a word's own background; below nothing is distinctive. */
const leastZ = 2;

/** What training sees already. */
export interface Taken {
  readonly photo: (photoId: number) => boolean;
  /** Slower: whether it looks like one of them. */
  readonly like: (vector: Float32Array) => boolean;
}

/**
 * No person says here what is right: a pair is a photo and the word that the frozen model finds it by most distinctly. It
 * measures whether a head keeps what search finds today, not whether that is true. Photos that are trained on are
 * judged by only where too few others are left; the words are still not those that they are trained with.
 */
export async function makeGeneric(
  { store, model, seed, signal }: Pick<GatherOptions, 'store' | 'model' | 'seed' | 'signal'>,
  taken: Taken,
): Promise<GenericSet> {
  const { embedder, modelId } = model;
  const words = await wordVectors(embedder, signal);
  const { dims } = embedder;
  const photos = drawPhotos(store, looked, seed).flatMap((photoId): Photo[] => {
    const vector = readVector(store, modelId, photoId);
    return vector == null ? [] : [{ vector, taken: taken.photo(photoId) }];
  });
  const found = await distinctive(photos, words, signal);
  const free: Distinct[] = [];
  const seen: Distinct[] = [];
  for (const one of found) {
    if (free.length >= mostPairs) break;
    (one.photo.taken || taken.like(one.photo.vector) ? seen : free).push(one);
  }
  const replay = free.filter((_, i) => i % 2 === 1);
  const judged = free.filter((_, i) => i % 2 === 0);
  return {
    name: libraryGenericName,
    dims,
    judged: pack([...judged, ...seen.slice(0, Math.max(0, fewestJudged - judged.length))], dims),
    replay: pack(replay, dims),
  };
}

interface Photo {
  readonly vector: Float32Array;
  readonly taken: boolean;
}

interface Distinct {
  readonly photo: Photo;
  readonly word: string;
  readonly z: number;
}

async function wordVectors(
  embedder: GatherOptions['model']['embedder'],
  signal: AbortSignal | undefined,
): Promise<{ word: string; vector: Float32Array }[]> {
  const { promptTemplates } = embedder.scoring;
  const templates = promptTemplates.length === 0 ? ['{}'] : promptTemplates;
  const vectors: { word: string; vector: Float32Array }[] = [];
  for (const word of everydayWords) {
    const texts = templates.map((template) => template.replaceAll('{}', () => word));
    vectors.push({ word, vector: meanDirection(await embedder.embedTexts(texts, signal)) });
  }
  return vectors;
}

/**
 * The best word of each photo by deviations above what the word scores with all of them; the most distinct first, one of
 * near-duplicates (what is replayed must not be judged by), and no word too often.
 */
async function distinctive(
  photos: readonly Photo[],
  words: readonly { readonly word: string; readonly vector: Float32Array }[],
  signal: AbortSignal | undefined,
): Promise<Distinct[]> {
  const best: (Distinct | undefined)[] = photos.map(() => undefined);
  for (const { word, vector } of words) {
    signal?.throwIfAborted();
    await setImmediate();
    const scores = photos.map((photo) => dot(vector, photo.vector));
    const mean = scores.reduce((sum, score) => sum + score, 0) / Math.max(1, scores.length);
    const variance = scores.reduce((sum, score) => sum + (score - mean) ** 2, 0) / Math.max(1, scores.length);
    const deviation = Math.max(Math.sqrt(variance), 1e-6);
    for (const [i, photo] of photos.entries()) {
      const z = ((scores[i] ?? mean) - mean) / deviation;
      if (z > (best[i]?.z ?? leastZ)) best[i] = { photo, word, z };
    }
  }
  const { kin } = await findAlike(
    photos.map(({ vector }) => ({ vector, camera: null, takenAt: null })),
    signal,
  );
  const counts = new Map<string, number>();
  const seen = new Set<number>();
  return best
    .flatMap((one, i) => (one === undefined ? [] : [{ ...one, i }]))
    .sort((a, b) => b.z - a.z || a.i - b.i)
    .filter(({ word, i }) => {
      const count = (counts.get(word) ?? 0) + 1;
      if (count > mostOfWord || seen.has(kin[i] ?? i)) return false;
      counts.set(word, count);
      seen.add(kin[i] ?? i);
      return true;
    });
}

function pack(found: readonly Distinct[], dims: number): GenericPairs {
  const images = new Float32Array(found.length * dims);
  found.forEach(({ photo }, i) => {
    images.set(photo.vector, i * dims);
  });
  return {
    images,
    photos: Int32Array.from(found, (_, i) => i),
    texts: found.map(({ word }) => `a photo of ${article(word)}`),
  };
}

function article(word: string): string {
  return everydayMass.has(word) ? word : /^[aeiou]/.test(word) ? `an ${word}` : `a ${word}`;
}
/** Words that take no article. */
const everydayMass = new Set(
  'people snow rain fog food fruit clothing fireworks clouds water shoes skiing surfing swimming cycling running'.split(
    ' ',
  ),
);
