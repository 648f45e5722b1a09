/** A trained head applied to vectors: many at once through onnxruntime, or one in plain TypeScript. */
import type { HeadName } from '../../contract.ts';
import { AppError } from '../../errors.ts';
import { openGraph, type GraphSession } from './autodiff/graph-session.ts';
import { input } from './autodiff/tensor.ts';
import {
  cacheSharpness,
  createHead,
  headNames,
  residualAlpha,
  type Head,
  type HeadName as VectorHeadName,
} from './heads.ts';
import type { HeadParameters, Projection } from './types.ts';

/** A head as it is stored and sent. */
export interface StoredHead {
  readonly head: HeadName;
  readonly dims: number;
  readonly parameters: HeadParameters;
}

/** Whether a head moves vectors; `joint` and `fusion` order what was found. */
export function movesVectors(name: HeadName): name is VectorHeadName {
  return (headNames as readonly string[]).includes(name);
}

/** @returns the head with its parameters' values. @throws AppError internal when they don't fit it */
function headOf({ head, dims, parameters }: StoredHead): {
  shape: Head;
  values: Readonly<Record<string, Float32Array>>;
} {
  if (!movesVectors(head))
    throw new AppError('internal', `A head of the kind "${head}" orders what is found; it moves no vectors.`);
  const keys = new Float32Array(dims * (parameters['keys']?.shape[1] ?? 1));
  const shape = createHead(head, { dims, normal: () => 0, keys });
  return { shape, values: fittingValues(shape.parameters, { head, dims, parameters }) };
}

/** @throws AppError internal when a parameter is missing, has another shape or is no number */
export function fittingValues(
  wanted: Readonly<Record<string, { readonly shape: readonly number[] }>>,
  { head, dims, parameters }: StoredHead,
): Record<string, Float32Array> {
  return Object.fromEntries(
    Object.entries(wanted).map(([name, { shape }]) => {
      const found = parameters[name];
      const size = shape.reduce((product, axis) => product * axis, 1);
      if (found?.shape.join() !== shape.join() || found.values.length !== size)
        throw new AppError(
          'internal',
          `The head doesn't fit vectors of ${String(dims)} numbers: its "${name}" is (${found?.shape.join(', ') ?? 'missing'}) and a head of the kind "${head}" needs (${shape.join(', ')}). It is of another model pack, or damaged.`,
        );
      if (!found.values.every(Number.isFinite))
        throw new AppError('internal', `The head is damaged: its "${name}" has values that are no numbers.`);
      return [name, found.values];
    }),
  );
}

/** @throws AppError internal when the parameters don't fit */
export function createProjection(head: HeadName, dims: number, parameters: HeadParameters): Projection {
  const { values } = headOf({ head, dims, parameters });
  const matrix = (name: string): Float32Array => values[name] ?? new Float32Array(0);
  const move = mover(head as VectorHeadName, dims, matrix);
  return {
    dims,
    project(vector) {
      if (vector.length !== dims)
        throw new AppError(
          'internal',
          `The head takes vectors of ${String(dims)} numbers and was given ${String(vector.length)}.`,
        );
      const moved = move(vector);
      // As l2Normalize of the graph.
      const length = Math.sqrt(moved.reduce((sum, value) => sum + value * value, 1e-12));
      return Float32Array.from(moved, (value) => value / length);
    },
  };
}

/** The same arithmetic as `createHead`, without its last step. */
function mover(
  head: VectorHeadName,
  dims: number,
  matrix: (name: string) => Float32Array,
): (x: Float32Array) => Float64Array {
  switch (head) {
    case 'cache': {
      const [keys, learnt] = [matrix('keys'), matrix('values')];
      return (x) => {
        const near = product(x, keys, keys.length / dims).map((cosine) =>
          Math.exp(cacheSharpness * (cosine - 1)),
        );
        return product(near, learnt, dims).map((value, i) => (x[i] ?? 0) + value);
      };
    }
    case 'residual': {
      const delta = matrix('delta');
      return (x) => {
        const learnt = product(x, delta, dims);
        return learnt.map((value, i) => (1 - residualAlpha) * (x[i] ?? 0) + residualAlpha * value);
      };
    }
    case 'linear': {
      const weight = matrix('weight');
      return (x) => product(x, weight, dims);
    }
    case 'low-rank':
    case 'mlp': {
      const [down, up] = [matrix('down'), matrix('up')];
      const width = down.length / dims;
      const alpha = head === 'mlp' ? residualAlpha : 1;
      return (x) => {
        const inner = product(x, down, width);
        const added = product(head === 'mlp' ? inner.map((value) => Math.max(0, value)) : inner, up, dims);
        return added.map((value, i) => (x[i] ?? 0) + alpha * value);
      };
    }
  }
}

/** A row times a matrix (row.length, width), row by row of the matrix as it lies in memory. */
function product(row: ArrayLike<number>, matrix: Float32Array, width: number): Float64Array {
  const out = new Float64Array(width);
  for (let i = 0; i < row.length; i++) {
    const factor = row[i] ?? 0;
    if (factor === 0) continue;
    const from = i * width;
    for (let j = 0; j < width; j++) out[j] = (out[j] ?? 0) + factor * (matrix[from + j] ?? 0);
  }
  return out;
}

/** Rows through a head's graph; graphs of the two latest sizes are kept open, as all parts but the last are alike. */
export interface Projector {
  /** @param rows (n, dims). @returns (n, dims) unit rows. @throws AppError internal when the parameters don't fit */
  project(head: StoredHead, rows: Float32Array): Promise<Float32Array>;
  close(): Promise<void>;
}

export function createProjector(threads: number): Projector {
  const opened = new Map<string, GraphSession<'out'>>();
  const graphOf = async (shape: Head, count: number, dims: number): Promise<GraphSession<'out'>> => {
    const sizes = Object.values(shape.parameters).map((spec) => spec.shape.join('x'));
    const key = [shape.name, count, dims, ...sizes].join();
    const known = opened.get(key);
    if (known !== undefined) return known;
    const tensors = Object.fromEntries(
      Object.entries(shape.parameters).map(([name, spec]) => [name, input(name, spec.shape)]),
    );
    const fresh = await openGraph({ out: shape.apply(input('x', [count, dims]), tensors) }, { threads });
    opened.set(key, fresh);
    for (const [old, session] of [...opened].slice(0, -2)) {
      opened.delete(old);
      await session.release();
    }
    return fresh;
  };
  const projectNow = async (stored: StoredHead, rows: Float32Array): Promise<Float32Array> => {
    const { shape, values } = headOf(stored);
    const count = rows.length / stored.dims;
    if (!Number.isInteger(count))
      throw new AppError('internal', `The rows to project are not of ${String(stored.dims)} numbers each.`);
    if (count === 0) return new Float32Array(0);
    const graph = await graphOf(shape, count, stored.dims);
    return (await graph.run({ x: rows, ...values })).out as Float32Array;
  };
  // One at a time: a graph must not be released while it runs.
  let last: Promise<unknown> = Promise.resolve();
  return {
    project(stored, rows) {
      const projected = last.then(() => projectNow(stored, rows));
      last = projected.catch(() => undefined);
      return projected;
    },
    async close() {
      await last;
      await Promise.all([...opened.values()].map((session) => session.release()));
      opened.clear();
    },
  };
}
