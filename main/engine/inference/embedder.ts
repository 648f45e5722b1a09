/** An embedding pack in use: images and texts to unit vectors of one space. */
import type { Provider, SelfTest } from '../../contract.ts';
import { AppError } from '../../errors.ts';
import type { Log } from '../log.ts';
import type { EmbedPack } from '../packs/types.ts';
import { batchSizes, chooseProvider, type ChosenProvider } from './choose-provider.ts';
import { LruCache } from './lru-cache.ts';
import { testTowers } from './self-test.ts';
import { textTower, type ModelPixels, type TextTowerClient } from './towers.ts';
import type { Embedder, SpawnWorker, TextSide, TextTokens } from './types.ts';
import { meanDirection } from './unit-vectors.ts';

export interface LoadEmbedderOptions {
  readonly pack: EmbedPack;
  readonly spawn: SpawnWorker;
  readonly log: Log;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** 'auto' takes the fastest that agrees with the CPU; a named provider falls back to the CPU, saying so in `selfTest.messages`. */
  readonly provider?: 'auto' | Provider | undefined;
  /** Folder for compiled models (CoreML). */
  readonly cacheDir?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Hears of the text side as soon as it answers, while the image side is still being tried out. */
  readonly onText?: ((side: TextSide) => void) | undefined;
}

/** An embedder, and why other providers were refused. */
export interface LoadedEmbedder extends Embedder {
  readonly providerNotes: Readonly<Partial<Record<Provider, string>>>;
}

/** 4,096 texts of 512 numbers are 8 MB. */
const cachedTexts = 4_096;

/**
 * Starts the processes of both towers, chooses the provider and runs the self-test.
 * @throws AppError pack-invalid, pack-unfit, cancelled, worker-died
 */
export async function loadEmbedder(options: LoadEmbedderOptions): Promise<LoadedEmbedder> {
  const { pack, signal } = options;
  const text = textTower(options);
  let chosen: ChosenProvider | undefined;
  try {
    signal?.throwIfAborted();
    // Opening both at once halves the wait; a failure of the text tower shows when the self-test asks it.
    const side = createTextSide(pack, text);
    const [vision] = await Promise.all([
      chooseProvider(options, options.provider ?? 'auto').then((found) => (chosen = found)),
      text.open().then(() => options.onText?.(side)),
    ]);
    signal?.throwIfAborted();
    const selfTest = await testTowers(options, vision, text);
    if (!selfTest.passed) {
      throw new AppError(
        'pack-unfit',
        `The model pack "${pack.name}" failed its self-test. ${selfTest.messages.join(' ')}`,
        {
          details: { pack: pack.id },
        },
      );
    }
    signal?.throwIfAborted();
    options.log.info('model loaded', {
      pack: pack.id,
      provider: selfTest.provider,
      minCosine: selfTest.minCosine,
    });
    return createEmbedder(side, options, vision, text, selfTest);
  } catch (thrown) {
    await Promise.all([text.close(), chosen?.tower.close()]);
    throw AppError.from(thrown, `Loading the model pack "${pack.name}"`);
  }
}

function createTextSide(pack: EmbedPack, text: TextTowerClient): TextSide {
  const cache = new LruCache<string, Promise<Float32Array>>(cachedTexts);

  const encode = (texts: readonly string[]): Promise<Float32Array>[] => {
    const found = new Map(texts.map((wanted) => [wanted, cache.get(wanted)]));
    const missing = [...found].filter(([, vector]) => vector === undefined).map(([wanted]) => wanted);
    if (missing.length > 0) {
      const reply = text.encode(missing);
      for (const [i, wanted] of missing.entries()) {
        const vector = reply.then(({ vectors }) => vectors[i] ?? new Float32Array(pack.dims));
        // A failure is not remembered.
        vector.catch(() => {
          cache.delete(wanted);
        });
        cache.set(wanted, vector);
        found.set(wanted, vector);
      }
    }
    return texts.map((wanted) => found.get(wanted) ?? Promise.resolve(new Float32Array(pack.dims)));
  };

  const embedTexts = async (texts: readonly string[], signal?: AbortSignal): Promise<Float32Array[]> => {
    // A copy each: callers may scale and add to what they get.
    const vectors = await abortable(Promise.all(encode(texts)), signal);
    return vectors.map((vector) => vector.slice());
  };

  return {
    fingerprint: pack.fingerprint,
    packId: pack.id,
    dims: pack.dims,
    scoring: pack.scoring,
    embedTexts,
    async embedQuery(query, signal) {
      const texts = pack.scoring.queryTemplates.map((template) => template.replaceAll('{}', () => query));
      return meanDirection(await embedTexts(texts, signal));
    },
    ...(pack.text.tokenOutput === null
      ? {}
      : {
          embedTokens: async (texts: readonly string[], signal?: AbortSignal) =>
            padTokens(await abortable(text.encodeTokens(texts), signal), pack.dims),
        }),
  };
}

/** Texts of their own lengths, (tokens, dims) each, as one block of the longest. */
function padTokens(texts: readonly Float32Array[], dims: number): TextTokens {
  const longest = texts.reduce((most, { length }) => Math.max(most, length), 0);
  const values = new Float32Array(texts.length * longest);
  const mask = new Float32Array((texts.length * longest) / dims);
  for (const [i, tokens] of texts.entries()) {
    values.set(tokens, i * longest);
    mask.fill(1, (i * longest) / dims, (i * longest + tokens.length) / dims);
  }
  return { values, mask };
}

function createEmbedder(
  side: TextSide,
  { pack }: LoadEmbedderOptions,
  chosen: ChosenProvider,
  text: TextTowerClient,
  selfTest: SelfTest,
): LoadedEmbedder {
  const { tower } = chosen;
  const batchSize = batchSizes[tower.provider];
  const { patchOutput, grid } = pack.image;
  return {
    ...side,
    imageSpec: pack.imageSpec,
    batchSize,
    provider: tower.provider,
    selfTest,
    providerNotes: chosen.notes,
    ...(patchOutput === null || grid === null
      ? {}
      : {
          patches: {
            columns: grid[0],
            rows: grid[1],
            embed: (image: ModelPixels) => tower.embedPatches(image),
          },
        }),
    async embedImages(images) {
      const batches: ModelPixels[][] = [];
      for (const image of images) {
        const last = batches.at(-1);
        const fits = last?.[0]?.width === image.width && last[0].height === image.height;
        if (last !== undefined && fits && last.length < batchSize) last.push(image);
        else batches.push([image]);
      }
      const vectors: Float32Array[] = [];
      for (const batch of batches) vectors.push(...(await tower.embed(batch)));
      return vectors;
    },
    async close() {
      await Promise.all([tower.close(), text.close()]);
    },
  };
}

/** The worker can't be stopped in the middle of a run; who asked need not wait for it. */
async function abortable<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work;
  let stop: (() => void) | undefined;
  try {
    return await Promise.race([
      work,
      new Promise<never>((_, reject) => {
        stop = () => {
          reject(new AppError('cancelled', 'The search was cancelled.'));
        };
        if (signal.aborted) stop();
        else signal.addEventListener('abort', stop, { once: true });
      }),
    ]);
  } finally {
    if (stop !== undefined) signal.removeEventListener('abort', stop);
    // Lost races must not become unhandled rejections.
    work.catch(() => undefined);
  }
}
