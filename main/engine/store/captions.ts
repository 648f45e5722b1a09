/** Captions: by hand and by models, kept by the photo's bytes. */
import type { Database } from 'better-sqlite3';
import { AppError } from '../../errors.ts';
import type { CaptionRow, CaptionTable } from './types.ts';
import type { WordWriter } from './word-writer.ts';

interface ModelRow {
  readonly text: string;
  readonly sure: number;
  readonly confidence: number;
  readonly packId: string;
  readonly fingerprint: string;
  readonly at: number;
}

export function createCaptionTable(db: Database, words: WordWriter): CaptionTable {
  const hand = db.prepare<[number], { text: string; at: number }>(
    `SELECT h.text, h.at FROM photos p JOIN hand_captions h ON h.hash = coalesce(p.described_hash, p.hash)
     WHERE p.id = ? AND h.text <> ''`,
  );
  const modelColumns = 'm.text, m.sure, m.confidence, m.pack_id AS packId, m.fingerprint, m.at';
  const newest = db.prepare<[number], ModelRow>(
    `SELECT ${modelColumns} FROM photos p JOIN model_captions m ON m.hash = p.hash WHERE p.id = ?
     ORDER BY m.at DESC, m.fingerprint LIMIT 1`,
  );
  const ofModel = db.prepare<[number, string], ModelRow>(
    `SELECT ${modelColumns} FROM photos p JOIN model_captions m ON m.hash = p.hash
     WHERE p.id = ? AND m.fingerprint = ?`,
  );
  const hashOf = db.prepare<[number], string | null>('SELECT hash FROM photos WHERE id = ?').pluck();
  const describedHashOf = db
    .prepare<[number], string | null>('SELECT coalesce(described_hash, hash) FROM photos WHERE id = ?')
    .pluck();
  const allByHand = db.prepare<[], { photoId: number; text: string; at: number }>(
    `SELECT h.text, h.at, min(p.id) AS photoId FROM hand_captions h JOIN photos p ON p.described_hash = h.hash
     WHERE h.text <> '' AND p.width IS NOT NULL GROUP BY h.hash ORDER BY photoId`,
  );
  const putModel = db.prepare(
    `INSERT INTO model_captions (hash, fingerprint, pack_id, text, sure, confidence, at)
     VALUES (@hash, @fingerprint, @packId, @text, @sure, @confidence, @at)
     ON CONFLICT (hash, fingerprint) DO UPDATE SET pack_id = excluded.pack_id, text = excluded.text,
       sure = excluded.sure, confidence = excluded.confidence, at = excluded.at`,
  );
  const putHand = db.prepare(
    `INSERT INTO hand_captions (hash, text, at) VALUES (?, ?, ?)
     ON CONFLICT (hash) DO UPDATE SET text = excluded.text, at = excluded.at`,
  );
  const waiting = `FROM photos p JOIN roots r ON r.id = p.root_id
     WHERE p.status = 'indexed' AND r.online = 1 AND p.id > @after
       AND NOT EXISTS (SELECT 1 FROM model_captions m WHERE m.hash = p.hash AND m.fingerprint = @fingerprint)
       AND NOT EXISTS (SELECT 1 FROM hand_captions h WHERE h.hash = p.described_hash AND h.text <> '')`;
  const without = db
    .prepare<{ fingerprint: string; after: number; limit: number }, number>(
      `SELECT p.id ${waiting} ORDER BY p.id LIMIT @limit`,
    )
    .pluck();
  const countWithout = db
    .prepare<{ fingerprint: string; after: number }, number>(`SELECT count(*) ${waiting}`)
    .pluck();
  const total = db.prepare<[], number>(`SELECT count(*) FROM photos WHERE status = 'indexed'`).pluck();
  const captioned = db
    .prepare<[], number>(
      `SELECT count(*) FROM photos p WHERE p.status = 'indexed' AND (
         EXISTS (SELECT 1 FROM model_captions m WHERE m.hash = p.hash)
         OR EXISTS (SELECT 1 FROM hand_captions h WHERE h.hash = p.described_hash AND h.text <> ''))`,
    )
    .pluck();

  const generations = db.prepare<[], { graph: number; words: number }>(
    'SELECT generation AS graph, words_generation AS words FROM state',
  );
  // Counting 100,000 photos takes a tenth of a second, and every client asks after every change.
  let counted: { graph: number; said: number; total: number; captioned: number } | undefined;

  const get = (photoId: number): CaptionRow | undefined => {
    const own = hand.get(photoId);
    return own === undefined ? toRow(photoId, newest.get(photoId)) : byHand(photoId, own);
  };
  return {
    get,
    getMany(photoIds) {
      const rows = new Map<number, CaptionRow>();
      for (const id of photoIds) {
        const row = get(id);
        if (row !== undefined) rows.set(id, row);
      }
      return rows;
    },
    byHand: () => allByHand.all(),
    ofModel: (photoId, fingerprint) => toRow(photoId, ofModel.get(photoId, fingerprint)),
    putModel(rows) {
      db.transaction(() => {
        const hashes = new Set<string>();
        for (const row of rows) {
          const hash = row.hash ?? hashOf.get(row.photoId) ?? null;
          if (hash === null) continue;
          const { fingerprint, packId, sure, confidence, at } = row;
          const text = sure ? row.text : '';
          putModel.run({ hash, fingerprint, packId, text, sure: sure ? 1 : 0, confidence, at });
          hashes.add(hash);
        }
        for (const hash of hashes) words.refreshCopies(hash);
        if (hashes.size > 0) words.bump();
      })();
    },
    setHand(photoId, text, at) {
      db.transaction(() => {
        const hash = describedHashOf.get(photoId);
        if (hash === undefined || hash === null)
          throw new AppError(
            'not-found',
            hash === null
              ? 'The photo has not been read yet. Caption it once it is indexed.'
              : 'The photo is not in the library any more.',
            { details: { photoId } },
          );
        putHand.run(hash, text.trim(), at);
        words.refreshCopies(hash);
        words.bump();
      })();
    },
    without: (fingerprint, { limit, afterId = 0 }) => without.all({ fingerprint, after: afterId, limit }),
    countWithout: (fingerprint) => countWithout.get({ fingerprint, after: 0 }) ?? 0,
    counts() {
      const { graph = 0, words: said = 0 } = generations.get() ?? {};
      if (counted?.graph !== graph || counted.said !== said)
        counted = { graph, said, total: total.get() ?? 0, captioned: captioned.get() ?? 0 };
      return { total: counted.total, captioned: counted.captioned };
    },
  };
}

function byHand(photoId: number, { text, at }: { text: string; at: number }): CaptionRow {
  return { photoId, text, by: 'hand', sure: true, confidence: null, packId: null, fingerprint: null, at };
}

function toRow(photoId: number, row: ModelRow | undefined): CaptionRow | undefined {
  return row === undefined ? undefined : { ...row, photoId, by: 'model', sure: row.sure === 1 };
}
