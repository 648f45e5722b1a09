/** An emitted graph, ready to run: named arrays in, named arrays out. */
import { InferenceSession, Tensor as RuntimeTensor } from 'onnxruntime-node';
import { AppError } from '../../../errors.ts';
import { emitGraph } from './emit-graph.ts';
import type { ElementType } from './onnx-model.ts';
import { elementCount, type Tensor } from './tensor.ts';

type Numbers = Float32Array | Float64Array | BigInt64Array;
export type Feeds = Readonly<Record<string, Numbers>>;

export interface GraphSessionOptions {
  /** For operators; the process that runs them is blocked meanwhile. */
  readonly threads: number;
  /** onnxruntime's names, tried in order. */
  readonly providers?: readonly string[];
  /** Matrix products in float16; for providers that have it, as graphics cards do. A CPU only gets slower. */
  readonly half?: boolean;
}

/** A graph that can be run. `Names` are those of its outputs. */
export interface GraphSession<Names extends string> {
  /**
   * @param feeds a flat array per input, of the input's element type and size.
   * @param into arrays that outputs are written to, by their names; none of them may be fed in the same run. Without
   *   one, an output gets memory of its own, which for large ones costs as much as making it.
   * @throws AppError internal when one is missing or has another size, or memory runs out
   */
  run(feeds: Feeds, into?: Readonly<Record<string, Float32Array>>): Promise<Record<Names, Numbers>>;
  release(): Promise<void>;
}

const runtimeTypes: Readonly<Record<ElementType, 'float32' | 'float64' | 'int64'>> = {
  float32: 'float32',
  float64: 'float64',
  int64: 'int64',
};

/** onnxruntime says it in its own words, e.g. "Failed to allocate memory for requested buffer of size 4294967296". */
const outOfMemory = /alloc|out of memory/i;

function failed(thrown: unknown): AppError {
  const reason = thrown instanceof Error ? thrown.message : String(thrown);
  return outOfMemory.test(reason)
    ? new AppError(
        'internal',
        'There is not enough memory for the training; the search is as it was. Close other programs, or take smaller batches.',
        { cause: thrown },
      )
    : new AppError('internal', `A step of the training failed (${reason}). The search is as it was.`, {
        cause: thrown,
      });
}

/** @throws AppError internal when onnxruntime refuses the graph */
export async function openGraph<Names extends string>(
  outputs: Readonly<Record<Names, Tensor>>,
  { threads, providers = ['cpu'], half = false }: GraphSessionOptions,
): Promise<GraphSession<Names>> {
  // An output may have the name of an input, which ONNX doesn't allow within one graph.
  const inside = (name: Names): string => `result ${name}`;
  const names = Object.keys(outputs) as Names[];
  const { model, inputs } = emitGraph(
    Object.fromEntries(names.map((name) => [inside(name), outputs[name]])),
    { half },
  );
  const session = await InferenceSession.create(model, {
    executionProviders: [...providers],
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    executionMode: 'sequential',
    graphOptimizationLevel: 'all',
    logSeverityLevel: 3,
    // As for every session of ours: threads that spin while they wait take other processes' cores.
    extra: { session: { intra_op: { allow_spinning: '0' }, inter_op: { allow_spinning: '0' } } },
  }).catch((thrown: unknown) => {
    throw new AppError('internal', 'The training graph could not be loaded by onnxruntime.', {
      cause: thrown,
    });
  });
  return {
    async run(feeds, into = {}) {
      const tensors: Record<string, RuntimeTensor> = {};
      for (const { name, type, shape } of inputs.values()) {
        const data = feeds[name];
        if (data?.length !== elementCount(shape))
          throw new AppError(
            'internal',
            `The training graph wants ${String(elementCount(shape))} numbers for "${name}" and was given ${String(data?.length ?? 0)}.`,
          );
        tensors[name] = new RuntimeTensor(runtimeTypes[type], data as Float32Array, shape);
      }
      const fetches = Object.fromEntries(
        names.map((name) => {
          const target = into[name];
          const wanted =
            target === undefined ? null : new RuntimeTensor('float32', target, outputs[name].shape);
          return [inside(name), wanted];
        }),
      );
      const found = await session.run(tensors, fetches).catch((thrown: unknown) => {
        throw failed(thrown);
      });
      return Object.fromEntries(names.map((name) => [name, found[inside(name)]?.data as Numbers])) as Record<
        Names,
        Numbers
      >;
    },
    release: () => session.release(),
  };
}
