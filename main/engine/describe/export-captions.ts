/** Writes captions and tags out, as sidecars or as a table. Originals and other programs' files are never touched. */
import { mkdir, open, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { CallOutput } from '../../contract.ts';
import { AppError } from '../../errors.ts';
import type { PhotoRow, Store } from '../store/types.ts';
import { captionLine, captionTableHeader } from './caption-table.ts';
import { writeWhole } from './write-whole.ts';
import { isOurSidecar, writeSidecar } from './xmp-sidecar.ts';

export interface ExportOptions {
  readonly store: Store;
  readonly now: () => number;
  /** @throws AppError not-found, root-offline, file-vanished, permission-denied */
  readonly locate: (photoId: number) => Promise<{ readonly path: string }>;
  /** Names of the tags that the photo carries. */
  readonly tagsOf: (photoId: number) => readonly string[];
}

export interface ExportRequest {
  readonly format: 'xmp' | 'csv';
  /** Absolute; null for sidecars beside their photos. */
  readonly folder: string | null;
  /** Every photo without. Photos of which nothing is said are left out. */
  readonly photoIds: readonly number[] | undefined;
  readonly signal: AbortSignal;
  readonly onProgress: (progress: { done: number; total: number }) => void;
}

type Report = CallOutput<'captions.export'>;

interface Described {
  readonly row: PhotoRow;
  readonly path: string;
  /** Of the root's folder, then below it; '/' between parts. */
  readonly place: string;
  readonly caption: string;
  readonly by: 'hand' | 'model' | '';
  readonly confidence: number | null;
  readonly tags: readonly string[];
}

/** Sidecars of other programs are larger at most by a history of edits; nothing longer is ours. */
const longestSidecar = 1_000_000;
const pageRows = 500;

/** @throws AppError input-invalid (a table without a folder), io-failed, permission-denied, disk-full, cancelled */
export async function exportCaptions(options: ExportOptions, request: ExportRequest): Promise<Report> {
  const { store } = options;
  const ids = request.photoIds ?? store.photos.timeline().ids;
  return request.format === 'csv'
    ? exportTable(options, request, ids)
    : exportSidecars(options, request, ids);
}

async function exportTable(
  options: ExportOptions,
  { folder, signal, onProgress }: ExportRequest,
  ids: readonly number[],
): Promise<Report> {
  if (folder === null)
    throw new AppError('input-invalid', 'A table of captions needs a folder to be written to. Choose one.');
  const lines: string[] = [captionTableHeader];
  let done = 0;
  for (const page of pages(ids)) {
    signal.throwIfAborted();
    for (const photo of describe(options, page)) lines.push(captionLine(photo));
    done += page.length;
    onProgress({ done, total: ids.length });
    await breathe();
  }
  const path = await freeName(folder);
  try {
    await writeWhole(path, lines);
  } catch (thrown) {
    throw AppError.from(thrown, `Writing ${path}`);
  }
  return { written: lines.length - 1, skipped: [], path };
}

/** captions.csv, unless somebody else's file is called that; a table that we wrote is replaced. */
async function freeName(folder: string): Promise<string> {
  for (let n = 1; ; n++) {
    const path = join(folder, n === 1 ? 'captions.csv' : `captions-${n}.csv`);
    const start = await beginning(path, Buffer.byteLength(captionTableHeader)).catch((thrown: unknown) => {
      if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw AppError.from(thrown, `Looking at ${path}`);
    });
    if (start === undefined || start === captionTableHeader) return path;
  }
}

async function beginning(path: string, bytes: number): Promise<string> {
  const file = await open(path, 'r');
  try {
    const { bytesRead, buffer } = await file.read(Buffer.alloc(bytes), 0, bytes, 0);
    return buffer.toString('utf8', 0, bytesRead);
  } finally {
    await file.close();
  }
}

async function exportSidecars(
  options: ExportOptions,
  { folder, signal, onProgress }: ExportRequest,
  ids: readonly number[],
): Promise<Report> {
  const { locate, now } = options;
  const skipped: Report['skipped'] = [];
  let written = 0;
  let done = 0;
  for (const page of pages(ids)) {
    const described = describe(options, page);
    done += page.length - described.length;
    for (const photo of described) {
      signal.throwIfAborted();
      try {
        // Beside the file where it really lies; what is out of reach or leads out of its folder is not written to.
        const original = folder === null ? (await locate(photo.row.id)).path : join(folder, photo.place);
        const sidecar = `${original}.xmp`;
        if (folder !== null) await mkdir(dirname(sidecar), { recursive: true });
        if (await isSomebodyElses(sidecar)) {
          skipped.push({ path: sidecar, reason: 'Another program wrote or changed this sidecar.' });
        } else {
          await writeWhole(sidecar, [writeSidecar({ caption: photo.caption, tags: photo.tags, at: now() })]);
          written += 1;
        }
      } catch (thrown) {
        const error = readOnlyDisk(thrown) ?? AppError.from(thrown, 'Writing the sidecar');
        // A full disk is full for the next one, too.
        if (error.code === 'disk-full' || error.code === 'cancelled') throw error;
        skipped.push({ path: photo.path, reason: error.message });
      }
      done += 1;
      onProgress({ done, total: ids.length });
    }
    onProgress({ done, total: ids.length });
    await breathe();
  }
  return { written, skipped, path: folder };
}

async function isSomebodyElses(sidecar: string): Promise<boolean> {
  try {
    const text = await readFile(sidecar, 'utf8');
    return text.length > longestSidecar || !isOurSidecar(text);
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw thrown;
  }
}

function readOnlyDisk(thrown: unknown): AppError | undefined {
  const code = (thrown as NodeJS.ErrnoException | undefined)?.code;
  if (code !== 'EROFS' && code !== 'EACCES' && code !== 'EPERM') return undefined;
  return new AppError(
    'permission-denied',
    'The folder cannot be written to. Export into another folder instead.',
    { cause: thrown },
  );
}

/** Photos of which something is said, in the order asked for. */
function describe({ store, tagsOf }: ExportOptions, ids: readonly number[]): Described[] {
  const rows = new Map(store.photos.getMany(ids).map((row) => [row.id, row]));
  const captions = store.captions.getMany(ids);
  const roots = new Map(store.roots.list().map((root) => [root.id, root.path]));
  return ids.flatMap((id): Described[] => {
    const row = rows.get(id);
    const root = row === undefined ? undefined : roots.get(row.rootId);
    if (row === undefined || root === undefined) return [];
    const tags = tagsOf(id);
    const caption = captions.get(id);
    const text = caption?.text ?? '';
    if (text === '' && tags.length === 0) return [];
    return [
      {
        row,
        path: join(root, row.relPath),
        place: `${folderName(root)}/${row.relPath}`,
        caption: text,
        by: text === '' ? '' : (caption?.by ?? ''),
        confidence: text === '' ? null : (caption?.confidence ?? null),
        tags,
      },
    ];
  });
}

/** E.g. Pictures; a drive by its letter. */
function folderName(root: string): string {
  const parts = root.split(/[\\/]/).filter((part) => part !== '');
  return (parts.at(-1) ?? 'photos').replace(/:/g, '');
}

function* pages(ids: readonly number[]): Iterable<number[]> {
  for (let start = 0; start < ids.length; start += pageRows) yield ids.slice(start, start + pageRows);
}

/** Lets a search in between two pages. */
function breathe(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
