/** A made-up alignment lab for the page tests: heads, a run that goes head by head, and its table. */
import type { LabReport, LabRow } from '../../main/contract.ts';
import { AppError } from '../../main/errors.ts';
import type { Handlers } from './fake-server.ts';

const heads = ['v0', 'v1', 'v3', 'v9', 'v11', 'co-attention', 'perceiver'];
/** The study's v3 told nothing apart. */
const collapsed = 'v3';

export function fakeLab(): Handlers {
  let report: LabReport | null = null;
  return {
    'lab.heads': () => ({
      heads: heads.map((name, at) => ({
        name,
        description: `Attention head ${name}.`,
        parameters: at === 0 ? 0 : at * 131_072,
      })),
    }),
    'lab.last': () => ({ report }),
    'lab.run': async (input, { progress, signal }) => {
      const chosen = input.heads ?? heads;
      for (const [done, head] of chosen.entries()) {
        for (let epoch = 1; epoch <= input.epochs; epoch++) {
          progress({ head, done, total: chosen.length, epoch, epochs: input.epochs });
          await new Promise((resolve) => setImmediate(resolve));
          if (signal.aborted) throw new AppError('cancelled', 'The lab was stopped.');
        }
      }
      report = {
        at: Date.UTC(2026, 5, 15, 9, 30),
        seed: input.seed,
        epochs: input.epochs,
        scoring: input.scoring,
        batch: 8,
        learningRate: 1e-4,
        pairs: { train: 480, heldOut: 100 },
        tokens: { image: 50, text: 16, dims: 256 },
        photo: { path: '/home/ada/Pictures/2024/DSC_0042.JPG', photoId: 6 },
        captions: [
          'A dog playing in the park',
          'A cat sleeping on a couch',
          'Children playing soccer',
          'A sunset over the ocean',
          'A person cooking in the kitchen',
        ],
        rightCaption: 1,
        rows: chosen.map((head, at) => rowOf(head, at)),
      };
      return report;
    },
  };
}

function rowOf(head: string, at: number): LabRow {
  const flat = head === collapsed;
  const similarities = flat ? [27.4, 27.4, 27.4, 27.4, 27.4] : [5.3 + at, 15.5, -4.5, -6.6 + at, 2.1];
  return {
    head,
    similarities,
    best: flat ? 0 : 1,
    right: !flat,
    ratio: flat ? 1 : 15.5 / (5.3 + at),
    gap: flat ? 0 : 10.2 - at,
    trained: !flat,
    rank: flat ? null : at + 1,
    retrieval: { r1: 0.12, r5: 0.34, r10: 0.48, mrr: 0.22 },
    bestOfFive: flat ? 0.2 : 0.71,
    loss: { first: 4.61, last: flat ? 4.6 : 2.2, heldOut: flat ? 4.61 : 2.9 },
    seconds: 3.2 + at,
    parameters: at * 131_072,
    evidence: {
      matched: 0.61,
      mismatched: flat ? 0.61 : 0.12,
      spread: flat ? 0 : 0.14,
      own: { image: 0.5, text: 0.5 },
      shortcut: flat ? 1 : 0.14,
      gradient: { first: 4.2, last: 1.3 },
      ranAway: null,
    },
    study: head.startsWith('v')
      ? { similarities: [5.3, 15.5, -4.5, -6.6, 2.1], trained: head !== 'v1' }
      : null,
    remark: head === 'v1' ? 'The study failed here; with real tokens attention weights are not all one.' : '',
  };
}
