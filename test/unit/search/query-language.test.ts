/** The query language: what people type, in two languages and with any keyboard, becomes one plan. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { parseQuery } from '../../../main/engine/search/query-language.ts';
import { seededRandom } from './seeded-random.ts';

const now = Date.UTC(2024, 4, 15, 12);
const known = { album: (name: string) => name === 'Summer 2021', tag: (name: string) => name === 'dog' };
const parse = (typed: string) => parseQuery(typed, now, known);
const kinds = (typed: string) => parse(typed).chips.map((chip) => `${chip.kind}=${chip.value}`);

test('words alone are free text and filter nothing', () => {
  const parsed = parse('  red   car at night ');
  assert.equal(parsed.text, 'red car at night');
  assert.equal(parsed.filter, undefined);
  assert.deepEqual(parsed.chips, [
    { kind: 'text', value: 'red   car at night', weight: 1, span: [2, 20], problem: null },
  ]);
});

test('a dash before a word or a quotation excludes it', () => {
  assert.deepEqual(parse('beach -people -"red umbrella" －雪').without, ['people', 'red umbrella', '雪']);
  assert.deepEqual(parse('beach -without people').without, ['people']);
  assert.deepEqual(parse('beach without:"two dogs"').without, ['two dogs']);
  assert.equal(parse('beach -people').text, 'beach');
  assert.equal(parse('beach -people').chips[1]?.weight, -1);
});

test('a dash inside a word, alone or before punctuation is no negative', () => {
  for (const typed of ['t-shirt', 'a - b', '--', '->', '-', 'beach -'])
    assert.deepEqual(parse(typed).without, [], typed);
  assert.equal(parse('t-shirt').text, 't-shirt');
  assert.equal(parse('-').text, '');
});

test('a quotation wants exactly its words in what a photo is called', () => {
  const parsed = parse('cake "happy birthday"');
  assert.equal(parsed.text, 'cake');
  assert.deepEqual(parsed.filter, { phrases: ['happy birthday'] });
  assert.deepEqual(kinds('cake “happy birthday” 「生日」'), [
    'text=cake',
    'phrase=happy birthday',
    'phrase=生日',
  ]);
});

test('a quotation that is still being typed runs to the end', () => {
  assert.deepEqual(parse('"happy birth').filter, { phrases: ['happy birth'] });
  assert.equal(parse('a 5" pipe').text, 'a 5" pipe');
  assert.equal(parse('""').filter, undefined);
});

test('filters take plain and quoted values', () => {
  assert.deepEqual(parse('in:"Summer 2019" in:raw camera:canon type:jpg,png').filter, {
    in: ['Summer 2019', 'raw'],
    camera: ['canon'],
    formats: ['jpeg', 'jpg', 'png'],
  });
  assert.deepEqual(parse('type:heic').filter, { formats: ['heic', 'heif'] });
  assert.deepEqual(parse('is:offline').filter, { offline: true });
});

test('after includes the start of what is named and before excludes it', () => {
  assert.deepEqual(parse('after:2021 before:2022-03').filter, {
    after: Date.UTC(2021, 0, 1),
    before: Date.UTC(2022, 2, 1),
  });
  assert.deepEqual(parse('after:2021-05-03').filter, { after: Date.UTC(2021, 4, 3) });
  assert.deepEqual(parse('after:2020 after:2021 before:2023 before:2022').filter, {
    after: Date.UTC(2021, 0, 1),
    before: Date.UTC(2022, 0, 1),
  });
});

test('dates can be said relative to today', () => {
  const after = (typed: string) => parse(typed).filter?.after;
  assert.equal(after('after:today'), Date.UTC(2024, 4, 15));
  assert.equal(after('after:yesterday'), Date.UTC(2024, 4, 14));
  assert.equal(after('after:"last week"'), Date.UTC(2024, 4, 6));
  assert.equal(after('after:last-month'), Date.UTC(2024, 3, 1));
  assert.equal(after('after:last year dogs'), Date.UTC(2023, 0, 1));
  assert.equal(parse('after:last year dogs').text, 'dogs');
  assert.equal(after('after:去年'), Date.UTC(2023, 0, 1));
  assert.equal(after('after:上个月'), Date.UTC(2024, 3, 1));
});

test('Chinese and full-width punctuation works as the plain one does', () => {
  assert.deepEqual(parse('狗 after：２０２１年５月 in：“旅行 照片”').filter, {
    after: Date.UTC(2021, 4, 1),
    in: ['旅行 照片'],
  });
  assert.deepEqual(kinds('类型：jpg　狗'), ['type=jpg', 'text=狗']);
});

test('albums and tags are asked for by name, in two languages', () => {
  assert.deepEqual(parse('album:"Summer 2021" tag:dog beach').filter, {
    albums: ['Summer 2021'],
    tags: ['dog'],
  });
  assert.deepEqual(kinds('标签:dog 相册：“Summer 2021”'), ['tag=dog', 'album=Summer 2021']);
  for (const [typed, problem] of [
    ['album:Rome', 'There is no album named "Rome".'],
    ['tag:cat', 'There is no tag named "cat".'],
  ] as const) {
    const { chips, filter } = parse(typed);
    assert.deepEqual([chips[0]?.problem, filter], [problem, undefined]);
  }
});

test('photos with and without a caption can be told apart', () => {
  assert.deepEqual(parse('is:captioned').filter, { captioned: true });
  assert.deepEqual(parse('is:Uncaptioned is:online').filter, { captioned: false, offline: false });
});

test('quotes around marks alone say nothing', () => {
  const { chips, filter } = parse('"?!"');
  assert.deepEqual([chips[0]?.kind, filter], ['phrase', undefined]);
  assert.match(chips[0]?.problem ?? '', /no words/);
});

test('what looks like a filter but is none is text', () => {
  for (const typed of ['http://x.org', 'foo:bar', '12:30', ':', 'constructor:x', '__proto__:x'])
    assert.deepEqual(parse(typed).filter, undefined, typed);
  assert.equal(parse('foo:bar').text, 'foo:bar');
});

test('a value that makes no sense is a problem of its chip and filters nothing', () => {
  for (const typed of [
    'after:someday',
    'after:2021-13',
    'after:2021-02-30',
    'after:0021',
    'type:docx',
    'in:',
    'is:nice',
    'without:""',
  ]) {
    const parsed = parse(`dog ${typed}`);
    assert.equal(parsed.filter, undefined, typed);
    assert.equal(typeof parsed.chips[1]?.problem, 'string', typed);
    assert.equal(parsed.text, 'dog', typed);
  }
});

test('an emoji is text and dots are not', () => {
  assert.equal(parse('🏖️').text, '🏖️');
  assert.equal(parse('...').text, '');
  assert.equal(parse('').text, '');
});

test('any string gives ordered, exact spans that cover everything but white space', () => {
  const random = seededRandom(7);
  const pieces = [
    '-',
    '－',
    '"',
    '“',
    '”',
    '「',
    '」',
    ':',
    '：',
    'in:',
    'after:',
    'last year',
    'type:',
    'x',
    '狗',
    '🏖️',
    '\ud800',
    ' ',
    '\t',
    '　',
    '\u0000',
    '2021-05',
    'without',
    ',',
  ];
  for (let round = 0; round < 4_000; round++) {
    const length = Math.floor(random() * 24);
    let typed = '';
    for (let i = 0; i < length; i++) typed += pieces[Math.floor(random() * pieces.length)] ?? '';
    const parsed = parse(typed);
    let at = 0;
    for (const { span, value, kind } of parsed.chips) {
      assert.ok(
        span !== null && span[0] >= at && span[1] > span[0] && span[1] <= typed.length,
        JSON.stringify(typed),
      );
      assert.match(typed.slice(at, span[0]), /^\s*$/u, JSON.stringify(typed));
      if (kind === 'text') assert.equal(typed.slice(...span), value);
      else assert.ok(typed.slice(...span).includes(value), JSON.stringify(typed));
      at = span[1];
    }
    assert.match(typed.slice(at), /^\s*$/u, JSON.stringify(typed));
  }
});

test('two thousand characters of anything are parsed at once', () => {
  for (const piece of ['-', '"', 'in:', 'after:last ', 'a:', '- ', '“', '-without ']) {
    const typed = piece.repeat(2_000 / piece.length).slice(0, 2_000);
    const startedAt = performance.now();
    parse(typed);
    assert.ok(performance.now() - startedAt < 100, piece);
  }
});
