/** Questions about single photos: cleaned, answered once, remembered with the pack that answered. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { silentLog } from '../../../main/engine/log.ts';
import { suggestQuestions } from '../../../main/engine/describe/question-suggestions.ts';
import { AppError } from '../../../main/errors.ts';
import { describedLibrary, listening } from './described-library.ts';
import { scriptedModel } from './scripted-model.ts';

const bare = { turns: [], again: false };

test('a question is answered once for a photo, however it is written', async (t) => {
  const library = describedLibrary(t, 1);
  const [photoId = 0] = library.ids;
  library.model.reply = () => ({
    text: 'a dog',
    confidence: 0.9,
    answers: [
      { answer: 'a dog', probability: 0.9 },
      { answer: 'a cat', probability: 0.05 },
    ],
  });
  const first = await library.asking.photo({ photoId, question: '  What\nis this? ', ...bare }, listening);
  assert.deepEqual([first.question, first.answer, first.cached], ['What is this?', 'a dog', false]);
  assert.equal(first.answers.length, 2);
  const second = await library.asking.photo({ photoId, question: 'what is THIS', ...bare }, listening);
  assert.deepEqual([second.answer, second.cached, second.seconds], ['a dog', true, 0]);
  assert.equal(library.model.requests.length, 1);
  await library.asking.photo({ photoId, question: 'what is this', turns: [], again: true }, listening);
  assert.equal(library.model.requests.length, 2);
  assert.equal(
    library.asking.history(photoId).answers.length,
    1,
    'an answer given again replaces the former',
  );
});

test('another model is asked anew, and the former answer stays in the history under its pack', async (t) => {
  const library = describedLibrary(t, 1);
  const [photoId = 0] = library.ids;
  library.model.reply = () => ({ text: 'a dog' });
  await library.asking.photo({ photoId, question: 'What is this?', ...bare }, listening);
  library.model = scriptedModel({
    packId: 'newer',
    fingerprint: 'c'.repeat(32),
    reply: () => ({ text: 'a wolf' }),
  });
  const answer = await library.asking.photo({ photoId, question: 'What is this?', ...bare }, listening);
  assert.deepEqual([answer.answer, answer.cached], ['a wolf', false]);
  assert.deepEqual(
    library.asking.history(photoId).answers.map((kept) => [kept.packId, kept.answer]),
    [
      ['scripted', 'a dog'],
      ['newer', 'a wolf'],
    ],
  );
  library.asking.forget(photoId);
  assert.deepEqual(library.asking.history(photoId).answers, []);
});

test('what was said before matters to packs that follow it, and to no others', async (t) => {
  const library = describedLibrary(t, 1);
  const [photoId = 0] = library.ids;
  const turns = [{ question: 'What is it?', answer: 'a car' }];
  const question = 'What colour?';
  await library.asking.photo({ photoId, question, ...bare }, listening);
  assert.equal(
    (await library.asking.photo({ photoId, question, turns, again: false }, listening)).cached,
    true,
  );
  library.model = scriptedModel({ followsTurns: true, fingerprint: 'd'.repeat(32) });
  await library.asking.photo({ photoId, question, ...bare }, listening);
  assert.equal(
    (await library.asking.photo({ photoId, question, turns, again: false }, listening)).cached,
    false,
  );
  assert.deepEqual(library.model.requests.at(-1)?.turns, turns);
});

test('an unsure answer is empty, with what was considered', async (t) => {
  const library = describedLibrary(t, 1);
  const [photoId = 0] = library.ids;
  library.model.reply = () => ({
    text: '',
    sure: false,
    confidence: 0.15,
    answers: [{ answer: 'dog', probability: 0.15 }],
  });
  const answer = await library.asking.photo({ photoId, question: 'What is this?', ...bare }, listening);
  assert.deepEqual([answer.answer, answer.sure, answer.answers[0]?.answer], ['', false, 'dog']);
});

test('an empty question and one of 10,000 characters are told apart from others, by name', async (t) => {
  const library = describedLibrary(t, 1);
  const [photoId = 0] = library.ids;
  await assert.rejects(library.asking.photo({ photoId, question: ' \n ', ...bare }, listening), {
    code: 'input-invalid',
    message: /empty/,
  });
  await assert.rejects(library.asking.photo({ photoId, question: 'a'.repeat(10_000), ...bare }, listening), {
    code: 'input-invalid',
    message: /10000 characters/,
  });
  await assert.rejects(library.asking.photo({ photoId: 999, question: 'What?', ...bare }, listening), {
    code: 'not-found',
  });
  assert.deepEqual(library.asking.history(photoId).answers, []);
});

test('suggestions follow what the photo shows, and are never about what it does not', async (t) => {
  const library = describedLibrary(t, 2);
  const [photoId = 0, other = 0] = library.ids;
  const options = {
    store: library.store,
    log: silentLog,
    tagsOf: (id: number) => (id === photoId ? ['dog', 'beach'] : []),
    classify: (_id: number, labels: string[]) =>
      Promise.resolve(labels.map((label) => ({ label, probability: label === 'an animal' ? 0.9 : 0.01 }))),
    isTalkative: () => Promise.resolve(false),
  };
  const ofDog = await suggestQuestions(options, photoId, listening.signal);
  assert.deepEqual(ofDog.slice(0, 3), ['What is this?', 'What animal is it?', 'What colour is the dog?']);
  assert.ok(ofDog.includes('What is the weather like?'));
  assert.equal(
    ofDog.some((question) => /food|sport|room|vehicle/.test(question)),
    false,
  );
  // Nothing is known of the other, and the model that would look at it is missing.
  const blind = {
    ...options,
    classify: () => Promise.reject(new AppError('pack-missing', 'No pack.')),
    isTalkative: () => Promise.reject(new AppError('pack-missing', 'No pack.')),
  };
  assert.deepEqual(await suggestQuestions(blind, other, listening.signal), [
    'What is this?',
    'Is it indoors or outdoors?',
  ]);
  library.captions.set({ photoId: other, text: 'a plate of pizza in a kitchen' });
  const ofPizza = await suggestQuestions(blind, other, listening.signal);
  assert.ok(ofPizza.includes('What food is this?') && ofPizza.includes('What room is this?'));
  await assert.rejects(suggestQuestions(options, 999, listening.signal), { code: 'not-found' });
});
