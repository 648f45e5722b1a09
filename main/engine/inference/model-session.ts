/** One ONNX session in a worker process: made with our settings, run with plain arrays. */
import { InferenceSession, Tensor } from 'onnxruntime-node';
import type { Provider } from '../../contract.ts';
import { AppError } from '../../errors.ts';
import { providerNames } from './provider-names.ts';

interface SessionInput {
  readonly name: string;
  readonly type: string;
  /** A name stands for an axis that may differ from run to run. */
  readonly shape: readonly (number | string)[];
}

export interface ModelSession {
  readonly inputs: readonly SessionInput[];
  readonly outputs: readonly string[];
  /** @returns the output as (rows, dims) float32, row-major. */
  run(feeds: Readonly<Record<string, Tensor>>, output: string): Promise<{ data: Float32Array; dims: number }>;
  /** @returns the outputs asked for, as the model gives them. */
  runAll(
    feeds: Readonly<Record<string, Tensor>>,
    outputs: readonly string[],
  ): Promise<Readonly<Record<string, Tensor>>>;
}

/**
 * @param threads for operators; other processes want cores too.
 * @throws AppError provider-unavailable, pack-invalid
 */
export async function openSession(options: {
  readonly file: string;
  readonly provider: Provider;
  readonly threads: number;
  /** Compiled CoreML models are kept here; without it every start compiles again. */
  readonly cacheDir?: string | undefined;
}): Promise<ModelSession> {
  const { file, provider, threads } = options;
  const coreml = {
    name: 'coreml',
    ...(options.cacheDir === undefined ? {} : { modelCacheDirectory: options.cacheDir }),
  };
  let session: InferenceSession;
  try {
    session = await InferenceSession.create(file, {
      // The CPU takes the nodes that a provider has no kernel for.
      executionProviders: provider === 'cpu' ? ['cpu'] : [provider === 'coreml' ? coreml : provider, 'cpu'],
      intraOpNumThreads: threads,
      interOpNumThreads: 1,
      executionMode: 'sequential',
      graphOptimizationLevel: 'all',
      logSeverityLevel: 3,
      // Threads that spin while they wait take the decoder's cores: off is 1.4-1.8x faster on a busy machine.
      extra: { session: { intra_op: { allow_spinning: '0' }, inter_op: { allow_spinning: '0' } } },
      // DirectML wants both off (its documentation); the others gain nothing from patterns when shapes change.
      ...(provider === 'dml' ? { enableMemPattern: false } : {}),
    });
  } catch (thrown) {
    const reason = thrown instanceof Error ? thrown.message : String(thrown);
    if (provider === 'cpu') {
      throw new AppError(
        'pack-invalid',
        `The model file cannot be loaded (${reason}). Install the pack again, or choose another.`,
        { cause: thrown },
      );
    }
    // The runtime's own words are about its source files; they go to the log with the cause.
    throw new AppError(
      'provider-unavailable',
      `${providerNames[provider]} found no graphics card or driver that it can use on this machine.`,
      { cause: thrown, details: { provider } },
    );
  }
  return {
    inputs: session.inputMetadata.map((input) =>
      input.isTensor
        ? { name: input.name, type: input.type, shape: input.shape }
        : { name: input.name, type: 'none', shape: [] },
    ),
    outputs: session.outputNames,
    async run(feeds, output) {
      const results = await session.run(feeds, [output]);
      const tensor = results[output];
      if (tensor === undefined) throw new Error(`The model gave no output "${output}".`);
      const data = toFloat32(tensor);
      const rows = tensor.dims[0] ?? 1;
      tensor.dispose();
      return { data, dims: data.length / rows };
    },
    runAll: (feeds, outputs) => session.run(feeds, outputs),
  };
}

function toFloat32(tensor: Tensor): Float32Array {
  const { data } = tensor;
  if (data instanceof Float32Array) return data.slice();
  // Half-precision outputs arrive as Float16Array where the runtime has it, else as their bits.
  if (tensor.type === 'float16' && data instanceof Uint16Array) return Float32Array.from(data, fromHalf);
  return Float32Array.from(data as Iterable<number>);
}

/** IEEE 754 binary16 to a number. */
function fromHalf(bits: number): number {
  const sign = (bits & 0x8000) === 0 ? 1 : -1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 0x1f) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
