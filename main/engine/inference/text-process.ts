/** Process entry: runs a text tower, apart from the image tower so that typing never waits for a batch of photos. */
import { Tensor } from 'onnxruntime-node';
import { AppError } from '../../errors.ts';
import type { ImageSpec, TextTower } from '../packs/types.ts';
import { openSession, type ModelSession } from './model-session.ts';
import { modelSize } from './preprocess.ts';
import { openProcessPort } from './process-port.ts';
import { openTokenizer, type TextTokenizer } from './text-tokenizer.ts';
import { serveRequests } from './worker-messages.ts';

export interface TextLoad {
  readonly packName: string;
  readonly tower: TextTower;
  readonly dims: number;
  readonly threads: number;
  /** For combined exports, which want a picture too. */
  readonly spec: ImageSpec;
}

/** What exporters call the text embedding: CLIP's projection, SigLIP's pooled state. */
const outputNames = ['text_embeds', 'pooler_output', 'text_embeddings', 'embeddings'];
/** Texts per run: enough to fill the cores, few enough for memory at 77 tokens. */
const batchSize = 32;

interface Loaded {
  readonly session: ModelSession;
  readonly tokenizer: TextTokenizer;
  readonly idsInput: string;
  readonly maskInput: string | null;
  readonly output: string;
  readonly extra: Readonly<Record<string, Tensor>>;
  /** Length of the export's sequence axis where it is fixed. */
  readonly fixedLength: number | null;
  readonly fixedBatch: number | null;
  readonly request: TextLoad;
}

let loaded: Promise<Loaded> | undefined;

async function load(request: TextLoad): Promise<Loaded> {
  const { tower } = request;
  const [session, tokenizer] = await Promise.all([
    openSession({ file: tower.file, provider: 'cpu', threads: request.threads }),
    openTokenizer(tower, request.packName),
  ]);
  const named = (name: string): boolean => session.inputs.some((input) => input.name === name);
  const idsInput = tower.inputIds ?? 'input_ids';
  const maskInput = tower.attentionMask ?? (named('attention_mask') ? 'attention_mask' : null);
  const output = tower.output ?? outputNames.find((name) => session.outputs.includes(name));
  const ids = session.inputs.find(({ name }) => name === idsInput);
  if (ids === undefined || output === undefined || !session.outputs.includes(output)) {
    throw misfit(request, 'has no input for token ids or no text embedding');
  }
  const [batch, length] = ids.shape;
  return {
    session,
    tokenizer,
    idsInput,
    maskInput: maskInput !== null && named(maskInput) ? maskInput : null,
    output,
    extra: Object.fromEntries(
      session.inputs
        .filter(({ name }) => name !== idsInput && name !== maskInput)
        .map(({ name, type, shape }) => [name, blank(type, shape, request)]),
    ),
    fixedLength: typeof length === 'number' && length > 0 ? length : null,
    fixedBatch: typeof batch === 'number' && batch > 0 ? batch : null,
    request,
  };
}

/** A black picture for a combined export, or zeros for anything else it asks for (position ids start at 0 anyway). */
function blank(type: string, shape: readonly (number | string)[], request: TextLoad): Tensor {
  const picture = modelSize(request.spec);
  const sizes = shape.map((axis, i) => {
    if (typeof axis === 'number') return axis;
    if (i === 0) return 1;
    return i === 1 ? 3 : ((i === 2 ? picture?.height : picture?.width) ?? 224);
  });
  const length = sizes.reduce((a, b) => a * b, 1);
  if (type === 'float32') return new Tensor('float32', new Float32Array(length), sizes);
  if (type === 'int64') return new Tensor('int64', new BigInt64Array(length), sizes);
  throw misfit(request, `wants an input of type ${type} that is not known`);
}

/**
 * Texts of equal length run together, so that none is padded where padding isn't part of the model: the same
 * embedding, up to 2.5x faster than padding to the full length.
 */
async function encode({ texts }: { texts: readonly string[] }): Promise<{
  /** (texts, dims) float32, row-major. */
  vectors: Float32Array;
  ids: number[][];
}> {
  if (loaded === undefined) throw new AppError('internal', 'The text process was asked before its model.');
  const model = await loaded;
  const { dims } = model.request;
  const full = fullLength(model);
  const all = texts.map((text) => idsOf(model, text));
  const byLength = new Map<number, number[]>();
  for (const [place, ids] of all.entries()) {
    const length = full ?? ids.length;
    const group = byLength.get(length);
    if (group === undefined) byLength.set(length, [place]);
    else group.push(place);
  }
  const vectors = new Float32Array(texts.length * dims);
  const step = model.fixedBatch ?? batchSize;
  for (const [length, places] of byLength) {
    for (let start = 0; start < places.length; start += step) {
      const batch = places.slice(start, start + step);
      const rows = model.fixedBatch ?? batch.length;
      const feeds = toFeeds(
        model,
        batch.map((place) => all[place] ?? []),
        rows,
        length,
      );
      const result = await model.session.run(feeds, model.output);
      if (result.dims !== dims) {
        throw misfit(model.request, `gives ${String(result.dims)} numbers instead of ${String(dims)}`);
      }
      for (const [row, place] of batch.entries()) {
        vectors.set(result.data.subarray(row * dims, (row + 1) * dims), place * dims);
      }
    }
  }
  return { vectors, ids: all };
}

/**
 * An embedding for each token, special ones included. Texts run one by one: nobody types while waiting for this.
 * @returns per text (tokens, dims) float32, row by row.
 */
async function encodeTokens({ texts }: { texts: readonly string[] }): Promise<Float32Array[]> {
  if (loaded === undefined) throw new AppError('internal', 'The text process was asked before its model.');
  const model = await loaded;
  const { dims, tower } = model.request;
  const output = tower.tokenOutput;
  if (output === null || !model.session.outputs.includes(output))
    throw misfit(model.request, 'does not tell the words of a text apart');
  const tokens: Float32Array[] = [];
  for (const text of texts) {
    const ids = idsOf(model, text);
    const length = fullLength(model) ?? ids.length;
    const rows = model.fixedBatch ?? 1;
    const { data, dims: numbers } = await model.session.run(toFeeds(model, [ids], rows, length), output);
    if (numbers !== length * dims)
      throw misfit(
        model.request,
        `gives ${String(numbers)} numbers for ${String(length)} tokens of ${String(dims)}`,
      );
    tokens.push(data.slice(0, ids.length * dims));
  }
  return tokens;
}

/** The length that every text is padded to; null where each may have its own. */
function fullLength({ fixedLength, request: { tower } }: Loaded): number | null {
  return fixedLength ?? (tower.padding === 'max' ? tower.maxLength : null);
}

/** Token ids of a text, cut to what the model takes with the end token kept; not padded. */
function idsOf(model: Loaded, text: string): number[] {
  const full = fullLength(model);
  const ids = model.tokenizer.ids(text);
  return full !== null && ids.length > full ? [...ids.slice(0, full - 1), ids.at(-1) ?? 0] : ids;
}

function toFeeds(
  model: Loaded,
  batch: readonly (readonly number[])[],
  rows: number,
  length: number,
): Record<string, Tensor> {
  const ids = new BigInt64Array(rows * length).fill(BigInt(model.tokenizer.padId));
  // Where padding is part of the model, it is attended to: the reference gives no mask.
  const mask = new BigInt64Array(rows * length).fill(model.request.tower.padding === 'max' ? 1n : 0n);
  for (const [row, tokens] of batch.entries()) {
    for (const [column, id] of tokens.entries()) {
      ids[row * length + column] = BigInt(id);
      mask[row * length + column] = 1n;
    }
  }
  return {
    ...model.extra,
    [model.idsInput]: new Tensor('int64', ids, [rows, length]),
    ...(model.maskInput === null ? {} : { [model.maskInput]: new Tensor('int64', mask, [rows, length]) }),
  };
}

function misfit(request: TextLoad, what: string): AppError {
  return new AppError(
    'pack-invalid',
    `The text model of "${request.packName}" ${what}. Choose another pack.`,
    { details: { pack: request.packName } },
  );
}

serveRequests(openProcessPort(), {
  load: async (request: TextLoad) => {
    loaded = load(request);
    await loaded;
  },
  ready: () => Promise.resolve(),
  encode,
  encodeTokens,
});
