import assert from 'node:assert/strict';
import test from 'node:test';
import { highlight } from '../../../renderer/src/viewer/highlight.ts';

const hits = (text: string, ...words: string[]): string[] =>
  highlight(text, words).flatMap((piece) => (piece.hit ? [piece.text] : []));

test('the pieces joined are the text again', () => {
  const text = 'Two dogs, running — on a Café terrace.';
  for (const words of [[], ['dog'], ['dog', 'run', 'cafe'], ['nothing']]) {
    assert.equal(
      highlight(text, words)
        .map((piece) => piece.text)
        .join(''),
      text,
    );
  }
});

test('words are found in other forms, cases and accents', () => {
  assert.deepEqual(hits('Two dogs running past a Café', 'dog', 'run', 'cafe'), ['dogs', 'running', 'Café']);
  assert.deepEqual(hits('a pony', 'ponies'), ['pony']);
  assert.deepEqual(hits('she swims', 'swimming'), ['swims']);
});

test('a word inside another one is not a hit', () => {
  assert.deepEqual(hits('a carpet in the category', 'car', 'cat'), []);
  assert.deepEqual(hits('is it an ice rink', 'i'), []);
});

test('Chinese is found anywhere, without spaces', () => {
  assert.deepEqual(hits('湖边的木头码头上有一只狗', '码头', '狗'), ['码头', '狗']);
});

test('words that overlap are marked once', () => {
  assert.deepEqual(hits('木码头', '码头', '木码'), ['木码']);
  assert.deepEqual(hits('a dog', 'dog', 'dogs'), ['dog']);
});
