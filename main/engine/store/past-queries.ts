/** What was searched for: the queries that a head's effect is shown on. */
import type { Database } from 'better-sqlite3';
import type { PastQueryTable } from './learning-types.ts';
import { queryKey } from './query-key.ts';

const kept = 500;

export function createPastQueryTable(db: Database): PastQueryTable {
  const put = db.prepare(
    `INSERT INTO past_queries (key, text, at, times) VALUES (?, ?, ?, 1)
     ON CONFLICT (key) DO UPDATE SET text = excluded.text, at = excluded.at, times = times + 1`,
  );
  const prune = db.prepare(
    `DELETE FROM past_queries WHERE key IN (
       SELECT key FROM past_queries ORDER BY at DESC, key LIMIT -1 OFFSET ${kept})`,
  );
  const list = db.prepare<[number], { text: string; at: number; times: number }>(
    'SELECT text, at, times FROM past_queries ORDER BY at DESC, key LIMIT ?',
  );
  const forget = db.prepare('DELETE FROM past_queries WHERE key = ?');
  const forgetAll = db.prepare('DELETE FROM past_queries');
  return {
    remember(text, at) {
      const key = queryKey(text);
      if (key === '') return;
      db.transaction(() => {
        put.run(key, text.trim(), at);
        prune.run();
      })();
    },
    list: (limit) => list.all(limit),
    forget(text) {
      if (text === undefined) forgetAll.run();
      else forget.run(queryKey(text));
    },
  };
}
