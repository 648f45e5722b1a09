/** The study: trains heads one after another with one seed and budget, judges each, and makes the rows of its table. */
import type { LabProgress, LabRow } from '../../../contract.ts';
import { judgeHead, type Judgement } from './judge-head.ts';
import type { LabHeadName } from './registry.ts';
import { isTrained, remarkOn } from './remarks.ts';
import { studyFigures } from './study-figures.ts';
import {
  openLabJudge,
  ownParameters,
  trainLabHead,
  type LabBudget,
  type LabTraining,
} from './train-lab-head.ts';
import { normalizeTokens, poolTokens, type LabPairs, type LabTokens } from './tokens.ts';

export interface LabTask {
  readonly heads: readonly LabHeadName[];
  readonly tokens: LabTokens;
  /** One token a modality, as in the study. */
  readonly pooled: boolean;
  readonly train: LabPairs;
  /** Photos that differ, each with one caption. */
  readonly heldOut: LabPairs;
  /** Row of the photo that is asked about, rows of its five captions, and which of these is right. */
  readonly asked: { readonly photo: number; readonly captions: readonly number[]; readonly right: number };
  readonly budget: LabBudget;
}

export interface LabRunOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: LabProgress) => void) | undefined;
  readonly onRow?: ((row: LabRow) => void) | undefined;
  /** Milliseconds, of any start. */
  readonly now: () => number;
}

/** Photos and captions that are judged at once: 64 pairs fill two cores. */
const judgedBlock = 8;

/** @returns in the order of the heads asked for. @throws AppError cancelled; internal when onnxruntime refuses a graph */
export async function runLab(task: LabTask, options: LabRunOptions): Promise<LabRow[]> {
  const prepared = { ...task, tokens: normalizeTokens(task.pooled ? poolTokens(task.tokens) : task.tokens) };
  const { heads, budget } = task;
  const rows: LabRow[] = [];
  for (const [done, head] of heads.entries()) {
    const tell = (epoch: number): void =>
      options.onProgress?.({ head, done, total: heads.length, epoch, epochs: budget.epochs });
    tell(0);
    const row = await studyHead(head, prepared, { ...options, onEpoch: tell });
    rows.push(row);
    options.onRow?.(row);
  }
  return ranked(rows);
}

async function studyHead(
  head: LabHeadName,
  { tokens, train, heldOut, asked, budget }: LabTask,
  { signal, now, onEpoch }: LabRunOptions & { readonly onEpoch: (epoch: number) => void },
): Promise<LabRow> {
  const began = now();
  const training = await trainLabHead(head, tokens, train, budget, { signal, onEpoch });
  const seconds = (now() - began) / 1_000;
  const judge = await openLabJudge(head, tokens, judgedBlock, training.parameters, budget.threads);
  try {
    const judged = await judgeHead(judge, heldOut, {
      block: judgedBlock,
      batch: budget.batch,
      seed: budget.seed,
      signal,
    });
    const filled = Array.from({ length: judgedBlock }, (_, i) => asked.captions[i] ?? asked.captions[0] ?? 0);
    const { cosines } = await judge.block({
      photos: filled.map(() => asked.photo),
      captions: filled,
    });
    const similarities = [...cosines.subarray(0, asked.captions.length)].map(
      (cosine) => finite(cosine) * judge.scale,
    );
    return rowOf(
      head,
      tokens.dims,
      { training, judged, similarities, scale: judge.scale, seconds },
      asked.right,
      budget,
    );
  } finally {
    await judge.close();
  }
}

interface Measured {
  readonly training: LabTraining;
  readonly judged: Judgement;
  readonly similarities: readonly number[];
  readonly scale: number;
  readonly seconds: number;
}

function rowOf(
  head: LabHeadName,
  dims: number,
  { training, judged, similarities, scale, seconds }: Measured,
  right: number,
  { scoring }: LabBudget,
): LabRow {
  const order = [...similarities.keys()].sort((a, b) => (similarities[b] ?? 0) - (similarities[a] ?? 0));
  const [best = 0, second = 0] = order;
  const [top, next] = [similarities[best] ?? 0, similarities[second] ?? 0];
  const trained =
    training.ranAway === null && isTrained(judged.bestOfFive, judged.count, similarities, scale);
  const measured = {
    trained,
    retrieval: judged.retrieval,
    loss: {
      first: finite(training.loss.first),
      last: finite(training.loss.last),
      heldOut: finite(judged.heldOutLoss),
    },
    evidence: {
      matched: finite(judged.matched),
      mismatched: finite(judged.mismatched),
      spread: finite(judged.spread),
      own: { image: finite(judged.own.image), text: finite(judged.own.text) },
      shortcut: judged.shortcut,
      gradient: { first: finite(training.gradient.first), last: finite(training.gradient.last) },
      ranAway: training.ranAway,
    },
    study: studyOf(head),
  };
  return {
    head,
    similarities: [...similarities],
    best,
    right: best === right,
    ratio: next > 0 ? top / next : null,
    gap: top - next,
    rank: null,
    bestOfFive: judged.bestOfFive,
    seconds,
    parameters: ownParameters(head, dims),
    ...measured,
    remark: remarkOn(measured, scoring),
  };
}

function studyOf(head: LabHeadName): LabRow['study'] {
  const figures = studyFigures[head];
  return figures === undefined ? null : { ...figures, similarities: [...figures.similarities] };
}

/** Ranks those that trained by their gap, as the study did. */
function ranked(rows: readonly LabRow[]): LabRow[] {
  const order = rows.filter(({ trained }) => trained).sort((a, b) => b.gap - a.gap);
  return rows.map((row) => ({ ...row, rank: row.trained ? order.indexOf(row) + 1 : null }));
}

/** A report is JSON, which has no NaN; `ranAway` says that there was one. */
const finite = (value: number): number => (Number.isFinite(value) ? value : 0);
