/** One photo of a caption run: looked at when nobody waits for anything, tried twice, written at once. */
import { AppError } from '../../errors.ts';
import type { LanguageModel } from '../inference/language/types.ts';
import type { QueuedPhoto } from './caption-queue.ts';
import { lookAt } from './look-at-photo.ts';
import type { Quarantine } from './quarantine.ts';
import type { DescribeOptions } from './types.ts';

export type Outcome = 'captioned' | 'unsure' | 'skipped' | 'gone';

/**
 * What it wrote is committed before it returns, so that a crash loses at most the photo in work.
 * @throws AppError image-*, file-*, root-offline, permission-denied, photo-quarantined (it ended
 *   the process twice, now or in an earlier run), and what concerns the model itself
 */
export async function captionOne(
  options: DescribeOptions & { readonly quarantine: Quarantine },
  model: LanguageModel,
  { photoId, again, asked }: QueuedPhoto,
  signal: AbortSignal,
): Promise<Outcome> {
  const { store, courtesy, quarantine } = options;
  const row = store.photos.get(photoId);
  if (row === undefined) return 'gone';
  if (store.captions.get(photoId)?.by === 'hand') return 'skipped';
  if (!again && store.captions.ofModel(photoId, model.fingerprint) !== undefined) return 'skipped';
  if (!again && quarantine.has(model.fingerprint, row.hash)) throw deadly(row.relPath);
  const caption = () =>
    courtesy.whenQuiet(
      (untilUrgent) =>
        lookAt(options, photoId, (path) =>
          model.caption({ path }, { signal: untilUrgent, background: true }),
        ),
      signal,
    );
  let looked: Awaited<ReturnType<typeof caption>>;
  try {
    looked = await caption();
  } catch (thrown) {
    if (!hasDied(thrown)) throw thrown;
    try {
      // The process may have ended for a reason of its own; a second time it is this photo.
      looked = await caption();
    } catch (again) {
      throw hasDied(again) ? deadly(row.relPath, again) : again;
    }
  }
  const { seen, current } = looked;
  if (!current) {
    if (store.photos.get(photoId) === undefined) return 'gone';
    throw new AppError(
      'file-changed',
      `"${row.relPath}" was changed after it was indexed. It is captioned once it has been indexed again.`,
      { details: { path: row.relPath } },
    );
  }
  const { text, sure, confidence } = seen;
  const { packId, fingerprint } = model;
  store.captions.putModel([
    { photoId, hash: row.hash ?? undefined, packId, fingerprint, text, sure, confidence, at: options.now() },
  ]);
  if (asked) quarantine.release(fingerprint, row.hash);
  options.onDescribed([photoId]);
  return sure ? 'captioned' : 'unsure';
}

function hasDied(thrown: unknown): boolean {
  return thrown instanceof AppError && thrown.code === 'worker-died';
}

function deadly(path: string, cause?: unknown): AppError {
  return new AppError(
    'photo-quarantined',
    `"${path}" ended the model's process twice and is left alone. Caption it again to try once more.`,
    { cause, details: { path } },
  );
}
