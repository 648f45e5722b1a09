/** Finds the vision model of another pack that a pack sees through, and makes sure that it is the one it was trained on. */
import { join } from 'node:path';
import { AppError } from '../../../errors.ts';
import { sha256File } from '../../packs/pack-files.ts';
import type { EmbedPack, LanguagePack, PackDescription } from '../../packs/types.ts';

export interface PackLookup {
  /** @throws AppError pack-missing */
  get(packId: string): Promise<PackDescription>;
}

/**
 * @returns the pack of the tower; null for a pack that needs none.
 * @throws AppError pack-missing, pack-invalid
 */
export async function findImageTower(pack: LanguagePack, packs: PackLookup): Promise<EmbedPack | null> {
  const wanted = pack.imageTower;
  if (wanted === null) return null;
  const found = await packs.get(wanted.pack).catch((thrown: unknown) => {
    throw new AppError(
      'pack-missing',
      `"${pack.name}" sees through the model pack "${wanted.pack}", which is not installed. Install it, or choose another pack.`,
      { cause: thrown, details: { pack: pack.id, tower: wanted.pack } },
    );
  });
  const path = join(found.dir, ...wanted.file.split('/'));
  const same =
    found.kind === 'embed' &&
    found.image.file === path &&
    found.image.patchOutput !== null &&
    found.files[wanted.file]?.sha256 === wanted.sha256 &&
    // The record may be right and the file another: 30 ms for the starter's.
    (await sha256File(path)) === wanted.sha256;
  if (same) return found;
  throw new AppError(
    'pack-invalid',
    `"${pack.name}" was trained on another version of ${wanted.file} of the model pack "${found.name}" than the one that is installed. Install both packs again.`,
    { details: { pack: pack.id, tower: wanted.pack, file: wanted.file } },
  );
}
