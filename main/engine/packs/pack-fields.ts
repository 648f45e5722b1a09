/** What the descriptions of all packs have in common. */
import { basename } from 'node:path';
import type { z } from 'zod';
import { AppError } from '../../errors.ts';
import type { packBase } from './pack-json.ts';
import type { PackDescription } from './types.ts';

type BaseJson = z.output<typeof packBase>;

export function commonFields(
  dir: string,
  json: BaseJson,
): Pick<
  PackDescription,
  'dir' | 'id' | 'name' | 'version' | 'description' | 'bytes' | 'licence' | 'source' | 'quality' | 'files'
> {
  const { id, name, version, description, licence, files } = json;
  return {
    dir,
    id,
    name,
    version,
    description,
    bytes: Object.values(files).reduce((sum, entry) => sum + entry.bytes, 0),
    licence: { id: licence.id, name: licence.name, url: licence.url ?? null, note: licence.note ?? null },
    source: sourceText(json.source),
    quality: json.quality.map((entry) => ({ ...entry, source: entry.source ?? null })),
    files,
  };
}

/** @throws AppError pack-invalid naming the first file that pack.json uses and doesn't list. */
export function refuseUnlisted(dir: string, json: BaseJson, needed: readonly string[]): void {
  const missing = needed.find((path) => json.files[path] === undefined);
  if (missing === undefined) return;
  const about = basename(dir);
  throw new AppError(
    'pack-invalid',
    `The pack.json of "${about}" does not list its file ${missing}. Install the pack again.`,
    { details: { pack: about, file: missing } },
  );
}

function sourceText(source: Readonly<Record<string, unknown>>): string {
  const { url, repo, recipe, name, kind } = source;
  const found = [url, repo, recipe, name, kind].find((value) => typeof value === 'string');
  return typeof found === 'string' ? found : '';
}
