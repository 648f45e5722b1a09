/** One caption run: takes photo after photo, lists what failed, and ends when nothing is left or nobody wants it. */
import type { CaptionReport } from '../../contract.ts';
import { AppError } from '../../errors.ts';
import { captionOne, type Outcome } from './caption-one.ts';
import type { CaptionQueue, QueuedPhoto } from './caption-queue.ts';
import { isAboutOnePhoto } from './photo-errors.ts';
import { knownPhoto } from './look-at-photo.ts';
import type { Quarantine } from './quarantine.ts';
import type { DescribeOptions } from './types.ts';

export interface CaptionRunOptions extends DescribeOptions {
  readonly queue: CaptionQueue;
  readonly quarantine: Quarantine;
  readonly signal: AbortSignal;
  /** Resolves when the next photo may be begun: not paused, and no indexing in the way. */
  readonly mayBegin: () => Promise<void>;
  /** True when a person ended the run: what was written stays, and the report says what it came to. */
  readonly isStopped: () => boolean;
  /** A photo is about to be looked at. */
  readonly onBegun: (name: string) => void;
  readonly onSettled: (photo: QueuedPhoto, failed: boolean) => void;
}

type Failure = CaptionReport['failed'][number];

/** When so many photos in a row end the process or fail for no reason that one can see, it is not the photos. */
const mostSuspects = 3;

/**
 * @throws AppError pack-missing, pack-invalid, disk-full, cancelled, engine-stopped; worker-died and internal when
 *   photo after photo fails with it
 */
export async function runCaptions(options: CaptionRunOptions): Promise<CaptionReport> {
  const { queue, quarantine, signal, store, now } = options;
  const startedAt = now();
  const counts: Record<Outcome, number> = { captioned: 0, unsure: 0, skipped: 0, gone: 0 };
  const failed: Failure[] = [];
  /** Photos of a folder that is out of reach now: one of them is listed, the others wait until it is back. */
  const offline = new Set<number>();
  let suspects: { fingerprint: string; hash: string | null; error: AppError }[] = [];

  const fail = (photo: QueuedPhoto, error: AppError, fingerprint: string): void => {
    const row = store.photos.get(photo.photoId);
    if (row === undefined) return;
    failed.push({ ...error.toShape(), photoId: row.id, path: knownPhoto(store, row.id).path });
    if (error.code === 'root-offline') offline.add(row.rootId);
    const died = error.code === 'photo-quarantined' && !quarantine.has(fingerprint, row.hash);
    if (!died && error.code !== 'internal') return;
    suspects.push({ fingerprint, hash: row.hash, error });
    if (suspects.length >= mostSuspects) throw AppError.from(error.cause ?? error, 'Captioning');
  };
  /** The model works, so whoever ended its process did that by itself. */
  const wentWell = (): void => {
    for (const { fingerprint, hash, error } of suspects)
      if (error.code === 'photo-quarantined') quarantine.add(fingerprint, hash);
    suspects = [];
  };

  for (;;) {
    await options.mayBegin();
    if (options.isStopped()) break;
    signal.throwIfAborted();
    const more = await options.useModel('caption', async (model) => {
      const photo = queue.next(model.fingerprint);
      if (photo === undefined) return false;
      const row = store.photos.get(photo.photoId);
      if (!photo.asked && row !== undefined && offline.has(row.rootId)) {
        options.onSettled(photo, true);
        return true;
      }
      options.onBegun(row?.relPath.slice(row.relPath.lastIndexOf('/') + 1) ?? '');
      try {
        const outcome = await captionOne(options, model, photo, signal);
        counts[outcome] += 1;
        if (outcome === 'captioned' || outcome === 'unsure') wentWell();
        options.onSettled(photo, false);
      } catch (thrown) {
        const error = AppError.from(thrown, 'Captioning');
        if (options.isStopped()) return false;
        if (signal.aborted || !isAboutOnePhoto(error.code)) throw thrown;
        fail(photo, error, model.fingerprint);
        options.onSettled(photo, true);
      }
      return true;
    });
    if (!more) break;
  }
  wentWell();
  const { captioned, unsure, skipped } = counts;
  return { captioned, unsure, skipped, failed, seconds: (now() - startedAt) / 1_000 };
}
