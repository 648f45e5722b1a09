/** What a captions file says, of photos in the library and of others. */
import type { PhotoBook } from './photo-book.ts';
import { readCaptionsFile } from './captions-file.ts';
import type { Heard, Statement } from './statements.ts';
import type { GatherOptions } from './types.ts';

/** A caption is about this very photo, whoever wrote it. */
const worth = 1;

/** @throws AppError as `readCaptionsFile` */
export async function hearFile(
  { photoAt, signal }: Pick<GatherOptions, 'photoAt' | 'signal'>,
  file: string,
  book: PhotoBook,
): Promise<Heard & { readonly remarks: readonly string[] }> {
  const { captions, skipped, remarks } = await readCaptionsFile(file, signal);
  const ids = new Map<string, number | null>();
  for (const { path } of captions) if (!ids.has(path)) ids.set(path, await photoAt(path));
  book.lookUp([...ids.values()].filter((id) => id !== null));
  const statements = captions.map(({ path, name, line, caption }): Statement => {
    const id = ids.get(path) ?? null;
    const photo = (id === null ? undefined : book.ofId(id)) ?? book.ofPath(path, name);
    // Chosen now: its captions are as good as new, whatever the date of the file.
    return { source: 'file', text: caption, photo, at: null, worth, line };
  });
  return { statements, against: [], skipped, remarks };
}
