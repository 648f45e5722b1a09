/**
 * What the key-value cache gains on a caption of 30 tokens, with a decoder of BLIP base's size (12 layers of 768,
 * 577 places of a picture, 30,524 words; random weights, real arithmetic): everything kept; the text read again with
 * each token; and nothing kept, as with transformers' `use_cache=False`, where the picture's keys and values are
 * computed again as well. The same for three beams, and for the captioner that ships.
 * Run: npm run bench -- tokens [tokens]
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Tensor } from 'onnxruntime-node';
import { crossNames, openDecoder } from '../../main/engine/inference/language/cached-decoder.ts';
import { openGraph, type Tensors } from '../../main/engine/inference/language/model-graph.ts';
import { crossGraph, decoderGraph, type LanguageShape } from '../fixtures/language-graphs.ts';
import { check, percentile, report, say } from './report.ts';

const tokens = Number(process.argv[2] ?? 30);
const places = 577;
const threads = 2;
const base: LanguageShape = {
  layers: 12,
  heads: 12,
  headDim: 64,
  vocabulary: 30_524,
  positions: 512,
  patch: 16,
  network: 3_072,
  end: 102,
  endBias: 0,
};
/** As models/starter-captioner, whose picture has 36 places. */
const small: LanguageShape = {
  ...base,
  layers: 4,
  heads: 4,
  headDim: 64,
  vocabulary: 4_096,
  positions: 64,
  network: 1_024,
};
const work = mkdtempSync(join(tmpdir(), 'afterimage-bench-'));

interface Seconds {
  readonly kept: number;
  readonly textAgain: number;
  readonly nothingKept: number;
}

async function measure(name: string, shape: LanguageShape, seen: number, beams: number): Promise<Seconds> {
  const dir = join(work, name);
  mkdirSync(dir, { recursive: true });
  const file = join(dir, 'decoder.onnx');
  const crossFile = join(dir, 'cross.onnx');
  await decoderGraph(shape, 1).write(file);
  await crossGraph(shape, 2).write(crossFile);
  const { layers, heads, headDim } = shape;
  const pack = {
    id: name,
    name,
    dir,
    decoder: { file, layers, heads, headDim, maxLength: shape.positions },
  };
  const crossing = await openGraph(pack, crossFile, threads, {
    inputs: ['states'],
    outputs: crossNames(layers),
  });
  const width = heads * headDim;
  const states = new Tensor(
    'float32',
    Float32Array.from({ length: seen * width }, (_, i) => Math.sin(i)),
    [1, seen, width],
  );
  const look = (): Promise<Tensors> => crossing.run({ states });
  const write = async (cache: boolean, lookAgain: boolean): Promise<number> => {
    const decoder = await openDecoder(pack, { threads, cache });
    const once = async (count: number): Promise<number> => {
      const start = performance.now();
      const run = decoder.begin(await look());
      let next = [[1]];
      for (let i = 0; i < count; i += 1) {
        // What is thrown away costs the same as what would be used.
        if (lookAgain && i > 0) await look();
        const scores = await run.next(next);
        const best = scores.map((row) => row.reduce((top, value, id) => (value > row[top]! ? id : top), 0));
        if (i === 0 && beams > 1) run.keep(new Array<number>(beams).fill(0));
        next = Array.from({ length: beams }, (_, beam) => [best[Math.min(beam, best.length - 1)]!]);
      }
      return (performance.now() - start) / 1_000;
    };
    await once(2);
    const times: number[] = [];
    for (let i = 0; i < 3; i += 1) times.push(await once(tokens));
    return percentile(times, 0.5);
  };
  say(`${name}, ${beams === 1 ? 'greedy' : `${beams} beams`}`);
  return {
    kept: await write(true, false),
    textAgain: await write(false, false),
    nothingKept: await write(false, true),
  };
}

try {
  const greedy = await measure('BLIP base', base, places, 1);
  const beams = await measure('BLIP base', base, places, 3);
  const shipped = await measure('shipped captioner', small, 36, 1);
  const rate = ({ kept }: Seconds): number => tokens / kept;
  report(
    'tokens',
    {
      tokens,
      threads,
      seconds: { greedy, beams3: beams, shipped },
      tokensPerSecond: { greedy: rate(greedy), beams3: rate(beams), shipped: rate(shipped) },
    },
    [
      check('BLIP base, greedy: nothing kept over kept', greedy.nothingKept / greedy.kept, { min: 3 }),
      check('BLIP base, 3 beams: nothing kept over kept', beams.nothingKept / beams.kept, { min: 3 }),
    ],
  );
} finally {
  rmSync(work, { recursive: true, force: true });
}
