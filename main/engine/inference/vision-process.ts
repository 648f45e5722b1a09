/** Process entry: runs an image tower. Pixels come as uint8 and are normalised here. */
import { Tensor } from 'onnxruntime-node';
import type { Provider } from '../../contract.ts';
import { AppError } from '../../errors.ts';
import type { ImageSpec } from '../packs/types.ts';
import { decodeImage } from './decode-image.ts';
import { defaultMaxPixels, defaultTimeoutMs } from './decode-job.ts';
import { openSession, type ModelSession } from './model-session.ts';
import { pixelTables, toPlanes, type PixelTables } from './pixel-planes.ts';
import { openProcessPort } from './process-port.ts';
import { serveRequests } from './worker-messages.ts';

export interface VisionLoad {
  readonly packName: string;
  readonly file: string;
  readonly input: string | null;
  readonly output: string | null;
  readonly patchOutput: string | null;
  readonly grid: readonly [number, number] | null;
  readonly dims: number;
  readonly spec: ImageSpec;
  readonly provider: Provider;
  readonly threads: number;
  readonly cacheDir?: string | undefined;
}

interface ModelPixels {
  /** (height, width, 3) uint8 RGB. */
  readonly pixels: Uint8Array;
  readonly width: number;
  readonly height: number;
}

export interface VisionBatch {
  /** (count, height, width, 3) uint8 RGB. */
  readonly pixels: Uint8Array;
  readonly count: number;
  readonly width: number;
  readonly height: number;
}

/** What exporters call the image embedding: CLIP's projection, SigLIP's pooled state. */
const outputNames = ['image_embeds', 'pooler_output', 'image_embeddings', 'embeddings'];

interface Loaded {
  readonly session: ModelSession;
  readonly input: string;
  readonly output: string;
  /** Combined exports want a text too, whatever it says. */
  readonly extra: Readonly<Record<string, Tensor>>;
  /** Images per run, where the export fixes it. */
  readonly fixedBatch: number | null;
  readonly tables: PixelTables;
  readonly request: VisionLoad;
}

let loaded: Promise<Loaded> | undefined;

async function load(request: VisionLoad): Promise<Loaded> {
  const session = await openSession(request);
  const input = session.inputs.find(({ name, shape }) =>
    request.input === null ? shape.length === 4 : name === request.input,
  );
  const output =
    request.output ?? outputNames.find((name) => session.outputs.includes(name)) ?? session.outputs[0];
  if (input === undefined || output === undefined || !session.outputs.includes(output)) {
    throw misfit(request, 'has no image input or no image embedding');
  }
  if (input.type !== 'float32') throw misfit(request, `takes ${input.type} pixels instead of float32`);
  const [batch] = input.shape;
  return {
    session,
    input: input.name,
    output,
    extra: Object.fromEntries(
      session.inputs
        .filter(({ name }) => name !== input.name)
        .map(({ name, shape }) => {
          const size = shape.map((axis, i) => (typeof axis === 'number' ? axis : i === 0 ? 1 : 2));
          const length = size.reduce((a, b) => a * b, 1);
          return [name, new Tensor('int64', new BigInt64Array(length).fill(1n), size)];
        }),
    ),
    fixedBatch: typeof batch === 'number' && batch > 0 ? batch : null,
    tables: pixelTables(request.spec),
    request,
  };
}

async function embed(batch: VisionBatch): Promise<Float32Array> {
  if (loaded === undefined) throw new AppError('internal', 'The vision process was asked before its model.');
  const model = await loaded;
  const { width, height } = batch;
  const result = new Float32Array(batch.count * model.request.dims);
  const step = model.fixedBatch ?? batch.count;
  for (let start = 0; start < batch.count; start += step) {
    const count = Math.min(step, batch.count - start);
    const images = batch.pixels.subarray(start * width * height * 3, (start + count) * width * height * 3);
    const input = toPlanes(images, step, width * height, model.tables);
    const { data, dims } = await model.session.run(
      { [model.input]: new Tensor('float32', input, [step, 3, height, width]), ...model.extra },
      model.output,
    );
    if (dims !== model.request.dims) {
      throw misfit(model.request, `gives ${String(dims)} numbers instead of ${String(model.request.dims)}`);
    }
    result.set(data.subarray(0, count * dims), start * dims);
  }
  return result;
}

/** Embeds the cells of one picture. @returns (cells, dims) float32. */
async function embedPatches({ pixels, width, height }: ModelPixels): Promise<Float32Array> {
  if (loaded === undefined) throw new AppError('internal', 'The vision process was asked before its model.');
  const { session, input, extra, fixedBatch, tables, request } = await loaded;
  const { patchOutput, grid, dims } = request;
  if (patchOutput === null || grid === null || !session.outputs.includes(patchOutput))
    throw misfit(request, 'does not tell the parts of a picture apart');
  const slots = fixedBatch ?? 1;
  const planes = toPlanes(pixels, slots, width * height, tables);
  const { data, dims: length } = await session.run(
    { [input]: new Tensor('float32', planes, [slots, 3, height, width]), ...extra },
    patchOutput,
  );
  if (length !== grid[0] * grid[1] * dims)
    throw misfit(request, `gives ${String(length)} numbers for a grid of ${grid.join(' by ')}`);
  return data.slice(0, length);
}

/** Decodes and embeds the pack's golden pictures, one by one. @returns (count, dims) float32. */
async function embedFiles({ files }: { files: readonly string[] }): Promise<Float32Array[]> {
  if (loaded === undefined) throw new AppError('internal', 'The vision process was asked before its model.');
  const { request } = await loaded;
  const embeddings: Float32Array[] = [];
  for (const path of files) {
    const { pixels, pixelWidth, pixelHeight } = await decodeImage({
      source: { path },
      spec: request.spec,
      thumbnail: false,
      maxPixels: defaultMaxPixels,
      timeoutMs: defaultTimeoutMs,
    });
    embeddings.push(await embed({ pixels, count: 1, width: pixelWidth, height: pixelHeight }));
  }
  return embeddings;
}

function misfit(request: VisionLoad, what: string): AppError {
  return new AppError(
    'pack-invalid',
    `The image model of "${request.packName}" ${what}. Choose another pack.`,
    { details: { pack: request.packName } },
  );
}

serveRequests(openProcessPort(), {
  load: async (request: VisionLoad) => {
    loaded = load(request);
    await loaded;
  },
  ready: () => Promise.resolve(),
  embed,
  embedFiles,
  embedPatches,
});
