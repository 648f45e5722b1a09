/** The photos that the starter pack was trained and validated on, read from their tar files; they are not in the project. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { say } from './report.ts';

/** A row of the data's index.jsonl; mosaics of tiny_imagenet are left out. */
export interface DataRow {
  readonly file: string;
  readonly source: string;
  readonly split: 'train' | 'val';
  readonly label?: string;
  readonly label_fine?: string;
  readonly captions?: readonly string[];
  readonly caption_origin?: 'human' | 'labels' | 'rules from Vietnamese';
}

/** The data's folder: AFTERIMAGE_DATA, or the folder shared/data beside the project; undefined, said loudly, without one. */
export function findData(): string | undefined {
  const folder =
    process.env['AFTERIMAGE_DATA'] ?? fileURLToPath(new URL('../../../shared/data', import.meta.url));
  if (existsSync(join(folder, 'starter', 'index.jsonl'))) return folder;
  say(
    `SKIPPED: there is no data in ${folder}. Set AFTERIMAGE_DATA to the folder that holds starter/index.jsonl.`,
  );
  return undefined;
}

export function readRows(data: string): DataRow[] {
  return readFileSync(join(data, 'starter', 'index.jsonl'), 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as DataRow & { mosaic?: unknown })
    .filter(({ mosaic }) => mosaic === undefined);
}

/** @returns the bytes of each file of a source, by its name in the tar (POSIX ustar, names under 100 bytes). */
export function readTar(data: string, source: string): ReadonlyMap<string, Uint8Array> {
  const tar = readFileSync(join(data, 'starter', `${source}.tar`));
  const files = new Map<string, Uint8Array>();
  for (let at = 0; at + 512 <= tar.length && tar[at] !== 0;) {
    const text = (from: number, length: number): string =>
      tar.toString('utf8', at + from, at + from + length).replace(/\0.*$/su, '');
    const bytes = Number.parseInt(text(124, 12), 8);
    if (text(156, 1) === '0') files.set(text(0, 100), tar.subarray(at + 512, at + 512 + bytes));
    at += 512 + Math.ceil(bytes / 512) * 512;
  }
  return files;
}
