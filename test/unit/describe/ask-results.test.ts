/** One question for many photos: sides taken, answers counted, early results, and nothing half kept. */
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import type { Hit, ResultsAnswer } from '../../../main/contract.ts';
import { askResults } from '../../../main/engine/describe/ask-results.ts';
import { describedLibrary, listening, type DescribedLibrary } from './described-library.ts';
import { died } from './scripted-model.ts';

const hitsOf = ({ store, ids, photos }: DescribedLibrary): Hit[] =>
  ids.map((id) => {
    const name = store.photos.get(id)?.relPath ?? '';
    return {
      id,
      name,
      width: 4,
      height: 4,
      takenAt: 0,
      path: join(photos, name),
      rootId: 1,
      offline: false,
      score: 0.2,
      band: 'strong',
      foundBy: 'looks',
      copies: 0,
    };
  });
const names = (side: ResultsAnswer['supporting']): string[] => side.map(({ photo }) => photo.name);
const ask = (
  library: DescribedLibrary,
  question: string,
  parts: {
    signal?: AbortSignal;
    onProgress?: (step: { done: number; total: number; early: ResultsAnswer }) => void;
  } = {},
): Promise<ResultsAnswer> =>
  askResults(
    { asking: library.asking, now: Date.now },
    {
      question,
      hits: hitsOf(library),
      signal: parts.signal ?? listening.signal,
      onProgress: parts.onProgress ?? (() => undefined),
    },
  );

const yesNo: Record<string, { text: string; confidence: number; sure?: boolean }> = {
  'photo 1.jpg': { text: 'yes', confidence: 0.7 },
  'photo 2.jpg': { text: 'no', confidence: 0.9 },
  'photo 3.jpg': { text: '', confidence: 0.3, sure: false },
  'photo 4.jpg': { text: 'yes', confidence: 0.95 },
};

test('a yes-no question takes sides, the surest first, with early answers', async (t) => {
  const library = describedLibrary(t, 4);
  library.model.reply = ({ name }) => yesNo[name] ?? {};
  const steps: { done: number; total: number; early: ResultsAnswer }[] = [];
  const result = await ask(library, 'Which of these have a dog?', {
    onProgress: (step) => void steps.push(step),
  });
  assert.equal(result.question, 'Which of these have a dog?');
  assert.equal(result.answer, '2 of 4 photos');
  assert.deepEqual(names(result.supporting), ['photo 4.jpg', 'photo 1.jpg']);
  assert.deepEqual(names(result.opposing), ['photo 2.jpg']);
  assert.deepEqual(names(result.unsure), ['photo 3.jpg']);
  assert.deepEqual(result.tally, [
    { answer: 'yes', photos: 2 },
    { answer: 'no', photos: 1 },
  ]);
  assert.deepEqual(
    library.model.requests.map(({ question }) => question),
    Array(4).fill('is there a dog?'),
  );
  assert.deepEqual(
    steps.map(({ done, total }) => [done, total]),
    [
      [1, 4],
      [2, 4],
      [3, 4],
      [4, 4],
    ],
  );
  assert.equal(steps[1]?.early.answer, '1 of 2 photos');
  assert.deepEqual({ ...steps[3]?.early, seconds: 0 }, { ...result, seconds: 0 });
});

test('a question with no in it wants the other side', async (t) => {
  const library = describedLibrary(t, 4);
  library.model.reply = ({ name }) => yesNo[name] ?? {};
  const result = await ask(library, 'which photos have no dog?');
  assert.deepEqual([result.answer, names(result.supporting)], ['1 of 4 photos', ['photo 2.jpg']]);
  assert.deepEqual(names(result.opposing), ['photo 4.jpg', 'photo 1.jpg']);
});

test('other questions are counted, and the commonest answer is what they come to', async (t) => {
  const library = describedLibrary(t, 4);
  const colours: Record<string, string> = {
    'photo 1.jpg': 'Red',
    'photo 2.jpg': 'blue',
    'photo 3.jpg': 'red.',
  };
  library.model.reply = ({ name }) => {
    const text = colours[name] ?? '';
    return { text, sure: text !== '' };
  };
  const result = await ask(library, 'what colour is the car?');
  assert.equal(result.answer, 'red: 2 of 4 photos');
  assert.deepEqual(result.tally, [
    { answer: 'red', photos: 2 },
    { answer: 'blue', photos: 1 },
  ]);
  assert.deepEqual([names(result.opposing), names(result.unsure)], [['photo 2.jpg'], ['photo 4.jpg']]);
});

test('answers are kept photo by photo: a cancel loses none, and asking again goes on from there', async (t) => {
  const library = describedLibrary(t, 4);
  library.model.reply = () => ({ text: 'yes' });
  const controller = new AbortController();
  await assert.rejects(
    ask(library, 'is there a dog?', {
      signal: controller.signal,
      onProgress: ({ done }) => done === 2 && controller.abort(),
    }),
    { name: 'AbortError' },
  );
  assert.equal(library.model.requests.length, 2);
  assert.equal((await ask(library, 'do any of these show a dog')).answer, '4 of 4 photos');
  assert.equal(library.model.requests.length, 4, 'the same question, put otherwise, finds what is kept');
});

test('photos that fail are listed apart, and a model that always dies is not asked on and on', async (t) => {
  const library = describedLibrary(t, 5);
  rmSync(join(library.photos, 'photo 2.jpg'));
  library.model.reply = () => ({ text: 'yes' });
  const result = await ask(library, 'is there a dog?');
  assert.deepEqual(
    [result.answer, result.failed.map(({ code }) => code)],
    ['4 of 4 photos', ['file-vanished']],
  );
  library.model.reply = () => {
    throw died();
  };
  await assert.rejects(ask(library, 'is there a cat?'), { code: 'worker-died' });
});

test('without a question or without photos it says so', async (t) => {
  const library = describedLibrary(t, 0);
  await assert.rejects(ask(library, '  '), { code: 'input-invalid' });
  assert.equal((await ask(library, 'is there a dog?')).answer, 'no photos to ask about');
});
