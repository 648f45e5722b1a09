/** A stored head, ready to be applied, once all that must fit does. */
import { AppError } from '../errors.ts';
import type { HeadRow, Store } from './store/types.ts';
import type { Projection } from './tune/types.ts';

export interface OpenHead {
  readonly row: HeadRow;
  readonly projection: Projection;
}

export interface OpenHeadOptions {
  readonly store: Store;
  readonly projectionOf: (head: HeadRow) => Projection;
}

/**
 * @param base the pack's own model
 * @throws AppError not-found (no such head), input-invalid (another pack's, or one that moves no vectors),
 *   library-damaged
 */
export function openHead(
  { store, projectionOf }: OpenHeadOptions,
  runId: number,
  base: { readonly fingerprint: string; readonly dims: number },
): OpenHead {
  const row = store.runs.head(runId);
  if (row === undefined)
    throw new AppError('not-found', `The head of run ${runId} is not there any more. Train again.`, {
      details: { runId },
    });
  if (row.head === 'joint' || row.head === 'fusion')
    throw new AppError('input-invalid', `The head of run ${runId} orders photos and moves none.`);
  if (row.fingerprint !== base.fingerprint || row.dims !== base.dims)
    throw new AppError(
      'input-invalid',
      `The head of run ${runId} was trained for another model (${row.dims} dimensions) than the one in use (${base.dims}). Choose that model first, or train again.`,
      { details: { runId } },
    );
  return { row, projection: projectionOf(row) };
}
