/** Reads and verifies a model pack: a folder in the Hugging Face layout, with or without pack.json. */
import { readFile, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { z } from 'zod';
import { AppError } from '../../errors.ts';
import { describeEmbedPack } from './embed-pack.ts';
import { describeHubFolder } from './hub-folder.ts';
import { languageJson, type LanguageJson } from './language-json.ts';
import { describeLanguagePack } from './language-pack.ts';
import { sha256File } from './pack-files.ts';
import { embedJson, type EmbedJson } from './pack-json.ts';
import { parseJson } from './parse-json.ts';
import type { EmbedPack, LanguagePack, PackDescription } from './types.ts';

interface ReadOptions {
  readonly signal?: AbortSignal | undefined;
}

interface OpenedPack {
  readonly pack: PackDescription;
  readonly json: EmbedJson | LanguageJson;
}

const anyJson = z.looseObject({ tasks: z.unknown().optional() });

/**
 * Reads what a pack says of itself; the sizes of its files are checked, their contents only by `verifyPack`, so that
 * opening costs nothing. Without pack.json the files are hashed, about 2 s a gigabyte.
 * @throws AppError pack-missing, pack-invalid, cancelled
 */
export async function readPack(dir: string, options: ReadOptions = {}): Promise<PackDescription> {
  return (await openPack(dir, options)).pack;
}

/** As `readPack`, with what pack.json says, or would say where the folder has none. */
export async function openPack(dir: string, options: ReadOptions = {}): Promise<OpenedPack> {
  const about = basename(dir);
  const json = await readPackJson(dir, options.signal);
  for (const [path, { bytes }] of Object.entries(json.files)) {
    const found = await stat(join(dir, path)).catch(() => undefined);
    if (found?.size === bytes) continue;
    throw new AppError(
      'pack-invalid',
      found === undefined
        ? `The model pack "${about}" lacks its file ${path}. Install the pack again.`
        : `The file ${path} of the model pack "${about}" has ${String(found.size)} bytes instead of ${String(bytes)}. Install the pack again.`,
      { details: { pack: about, file: path } },
    );
  }
  const pack = 'tasks' in json ? await describeLanguagePack(dir, json) : await describeEmbedPack(dir, json);
  return { pack, json };
}

/** As `readPack`. @throws AppError not-supported for a pack that doesn't search */
export async function readEmbedPack(dir: string, options: ReadOptions = {}): Promise<EmbedPack> {
  return embedPack(await readPack(dir, options));
}

/** @throws AppError not-supported */
export function embedPack(pack: PackDescription): EmbedPack {
  if (pack.kind === 'embed') return pack;
  throw unfit(pack, 'writes captions or answers and cannot search');
}

/** @throws AppError not-supported */
export function languagePack(pack: PackDescription): LanguagePack {
  if (pack.kind === 'language') return pack;
  throw unfit(pack, 'searches, and writes neither captions nor answers');
}

function unfit(pack: PackDescription, what: string): AppError {
  return new AppError('not-supported', `The model pack "${pack.name}" ${what}. Choose another.`, {
    details: { pack: pack.id },
  });
}

/**
 * Hashes every file again.
 * @param onProgress bytes hashed so far, of `pack.bytes`.
 * @throws AppError pack-invalid naming the first file that differs, cancelled
 */
export async function verifyPack(
  pack: PackDescription,
  options: { readonly signal?: AbortSignal; readonly onProgress?: (bytes: number) => void } = {},
): Promise<void> {
  let done = 0;
  for (const [path, expected] of Object.entries(pack.files)) {
    let found: string;
    try {
      found = await sha256File(join(pack.dir, path), options.signal);
    } catch (thrown) {
      throw AppError.from(thrown, `Reading ${path} of the model pack "${pack.name}"`);
    }
    if (found !== expected.sha256) {
      throw new AppError(
        'pack-invalid',
        `The file ${path} of the model pack "${pack.name}" is damaged: its checksum is not the recorded one. Install the pack again.`,
        { details: { pack: pack.id, file: path } },
      );
    }
    done += expected.bytes;
    options.onProgress?.(done);
  }
}

async function readPackJson(dir: string, signal?: AbortSignal): Promise<EmbedJson | LanguageJson> {
  const about = basename(dir);
  let content: string;
  try {
    if (!(await stat(dir)).isDirectory()) throw new Error('not a folder');
    content = await readFile(join(dir, 'pack.json'), 'utf8');
  } catch (thrown) {
    const isFolder = await stat(dir).then(
      (found) => found.isDirectory(),
      () => false,
    );
    if (isFolder && (thrown as NodeJS.ErrnoException).code === 'ENOENT')
      return describeHubFolder(dir, signal);
    throw new AppError(
      'pack-missing',
      `There is no model pack at "${about}". Install it again, or choose another on the models page.`,
      { cause: thrown, details: { pack: about } },
    );
  }
  const what = `pack.json of "${about}"`;
  const writes = 'tasks' in parseJson(anyJson, content, what);
  return writes ? parseJson(languageJson, content, what) : parseJson(embedJson, content, what);
}
