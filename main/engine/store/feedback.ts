/** Thumbs: what a person thought of a photo among a query's results, kept by the photo's bytes. */
import type { Database } from 'better-sqlite3';
import { AppError } from '../../errors.ts';
import type { Vote } from '../../contract.ts';
import type { FeedbackRow, FeedbackTable } from './learning-types.ts';
import { queryKey } from './query-key.ts';

interface RawThumb {
  readonly photoId: number;
  readonly text: string;
  readonly vote: number;
  readonly at: number;
}

export function createFeedbackTable(db: Database): FeedbackTable {
  const hashOf = db
    .prepare<[number], string | null>('SELECT coalesce(described_hash, hash) FROM photos WHERE id = ?')
    .pluck();
  const put = db.prepare(
    `INSERT INTO feedback (hash, key, text, vote, at) VALUES (@hash, @key, @text, @vote, @at)
     ON CONFLICT (hash, key) DO UPDATE SET text = excluded.text, vote = excluded.vote, at = excluded.at`,
  );
  const voteOf = db
    .prepare<[string, number], number>(
      `SELECT f.vote FROM photos p JOIN feedback f ON f.hash = coalesce(p.described_hash, p.hash)
       WHERE f.key = ? AND f.vote <> 0 AND p.id = ?`,
    )
    .pluck();
  const indexed = `SELECT min(p.id) FROM photos p WHERE p.described_hash = f.hash AND p.width IS NOT NULL`;
  const counts = db.prepare<[], { up: number; down: number }>(
    `SELECT count(*) FILTER (WHERE f.vote = 1) AS up, count(*) FILTER (WHERE f.vote = -1) AS down
     FROM feedback f WHERE f.vote <> 0 AND (${indexed}) IS NOT NULL`,
  );
  const list = db.prepare<{ offset: number; limit: number }, RawThumb>(
    `SELECT * FROM (SELECT (${indexed}) AS photoId, f.text, f.vote, f.at, f.hash, f.key FROM feedback f
       WHERE f.vote <> 0)
     WHERE photoId IS NOT NULL ORDER BY at DESC, hash, key LIMIT @limit OFFSET @offset`,
  );
  const clear = db.prepare('DELETE FROM feedback');

  return {
    set(photoId, text, vote, at) {
      const key = queryKey(text);
      if (key === '')
        throw new AppError(
          'input-invalid',
          'A thumb is for a photo and the words that found it: give the words.',
        );
      db.transaction(() => {
        const hash = hashOf.get(photoId);
        if (hash === undefined || hash === null)
          throw new AppError(
            'not-found',
            hash === null
              ? 'The photo has not been read yet. Judge it once it is indexed.'
              : 'The photo is not in the library any more.',
            { details: { photoId } },
          );
        put.run({ hash, key, text: text.trim(), vote: toNumber(vote), at });
      })();
    },
    of(text, photoIds) {
      const key = queryKey(text);
      const votes = new Map<number, Vote>();
      for (const id of photoIds) {
        const vote = voteOf.get(key, id);
        if (vote !== undefined) votes.set(id, toVote(vote));
      }
      return votes;
    },
    counts: () => counts.get() ?? { up: 0, down: 0 },
    list: (options) =>
      list
        .all(options)
        .map(({ photoId, text, vote, at }): FeedbackRow => ({ photoId, text, vote: toVote(vote), at })),
    clear() {
      clear.run();
    },
  };
}

function toNumber(vote: Vote | null): number {
  if (vote === null) return 0;
  return vote === 'up' ? 1 : -1;
}

function toVote(vote: number): Vote {
  return vote === 1 ? 'up' : 'down';
}
