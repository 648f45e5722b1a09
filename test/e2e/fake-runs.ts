/** Made-up runs of learning, with curves and proofs, for the page tests. */
import type { TuneRun } from '../../main/contract.ts';

/** How a run ends. */
export type Outcome = 'offered' | 'unsure' | 'forgets' | 'failed';

const measured = (r10: number): { r1: number; r5: number; r10: number; mrr: number } => ({
  r1: r10 * 0.45,
  r5: r10 * 0.82,
  r10,
  mrr: r10 * 0.6,
});

/** A run in this state, with all that belongs to it. */
export function madeRun(id: number, state: TuneRun['state'], more: Partial<TuneRun>): TuneRun {
  const run: TuneRun = {
    id,
    state,
    startedAt: Date.UTC(2026, 5, 15, 9, 30) - id * 3_600_000,
    endedAt: Date.UTC(2026, 5, 15, 9, 31) - id * 3_600_000,
    imported: false,
    settings: {
      head: 'residual',
      loss: 'infonce',
      epochs: 20,
      seed: 1,
      batch: 256,
      learningRate: 0.001,
      sources: ['thumbs', 'names', 'captions', 'albums'],
    },
    packId: 'starter',
    packName: 'Starter',
    dims: 256,
    dataHash: '5f2b8c0d'.repeat(8),
    pairs: 126,
    bySource: [
      { source: 'thumbs', pairs: 48 },
      { source: 'captions', pairs: 78 },
    ],
    split: { train: 88, choose: 13, prove: 25 },
    curve: Array.from({ length: 20 }, (_, at) => pointAt(at + 1, 20)),
    bestEpoch: null,
    before: null,
    after: null,
    gain: null,
    generic: null,
    share: null,
    accepted: null,
    reason: null,
    seconds: 9.4,
    error: null,
  };
  const outcomes: Partial<Record<TuneRun['state'], Outcome>> = {
    offered: 'offered',
    declined: 'offered',
    active: 'offered',
    retired: 'offered',
    refused: 'unsure',
    failed: 'failed',
  };
  const outcome = outcomes[state];
  return { ...(outcome === undefined ? run : endedRun(run, outcome)), state, ...more };
}

/** A curve that falls and rises as curves do. */
export function pointAt(epoch: number, epochs: number): TuneRun['curve'][number] {
  const share = epoch / epochs;
  return {
    epoch,
    trainLoss: 0.4 + 2.6 * Math.exp(-3 * share),
    heldOutLoss: 0.9 + 2 * Math.exp(-3.4 * share) + 0.2 * share * share,
    r10: 0.61 + 0.17 * (1 - Math.exp(-3 * share)),
  };
}

/** The run with its proof. */
export function endedRun(run: TuneRun, outcome: Outcome): TuneRun {
  if (outcome === 'failed')
    return {
      ...run,
      state: 'failed',
      error: { code: 'disk-full', message: 'The disk is full: the head could not be written.' },
    };
  const generic = { name: 'everyday', before: measured(0.84) };
  const proof = {
    offered: { after: 0.78, low: 0.09, high: 0.24, general: 0.842, reason: 'Better on your pairs.' },
    unsure: { after: 0.63, low: -0.03, high: 0.07, general: 0.84, reason: 'Not better beyond doubt.' },
    forgets: { after: 0.79, low: 0.1, high: 0.25, general: 0.77, reason: 'General search fell.' },
  }[outcome];
  return {
    ...run,
    state: outcome === 'offered' ? 'offered' : 'refused',
    bestEpoch: 17,
    before: measured(0.61),
    after: measured(proof.after),
    gain: { low: proof.low, high: proof.high },
    generic: { ...generic, after: measured(proof.general) },
    share: 0.6,
    accepted: outcome === 'offered',
    reason: proof.reason,
  };
}
