/** From what a person said of photos to pairs that a head is trained and proved on. */
import { AppError } from '../../../errors.ts';
import type { PairSource } from '../../../contract.ts';
import { dot } from '../../inference/unit-vectors.ts';
import { fewestGroups } from '../prove-head.ts';
import type { GatheredPairs } from '../types.ts';
import { likeness } from './alike.ts';
import { dataHash } from './data-hash.ts';
import { draftPairs, type Draft, type DraftPair } from './draft-pairs.ts';
import { embedFiles, embedTexts } from './embed-said.ts';
import { gatherEvidence } from './evidence.ts';
import { hearFile } from './file-statements.ts';
import { fromSet, numbered } from './generic-pairs.ts';
import { hardNegatives, type EmbeddedPair } from './hard-negatives.ts';
import { libraryGenericName, makeGeneric } from './library-generic.ts';
import { hearLibrary } from './library-statements.ts';
import { PhotoBook } from './photo-book.ts';
import { problemOf } from './problems.ts';
import type { Heard } from './statements.ts';
import type { GatherOptions, Gathering, SourcesReport } from './types.ts';

const allSources: readonly PairSource[] = ['thumbs', 'names', 'captions', 'albums', 'file'];
/** Of lines that were left out; the rest are counted. */
const mostSkipped = 100;

/**
 * All that there is to learn from, embedded by the pack. Problems of the data come back in the report, for a page to
 * show; nothing is written.
 * @throws AppError cancelled, worker-died
 */
export async function gatherPairs(options: GatherOptions): Promise<Gathering> {
  try {
    const { heard, book, ...known } = await hear(options);
    let draft = await draftPairs(heard, book, options);
    let report = await reportOf(options, { ...known, draft });
    // Whether there is enough is known before anything is embedded, but for photos outside the library.
    if (report.problem !== null) return { gathered: null, report };
    if (await embedFiles(draft, book, options)) {
      draft = await draftPairs(heard, book, options);
      report = await reportOf(options, { ...known, draft });
      if (report.problem !== null) return { gathered: null, report };
    }
    return { gathered: await embedDraft(draft, book, options), report };
  } catch (thrown) {
    throw AppError.from(thrown, 'Gathering examples');
  }
}

/** As `gatherPairs`, without embedding anything: quick enough for a page that is open. */
export async function surveyPairs(options: GatherOptions): Promise<SourcesReport> {
  try {
    const { heard, book, ...known } = await hear(options);
    return await reportOf(options, { ...known, draft: await draftPairs(heard, book, options) });
  } catch (thrown) {
    throw AppError.from(thrown, 'Looking for examples');
  }
}

interface Known {
  readonly sources: ReadonlySet<PairSource>;
  readonly remarks: readonly string[];
  /** Of the captions file. */
  readonly problem: SourcesReport['problem'];
}

async function hear(options: GatherOptions): Promise<Known & { heard: Heard; book: PhotoBook }> {
  const sources = new Set(options.sources ?? allSources);
  if (options.file === null) sources.delete('file');
  const book = new PhotoBook(options.store, options.model.modelId);
  const heard = hearLibrary(options, book, sources);
  if (options.file === null || !sources.has('file'))
    return { heard, book, sources, remarks: [], problem: null };
  try {
    const { remarks, ...said } = await hearFile(options, options.file, book);
    return {
      heard: {
        statements: [...heard.statements, ...said.statements],
        against: heard.against,
        skipped: [...said.skipped, ...heard.skipped],
      },
      ...{ book, sources, remarks, problem: null },
    };
  } catch (thrown) {
    if (!(thrown instanceof AppError) || thrown.code === 'cancelled') throw thrown;
    return { heard, book, sources, remarks: [], problem: thrown.toShape() };
  }
}

async function reportOf(
  options: GatherOptions,
  { sources, remarks, problem, draft }: Known & { readonly draft: Draft },
): Promise<SourcesReport> {
  const { pairs, found, against, skipped, kinOf, contradictions } = draft;
  const wordings = new Set(pairs.map(({ wording }) => wording));
  const photos = new Set(pairs.map(({ photo }) => kinOf.get(photo.key))).size;
  const set = await options.generic();
  return {
    sources: allSources
      .filter((source) => sources.has(source))
      .map((source) => {
        const own = pairs.filter((pair) => pair.source === source);
        return { source, pairs: own.length, photos: new Set(own.map(({ photo }) => photo.key)).size };
      }),
    pairs: pairs.length,
    photos,
    needed: fewestGroups,
    negatives: against.filter(({ wording }) => wordings.has(wording)).length,
    contradictions,
    skipped: skipped.slice(0, mostSkipped),
    skippedTotal: skipped.length,
    generic:
      set === null
        ? { name: libraryGenericName, pairs: 0 }
        : { name: set.name, pairs: set.judged.texts.length },
    problem: problem ?? problemOf(draft, photos),
    remarks: [
      ...remarks,
      ...(found > pairs.length
        ? [`Of ${String(found)} pairs ${String(pairs.length)} are used, drawn by chance.`]
        : []),
    ],
  };
}

async function embedDraft(draft: Draft, book: PhotoBook, options: GatherOptions): Promise<GatheredPairs> {
  const { dims } = options.model.embedder;
  const texts = [draft.pairs, draft.thumbsUp, draft.against].flatMap((said) => said.map(({ text }) => text));
  const vectors = await embedTexts(texts, options);
  const embedded = draft.pairs.flatMap((pair): EmbeddedPair[] => {
    const [image, vector] = [book.vector(pair.photo), vectors.get(pair.text)];
    return image instanceof Float32Array && vector !== undefined ? [{ ...pair, image, vector }] : [];
  });
  const hard = hardNegatives(embedded, draft, book, options);
  const pairs = {
    images: rowsOf(
      embedded.map(({ image }) => image),
      dims,
    ),
    texts: rowsOf(
      embedded.map(({ vector }) => vector),
      dims,
    ),
    dims,
    weights: Float32Array.from(embedded, ({ weight }) => weight),
    groups: numbersOf(embedded, draft.groupOf),
    wordings: numbered(embedded.map(({ wording }) => wording)),
    hard,
  };
  const gathered = {
    pairs,
    kin: numbersOf(embedded, draft.kinOf),
    sources: embedded.map(({ source }) => source),
    ...(await genericOf(embedded, options)),
    evidence: gatherEvidence(draft, (text) => vectors.get(text), book, {
      store: options.store,
      modelId: options.model.modelId,
      seed: options.seed,
    }),
  };
  return { ...gathered, dataHash: dataHash(gathered) };
}

async function genericOf(
  pairs: readonly EmbeddedPair[],
  options: GatherOptions,
): Promise<Pick<GatheredPairs, 'generic' | 'replay'>> {
  const photoIds = new Set(pairs.map(({ photo }) => photo.photoId));
  const taken = {
    photo: (photoId: number): boolean => photoIds.has(photoId),
    like: (vector: Float32Array): boolean => pairs.some(({ image }) => near(image, vector)),
  };
  const set = (await options.generic()) ?? (await makeGeneric(options, taken));
  return fromSet(set, (texts) => embedTexts(texts, options), options.signal);
}

function near(a: Float32Array, b: Float32Array): boolean {
  return dot(a, b) >= likeness.kin;
}

function rowsOf(vectors: readonly Float32Array[], dims: number): Float32Array {
  const rows = new Float32Array(vectors.length * dims);
  vectors.forEach((vector, row) => {
    rows.set(vector, row * dims);
  });
  return rows;
}

function numbersOf(pairs: readonly DraftPair[], numbers: ReadonlyMap<string, number>): Int32Array {
  return Int32Array.from(pairs, ({ photo }) => numbers.get(photo.key) ?? -1);
}
