/** Captioned photos through a pack's frozen towers: tokens of each photo and of each caption. */
import { AppError } from '../../../errors.ts';
import type { Decoder, Embedder, TextSide, TextTokens } from '../../inference/types.ts';
import type { LabTokens } from './tokens.ts';

/** A photo with what is said of it, once or several times. */
export interface CaptionedPhoto {
  readonly source: Parameters<Decoder['decode']>[0];
  readonly captions: readonly string[];
}

export interface ReadTokens {
  readonly tokens: LabTokens;
  /** The photos that could be read, by their places among those given. */
  readonly read: readonly number[];
  /** Row of a photo for each caption of these, in order. Captions read besides follow, and have none. */
  readonly photoOf: readonly number[];
}

/** Texts in a message to the text process: a cancel is heard between two. */
const textsAtOnce = 64;

/**
 * Photos that cannot be read are left out. A pack that doesn't tell the parts of a picture apart gives one token a photo,
 * and one that doesn't tell the words of a text apart has each word embedded by itself.
 * @param besides further captions, of no photo.
 * @throws AppError cancelled, worker-died, pack-invalid
 */
export async function readTokens(
  photos: readonly CaptionedPhoto[],
  besides: readonly string[],
  {
    embedder,
    decoder,
    signal,
    onProgress,
    onSkipped,
  }: {
    readonly embedder: Embedder;
    readonly decoder: Decoder;
    readonly signal?: AbortSignal | undefined;
    readonly onProgress?: ((done: number, total: number) => void) | undefined;
    readonly onSkipped?: ((place: number, error: AppError) => void) | undefined;
  },
): Promise<ReadTokens> {
  const { dims } = embedder;
  const found = new Map<number, Float32Array>();
  let done = 0;
  for (let from = 0; from < photos.length; from += decoder.concurrency) {
    const places = photos.slice(from, from + decoder.concurrency).map((_, i) => from + i);
    // Decoding overlaps; the image process takes one photo after another anyway.
    await Promise.all(
      places.map(async (place) => {
        stopIfAsked(signal);
        const photo = photos[place];
        if (photo === undefined) return;
        try {
          found.set(place, await photoTokens(photo, embedder, decoder, signal));
        } catch (thrown) {
          const error = AppError.from(thrown, 'Reading a photo');
          if (!ofThisPhoto(error)) throw error;
          onSkipped?.(place, error);
        }
        onProgress?.(++done, photos.length);
      }),
    );
  }
  const read = [...found.keys()].sort((a, b) => a - b);
  const imageTokens = Math.max(1, ...[...found.values()].map(({ length }) => length / dims));
  const images = new Float32Array(read.length * imageTokens * dims);
  read.forEach((place, row) => {
    images.set(found.get(place) ?? [], row * imageTokens * dims);
  });
  const photoOf = read.flatMap((place, row) => (photos[place]?.captions ?? []).map(() => row));
  const captions = [...read.flatMap((place) => photos[place]?.captions ?? []), ...besides];
  const { values, mask } = await captionTokens(captions, embedder, signal);
  const textTokens = mask.length / Math.max(1, captions.length);
  return { tokens: { dims, imageTokens, textTokens, images, texts: values, mask }, read, photoOf };
}

async function photoTokens(
  { source }: CaptionedPhoto,
  embedder: Embedder,
  decoder: Decoder,
  signal: AbortSignal | undefined,
): Promise<Float32Array> {
  const photo = await decoder.decode(source, { spec: embedder.imageSpec, thumbnail: false, signal });
  const image = { pixels: photo.pixels, width: photo.pixelWidth, height: photo.pixelHeight };
  if (embedder.patches !== undefined) return embedder.patches.embed(image);
  const [whole] = await embedder.embedImages([image]);
  return whole ?? new Float32Array(embedder.dims);
}

/** @returns as `TextSide.embedTokens` does. */
async function captionTokens(
  captions: readonly string[],
  embedder: TextSide,
  signal: AbortSignal | undefined,
): Promise<TextTokens> {
  const { dims } = embedder;
  const parts: Float32Array[] = [];
  for (let from = 0; from < captions.length; from += textsAtOnce) {
    stopIfAsked(signal);
    const some = captions.slice(from, from + textsAtOnce);
    if (embedder.embedTokens === undefined) {
      for (const caption of some) parts.push(await wordTokens(caption, embedder, signal));
      continue;
    }
    const { values, mask } = await embedder.embedTokens(some, signal);
    const length = mask.length / some.length;
    some.forEach((_, i) => {
      const count = mask.subarray(i * length, (i + 1) * length).reduce((sum, one) => sum + one, 0);
      parts.push(values.slice(i * length * dims, (i * length + count) * dims));
    });
  }
  const longest = Math.max(dims, ...parts.map(({ length }) => length));
  const values = new Float32Array(parts.length * longest);
  const mask = new Float32Array((parts.length * longest) / dims);
  parts.forEach((part, i) => {
    values.set(part, i * longest);
    mask.fill(1, (i * longest) / dims, (i * longest + part.length) / dims);
  });
  return { values, mask };
}

/** Longer captions say no more to a head than their first words do. */
const mostWords = 32;

async function wordTokens(
  caption: string,
  embedder: TextSide,
  signal: AbortSignal | undefined,
): Promise<Float32Array> {
  const words = caption.split(/\s+/).filter((word) => word !== '');
  const vectors = await embedder.embedTexts(
    words.length === 0 ? [caption] : words.slice(0, mostWords),
    signal,
  );
  const tokens = new Float32Array(vectors.length * embedder.dims);
  vectors.forEach((vector, i) => {
    tokens.set(vector, i * embedder.dims);
  });
  return tokens;
}

function ofThisPhoto({ code }: AppError): boolean {
  return (
    code.startsWith('image-') ||
    ['file-vanished', 'permission-denied', 'root-offline', 'not-found', 'io-failed'].includes(code)
  );
}

function stopIfAsked(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw new AppError('cancelled', 'The lab was stopped.');
}
