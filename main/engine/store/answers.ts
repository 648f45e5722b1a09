/** Answers, kept by the photo's bytes, the pack's fingerprint and what was asked. */
import type { Database } from 'better-sqlite3';
import { z } from 'zod';
import { damaged } from './sqlite-errors.ts';
import type { AnswerRow, AnswerTable } from './types.ts';

interface RawAnswer extends Omit<AnswerRow, 'sure' | 'answers'> {
  readonly sure: number;
  readonly answers: string;
}
const choices = z.array(z.object({ answer: z.string(), probability: z.number() }));

/** @param path the library's, for messages. */
export function createAnswerTable(db: Database, path: string): AnswerTable {
  const columns =
    'a.question, a.answer, a.sure, a.confidence, a.answers, a.pack_id AS packId, a.at FROM photos p JOIN answers a ON a.hash = p.hash';
  const find = db.prepare<[number, string, string], RawAnswer>(
    `SELECT ${columns} WHERE p.id = ? AND a.fingerprint = ? AND a.key = ?`,
  );
  const history = db.prepare<[number], RawAnswer>(
    `SELECT ${columns} WHERE p.id = ? ORDER BY a.at, a.key, a.fingerprint`,
  );
  const put = db.prepare(
    `INSERT INTO answers (hash, fingerprint, key, question, answer, sure, confidence, answers, pack_id, at)
     SELECT hash, @fingerprint, @key, @question, @answer, @sure, @confidence, @answers, @packId, @at
     FROM photos WHERE id = @photoId AND hash IS NOT NULL
     ON CONFLICT (hash, fingerprint, key) DO UPDATE SET question = excluded.question, answer = excluded.answer,
       sure = excluded.sure, confidence = excluded.confidence, answers = excluded.answers,
       pack_id = excluded.pack_id, at = excluded.at`,
  );
  const forget = db.prepare('DELETE FROM answers WHERE hash = (SELECT hash FROM photos WHERE id = ?)');
  const toRow = (raw: RawAnswer): AnswerRow => ({
    ...raw,
    sure: raw.sure === 1,
    answers: parseChoices(raw.answers, path),
  });
  return {
    find(photoId, fingerprint, key) {
      const raw = find.get(photoId, fingerprint, key);
      return raw === undefined ? undefined : toRow(raw);
    },
    put(photoId, fingerprint, key, row) {
      const { question, answer, confidence, packId, at } = row;
      const answers = JSON.stringify(row.answers);
      const sure = row.sure ? 1 : 0;
      put.run({ photoId, fingerprint, key, question, answer, sure, confidence, answers, packId, at });
    },
    history: (photoId) => history.all(photoId).map(toRow),
    forget(photoId) {
      forget.run(photoId);
    },
  };
}

function parseChoices(json: string, path: string): AnswerRow['answers'] {
  try {
    return choices.parse(JSON.parse(json));
  } catch (thrown) {
    if (thrown instanceof SyntaxError || thrown instanceof z.ZodError)
      throw damaged(path, 'a stored answer cannot be read', thrown);
    throw thrown;
  }
}
