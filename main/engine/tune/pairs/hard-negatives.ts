/** Photos that a pair must beat though they come near: those with a thumb down first, then what the index finds. */
import { seededRandom } from '../../inference/language/token-scores.ts';
import { dot } from '../../inference/unit-vectors.ts';
import type { HardNegatives } from '../train-head.ts';
import { likeness } from './alike.ts';
import type { Draft, DraftPair } from './draft-pairs.ts';
import type { PairPhoto, PhotoBook } from './photo-book.ts';
import type { GatherOptions } from './types.ts';
import { contentWords } from './wordings.ts';

/** For each pair; of many pairs one, for each is as large as a photo and others of its batch are negatives, too. */
const hardEach = { few: 3, many: 1, manyFrom: 15_000 };
/** Nearest photos that are looked at for each text. */
const looked = 60;

/** Photos of a wording that a negative is compared with. */
const mostRight = 64;

/** A pair with the vectors of its photo and its text. */
export interface EmbeddedPair extends DraftPair {
  readonly image: Float32Array;
  readonly vector: Float32Array;
}

/**
 * Mined negatives are likely to be right ones that nobody paired (the false negatives of Chuang et al. 2020), so a photo
 * counts only if it is like none of the wording's own photos and none of its words stand in a caption, tag or name of
 * it; and of what is left, only the nearer half, from which each pair draws its own.
 * @returns with `kin`: (pairs * each,) that of each negative, -1 for photos that no pair speaks of. What is kept aside for
 *   the proof must not be trained on as a negative either.
 * @throws AbortError when the signal fires
 */
export function hardNegatives(
  pairs: readonly EmbeddedPair[],
  { against, kinOf }: Pick<Draft, 'against' | 'kinOf'>,
  book: PhotoBook,
  options: Pick<GatherOptions, 'store' | 'nearest' | 'seed' | 'signal'>,
): HardNegatives {
  const dims = pairs[0]?.image.length ?? 0;
  const each = pairs.length < hardEach.manyFrom ? hardEach.few : hardEach.many;
  const images = new Float32Array(pairs.length * each * dims);
  const present = new Uint8Array(pairs.length * each);
  const kin = new Int32Array(pairs.length * each).fill(-1);
  const random = seededRandom(options.seed);
  const denied = new Map<string, PairPhoto[]>();
  for (const { wording, photo } of against) {
    const list = denied.get(wording);
    if (list === undefined) denied.set(wording, [photo]);
    else list.push(photo);
  }
  const mined = miner(pairs, book, options);
  pairs.forEach((pair, row) => {
    options.signal?.throwIfAborted();
    const own = (photo: PairPhoto): boolean => photo.key !== pair.photo.key && !alike(pair, photo, book);
    const chosen = shuffled((denied.get(pair.wording) ?? []).filter(own), random).slice(0, each);
    const further = mined(pair).filter((photo) => own(photo) && !chosen.includes(photo));
    chosen.push(...shuffled(further, random).slice(0, each - chosen.length));
    chosen.forEach((photo, i) => {
      const vector = book.vector(photo);
      if (!(vector instanceof Float32Array)) return;
      images.set(vector, (row * each + i) * dims);
      present[row * each + i] = 1;
      kin[row * each + i] = kinOf.get(photo.key) ?? -1;
    });
  });
  return { each, images, present, kin };
}

function alike(pair: EmbeddedPair, photo: PairPhoto, book: PhotoBook): boolean {
  const vector = book.vector(photo);
  return !(vector instanceof Float32Array) || dot(pair.image, vector) >= likeness.kin;
}

/** @returns for a pair, what the index finds for its text and may well be wrong; once for all pairs of a wording. */
function miner(
  pairs: readonly EmbeddedPair[],
  book: PhotoBook,
  { store, nearest }: Pick<GatherOptions, 'store' | 'nearest'>,
): (pair: EmbeddedPair) => readonly PairPhoto[] {
  const rightOf = new Map<string, Map<string, Float32Array>>();
  const wordsOf = new Map<string, Set<string>>();
  for (const { wording, photo, text, image } of pairs) {
    const right = rightOf.get(wording);
    if (right === undefined) rightOf.set(wording, new Map([[photo.key, image]]));
    else right.set(photo.key, image);
    for (const word of contentWords(text)) add(wordsOf, photo.key, word);
  }
  const known = new Map<string, readonly PairPhoto[]>();
  const mine = ({ text, vector, wording }: EmbeddedPair): readonly PairPhoto[] => {
    const found = nearest(vector, looked);
    book.lookUp(found.map(({ id }) => id));
    const photos = [...new Set(found.flatMap(({ id }) => book.ofId(id) ?? []))];
    const words = contentWords(text);
    const right = rightOf.get(wording);
    const looks = [...(right?.values() ?? [])].slice(0, mostRight);
    const scored = photos.flatMap((photo) => {
      const image = book.vector(photo);
      if (!(image instanceof Float32Array) || right?.has(photo.key) === true) return [];
      if (looks.some((look) => dot(look, image) >= likeness.kin)) return [];
      const said = wordsOf.get(photo.key);
      const sharing = words.some((word) => said?.has(word) === true) || describedWith(words, photo);
      return sharing ? [] : [{ photo, score: dot(vector, image) }];
    });
    scored.sort((a, b) => b.score - a.score || (a.photo.key < b.photo.key ? -1 : 1));
    return scored.slice(0, Math.ceil(scored.length / 2)).map(({ photo }) => photo);
  };
  // A photo near one text is near many.
  const described = new Map<string, ReadonlySet<string>>();
  const describedWith = (words: readonly string[], { key, photoId }: PairPhoto): boolean => {
    if (photoId === null) return false;
    let stems = described.get(key);
    if (stems === undefined) {
      const held = store.words.of(photoId);
      const texts = held === undefined ? [] : [held.caption, ...held.tags, held.name];
      described.set(key, (stems = new Set(texts.flatMap(contentWords))));
    }
    return words.some((word) => stems.has(word));
  };
  return (pair) => {
    let photos = known.get(pair.wording);
    if (photos === undefined) known.set(pair.wording, (photos = mine(pair)));
    return photos;
  };
}

function add(sets: Map<string, Set<string>>, key: string, value: string): void {
  const set = sets.get(key);
  if (set === undefined) sets.set(key, new Set([value]));
  else set.add(value);
}

/** Fisher and Yates, on a copy. */
function shuffled<T>(items: readonly T[], random: () => number): T[] {
  const order = [...items];
  for (let i = order.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    const [one, other] = [order[i], order[j]];
    if (one === undefined || other === undefined) continue;
    [order[i], order[j]] = [other, one];
  }
  return order;
}
