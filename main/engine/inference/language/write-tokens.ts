/** Writes a text token by token: greedy, by beams, or drawn by chance; stops at the end token, the limit or a cancel. */
import { AppError } from '../../../errors.ts';
import type { Hooks, Written } from './adapter.ts';
import { searchBeams } from './beam-search.ts';
import { discourageRepeats, draw, highest, logSoftmax, seededRandom } from './token-scores.ts';
import { nextScores, type WriteOptions, type WrittenTokens } from './token-steps.ts';

/** @returns texts, the best first; several only by beams. @throws AppError cancelled, within one token */
export function writeTokens(options: WriteOptions): Promise<WrittenTokens[]> {
  const { generation } = options;
  return generation.beams > 1 && generation.sampling === null ? searchBeams(options) : writeOne(options);
}

/** Writes one text and streams it. @param textOf what these ids read as, whatever they go on from included. */
export async function writeText(
  options: Omit<WriteOptions, 'onTokens' | 'shouldStop'>,
  textOf: (ids: readonly number[]) => string,
  { onText, shouldStop }: Hooks,
): Promise<Written> {
  const [written] = await writeTokens({
    ...options,
    onTokens: (ids) => {
      onText(textOf(ids));
    },
    shouldStop,
  });
  if (written === undefined) throw new AppError('internal', 'A model wrote nothing.');
  const { ids, logProbability, count } = written;
  return { text: textOf(ids), logProbability: logProbability / count, ids };
}

async function writeOne(options: WriteOptions): Promise<WrittenTokens[]> {
  const { run, prompt, end, generation } = options;
  const random = generation.sampling === null ? undefined : seededRandom(generation.sampling.seed);
  const ids: number[] = [];
  let logProbability = 0;
  let fed = prompt;
  for (let count = 1; ; count++) {
    const [scores] = await nextScores(options, run, [fed]);
    if (scores === undefined) throw new AppError('internal', 'A decoder gave no scores.');
    const own = logSoftmax(scores);
    discourageRepeats(scores, [...prompt, ...ids], generation);
    const id =
      generation.sampling === null || random === undefined
        ? highest(scores)
        : draw(scores, generation.sampling, random);
    logProbability += own[id] ?? 0;
    if (id !== end) {
      ids.push(id);
      options.onTokens(ids);
    }
    if (id === end || count === generation.maxNewTokens) return [{ ids, logProbability, count }];
    fed = [id];
  }
}
