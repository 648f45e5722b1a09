/** Both languages say everything, and say it in their own script. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { errorCodes } from '../../../main/errors.ts';
import { en } from '../../../renderer/src/i18n/en.ts';
import { formatsFor } from '../../../renderer/src/i18n/format.ts';
import { zhCN } from '../../../renderer/src/i18n/zh-CN.ts';

function leaves(value: unknown, path = ''): [string, unknown][] {
  if (typeof value !== 'object' || value === null) return [[path, value]];
  return Object.entries(value).flatMap(([key, inner]) => leaves(inner, `${path}.${key}`));
}

test('the two catalogues have the same sentences', () => {
  const keys = (words: unknown): string[] =>
    leaves(words)
      .map(([path]) => path)
      // What a pack is good at comes in English from its manifest.
      .filter((path) => !path.startsWith('.settings.model.about'))
      .sort();
  assert.deepEqual(keys(zhCN), keys(en));
});

test('every error code has what happened and what to do, in both languages', () => {
  for (const code of Object.keys(errorCodes) as (keyof typeof errorCodes)[]) {
    assert.match(en.errors[code].what, /^[A-Z].*\.$/);
    assert.match(en.errors[code].remedy, /\.$/);
    assert.match(zhCN.errors[code].what, /\p{Script=Han}.*。$/u);
    assert.match(zhCN.errors[code].remedy, /。$/);
  }
});

test('no Chinese sentence was left in English', () => {
  const borrowed = /^(Afterimage|English)$/;
  for (const [path, value] of leaves(zhCN)) {
    if (typeof value !== 'string' || borrowed.test(value)) continue;
    // Questions to try are asked as they stand, and the models that ship read English.
    if (/^\.askPlace\.(questionPlaceholder$|pairs\.)/.test(path)) continue;
    assert.match(value, /\p{Script=Han}/u, path);
  }
});

test('counts are said in the singular and the plural', () => {
  assert.equal(en.photos(1), '1 photo');
  assert.equal(en.photos(1_204), '1,204 photos');
  assert.equal(en.progress.failed(1), '1 file could not be read');
  assert.equal(zhCN.photos(1_204), '1,204 张照片');
  assert.equal(en.search.counts(0, 3), '3 likely');
  assert.equal(en.duration(59), 'less than a minute');
  assert.equal(en.duration(4_500), '1 h 15 min');
});

test('sizes, months and times are written as the language does', () => {
  const f = formatsFor('en');
  assert.equal(f.bytes(752_000_000), '752 MB');
  assert.equal(f.bytes(2_400_000), '2.4 MB');
  assert.equal(f.month('2024-03'), 'March 2024');
  assert.equal(formatsFor('zh-CN').month('2024-03'), '2024年3月');
  assert.equal(f.ago(0, 3 * 3_600_000), '3 hours ago');
});
