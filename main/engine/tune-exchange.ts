/** Heads out of the library into a file, and from such a file into the library. */
import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { TuneRun } from '../contract.ts';
import { AppError } from '../errors.ts';
import { writeWhole } from './describe/write-whole.ts';
import type { HeadRow, Store } from './store/types.ts';
import {
  decodeHeadFile,
  encodeHeadFile,
  headFileExtension,
  mostHeadFileBytes,
  type HeadFile,
} from './tune-head-file.ts';
import { toRun, type TuneBase } from './tune-record.ts';

export interface TuneExchangeOptions {
  readonly store: Store;
  readonly now: () => number;
  readonly base: () => Promise<TuneBase>;
  /** @throws AppError input-invalid when the parameters are not those of such a head */
  readonly checkShapes: (head: Pick<HeadRow, 'head' | 'dims' | 'parameters'>) => void;
}

/**
 * Writes a run's head with its record into a folder, as `<pack>-<head>-<day>-run-<id>.afterimage-head`.
 * @returns its path.
 * @throws AppError not-found, input-invalid (no head was kept, no folder), permission-denied, disk-full
 */
export async function exportHead(
  { store }: Pick<TuneExchangeOptions, 'store'>,
  runId: number,
  folder: string,
): Promise<string> {
  const row = store.runs.get(runId);
  if (row === undefined)
    throw new AppError('not-found', 'That run is not there any more.', { details: { runId } });
  const head = store.runs.head(runId);
  if (head === undefined)
    throw new AppError(
      'input-invalid',
      row.state === 'refused'
        ? 'That run proved no better, so its head was not kept and cannot be written out.'
        : 'That run has no head yet. Let it come to its end first.',
      { details: { runId } },
    );
  const day = new Date(row.startedAt).toISOString().slice(0, 10);
  const name = `${fileName(row.packId)}-${row.settings.head}-${day}-run-${String(runId)}${headFileExtension}`;
  const path = join(folder, name);
  try {
    await writeWhole(path, [encodeHeadFile(row, head)]);
  } catch (thrown) {
    throw AppError.from(thrown, `Writing ${name} into ${folder}`);
  }
  return path;
}

/**
 * @param path a head's file, or a folder with exactly one.
 * @returns the run, on offer with the proof that it came with.
 * @throws AppError input-invalid (no such file, damaged, newer, another pack's), file-vanished, permission-denied
 */
export async function importHead(options: TuneExchangeOptions, path: string): Promise<TuneRun> {
  const { store, now } = options;
  const base = await options.base();
  const { name, bytes } = await readHeadFile(path);
  const file = decodeHeadFile(bytes, name);
  checkFit(file, base, name);
  options.checkShapes(file.head);
  const row = store.runs.add(base.fingerprint, {
    ...file.run,
    // Until its head is there it is on offer to nobody.
    state: 'failed',
    imported: true,
    endedAt: now(),
    packId: base.packId,
    packName: base.packName,
    error: null,
  });
  try {
    store.runs.setHead({ ...file.head, runId: row.id });
    return toRun(store.runs.update(row.id, { state: 'offered' }));
  } catch (thrown) {
    store.runs.remove(row.id);
    throw thrown;
  }
}

function checkFit({ run, fingerprint }: HeadFile, base: TuneBase, name: string): void {
  const details = { name };
  if (run.accepted !== true)
    throw new AppError('input-invalid', `${name} holds a head that was not proved better. It is not taken.`, {
      details,
    });
  if (fingerprint === base.fingerprint && run.dims === base.dims) return;
  const made = `${run.packName} (${String(run.dims)} dimensions)`;
  const used = `${base.packName} (${String(base.dims)} dimensions)`;
  throw new AppError(
    'input-invalid',
    made === used
      ? `${name} was made for other files of ${made} than those in use. Train a head of your own.`
      : `${name} was made for the model ${made}, but this library uses ${used}. Use the model that it was made for, then import it again.`,
    { details },
  );
}

async function readHeadFile(path: string): Promise<{ name: string; bytes: Uint8Array }> {
  try {
    const file = (await stat(path)).isDirectory() ? await onlyHeadIn(path) : path;
    const name = basename(file);
    const { size } = await stat(file);
    if (size > mostHeadFileBytes)
      throw new AppError(
        'input-invalid',
        `${name} has ${String(Math.ceil(size / 2 ** 20))} MiB; a head has ${String(mostHeadFileBytes / 2 ** 20)} at most. Choose another file.`,
        { details: { name } },
      );
    return { name, bytes: await readFile(file) };
  } catch (thrown) {
    throw AppError.from(thrown, `Reading ${basename(path)}`);
  }
}

async function onlyHeadIn(folder: string): Promise<string> {
  const found = (await readdir(folder)).filter((name) => name.endsWith(headFileExtension));
  const [only] = found;
  if (found.length === 1 && only !== undefined) return join(folder, only);
  throw new AppError(
    'input-invalid',
    found.length === 0
      ? `${basename(folder)} has no file that ends in ${headFileExtension}. Choose the folder with the exported head.`
      : `${basename(folder)} has ${String(found.length)} exported heads. Choose one of the files.`,
  );
}

function fileName(packId: string): string {
  return packId.replaceAll(/[^\w.-]+/g, '-');
}
