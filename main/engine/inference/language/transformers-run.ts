/** A text under way in a model of Transformers.js: its `forward` with a cache whose rows beam search may reorder. */
import { Tensor } from '@huggingface/transformers';
import { AppError } from '../../../errors.ts';
import type { DecoderRun } from './cached-decoder.ts';
import type { HubModel, HubTensors } from './transformers-model.ts';

export interface Step {
  /** (rows, T) int64: what was written last. */
  readonly ids: Tensor;
  readonly rows: number;
  /** Tokens that lie in the cache already. */
  readonly before: number;
}

/**
 * @param feeds what `forward` takes beside the cache, for one step.
 * @param forcedFirst scores all else as impossible in the first step.
 */
export function beginHubRun(
  model: HubModel,
  feeds: (step: Step) => Promise<HubTensors> | HubTensors,
  forcedFirst: number | null = null,
): DecoderRun {
  let cache: HubTensors | null = null;
  let before = 0;
  return {
    async next(tokens) {
      const rows = tokens.length;
      const length = tokens[0]?.length ?? 0;
      const ids = new Tensor('int64', BigInt64Array.from(tokens.flat(), BigInt), [rows, length]);
      const results = await model.forward({
        ...(await feeds({ ids, rows, before })),
        past_key_values: cache,
      });
      const first = before === 0;
      before += length;
      cache = kept(results, cache);
      const scores = lastScores(results['logits'], rows);
      if (first && forcedFirst !== null)
        for (const row of scores) row.fill(-Infinity).fill(0, forcedFirst, forcedFirst + 1);
      return scores;
    },
    keep(chosen) {
      if (cache === null) return;
      cache = Object.fromEntries(
        Object.entries(cache).map(([name, tensor]) => [name, takeRows(name, tensor, chosen)]),
      );
    },
  };
}

/** `present.0.key` is fed as `past_key_values.0.key`; keys of the picture are right from the first step on. */
function kept(results: HubTensors, cache: HubTensors | null): HubTensors {
  return Object.fromEntries(
    Object.entries(results)
      .filter(([name]) => name.startsWith('present'))
      .map(([name, tensor]) => {
        const past = name.replace('present', 'past_key_values');
        return [past, name.includes('encoder') ? (cache?.[past] ?? tensor) : tensor];
      }),
  );
}

/** Logits (rows, T, V), or (rows, 1, V) of exports that compute the last place alone. */
function lastScores(logits: Tensor | undefined, rows: number): Float32Array[] {
  if (logits === undefined) throw new AppError('internal', 'A model gave no logits.');
  const { data } = logits.to('float32');
  if (!(data instanceof Float32Array)) throw new AppError('internal', 'Logits are not numbers.');
  const vocabulary = logits.dims.at(-1) ?? 1;
  const row = data.length / rows;
  return Array.from({ length: rows }, (_, i) => data.slice((i + 1) * row - vocabulary, (i + 1) * row));
}

function takeRows(name: string, tensor: Tensor, rows: readonly number[]): Tensor {
  const had = tensor.dims[0] ?? 1;
  const same = rows.length === had;
  if (same && (name.includes('encoder') || rows.every((row, i) => row === i))) return tensor;
  const { data } = tensor;
  if (Array.isArray(data)) throw new AppError('internal', `The cache "${name}" holds no numbers.`);
  const size = data.length / had;
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  const taken = new Uint8Array(size * rows.length * data.BYTES_PER_ELEMENT);
  const stride = size * data.BYTES_PER_ELEMENT;
  for (const [to, from] of rows.entries())
    taken.set(bytes.subarray(from * stride, (from + 1) * stride), to * stride);
  const Numbers = data.constructor as new (buffer: ArrayBuffer) => typeof data;
  return new Tensor(tensor.type, new Numbers(taken.buffer), [rows.length, ...tensor.dims.slice(1)]);
}

/** One picture's states for every row; made once for each number of rows. */
export function repeatedFor(states: Tensor): (rows: number) => Tensor {
  let last = states;
  return (rows) => {
    if (last.dims[0] !== rows)
      last = takeRows(
        'states',
        states,
        Array.from({ length: rows }, () => 0),
      );
    return last;
  };
}
