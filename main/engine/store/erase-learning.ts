/** Forgets all that was ever learnt from a person. */
import type { Database } from 'better-sqlite3';
import { AppError } from '../../errors.ts';
import type { History } from './history.ts';
import type { WordWriter } from './word-writer.ts';

export function createLearningEraser(
  db: Database,
  history: History,
  words: WordWriter,
): { learning(): void } {
  const derivedInUse = db
    .prepare<[], number>(
      'SELECT 1 FROM state s JOIN models m ON m.id = s.active_model WHERE m.run_id IS NOT NULL',
    )
    .pluck();
  return {
    learning() {
      db.transaction(() => {
        if (derivedInUse.get() !== undefined)
          throw new AppError(
            'internal',
            'What was learnt is in use and cannot be forgotten before it is undone.',
          );
        // Heads, checkpoints, and the vectors that heads made go with their runs.
        for (const table of ['feedback', 'past_queries', 'names', 'runs']) db.exec(`DELETE FROM ${table}`);
        history.bump();
        words.bump();
      })();
    },
  };
}
