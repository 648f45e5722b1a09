/**
 * Beam search over one text, with scores and stopping as transformers 5 has them (generation/utils.py,
 * _beam_search): sums of log-probabilities, those of finished texts divided by length ** lengthPenalty.
 */
import { discourageRepeats, highestFew, logSoftmax } from './token-scores.ts';
import { nextScores, type WriteOptions, type WrittenTokens } from './token-steps.ts';

interface Beam {
  readonly ids: readonly number[];
  /** Sum of processed log-probabilities, which the search goes by. */
  readonly score: number;
  /** Sum of the model's own. */
  readonly logProbability: number;
}

interface Finished extends Beam {
  /** `score` over length ** lengthPenalty. */
  readonly rank: number;
  readonly count: number;
}

export async function searchBeams(options: WriteOptions): Promise<WrittenTokens[]> {
  const { run, prompt, end, generation } = options;
  const { beams, maxNewTokens, lengthPenalty } = generation;
  let running: Beam[] = [{ ids: [], score: 0, logProbability: 0 }];
  let finished: Finished[] = [];
  for (let count = 1; running.length > 0; count++) {
    const fed = running.map(({ ids }) => (count === 1 ? prompt : ids.slice(-1)));
    const rows = await nextScores(options, run, fed);
    const candidates = extend(running, rows, options);
    const stops = ({ id }: Candidate): boolean => id === end || count === maxNewTokens;
    // Only the best `beams` may end a text; the others are there so that enough can go on.
    const ended = candidates
      .slice(0, beams)
      .filter(stops)
      .map((candidate): Finished => {
        const { id, score, logProbability } = candidate;
        const ids = id === end ? candidate.before : [...candidate.before, id];
        return { ids, score, logProbability, count, rank: score / count ** lengthPenalty };
      });
    finished = [...finished, ...ended].sort((a, b) => b.rank - a.rank).slice(0, beams);
    const going = candidates.filter((candidate) => !stops(candidate)).slice(0, beams);
    running = going.map(({ before, id, score, logProbability }) => ({
      ids: [...before, id],
      score,
      logProbability,
    }));
    run.keep(going.map(({ row }) => row));
    const best = running[0];
    if (best !== undefined) options.onTokens(best.ids);
    if (best === undefined) break;
    if (finished.length < beams) continue;
    // Nothing that goes on can end better than the worst that has ended.
    const worst = finished.at(-1)?.rank ?? -Infinity;
    if (generation.earlyStopping || best.score / count ** lengthPenalty <= worst) break;
  }
  return finished.map(({ ids, logProbability, count }) => ({ ids, logProbability, count }));
}

interface Candidate {
  readonly row: number;
  readonly before: readonly number[];
  readonly id: number;
  readonly score: number;
  readonly logProbability: number;
}

/** The best twice `beams` continuations of all rows together. */
function extend(running: readonly Beam[], rows: readonly Float32Array[], options: WriteOptions): Candidate[] {
  const { prompt, generation } = options;
  const wanted = 2 * generation.beams;
  return running
    .flatMap((beam, row): Candidate[] => {
      const own = logSoftmax(rows[row] ?? new Float32Array(0));
      const scores = own.slice();
      discourageRepeats(scores, [...prompt, ...beam.ids], generation);
      return highestFew(scores, wanted).map((id) => ({
        row,
        before: beam.ids,
        id,
        score: beam.score + (scores[id] ?? 0),
        logProbability: beam.logProbability + (own[id] ?? 0),
      }));
    })
    .sort((a, b) => b.score - a.score)
    .slice(0, wanted);
}
