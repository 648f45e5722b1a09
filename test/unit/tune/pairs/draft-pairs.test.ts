/** Of very many pairs some are drawn, the same ones each time. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { draftPairs } from '../../../../main/engine/tune/pairs/draft-pairs.ts';
import { PhotoBook } from '../../../../main/engine/tune/pairs/photo-book.ts';
import type { Statement } from '../../../../main/engine/tune/pairs/statements.ts';
import { learningLibrary, today } from '../../../fixtures/learning-library.ts';

test('at most fifty thousand pairs are used, whatever order they come in', async (t) => {
  const { store, modelId } = learningLibrary(t, { silent: true, photos: 12 });
  const book = new PhotoBook(store, modelId);
  const statements = Array.from({ length: 50_500 }, (_, n): Statement => ({
    ...{ source: 'file', at: null, worth: 1, line: n + 2 },
    text: `caption number ${String(n)}`,
    photo: book.ofPath(`/p/${String(n % 100)}.jpg`, `${String(n % 100)}.jpg`),
  }));
  const draft = async (said: Statement[]) =>
    draftPairs({ statements: said, against: [], skipped: [] }, book, { now: today, seed: 3 });
  const [one, other] = [await draft(statements), await draft(statements.toReversed())];
  assert.deepEqual([one.pairs.length, one.found], [50_000, 50_500]);
  assert.deepEqual(one.pairs, other.pairs);
});
