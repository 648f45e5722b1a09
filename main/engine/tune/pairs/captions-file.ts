/** Finds and reads a captions file, and the photos that it names: inside its own folder and nowhere else. */
import { readdir, readFile, realpath, stat } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, relative, sep } from 'node:path';
import { AppError } from '../../../errors.ts';
import { parseCaptions } from './caption-lines.ts';
import { decodeText } from './decode-text.ts';
import type { Skipped } from './statements.ts';

interface CaptionedFile {
  /** Absolute, links resolved. */
  readonly path: string;
  /** As the captions file names it. */
  readonly name: string;
  readonly line: number;
  readonly caption: string;
}

export interface CaptionsFile {
  readonly captions: readonly CaptionedFile[];
  readonly skipped: readonly Skipped[];
  readonly remarks: readonly string[];
}

/** Flickr30k with five captions each has 16 MB. */
const mostBytes = 64 * 2 ** 20;
/** Known by their whole name, in this order. */
const names = ['captions.txt', 'captions.csv', 'captions.tsv', 'flickr8k.token.txt', 'results.csv'];
/** Folders beside the file that data sets keep their photos in. */
const photoFolders = ['', 'Images', 'images', 'Flicker8k_Dataset', 'Flickr8k_Dataset', 'photos'];

/**
 * @param path a file, or a folder with one; absolute.
 * @throws AppError input-invalid naming what is wrong when no line can be used; io-failed, permission-denied,
 *   file-vanished, cancelled
 */
export async function readCaptionsFile(path: string, signal?: AbortSignal): Promise<CaptionsFile> {
  const file = await findFile(path);
  const name = basename(file);
  let bytes: Uint8Array;
  try {
    const { size } = await stat(file);
    if (size > mostBytes)
      throw new AppError(
        'input-invalid',
        `"${name}" has more than 64 MB: no file of captions is that large.`,
      );
    bytes = await readFile(file, { signal });
  } catch (thrown) {
    throw AppError.from(thrown, `Reading "${name}"`);
  }
  const { text, remark } = decodeText(bytes, name);
  const { lines, skipped } = parseCaptions(text, name);
  const finder = await photoFinder(dirname(file));
  const captions: CaptionedFile[] = [];
  const left = [...skipped];
  for (const { line, photo, caption } of lines) {
    if (signal?.aborted === true) throw new AppError('cancelled', `Reading "${name}" was cancelled.`);
    const found = await finder(photo);
    if ('path' in found) captions.push({ path: found.path, name: photo, line, caption });
    else left.push({ line, reason: found.reason });
  }
  left.sort((a, b) => a.line - b.line);
  if (captions.length === 0) throw noUsableLine(name, left);
  return { captions, skipped: left, remarks: remark === null ? [] : [remark] };
}

function noUsableLine(name: string, skipped: readonly Skipped[]): AppError {
  const [first] = skipped;
  const example = first === undefined ? '' : ` Line ${String(first.line)} ${first.reason}, for example.`;
  return new AppError(
    'input-invalid',
    `No line of "${name}" can be used.${example} Its photos must lie beside it or in a folder "Images" there.`,
    { details: { file: name, lines: skipped.length } },
  );
}

async function findFile(path: string): Promise<string> {
  const about = basename(path);
  let entries: string[];
  try {
    if (!(await stat(path)).isDirectory()) return await realpath(path);
    entries = (await readdir(path, { withFileTypes: true }))
      .filter((entry) => !entry.isDirectory() && !entry.name.startsWith('.'))
      .map((entry) => entry.name)
      .sort();
  } catch (thrown) {
    throw AppError.from(thrown, `Reading "${about}"`);
  }
  const known = names.flatMap((name) => entries.find((entry) => entry.toLowerCase() === name) ?? []);
  const tokens = entries.filter((entry) => /\.token(\.txt)?$/i.test(entry));
  const tables = entries.filter((entry) => /\.(csv|tsv)$/i.test(entry));
  const chosen = known[0] ?? [tokens, tables].find((found) => found.length === 1)?.[0];
  if (chosen !== undefined) return realpath(join(path, chosen));
  const several = tokens.length > 1 ? tokens : tables;
  throw new AppError(
    'input-invalid',
    several.length > 1
      ? `"${about}" has several files that may hold captions (${several.slice(0, 3).join(', ')}). Choose one of them.`
      : `"${about}" has no captions file. Put a captions.txt with a line "image,caption" beside the photos, or choose a CSV.`,
    { details: { folder: about } },
  );
}

type Found = { readonly path: string } | { readonly reason: string };

/** Each photo is looked for once; the folder that had the last one is tried first. */
async function photoFinder(folder: string): Promise<(photo: string) => Promise<Found>> {
  const home = await realpath(folder);
  const known = new Map<string, Found>();
  let folders = photoFolders;
  const look = async (photo: string): Promise<Found> => {
    const named = sep === '/' ? photo.replaceAll('\\', '/') : photo;
    const tries = isAbsolute(named) ? [named] : folders.map((each) => join(home, each, named));
    for (const [i, candidate] of tries.entries()) {
      const path = await realpath(candidate).catch(() => undefined);
      if (path === undefined) continue;
      const rest = relative(home, path);
      if (rest === '..' || rest.startsWith(`..${sep}`) || isAbsolute(rest))
        return { reason: `names "${photo}", which lies outside of the captions file's folder` };
      if (!(await stat(path)).isFile()) return { reason: `names "${photo}", which is not a file` };
      const hit = folders[i] ?? '';
      if (!isAbsolute(named)) folders = [hit, ...folders.filter((each) => each !== hit)];
      return { path };
    }
    return { reason: `names "${photo}", which is not there` };
  };
  return async (photo) => {
    let found = known.get(photo);
    if (found === undefined) known.set(photo, (found = await look(photo)));
    return found;
  };
}
