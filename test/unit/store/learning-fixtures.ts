/** A run and a head as they are kept. */
import { headHash } from '../../../main/engine/store/head-hash.ts';
import type { HeadRow, RunRecord } from '../../../main/engine/store/learning-types.ts';

export function run(changes: Partial<RunRecord> = {}): RunRecord {
  return {
    state: 'offered',
    startedAt: 1,
    endedAt: 2,
    imported: false,
    settings: {
      head: 'linear',
      loss: 'infonce',
      epochs: 2,
      seed: 1,
      batch: 8,
      learningRate: 0.001,
      sources: ['thumbs'],
    },
    packId: 'starter',
    packName: 'Starter',
    dims: 2,
    dataHash: 'ab',
    pairs: 40,
    bySource: [{ source: 'thumbs', pairs: 40 }],
    split: { train: 24, choose: 8, prove: 8 },
    curve: [{ epoch: 1, trainLoss: 2.5, heldOutLoss: 2.25, r10: 0.5 }],
    bestEpoch: 1,
    before: { r1: 0.1, r5: 0.2, r10: 0.3, mrr: 0.2 },
    after: { r1: 0.2, r5: 0.4, r10: 0.6, mrr: 0.4 },
    gain: { low: 0.1, high: 0.5 },
    generic: null,
    share: 0.5,
    accepted: true,
    reason: 'It finds more.',
    seconds: 1.5,
    error: null,
    ...changes,
  };
}

export function head(runId: number, changes: Partial<HeadRow> = {}): HeadRow {
  const row = {
    runId,
    head: 'linear' as const,
    fingerprint: 'fingerprint-a',
    dims: 2,
    parameters: {
      w: { shape: [2, 2], values: Float32Array.of(1, 0, 0, 1) },
      b: { shape: [2], values: Float32Array.of(1, 2) },
    },
    ...changes,
  };
  return { hash: headHash(row), ...row };
}
