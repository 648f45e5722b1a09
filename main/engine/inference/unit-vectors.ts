/** Arithmetic on embeddings. */
import { AppError } from '../../errors.ts';

/**
 * Splits (rows, dims) into unit vectors.
 * @throws AppError pack-unfit when a row has no direction: NaN, infinite or all zeros.
 */
export function toUnitVectors(data: Float32Array, dims: number, packName: string): Float32Array[] {
  const vectors: Float32Array[] = [];
  for (let start = 0; start < data.length; start += dims) {
    const vector = data.slice(start, start + dims);
    if (!normalise(vector)) {
      throw new AppError(
        'pack-unfit',
        `The model pack "${packName}" gave an embedding that is not a number. Choose the CPU as provider, or another pack.`,
        { details: { pack: packName } },
      );
    }
    vectors.push(vector);
  }
  return vectors;
}

/** Scales to length 1 in place. @returns false when there is no direction to keep. */
function normalise(vector: Float32Array): boolean {
  let sum = 0;
  for (const value of vector) sum += value * value;
  const length = Math.sqrt(sum);
  if (!(length > 0 && Number.isFinite(length))) return false;
  for (let i = 0; i < vector.length; i++) vector[i] = (vector[i] ?? 0) / length;
  return true;
}

/** Of vectors of equal length, summed in float64 and in order: for unit vectors their cosine. */
export function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] ?? 0) * (b[i] ?? 0);
  return sum;
}

export function cosine(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let dot = 0;
  let aa = 0;
  let bb = 0;
  for (let i = 0; i < a.length; i++) {
    const x = a[i] ?? 0;
    const y = b[i] ?? 0;
    dot += x * y;
    aa += x * x;
    bb += y * y;
  }
  return a.length === b.length ? dot / Math.sqrt(aa * bb) : NaN;
}

/** The direction in the middle of unit vectors. */
export function meanDirection(vectors: readonly Float32Array[]): Float32Array {
  const [first] = vectors;
  if (first === undefined) throw new Error('The mean of no vectors is not defined.');
  const mean = new Float32Array(first.length);
  for (const vector of vectors) {
    for (let i = 0; i < mean.length; i++) mean[i] = (mean[i] ?? 0) + (vector[i] ?? 0);
  }
  // Opposite vectors cancel out: then any of them is as good.
  return normalise(mean) ? mean : first;
}
