/** A text decoder that keeps the keys and values of what it has read, so that each token costs one place, not all. */
import { Tensor } from 'onnxruntime-node';
import { AppError } from '../../../errors.ts';
import type { LanguagePack } from '../../packs/types.ts';
import type { AdapterOptions } from './adapter.ts';
import { openGraph, type Tensors } from './model-graph.ts';

export interface CachedDecoder {
  /** Positions that it knows. */
  readonly maxLength: number;
  /** @param cross keys and values of what is described, (1, heads, places, headDim) for each layer. */
  begin(cross: Tensors): DecoderRun;
}

/** Rows are continuations of one text; there is one to begin with. */
export interface DecoderRun {
  /**
   * @param tokens what each row goes on with, as many for each.
   * @returns for each row the scores (vocabulary,) of what may come next: logits, not yet probabilities.
   */
  next(tokens: readonly (readonly number[])[]): Promise<Float32Array[]>;
  /** Goes on with these rows in this order; a row may be taken twice. */
  keep(rows: readonly number[]): void;
}

export const crossNames = (layers: number): string[] => layerNames('cross', layers);

/**
 * The decoder contract: `input_ids` (B, T) int64, `past.i.key` and `.value` (B, H, P, D) with P from 0 on, `cross.i.*`
 * (1, H, S, D) to `logits` (B, T, V) and `present.i.*` (B, H, P + T, D), all float32.
 * @throws AppError pack-invalid
 */
export async function openDecoder(
  pack: Pick<LanguagePack, 'id' | 'name' | 'dir' | 'decoder'>,
  { threads, cache }: Pick<AdapterOptions, 'threads' | 'cache'>,
): Promise<CachedDecoder> {
  const { decoder } = pack;
  if (decoder === null)
    throw new AppError('internal', `The pack "${pack.name}" was opened without a decoder.`);
  const { layers, heads, headDim, maxLength } = decoder;
  const past = layerNames('past', layers);
  const present = layerNames('present', layers);
  const graph = await openGraph(pack, decoder.file, threads, {
    inputs: ['input_ids', ...past, ...crossNames(layers)],
    outputs: ['logits', ...(cache ? present : [])],
  });
  const nothing = (rows: number): Tensor =>
    new Tensor('float32', new Float32Array(0), [rows, heads, 0, headDim]);

  return {
    maxLength,
    begin(cross) {
      let kept: Tensor[] | undefined;
      /** What was read, where nothing is kept: read again each time. */
      let texts: number[][] = [];
      return {
        async next(tokens) {
          let fed = tokens;
          if (!cache) {
            texts = tokens.map((ids, row) => [...(texts[row] ?? []), ...ids]);
            fed = texts;
          }
          const rows = fed.length;
          const length = fed[0]?.length ?? 0;
          const ids = BigInt64Array.from(fed.flat(), BigInt);
          const results = await graph.run({
            ...cross,
            input_ids: new Tensor('int64', ids, [rows, length]),
            ...Object.fromEntries(past.map((name, i) => [name, kept?.[i] ?? nothing(rows)])),
          });
          if (cache) kept = present.map((name) => named(results, name));
          return lastPlaces(named(results, 'logits'), rows, length);
        },
        keep(chosen) {
          texts = chosen.map((row) => texts[row] ?? []);
          const rows = kept?.[0]?.dims[0] ?? chosen.length;
          if (chosen.length === rows && chosen.every((row, i) => row === i)) return;
          kept = kept?.map((tensor) => takeRows(tensor, chosen));
        },
      };
    },
  };
}

function layerNames(kind: 'past' | 'present' | 'cross', layers: number): string[] {
  return Array.from({ length: layers }, (_, i) => [
    `${kind}.${String(i)}.key`,
    `${kind}.${String(i)}.value`,
  ]).flat();
}

export function named(tensors: Tensors, name: string): Tensor {
  const found = tensors[name];
  if (found === undefined) throw new AppError('internal', `A model gave no "${name}".`);
  return found;
}

export function numbers(tensor: Tensor): Float32Array {
  if (tensor.data instanceof Float32Array) return tensor.data;
  throw new AppError(
    'pack-invalid',
    `The model gives ${tensor.type} instead of float32. Install the pack again.`,
  );
}

/** Of (rows, length, vocabulary), the scores at each row's last place. */
function lastPlaces(logits: Tensor, rows: number, length: number): Float32Array[] {
  const data = numbers(logits);
  const vocabulary = data.length / (rows * length);
  return Array.from({ length: rows }, (_, row) => {
    const start = (row * length + length - 1) * vocabulary;
    return data.slice(start, start + vocabulary);
  });
}

function takeRows(tensor: Tensor, rows: readonly number[]): Tensor {
  const data = numbers(tensor);
  const size = data.length / (tensor.dims[0] ?? 1);
  const taken = new Float32Array(size * rows.length);
  for (const [to, from] of rows.entries())
    taken.set(data.subarray(from * size, (from + 1) * size), to * size);
  return new Tensor('float32', taken, [rows.length, ...tensor.dims.slice(1)]);
}
