/** The list of tags, and which photos carry them as each model sees it. */
import type { Database } from 'better-sqlite3';
import { z } from 'zod';
import { AppError } from '../../errors.ts';
import { foldText } from './fold-text.ts';
import { damaged } from './sqlite-errors.ts';
import type { TagRow, TagTable } from './types.ts';
import type { WordWriter } from './word-writer.ts';

interface RawTag {
  readonly id: number;
  readonly name: string;
  readonly prompts: string;
}
const promptList = z.array(z.string());

/** @param path the library's, for messages. */
export function createTagTable(db: Database, path: string, words: WordWriter): TagTable {
  const list = db.prepare<[], RawTag>('SELECT id, name, prompts FROM tags ORDER BY folded_name');
  const get = db.prepare<[number], RawTag>('SELECT id, name, prompts FROM tags WHERE id = ?');
  const byName = db.prepare<[string], number>('SELECT id FROM tags WHERE folded_name = ?').pluck();
  const insert = db.prepare('INSERT INTO tags (name, folded_name, prompts) VALUES (?, ?, ?)');
  const update = db.prepare('UPDATE tags SET name = ?, folded_name = ?, prompts = ? WHERE id = ?');
  const remove = db.prepare('DELETE FROM tags WHERE id = ?');
  const generationOf = db
    .prepare<[number, number], number>('SELECT generation FROM embeddings WHERE key = ? * 4294967296 + ?')
    .pluck();
  const forgetPhoto = db.prepare('DELETE FROM photo_tags WHERE model_id = ? AND photo_id = ?');
  const assign = db.prepare(
    `INSERT OR REPLACE INTO photo_tags (model_id, photo_id, tag_id, probability)
     SELECT ?, ?, id, ? FROM tags WHERE id = ?`,
  );
  const setTagged = db.prepare(
    'INSERT OR REPLACE INTO tagged (model_id, photo_id, generation) VALUES (?, ?, ?)',
  );
  const clearAll = db.prepare('DELETE FROM photo_tags');
  const clearOne = db.prepare('DELETE FROM photo_tags WHERE tag_id = ?');
  const clearTagged = db.prepare('DELETE FROM tagged');
  const ofPhoto = db.prepare<[number, number], { tagId: number; name: string; probability: number }>(
    `SELECT t.id AS tagId, t.name, pt.probability FROM photo_tags pt JOIN tags t ON t.id = pt.tag_id
     WHERE pt.model_id = ? AND pt.photo_id = ? ORDER BY pt.probability DESC, t.id`,
  );
  const counts = db
    .prepare<[number], [number, number]>(
      'SELECT tag_id, count(*) FROM photo_tags WHERE model_id = ? GROUP BY tag_id',
    )
    .raw();
  const photos = db
    .prepare<[number, number], number>(
      'SELECT photo_id FROM photo_tags WHERE tag_id = ? AND model_id = ? ORDER BY photo_id',
    )
    .pluck();
  const untagged = db
    .prepare<{ model: number; after: number; limit: number }, number>(
      // By the index, which has all that is asked for: the rows themselves are a kilobyte each.
      `SELECT e.key - @model * 4294967296 FROM embeddings e INDEXED BY embeddings_by_generation
       LEFT JOIN tagged t ON t.model_id = @model AND t.photo_id = e.key - @model * 4294967296
       WHERE e.model_id = @model AND e.key > @model * 4294967296 + @after
         AND (t.generation IS NULL OR t.generation < e.generation)
       ORDER BY e.key LIMIT @limit`,
    )
    .pluck();

  const toRow = ({ id, name, prompts }: RawTag): TagRow => ({
    id,
    name,
    prompts: parsePrompts(prompts, path),
  });
  return {
    list: () => list.all().map(toRow),
    has: (name) => byName.get(foldText(name.trim())) !== undefined,
    set: (tag) =>
      db.transaction(() => {
        const name = tag.name.trim();
        const folded = foldText(name);
        const holder = byName.get(folded);
        if (name === '') throw new AppError('input-invalid', 'A tag needs a name.');
        if (holder !== undefined && holder !== tag.id)
          throw new AppError(
            'input-invalid',
            `There is a tag named "${name}" already. Choose another name.`,
            {
              details: { name },
            },
          );
        const prompts = JSON.stringify(tag.prompts);
        if (tag.id !== undefined && update.run(name, folded, prompts, tag.id).changes === 0)
          throw new AppError('not-found', 'The tag is not there any more.', { details: { tagId: tag.id } });
        const id = tag.id ?? Number(insert.run(name, folded, prompts).lastInsertRowid);
        words.setTag(id, name);
        words.bump();
        const raw = get.get(id);
        if (raw === undefined) throw new Error(`the tag ${name} vanished while it was written`);
        return toRow(raw);
      })(),
    remove(id) {
      db.transaction(() => {
        if (remove.run(id).changes > 0) words.bump();
      })();
    },
    assign(modelId, rows) {
      db.transaction(() => {
        for (const { photoId, tags } of rows) {
          const generation = generationOf.get(modelId, photoId);
          // Gone while it was being looked at.
          if (generation === undefined) continue;
          forgetPhoto.run(modelId, photoId);
          for (const { tagId, probability } of tags) assign.run(modelId, photoId, probability, tagId);
          setTagged.run(modelId, photoId, generation);
        }
        words.bump();
      })();
    },
    clear(tagId) {
      db.transaction(() => {
        if (tagId === undefined) clearAll.run();
        else clearOne.run(tagId);
        clearTagged.run();
        words.bump();
      })();
    },
    ofPhoto: (modelId, photoId) => ofPhoto.all(modelId, photoId),
    counts: (modelId) => new Map(counts.all(modelId)),
    photos: (modelId, tagId) => photos.all(tagId, modelId),
    untagged: (modelId, { limit, afterId = 0 }) => untagged.all({ model: modelId, after: afterId, limit }),
  };
}

function parsePrompts(json: string, path: string): string[] {
  try {
    return promptList.parse(JSON.parse(json));
  } catch (thrown) {
    if (thrown instanceof SyntaxError || thrown instanceof z.ZodError)
      throw damaged(path, 'the prompts of a tag cannot be read', thrown);
    throw thrown;
  }
}
