/** models/manifest.json: the packs that are offered for download, and the only hosts they may come from. */
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { AppError } from '../../errors.ts';
import { languageFields } from './language-json.ts';
import {
  imageShape,
  insidePath,
  licenceShape,
  packId,
  qualityShape,
  scoringShape,
  sha256,
  textShape,
} from './pack-json.ts';

const common = { licence: licenceShape, quality: z.array(qualityShape).default([]) };
/** What pack.json of an embedding pack says, apart from its files. */
const searching = z.object({
  ...common,
  family: z.enum(['clip', 'siglip', 'siglip2']),
  dims: z.int().positive(),
  image: imageShape,
  text: textShape,
  scoring: scoringShape,
  promptTemplates: z.array(z.string()),
  queryTemplates: z.array(z.string()),
});
/** The same of a pack that captions or answers. */
const writing = languageFields.extend(common);

const offer = z.object({
  id: packId,
  name: z.string().min(1),
  description: z.string(),
  recommended: z.boolean(),
  /** On the Hub, "owner/name". */
  repo: z.string().regex(/^[\w.-]+\/[\w.-]+$/),
  /** A commit, never a branch: what a commit holds can't change. */
  revision: z.string().regex(/^[0-9a-f]{40}$/),
  files: z
    .array(
      z.object({
        path: insidePath,
        bytes: z.int().positive().nullable(),
        /**
         * Null where it was not known when the manifest was written: then the checksum that the Hub states over TLS
         * for this commit is what the file is verified against, and what pack.json records from then on.
         */
        sha256: sha256.nullable(),
      }),
    )
    .min(1),
  /** For showing, where some sizes are not known beforehand. */
  approximateBytes: z.int().positive().optional(),
  pack: z.union([writing, searching]),
});

export const manifestShape = z.object({
  schema: z.literal(1),
  origin: z.url(),
  hosts: z.array(z.string().min(1)).min(1),
  packs: z.array(offer),
});
export type Manifest = z.output<typeof manifestShape>;
export type Offer = Manifest['packs'][number];

/** @throws AppError internal: the manifest is part of the app, so a bad one is a fault of ours. */
export async function readManifest(path: string): Promise<Manifest> {
  try {
    return manifestShape.parse(JSON.parse(await readFile(path, 'utf8')));
  } catch (thrown) {
    throw new AppError(
      'internal',
      'The list of model packs that ships with Afterimage cannot be read. Install Afterimage again.',
      {
        cause: thrown,
      },
    );
  }
}

/** Known sizes, or the estimate where one is missing. */
export function offerBytes(found: Offer): number {
  const known = found.files.reduce((sum, file) => sum + (file.bytes ?? 0), 0);
  return Math.max(known, found.approximateBytes ?? 0);
}
