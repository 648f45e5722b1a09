/** A picture named on the command line: one of the library, or any file, read and sent as an example. */
import { readFile, stat } from 'node:fs/promises';
import { basename, dirname, resolve } from 'node:path';
import type { Example } from '../../contract.ts';
import { AppError } from '../../errors.ts';
import type { Session } from './session.ts';

export interface NamedPhoto {
  /** Absolute. */
  readonly path: string;
  readonly example: Example;
}

/** @throws AppError not-found, permission-denied, image-broken, image-unsupported, image-too-large */
export async function findPhoto({ client, signal }: Session, path: string): Promise<NamedPhoto> {
  const absolute = resolve(path);
  const photoId = await client.photoAt(absolute);
  if (photoId !== null) return { path: absolute, example: { photoId, weight: 1 } };
  let image: string;
  try {
    image = (await readFile(absolute)).toString('base64');
  } catch (thrown) {
    const error = AppError.from(thrown, `Reading ${absolute}`);
    if (error.code !== 'file-vanished') throw error;
    throw new AppError('not-found', `There is no file ${absolute}. Check its name.`, { cause: thrown });
  }
  const { exampleId } = await client.call(
    'search.addExample',
    { image, name: basename(absolute) },
    { signal },
  );
  return { path: absolute, example: { exampleId, weight: 1 } };
}

const failuresPerPage = 5_000;

/** A file that could not be read says why. @throws AppError as it was when indexing */
async function throwIfFailed(client: Session['client'], path: string): Promise<void> {
  for (let offset = 0; ; offset += failuresPerPage) {
    const { failures, total } = await client.call('indexing.failures', { offset, limit: failuresPerPage });
    const failure = failures.find((each) => each.path === path);
    if (failure !== undefined)
      throw new AppError(failure.code, failure.message, { details: failure.details ?? {} });
    if (offset + failuresPerPage >= total) return;
  }
}

/**
 * A photo that is in the library: what is kept about photos is kept there.
 * @throws AppError not-found, with what to do about it; why its indexing failed
 */
export async function findLibraryPhoto(
  { client }: Pick<Session, 'client'>,
  path: string,
): Promise<{ readonly path: string; readonly photoId: number }> {
  const absolute = resolve(path);
  const photoId = await client.photoAt(absolute);
  if (photoId !== null) return { path: absolute, photoId };
  await throwIfFailed(client, absolute);
  const isThere = await stat(absolute).then(
    (found) => found.isFile(),
    () => false,
  );
  throw new AppError(
    'not-found',
    isThere
      ? `${absolute} is not in the library. Add its folder with \`afterimage index ${dirname(absolute)}\`.`
      : `There is no photo ${absolute}. Check its name.`,
    { details: { path: absolute } },
  );
}

/** Ids of photos that are in the library, in the order of their paths. @throws AppError as `findLibraryPhoto` */
export async function findLibraryPhotos(
  session: Pick<Session, 'client'>,
  paths: readonly string[],
): Promise<number[]> {
  const ids: number[] = [];
  for (const path of paths) ids.push((await findLibraryPhoto(session, path)).photoId);
  return ids;
}
