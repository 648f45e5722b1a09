/** Ranks of many pairs under a head: scores come from onnxruntime in blocks, and only a block of them is kept. */
import { add } from './autodiff/arithmetic.ts';
import { openGraph, type GraphSession } from './autodiff/graph-session.ts';
import { gemm } from './autodiff/linear-algebra.ts';
import { input, type Tensor } from './autodiff/tensor.ts';
import { createRankCounter, type Ranks } from './evaluate.ts';
import type { Head } from './heads.ts';
import type { JointHead } from './joint-head.ts';
import type { TrainingPairs } from './train-head.ts';

type Values = Readonly<Record<string, Float32Array>>;

export interface HeadScores {
  /**
   * Ranks of pairs among each other, by groups and wordings.
   * @param parameters as the head has them.
   * @param asked of the pairs, so many from the first are ranked; the others are only candidates. All by default.
   */
  ranks(pairs: TrainingPairs, parameters: Values, asked?: number): Promise<Ranks>;
  close(): Promise<void>;
}

/** Numbers in a block of scores: 16 MiB of float32, where a joint head makes as many for each of its units. */
const blockNumbers = 4 * 2 ** 20;
const mostBlockRows = 256;

export function openHeadScores(head: Head | JointHead, threads: number): HeadScores {
  const opened = new Map<string, Promise<GraphSession<'out'>>>();
  const graph = (key: string, build: () => Tensor): Promise<GraphSession<'out'>> => {
    const known = opened.get(key);
    if (known !== undefined) return known;
    const fresh = openGraph({ out: build() }, { threads });
    opened.set(key, fresh);
    return fresh;
  };
  const tensors = (): Readonly<Record<string, Tensor>> =>
    Object.fromEntries(
      Object.entries(head.parameters).map(([name, { shape }]) => [name, input(name, shape)]),
    );

  /** The images where the head puts them, if it moves them. */
  const moved = async (
    { images, weights, dims }: TrainingPairs,
    parameters: Values,
  ): Promise<Float32Array> => {
    if (head.name === 'joint') return images;
    const session = await graph(`move ${String(weights.length)} ${String(dims)}`, () =>
      head.apply(input('x', [weights.length, dims]), tensors()),
    );
    return (await session.run({ x: images, ...parameters })).out as Float32Array;
  };

  const blockScores = (side: 'text' | 'image', count: number, rows: number, dims: number) => {
    const few = input('few', [rows, dims]);
    const many = input('many', [count, dims]);
    return graph(`${side} ${String(count)} ${String(dims)}`, () => {
      const cosines = gemm(few, many, { transB: true });
      if (head.name !== 'joint') return cosines;
      return add(
        cosines,
        side === 'text' ? head.ofTexts(few, many, tensors()) : head.ofAll(few, many, tensors()),
      );
    });
  };

  return {
    async ranks(pairs, parameters, asked = pairs.weights.length) {
      const { dims, texts } = pairs;
      const count = pairs.weights.length;
      const images = await moved(pairs, parameters);
      const counter = createRankCounter(count, pairs.groups, pairs.wordings);
      const units = head.name === 'joint' ? (head.parameters['bias']?.start.length ?? 1) : 1;
      const rows = Math.max(1, Math.min(mostBlockRows, count, Math.floor(blockNumbers / (count * units))));
      /** Ranks of these rows of `from` by their scores with all of `to`. */
      const rankBy = async (
        side: 'text' | 'image',
        chosen: readonly number[],
        [from, to]: readonly [Float32Array, Float32Array],
        rank: (row: number, scores: Float32Array) => number,
      ): Promise<Int32Array> => {
        const session = await blockScores(side, count, rows, dims);
        const found = new Int32Array(chosen.length);
        const few = new Float32Array(rows * dims);
        for (let at = 0; at < chosen.length; at += rows) {
          const block = chosen.slice(at, at + rows);
          block.forEach((row, i) => {
            few.set(from.subarray(row * dims, (row + 1) * dims), i * dims);
          });
          const feeds = { few, many: to, ...(head.name === 'joint' ? parameters : {}) };
          const scores = (await session.run(feeds)).out as Float32Array;
          block.forEach((row, i) => {
            found[at + i] = rank(row, scores.subarray(i * count, (i + 1) * count));
          });
        }
        return found;
      };
      const askedTexts = Array.from({ length: asked }, (_, row) => row);
      const askedImages = counter.imageRows.filter((row) => row < asked);
      return {
        textToImage: await rankBy('text', askedTexts, [texts, images], counter.ofText),
        imageToText: await rankBy('image', askedImages, [images, texts], counter.ofImage),
      };
    },
    async close() {
      await Promise.all([...opened.values()].map(async (session) => (await session).release()));
    },
  };
}
