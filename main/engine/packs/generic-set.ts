/** Reads the generic set of a pack: embeddings of photos that may not be shipped themselves, with their texts. */
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { AppError } from '../../errors.ts';
import { sha256 } from './pack-json.ts';
import { parseJson } from './parse-json.ts';
import type { EmbedPack, GenericPairs, GenericSet } from './types.ts';

const part = z
  .object({ photos: z.array(z.int().nonnegative()).min(1), texts: z.array(z.string().min(1)) })
  .refine(({ photos, texts }) => photos.length === texts.length, {
    message: 'must have as many photos as texts',
  });
/** `photos` are rows of the part's own images; those of `replay` follow those of `judged` in the file. */
const genericJson = z.object({
  schema: z.literal(1),
  name: z.string().min(1),
  /** SHA-256 of the image model that made the embeddings. */
  tower: sha256,
  judged: part,
  replay: part,
});

/**
 * @returns null for a pack that ships none. 3,000 photos of 256 dims take 10 ms.
 * @throws AppError pack-invalid when its files don't fit each other
 */
export async function readGenericSet({
  generic,
  dims,
  name,
  files,
}: Pick<EmbedPack, 'generic' | 'dims' | 'name' | 'files'>): Promise<GenericSet | null> {
  if (generic === null) return null;
  const about = `generic set of the model pack "${name}"`;
  const read = (path: string): Promise<Buffer> =>
    readFile(path).catch((thrown: unknown) => {
      throw misfit(about, 'cannot be read', thrown);
    });
  const json = parseJson(genericJson, (await read(generic.pairs)).toString('utf8'), about);
  if (!Object.values(files).some((file) => file.sha256 === json.tower))
    throw misfit(about, 'was made with another image model');
  const stored = await read(generic.images);
  const bytes = new Int8Array(stored.buffer, stored.byteOffset, stored.length);
  const photosOf = ({ photos }: { photos: readonly number[] }): number =>
    photos.reduce((most, photo) => Math.max(most, photo), -1) + 1;
  const judged = photosOf(json.judged);
  if (bytes.length !== (judged + photosOf(json.replay)) * dims)
    throw misfit(about, `has ${String(bytes.length)} bytes of images, which are not its photos`);
  const rows = (from: number, pairs: { photos: number[]; texts: string[] }): GenericPairs => ({
    images: unitRows(bytes.subarray(from * dims, (from + photosOf(pairs)) * dims), dims, about),
    photos: Int32Array.from(pairs.photos),
    texts: pairs.texts,
  });
  return { name: json.name, dims, judged: rows(0, json.judged), replay: rows(judged, json.replay) };
}

/** Rows of signed bytes, each with a scale of its own that need not be known: they had length 1. */
function unitRows(bytes: Int8Array, dims: number, about: string): Float32Array {
  const rows = Float32Array.from(bytes);
  for (let start = 0; start < rows.length; start += dims) {
    const row = rows.subarray(start, start + dims);
    const length = Math.hypot(...row);
    if (length === 0) throw misfit(about, 'has an image without a direction');
    for (let i = 0; i < dims; i++) row[i] = (row[i] ?? 0) / length;
  }
  return rows;
}

function misfit(about: string, what: string, cause?: unknown): AppError {
  return new AppError('pack-invalid', `The ${about} ${what}. Install the pack again.`, { cause });
}
