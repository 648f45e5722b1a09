/** A pack with a head over it: pictures go through the head, texts stay where the pack puts them. */
import { rescaled, type HeadScale } from './head-scale.ts';
import type { Embedder, TextSide } from './inference/types.ts';
import type { Projection } from './tune/types.ts';

export interface HeadInUse {
  readonly runId: number;
  readonly projection: Projection;
  /** How its cosines compare with the pack's; null where that is not known. */
  readonly scale: HeadScale | null;
}

/** Texts as before, under the fingerprint of the vectors that the head makes. */
export function textUnderHead<S extends TextSide>(side: S, fingerprint: string, { scale }: HeadInUse): S {
  return { ...side, fingerprint, scoring: scale === null ? side.scoring : rescaled(side.scoring, scale) };
}

/** @param fingerprint of the model whose vectors the head makes. */
export function underHead(base: Embedder, fingerprint: string, head: HeadInUse): Embedder {
  const { projection } = head;
  const { patches } = base;
  return {
    ...textUnderHead(base, fingerprint, head),
    async embedImages(images) {
      const vectors = await base.embedImages(images);
      return vectors.map((vector) => projection.project(vector));
    },
    ...(patches === undefined
      ? {}
      : {
          patches: {
            columns: patches.columns,
            rows: patches.rows,
            embed: async (image) => projectRows(await patches.embed(image), projection),
          },
        }),
  };
}

/** Parts of a picture come in any length; a part without a direction keeps having none. */
function projectRows(cells: Float32Array, projection: Projection): Float32Array {
  const { dims } = projection;
  const projected = cells.slice();
  for (let start = 0; start < cells.length; start += dims) {
    const cell = cells.subarray(start, start + dims);
    const length = Math.hypot(...cell);
    if (length > 0 && Number.isFinite(length))
      projected.set(projection.project(cell.map((value) => value / length)), start);
  }
  return projected;
}
