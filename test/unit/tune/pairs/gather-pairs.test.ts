import assert from 'node:assert/strict';
import test from 'node:test';
import { gatherPairs, surveyPairs } from '../../../../main/engine/tune/pairs/gather-pairs.ts';
import { learningLibrary } from '../../../fixtures/learning-library.ts';

test('thumbs, names, captions by hand and albums become pairs, and a survey counts the same', async (t) => {
  const library = learningLibrary(t);
  const { gathered, report } = await gatherPairs(library.options());
  assert.ok(gathered !== null);
  assert.deepEqual(report.sources, [
    { source: 'thumbs', pairs: 18, photos: 18 },
    // Two of six dogs have a thumb up for "dog" as well, which counts more than what Rex is.
    { source: 'names', pairs: 8, photos: 6 },
    { source: 'captions', pairs: 32, photos: 32 },
    { source: 'albums', pairs: 16, photos: 16 },
  ]);
  assert.equal(report.pairs, 74);
  assert.equal(gathered.sources.length, 74);
  assert.equal(report.negatives, 9);
  assert.equal(report.problem, null);
  assert.match(report.skipped[0]?.reason ?? '', /"2019" is left out/);
  assert.deepEqual(await surveyPairs(library.options()), report);
});
