/** Forgets all that was ever said of photos, also of those that went long ago. */
import type { Database } from 'better-sqlite3';
import type { WordWriter } from './word-writer.ts';

/** @returns does it in one transaction; photos keep the words of their names. */
export function createDescriptionEraser(db: Database, words: WordWriter): { descriptions(): void } {
  return {
    descriptions() {
      db.transaction(() => {
        for (const table of ['hand_captions', 'model_captions', 'answers', 'albums'])
          db.exec(`DELETE FROM ${table}`);
        words.refreshAll();
        words.bump();
      })();
    },
  };
}
