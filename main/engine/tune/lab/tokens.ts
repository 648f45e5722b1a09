/** Captioned photos as tokens: what the heads of the lab are trained and judged on. */
import { randomOf } from '../seeded.ts';

export interface LabTokens {
  readonly dims: number;
  /** Per photo: all have as many. */
  readonly imageTokens: number;
  /** Of the longest caption. */
  readonly textTokens: number;
  /** (photos, imageTokens, dims) float32. */
  readonly images: Float32Array;
  /** (captions, textTokens, dims) float32. */
  readonly texts: Float32Array;
  /** (captions, textTokens): 1 for a token, 0 for padding. */
  readonly mask: Float32Array;
}

/** Row numbers of photos and captions; place i of both is a pair. */
export interface LabPairs {
  readonly photos: readonly number[];
  readonly captions: readonly number[];
}

/** Both modalities at root mean square 1, so that products of tokens are of one size whatever the pack's are. */
export function normalizeTokens(tokens: LabTokens): LabTokens {
  const { images, texts, mask, dims } = tokens;
  const there = mask.reduce((sum, one) => sum + one, 0);
  return {
    ...tokens,
    images: shrunk(images, images.length),
    // Padding is zeros and must not count.
    texts: shrunk(texts, there * dims),
  };
}

function shrunk(values: Float32Array, count: number): Float32Array {
  let squares = 0;
  for (const value of values) squares += value * value;
  const size = Math.sqrt(squares / Math.max(1, count));
  return size === 0 ? values : values.map((value) => value / size);
}

/** One token a modality, the mean of its tokens: what the study trained on. */
export function poolTokens(tokens: LabTokens): LabTokens {
  const { dims, imageTokens, textTokens, images, texts, mask } = tokens;
  const photos = images.length / (imageTokens * dims);
  const captions = mask.length / textTokens;
  return {
    dims,
    imageTokens: 1,
    textTokens: 1,
    images: means(images, new Float32Array(photos * imageTokens).fill(1), imageTokens, dims),
    texts: means(texts, mask, textTokens, dims),
    mask: new Float32Array(captions).fill(1),
  };
}

function means(values: Float32Array, mask: Float32Array, tokens: number, dims: number): Float32Array {
  const count = mask.length / tokens;
  const found = new Float32Array(count * dims);
  for (let row = 0; row < count; row++) {
    const here = mask.subarray(row * tokens, (row + 1) * tokens);
    const share =
      1 /
      Math.max(
        1,
        here.reduce((sum, one) => sum + one, 0),
      );
    here.forEach((one, token) => {
      if (one === 0) return;
      const from = (row * tokens + token) * dims;
      for (let i = 0; i < dims; i++)
        found[row * dims + i] = (found[row * dims + i] ?? 0) + share * (values[from + i] ?? 0);
    });
  }
  return found;
}

/**
 * Draws photos that are kept aside, with all their captions.
 * @param photoOf the photo of each caption.
 * @param always photos that are kept aside whatever is drawn.
 * @returns `train` with every caption, `heldOut` with the first caption of each photo.
 */
export function splitByPhoto(
  photoOf: readonly number[],
  {
    share,
    most,
    seed,
    always = [],
  }: { share: number; most: number; seed: number; always?: readonly number[] },
): { readonly train: LabPairs; readonly heldOut: LabPairs } {
  const random = randomOf(seed, 'split');
  const photos = [...new Set(photoOf)];
  const drawn = photos
    .map((photo) => ({ photo, at: random() }))
    .sort((a, b) => a.at - b.at || a.photo - b.photo)
    .map(({ photo }) => photo);
  const wanted = Math.min(most, Math.max(2, Math.round(share * photos.length)));
  const aside = new Set([...always, ...drawn.filter((photo) => !always.includes(photo))].slice(0, wanted));
  const captions = [...photoOf.keys()];
  const photoAt = (caption: number): number => photoOf[caption] ?? 0;
  const train = captions.filter((caption) => !aside.has(photoAt(caption)));
  const heldOut = captions.filter(
    (caption) => aside.has(photoAt(caption)) && photoOf.indexOf(photoAt(caption)) === caption,
  );
  const pairs = (rows: readonly number[]): LabPairs => ({ photos: rows.map(photoAt), captions: rows });
  return { train: pairs(train), heldOut: pairs(heldOut) };
}

/**
 * The batches of one epoch: each photo once, with one of its captions, in a drawn order. The same for every head.
 * @param epoch from 1
 */
export function epochBatches(pairs: LabPairs, batch: number, seed: number, epoch: number): LabPairs[] {
  const random = randomOf(seed, 'order', epoch);
  const captionsOf = new Map<number, number[]>();
  pairs.photos.forEach((photo, i) => {
    const caption = pairs.captions[i] ?? 0;
    const list = captionsOf.get(photo);
    if (list === undefined) captionsOf.set(photo, [caption]);
    else list.push(caption);
  });
  const drawn = [...captionsOf]
    .map(([photo, captions]) => ({
      photo,
      caption: captions[Math.floor(random() * captions.length)] ?? 0,
      at: random(),
    }))
    .sort((a, b) => a.at - b.at || a.photo - b.photo);
  return Array.from({ length: Math.floor(drawn.length / batch) }, (_, step) => {
    const part = drawn.slice(step * batch, (step + 1) * batch);
    return { photos: part.map(({ photo }) => photo), captions: part.map(({ caption }) => caption) };
  });
}

/** Rows of a matrix (any, width), in this order. */
export function rowsOf(matrix: Float32Array, rows: readonly number[], width: number): Float32Array {
  const taken = new Float32Array(rows.length * width);
  rows.forEach((row, i) => {
    taken.set(matrix.subarray(row * width, (row + 1) * width), i * width);
  });
  return taken;
}
