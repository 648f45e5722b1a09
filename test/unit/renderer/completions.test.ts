/** Completing names of albums and tags at the caret of the search bar. */
import assert from 'node:assert/strict';
import test from 'node:test';
import {
  completed,
  completionsFor,
  nameWantedAt,
  quoted,
  wantedAt,
} from '../../../renderer/src/state/completions.ts';

function wanted(text: string, caret = text.length): NonNullable<ReturnType<typeof wantedAt>> {
  const found = wantedAt(text, caret);
  assert.ok(found !== undefined, text);
  return found;
}

test('a name is wanted after its key, at the caret only, in quotes or without, in either language', () => {
  assert.deepEqual(wanted('album:'), { kind: 'album', typed: '', start: 0, end: 6 });
  assert.deepEqual(wanted('dog album:Sum'), { kind: 'album', typed: 'Sum', start: 4, end: 13 });
  assert.deepEqual(wanted('album:"Summer by'), { kind: 'album', typed: 'Summer by', start: 0, end: 16 });
  assert.deepEqual(wanted('dog -tag:sn'), { kind: 'tag', typed: 'sn', start: 5, end: 11 });
  assert.equal(wanted('标签:雪').kind, 'tag');
  for (const text of ['album', 'dog', 'album:Lake ', 'album:"Lake" ', 'myalbum:x', 'in:album']) {
    assert.equal(wantedAt(text, text.length), undefined, text);
  }
  assert.equal(wantedAt('album:Lake dog', 14), undefined);
});

test('names that begin with what was typed come first, and one that is complete is not offered', () => {
  const names = ['Last summer', 'Summer by the lake', 'Snow', 'snow days'];
  assert.deepEqual(completionsFor(wanted('album:summ'), names), ['Summer by the lake', 'Last summer']);
  assert.deepEqual(completionsFor(wanted('album:SNOW'), names), ['Snow', 'snow days']);
  assert.deepEqual(completionsFor(wanted('album:"last summer'), names), []);
  assert.deepEqual(completionsFor(wanted('album:x'), names), []);
  assert.equal(
    completionsFor(
      wanted('tag:'),
      Array.from({ length: 99 }, (_, at) => `tag ${at}`),
    ).length,
    8,
  );
});

test('a choice replaces the whole unfinished name, quoted where it has spaces, and leaves the rest', () => {
  const text = 'dog album:Su after:2020';
  assert.deepEqual(completed(text, wanted(text, 12), 'Summer by the lake'), {
    text: 'dog album:"Summer by the lake" after:2020',
    caret: 31,
  });
  const inside = 'album:"Summer at home" dog';
  assert.equal(completed(inside, wanted(inside, 10), 'Snow').text, 'album:Snow dog');
  assert.equal(quoted('he said "hi"'), '"he said hi"');
});

test('a taught name is completed where a word of its beginning is typed, in a script with spaces or without', () => {
  const names = ['Rex', 'our house', '豆豆'];
  const at = (text: string, caret = text.length) => nameWantedAt(text, caret, names);
  assert.deepEqual(at('re'), { kind: 'name', typed: 're', start: 0, end: 2 });
  assert.deepEqual(at('beach -Re'), { kind: 'name', typed: 'Re', start: 7, end: 9 });
  assert.deepEqual(at('snow our ho'), { kind: 'name', typed: 'our ho', start: 5, end: 11 });
  assert.deepEqual(at('海滩上的豆'), { kind: 'name', typed: '豆', start: 4, end: 5 });
  for (const text of ['', 'r', 'Rex', 'rex', 'fire', 'our house', 'house', 'Rex ', '豆豆'])
    assert.equal(at(text), undefined, text);
  const wantedName = at('a re on a beach', 4);
  assert.ok(wantedName !== undefined);
  assert.deepEqual(completionsFor(wantedName, names), ['Rex']);
  assert.deepEqual(completed('a re on a beach', wantedName, 'Rex'), { text: 'a Rex on a beach', caret: 6 });
  const house = at('our');
  assert.ok(house !== undefined);
  assert.equal(completed('our', house, 'our house').text, 'our house ');
});
