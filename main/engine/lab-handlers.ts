/** Calls of the alignment lab: its heads, a study of some of them on captioned photos, and the last report. */
import { availableParallelism } from 'node:os';
import type { LabReport, ParsedInput } from '../contract.ts';
import { labReport } from '../contract-tuning.ts';
import { AppError } from '../errors.ts';
import { photoAt } from './photo-files.ts';
import type { Rooms } from './rooms.ts';
import { askPhoto } from './tune/lab/ask-photo.ts';
import { headDescriptions } from './tune/lab/head-descriptions.ts';
import { readTokens, type CaptionedPhoto } from './tune/lab/read-tokens.ts';
import { labHeadNames, type LabHeadName } from './tune/lab/registry.ts';
import { studyCaptions } from './tune/lab/study-figures.ts';
import { splitByPhoto } from './tune/lab/tokens.ts';
import { ownParameters } from './tune/lab/train-lab-head.ts';
import { readCaptionsFile } from './tune/pairs/captions-file.ts';
import { drawnOrder, randomOf } from './tune/seeded.ts';
import type { CallContext, Handlers } from './types.ts';

type LabRooms = Pick<
  Rooms,
  'store' | 'library' | 'decoder' | 'models' | 'learning' | 'grants' | 'log' | 'now'
>;
type Asked = ParsedInput<'lab.run'>;

/** Where the last report is kept. */
const lastKey = 'lab.last';
/** Photos that a study needs: fewer leave none to be told apart. */
const fewestPhotos = 20;
/** The study kept a fifth aside. Each photo kept aside is shown with each caption, so more than these cost their square. */
const keptAside = { share: 0.2, most: 100 };
/** Photos that compete in a step: all pairs of eight cost as much as the study's 32 do twice over. */
const batches = { pairs: 8, study: 32 } as const;
/** The study's rate. From a third to ten times of it R@10 stays the same within a photo or two (docs/alignment-lab.md). */
const learningRate = 1e-4;
/** More share memory bandwidth that searching needs, too. */
const mostThreads = 4;

/** It names photos and their captions. */
export function forgetLabReport({ store }: Pick<Rooms, 'store'>): void {
  store.settings.set(lastKey, null);
}

export function labHandlers(rooms: LabRooms): Pick<Handlers, 'lab.heads' | 'lab.run' | 'lab.last'> {
  const { store, models, log, now, learning } = rooms;
  return {
    'lab.heads': async () => {
      const { base } = await models.ready();
      return {
        heads: labHeadNames.map((name) => ({
          name,
          description: headDescriptions[name],
          parameters: ownParameters(name, base.embedder.dims),
        })),
      };
    },
    'lab.run': async (input, context) => {
      const report = await study(rooms, input, context);
      // A library that is only read keeps nothing.
      if (!store.readOnly) store.settings.set(lastKey, report);
      return report;
    },
    'lab.last': () => {
      const kept = labReport.safeParse(store.settings.get(lastKey));
      return { report: kept.success ? kept.data : null };
    },
  };

  async function study(
    { decoder }: LabRooms,
    asked: Asked,
    { signal, progress }: Pick<CallContext<'lab.run'>, 'signal' | 'progress'>,
  ): Promise<LabReport> {
    const heads = headsOf(asked.heads);
    const { base } = await models.ready();
    const { embedder } = base;
    const photos = await captionedPhotos(rooms, asked, signal);
    if (photos.length < fewestPhotos) throw tooFew(photos.length, asked.grant !== null);
    const { tokens, read, photoOf } = await readTokens(photos, studyCaptions, {
      embedder,
      decoder,
      signal,
      onProgress: (done, total) => {
        progress({ head: '', done, total, epoch: 0, epochs: asked.epochs });
      },
      onSkipped: (place, error) => {
        log.warn('a captioned photo could not be read', { photo: photos[place]?.name, code: error.code });
      },
    });
    if (read.length < fewestPhotos) throw tooFew(read.length, asked.grant !== null);
    const wanted = asked.photoId === undefined ? undefined : rowOf(photos, read, asked.photoId);
    const { seed, epochs, scoring } = asked;
    const { train, heldOut } = splitByPhoto(photoOf, {
      ...keptAside,
      seed,
      always: wanted === undefined ? [] : [wanted],
    });
    const texts = [...read.flatMap((place) => photos[place]?.captions ?? []), ...studyCaptions];
    const studyRows = studyCaptions.map((_, i) => photoOf.length + i);
    const question = askPhoto(heldOut, texts, studyRows, { wanted, seed });
    const trainPhotos = new Set(train.photos).size;
    const batch = Math.min(batches[scoring], trainPhotos);
    const pooled = asked.tokens === 'mean';
    const rows = await learning.process.lab(
      {
        heads,
        tokens,
        pooled,
        train,
        heldOut,
        asked: question,
        budget: {
          epochs,
          batch,
          learningRate,
          seed,
          scoring,
          threads: Math.min(mostThreads, availableParallelism()),
        },
      },
      { signal, onProgress: progress },
    );
    const about = photos[read[question.photo] ?? 0];
    return {
      at: now(),
      seed,
      epochs,
      scoring,
      batch,
      learningRate,
      pairs: { train: train.captions.length, heldOut: heldOut.captions.length },
      tokens: {
        image: pooled ? 1 : tokens.imageTokens,
        text: pooled ? 1 : tokens.textTokens,
        dims: tokens.dims,
      },
      photo: { path: about?.name ?? '', photoId: about?.photoId ?? null },
      captions: question.captions.map((row) => texts[row] ?? ''),
      rightCaption: question.right,
      rows,
    };
  }
}

interface NamedPhoto extends CaptionedPhoto {
  readonly name: string;
  readonly photoId: number | null;
}

/** Those of the library or of a captions file; a drawn part of them where there are more than wanted. */
async function captionedPhotos(
  { store, library, grants, log }: LabRooms,
  { grant, limit, seed, photoId }: Asked,
  signal: AbortSignal,
): Promise<NamedPhoto[]> {
  const said = grant === null ? saidInLibrary(store) : await saidInFile(grants.path(grant), signal);
  const all = [...said.values()];
  const order = [...drawnOrder(all.length, randomOf(seed, 'sample'))].flatMap((place) => all[place] ?? []);
  const askedPath = photoId === undefined ? undefined : (await library.locate(photoId)).path;
  // The photo asked about is never left out by the draw.
  const isAsked = ({ id, path }: Said): boolean =>
    askedPath !== undefined && (id === photoId || path === askedPath);
  const photos: NamedPhoto[] = [];
  for (const one of [...order.filter(isAsked), ...order.filter((other) => !isAsked(other))]) {
    if (photos.length >= limit) break;
    const { name, captions, id } = one;
    try {
      const path = one.path ?? (await library.locate(id ?? 0)).path;
      photos.push({ name, captions, photoId: id ?? (await photoAt(store, path)), source: { path } });
    } catch (thrown) {
      log.warn('a captioned photo could not be read', { photo: name, code: AppError.from(thrown).code });
    }
  }
  return photos;
}

/** What is said of one photo, of the library by its id or of a file by its path. */
interface Said {
  readonly name: string;
  readonly id: number | null;
  readonly path: string | null;
  readonly captions: string[];
}

/** Only by hand: what a model wrote says what its own pack sees. */
function saidInLibrary({ captions, photos }: LabRooms['store']): Map<number, Said> {
  const rows = captions.byHand();
  const found = new Map<number, Said>(
    photos
      .getMany(rows.map(({ photoId }) => photoId))
      .map(({ id, relPath }) => [id, { name: relPath, id, path: null, captions: [] }]),
  );
  for (const { photoId, text } of rows) found.get(photoId)?.captions.push(text);
  return found;
}

async function saidInFile(file: string, signal: AbortSignal): Promise<Map<string, Said>> {
  const found = new Map<string, Said>();
  for (const { path, name, caption } of (await readCaptionsFile(file, signal)).captions) {
    const known = found.get(path);
    if (known === undefined) found.set(path, { name, id: null, path, captions: [caption] });
    else known.captions.push(caption);
  }
  return found;
}

/** @throws AppError input-invalid */
function headsOf(names: Asked['heads']): LabHeadName[] {
  const known = new Set<string>(labHeadNames);
  const strange = names?.find((name) => !known.has(name));
  if (strange !== undefined)
    throw new AppError(
      'input-invalid',
      `The lab has no head "${strange}". It has ${labHeadNames.join(', ')}.`,
    );
  return labHeadNames.filter((name) => names?.includes(name) ?? true);
}

/** Row of a photo of the library among those read. @throws AppError input-invalid */
function rowOf(photos: readonly NamedPhoto[], read: readonly number[], photoId: number): number {
  const row = read.findIndex((place) => photos[place]?.photoId === photoId);
  if (row >= 0) return row;
  throw new AppError(
    'input-invalid',
    'The photo asked about has no caption by hand, or cannot be read. Caption it, or choose another.',
    { details: { photoId } },
  );
}

function tooFew(count: number, fromFile: boolean): AppError {
  const where = fromFile ? 'The captions file names' : 'The library has';
  return new AppError(
    'input-invalid',
    `${where} ${String(count)} captioned photos that can be read; the lab needs ${String(fewestPhotos)}. ${
      fromFile
        ? 'Choose one with more.'
        : 'Write captions for more photos, or choose a folder with a captions file.'
    }`,
  );
}
