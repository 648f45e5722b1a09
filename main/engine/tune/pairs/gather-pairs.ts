/** From what a person said of photos to pairs that a head is trained and proved on. */
import { AppError } from '../../../errors.ts';
import type { GatherOptions, Gathering, SourcesReport } from './types.ts';

/**
 * All that there is to learn from, embedded by the pack. Problems of the data come back in the report, for a page to
 * show; nothing is written.
 * @throws AppError cancelled, worker-died, library-damaged
 */
export function gatherPairs(options: GatherOptions): Promise<Gathering> {
  options.signal?.throwIfAborted();
  return Promise.reject(new AppError('not-supported', 'Gathering pairs is not there yet.'));
}

/** As `gatherPairs`, without embedding anything: quick enough for a page that is open. */
export function surveyPairs(options: GatherOptions): Promise<SourcesReport> {
  options.signal?.throwIfAborted();
  return Promise.reject(new AppError('not-supported', 'Gathering pairs is not there yet.'));
}
