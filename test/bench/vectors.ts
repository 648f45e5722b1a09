/** Synthetic embeddings that behave like CLIP's: clusters on the sphere, and text queries off to one side. */
import { seeded } from './photos.ts';

/** Standard normal numbers by Box and Muller. */
export function normal(random: () => number): () => number {
  return () => Math.sqrt(-2 * Math.log(random() + 1e-12)) * Math.cos(2 * Math.PI * random());
}

function normalise(vector: Float32Array): Float32Array {
  let sum = 0;
  for (const value of vector) sum += value * value;
  const scale = 1 / Math.sqrt(sum);
  return vector.map((value) => value * scale);
}

export interface Cloud {
  /** A new photo-like unit vector (dims,). */
  readonly image: () => Float32Array;
  /** A text-like unit vector (dims,): nearer to a cluster than to others, but far from all photos. */
  readonly text: () => Float32Array;
}

/**
 * @param clusters how many things the photos are of. Spread 0.8 gives cosines of about 0.6 inside a cluster;
 *   the text offset gives text-to-photo cosines of about 0.25, as CLIP ViT-B/32 does.
 */
export function makeCloud(dims: number, clusters: number, seed: number): Cloud {
  const random = seeded(seed);
  const next = normal(random);
  const draw = (): Float32Array => normalise(Float32Array.from({ length: dims }, next));
  const centres = Array.from({ length: clusters }, draw);
  const modalityGap = draw();
  const near = (spread: number, offset: number): Float32Array => {
    const centre = centres[Math.floor(random() * clusters)] as Float32Array;
    const noise = draw();
    return normalise(
      centre.map((value, i) => value + spread * (noise[i] as number) + offset * (modalityGap[i] as number)),
    );
  };
  return { image: () => near(0.8, 0), text: () => near(0.6, 1.5) };
}
