/** The same question about many photos: asked of each in turn, with early answers, and summed up. */
import type { Hit, ResultsAnswer } from '../../contract.ts';
import { AppError } from '../../errors.ts';
import type { Asking } from './ask.ts';
import { isAboutOnePhoto } from './photo-errors.ts';
import { toPhotoQuestion, type PhotoQuestion } from './photo-question.ts';
import { cleanQuestion } from './questions.ts';
import { foldAnswer, yesOrNo } from './verdict.ts';

type Evidence = ResultsAnswer['supporting'][number];
type Answered = Awaited<ReturnType<Asking['photo']>>;

export interface AskResultsRequest {
  readonly question: string;
  /** Asked in this order. */
  readonly hits: readonly Hit[];
  readonly signal: AbortSignal;
  readonly onProgress: (progress: { done: number; total: number; early: ResultsAnswer }) => void;
}

interface Told {
  readonly hit: Hit;
  readonly answered: Answered;
}

/**
 * Answers are kept photo by photo, as if they had been asked singly: asking again after a cancel goes on from there.
 * @throws AppError input-invalid (an empty question), pack-missing, cancelled, and what concerns the model itself
 */
export async function askResults(
  options: { readonly asking: Pick<Asking, 'photo'>; readonly now: () => number },
  { question: typed, hits, signal, onProgress }: AskResultsRequest,
): Promise<ResultsAnswer> {
  const { asking, now } = options;
  const startedAt = now();
  const shown = cleanQuestion(typed);
  if (shown === '')
    throw new AppError('input-invalid', 'The question is empty. Ask something about the photos.');
  const question = toPhotoQuestion(shown);
  const told: Told[] = [];
  const failed: ResultsAnswer['failed'] = [];
  const sumUp = (): ResultsAnswer => ({
    question: shown,
    ...summary(question, told),
    failed: [...failed],
    seconds: (now() - startedAt) / 1_000,
  });
  for (const hit of hits) {
    signal.throwIfAborted();
    try {
      const answered = await asking.photo(
        { photoId: hit.id, question: question.question, turns: [], again: false },
        { signal, onText: () => undefined },
      );
      told.push({ hit, answered });
    } catch (thrown) {
      const error = AppError.from(thrown, 'Asking about the photos');
      if (signal.aborted || !(isAboutOnePhoto(error.code) || error.code === 'worker-died')) throw error;
      failed.push({ ...error.toShape(), photoId: hit.id, path: hit.path });
      if (diedForGood(failed)) throw error;
    }
    onProgress({ done: told.length + failed.length, total: hits.length, early: sumUp() });
  }
  return sumUp();
}

/** A model whose process ends with every photo is broken; the photos are not. */
function diedForGood(failed: ResultsAnswer['failed']): boolean {
  const last = failed.slice(-3);
  return last.length === 3 && last.every(({ code }) => code === 'worker-died' || code === 'internal');
}

type Summary = Omit<ResultsAnswer, 'question' | 'failed' | 'seconds'>;

function summary(question: PhotoQuestion, told: readonly Told[]): Summary {
  if (told.length === 0)
    return { answer: 'no photos to ask about', supporting: [], opposing: [], unsure: [], tally: [] };
  return question.kind === 'yes-no' ? yesNoSummary(question, told) : openSummary(told);
}

function yesNoSummary({ negated }: PhotoQuestion, told: readonly Told[]): Summary {
  const sides: Record<'yes' | 'no' | 'unsure', Evidence[]> = { yes: [], no: [], unsure: [] };
  for (const { hit, answered } of told) {
    const { says, confidence } = yesOrNo(answered);
    sides[says].push({ photo: hit, answer: says === 'unsure' ? answered.answer : says, confidence });
  }
  const [supporting, opposing] = negated ? [sides.no, sides.yes] : [sides.yes, sides.no];
  return {
    answer: `${supporting.length} of ${photos(told.length)}`,
    supporting: surestFirst(supporting),
    opposing: surestFirst(opposing),
    unsure: sides.unsure,
    tally: (['yes', 'no'] as const)
      .map((answer) => ({ answer, photos: sides[answer].length }))
      .filter((entry) => entry.photos > 0)
      .sort((a, b) => b.photos - a.photos),
  };
}

function openSummary(told: readonly Told[]): Summary {
  const groups = new Map<string, Evidence[]>();
  const unsure: Evidence[] = [];
  for (const { hit, answered } of told) {
    const { answer, sure, confidence } = answered;
    const evidence: Evidence = { photo: hit, answer, confidence };
    const key = foldAnswer(answer);
    if (!sure || key === '') unsure.push(evidence);
    else groups.set(key, [...(groups.get(key) ?? []), evidence]);
  }
  const byCount = [...groups].sort(([, a], [, b]) => b.length - a.length || trust(b) - trust(a));
  const [commonest, ...others] = byCount;
  return {
    answer:
      commonest === undefined
        ? `not sure about any of ${photos(told.length)}`
        : `${commonest[0]}: ${commonest[1].length} of ${photos(told.length)}`,
    supporting: surestFirst(commonest?.[1] ?? []),
    opposing: others.flatMap(([, group]) => surestFirst(group)),
    unsure,
    tally: byCount.map(([answer, group]) => ({ answer, photos: group.length })),
  };
}

function photos(count: number): string {
  return count === 1 ? '1 photo' : `${count} photos`;
}

function surestFirst(evidence: readonly Evidence[]): Evidence[] {
  return [...evidence].sort((a, b) => b.confidence - a.confidence);
}

function trust(evidence: readonly Evidence[]): number {
  return evidence.reduce((sum, { confidence }) => sum + confidence, 0);
}
