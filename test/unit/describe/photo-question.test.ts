/** Questions about many photos, as they are put to each; and what the answers say. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { isPlural, toPhotoQuestion } from '../../../main/engine/describe/photo-question.ts';
import { answerKey, cleanQuestion } from '../../../main/engine/describe/questions.ts';
import { foldAnswer, yesOrNo } from '../../../main/engine/describe/verdict.ts';

const asked: Readonly<Record<string, string>> = {
  'which of these have a dog on a lead?': 'is there a dog on a lead?',
  'Which ones show people?': 'are there people?',
  'which of my photos show snow?': 'is there snow?',
  'which photos with two cats': 'are there two cats?',
  'which of them are dogs?': 'are there dogs?',
  'which of them are pictures of dogs': 'are there dogs?',
  'which of these pictures is black and white?': 'is it black and white?',
  'which of these were taken at night?': 'was it taken at night?',
  'which one looks happy?': 'does it look happy?',
  'which of these have children playing in the snow?': 'are there children playing in the snow?',
  'what photos show a bus': 'is there a bus?',
  'how many of these are indoors?': 'is it indoors?',
  'How many of these photos have bicycles?': 'are there bicycles?',
  'how many show a tree?': 'is there a tree?',
  'do any of these show a dog?': 'is there a dog?',
  'does any of them have a bicycle?': 'is there a bicycle?',
  'have any of these got a boat?': 'is there a boat?',
  'are any of these outdoors?': 'is it outdoors?',
  'are there any photos with a red car?': 'is there a red car?',
  'any with a dog?': 'is there a dog?',
  'in which of these is it raining?': 'is it raining?',
  'in how many of the photos are there people wearing hats?': 'are there people wearing hats?',
  'show me the ones with flowers': 'are there flowers?',
  'find photos of the eiffel tower': 'does it show the eiffel tower?',
  'can you tell me which of these have a cat?': 'is there a cat?',
  'is there a dog?': 'is there a dog?',
  'Are these indoors?': 'is this indoors?',
};
for (const [typed, put] of Object.entries(asked))
  test(`"${typed}" is asked of each photo as "${put}"`, () => {
    assert.deepEqual(toPhotoQuestion(typed), { question: put, kind: 'yes-no', negated: false });
  });

const turnedRound: Readonly<Record<string, string>> = {
  'which photos have no people?': 'are there people?',
  "which of these don't have a car?": 'is there a car?',
  'which of these don’t show a car?': 'is there a car?',
  'which ones are without snow?': 'is there snow?',
  'which of these lack a horse?': 'is there a horse?',
  'which of these are not sharp?': 'is it sharp?',
};
for (const [typed, put] of Object.entries(turnedRound))
  test(`"${typed}" wants the photos for which "${put}" is a no`, () => {
    assert.deepEqual(toPhotoQuestion(typed), { question: put, kind: 'yes-no', negated: true });
  });

const open: Readonly<Record<string, string>> = {
  'what colour is the car?': 'what colour is the car?',
  'Which animal is it?': 'Which animal is it?',
  'which sport is it': 'which sport is it',
  'what are they doing?': 'what are they doing?',
  'how many people are there?': 'how many people are there?',
  'how many people are in these photos?': 'how many people are in this photo?',
  'what is in these pictures?': 'what is in this photo?',
  '这是什么？': '这是什么？',
};
for (const [typed, put] of Object.entries(open))
  test(`"${typed}" is an open question`, () => {
    assert.deepEqual(toPhotoQuestion(typed), { question: put, kind: 'open', negated: false });
  });

test('one and many are told apart by determiner, then by the head of the phrase', () => {
  for (const many of [
    'dogs',
    'people on a beach',
    'three trees',
    'a few cars',
    'some children',
    'red buses in snow',
  ])
    assert.equal(isPlural(many), true, many);
  for (const one of [
    'a dog',
    'snow',
    'a man with two dogs',
    'grass',
    'someone smiling',
    'glass on a table',
    'a bus',
  ])
    assert.equal(isPlural(one), false, one);
});

test('a question is one line without invisible characters, and known again in other capitals', () => {
  assert.equal(cleanQuestion('  What\n\tis\u00a0 this \u200b? '), 'What is this ?');
  assert.equal(cleanQuestion(' \n\u2028 '), '');
  assert.equal(answerKey('What is this?', []), answerKey('what is this', []));
  assert.equal(answerKey('这是什么？', []), answerKey('这是什么', []));
  assert.notEqual(answerKey('What is this?', []), answerKey('What is that?', []));
  assert.notEqual(answerKey('???', []), answerKey('!', []));
  assert.notEqual(
    answerKey('And now?', [{ question: 'What is it?', answer: 'a dog' }]),
    answerKey('And now?', [{ question: 'What is it?', answer: 'a cat' }]),
  );
});

const choices = (given: Record<string, number>) =>
  Object.entries(given).map(([answer, probability]) => ({ answer, probability }));

test('yes and no come from the answer, from its first word, or from what was considered', () => {
  const said = (answer: string, given: Record<string, number>, sure = true) =>
    yesOrNo({ answer, sure, confidence: 0.7, answers: choices(given) });
  assert.deepEqual(said('yes', { yes: 0.8, no: 0.2 }), { says: 'yes', confidence: 0.7 });
  assert.equal(said('No, there is no dog.', { 'No, there is no dog.': 0.9 }).says, 'no');
  assert.equal(said('Yes', {}).says, 'yes');
  // The name of the thing came first, but of yes and no one is far likelier.
  assert.deepEqual(said('dog', { dog: 0.5, yes: 0.36, no: 0.04 }), {
    says: 'yes',
    confidence: 0.36,
  });
  assert.equal(said('dog', { dog: 0.5, yes: 0.2, no: 0.2 }).says, 'unsure');
  assert.equal(said('dog', { dog: 0.9, yes: 0.05 }).says, 'unsure');
  assert.equal(said('', { yes: 0.3, no: 0.28 }, false).says, 'unsure');
  // Words that only begin alike say neither.
  assert.equal(said('nothing', { nothing: 0.9 }).says, 'unsure');
});

test('answers are counted together whatever their case, article and full stop', () => {
  assert.equal(foldAnswer('A red car.'), foldAnswer('red car'));
  assert.notEqual(foldAnswer('red'), foldAnswer('reddish'));
});
