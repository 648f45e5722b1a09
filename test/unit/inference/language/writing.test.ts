/** How texts are written token by token, over models that are small enough to know the right answer. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { AppError } from '../../../../main/errors.ts';
import type { DecoderRun } from '../../../../main/engine/inference/language/cached-decoder.ts';
import { createRequestQueue } from '../../../../main/engine/inference/language/request-queue.ts';
import { logSoftmax } from '../../../../main/engine/inference/language/token-scores.ts';
import type { WriteOptions, WrittenTokens } from '../../../../main/engine/inference/language/token-steps.ts';
import { writeTokens } from '../../../../main/engine/inference/language/write-tokens.ts';
import type { Generation } from '../../../../main/engine/packs/types.ts';
import { createRandom } from '../../../fixtures/random-weights.ts';

const vocabulary = 5;
const start = 3;
const end = 4;
const plain: Generation = {
  maxNewTokens: 6,
  beams: 1,
  lengthPenalty: 1,
  earlyStopping: false,
  repetitionPenalty: 1,
  noRepeatNgram: 0,
  sampling: null,
};

/** Scores of what may follow depend on the whole text, so that mixed-up rows would show. */
function scoresAfter(text: readonly number[], seed: number): Float32Array {
  const random = createRandom(text.reduce((sum, id) => sum * 7 + id + 1, seed));
  return Float32Array.from({ length: vocabulary }, () => random() * 4);
}

function model(seed: number): DecoderRun {
  let texts: number[][] = [];
  return {
    next(tokens) {
      texts = tokens.map((ids, row) => [...(texts[row] ?? []), ...ids]);
      return Promise.resolve(texts.map((text) => scoresAfter(text, seed)));
    },
    keep(rows) {
      texts = rows.map((row) => texts[row] ?? []);
    },
  };
}

function write(
  seed: number,
  generation: Partial<Generation>,
  more: Partial<WriteOptions> = {},
): Promise<WrittenTokens[]> {
  return writeTokens({
    run: model(seed),
    prompt: [start],
    end,
    generation: { ...plain, ...generation },
    onTokens: () => undefined,
    shouldStop: () => false,
    ...more,
  });
}

/** Every text that there is, with the model's log-probability of it. */
function allTexts(seed: number, longest: number): { ids: number[]; sum: number; count: number }[] {
  const found: { ids: number[]; sum: number; count: number }[] = [];
  const grow = (ids: number[], sum: number): void => {
    const scores = logSoftmax(scoresAfter([start, ...ids], seed));
    for (const [id, score] of scores.entries()) {
      const count = ids.length + 1;
      if (id === end) found.push({ ids, sum: sum + score, count });
      else if (count === longest) found.push({ ids: [...ids, id], sum: sum + score, count });
      else grow([...ids, id], sum + score);
    }
  };
  grow([], 0);
  return found;
}

test('greedy takes the most probable token each time and knows how probable the text is', async () => {
  for (let seed = 1; seed < 20; seed++) {
    const [written] = await write(seed, {});
    assert.ok(written !== undefined);
    let ids: number[] = [];
    let sum = 0;
    for (let count = 1; count <= plain.maxNewTokens; count++) {
      const scores = [...logSoftmax(scoresAfter([start, ...ids], seed))];
      const best = scores.indexOf(Math.max(...scores));
      sum += scores[best] ?? 0;
      if (best === end) break;
      ids = [...ids, best];
    }
    assert.deepEqual(written.ids, ids);
    assert.ok(Math.abs(written.logProbability - sum) < 1e-4);
  }
});

test('beams as wide as the choice find the best text of all', async () => {
  for (let seed = 1; seed < 20; seed++) {
    for (const lengthPenalty of [0, 1, 2]) {
      const [found] = await write(seed, { maxNewTokens: 3, beams: 32, lengthPenalty });
      const rank = ({ sum, count }: { sum: number; count: number }): number => sum / count ** lengthPenalty;
      const [best] = allTexts(seed, 3).sort((a, b) => rank(b) - rank(a));
      assert.deepEqual(found?.ids, best?.ids, `seed ${String(seed)}, penalty ${String(lengthPenalty)}`);
      assert.ok(Math.abs((found?.logProbability ?? 0) - (best?.sum ?? 1)) < 1e-4);
    }
  }
});

test('a few beams do at least as well as one, and give other texts beside the best', async () => {
  let better = 0;
  for (let seed = 1; seed < 40; seed++) {
    const [greedy] = await write(seed, { lengthPenalty: 0 });
    const beams = await write(seed, { beams: 3, lengthPenalty: 0 });
    assert.ok(greedy !== undefined && beams[0] !== undefined);
    assert.ok(beams[0].logProbability >= greedy.logProbability - 1e-4, `seed ${String(seed)}`);
    if (beams[0].logProbability > greedy.logProbability + 1e-4) better++;
    assert.equal(new Set(beams.map(({ ids }) => ids.join())).size, beams.length);
  }
  assert.ok(better > 3);
});

test('stopping early ends with the first texts that are finished', async () => {
  let shorter = 0;
  for (let seed = 1; seed < 60; seed++) {
    const options = { beams: 2, maxNewTokens: 12, lengthPenalty: 2 };
    const [patient] = await write(seed, options);
    const [early] = await write(seed, { ...options, earlyStopping: true });
    assert.ok(early !== undefined && patient !== undefined);
    assert.ok(early.count <= patient.count);
    if (early.count < patient.count) shorter++;
  }
  assert.ok(shorter > 3, String(shorter));
});

test('repetition is made less likely, and no run of three comes twice', async () => {
  // This model says 0 1 0 1 for ever.
  const parrot: DecoderRun = {
    next: (tokens) =>
      Promise.resolve(
        tokens.map((ids) => {
          const scores = new Float32Array([1, 1, 0.9, -5, -5]);
          scores[ids.at(-1) === 0 ? 1 : 0] = 3;
          return scores;
        }),
      ),
    keep: () => undefined,
  };
  const said = async (generation: Partial<Generation>): Promise<readonly number[]> =>
    (await write(1, { maxNewTokens: 8, ...generation }, { run: parrot }))[0]?.ids ?? [];
  assert.deepEqual(await said({}), [0, 1, 0, 1, 0, 1, 0, 1]);
  const varied = await said({ noRepeatNgram: 3 });
  const runs = varied.slice(2).map((id, i) => [varied[i], varied[i + 1], id].join());
  assert.equal(new Set(runs).size, runs.length);
  assert.ok((await said({ repetitionPenalty: 4 })).includes(2));
  const beams = await said({ noRepeatNgram: 2, beams: 3 });
  const pairs = beams.slice(1).map((id, i) => [beams[i], id].join());
  assert.equal(new Set(pairs).size, pairs.length);
});

test('drawing by chance is the same for a seed, follows the probabilities, and keeps to the likely', async () => {
  const draws = async (sampling: Partial<Generation['sampling'] & object>, seed: number): Promise<string> =>
    (
      (await write(3, { sampling: { temperature: 1, topK: 0, topP: 1, seed, ...sampling } }))[0]?.ids ?? []
    ).join();
  assert.equal(await draws({}, 8), await draws({}, 8));
  const texts = await Promise.all(Array.from({ length: 40 }, (_, seed) => draws({}, seed)));
  assert.ok(new Set(texts).size > 10);
  const greedy = ((await write(3, {}))[0]?.ids ?? []).join();
  for (const narrow of [{ topK: 1 }, { topP: 1e-6 }, { temperature: 1e-3 }]) {
    assert.equal(await draws(narrow, 5), greedy, JSON.stringify(narrow));
  }
  // The first token alone: how often each is drawn is what the model says.
  const counts = new Array<number>(vocabulary).fill(0);
  const sampling = { temperature: 1, topK: 0, topP: 1 };
  for (let seed = 0; seed < 2_000; seed++) {
    const [one] = await write(3, { maxNewTokens: 1, sampling: { ...sampling, seed } });
    const id = one?.ids[0] ?? end;
    counts[id] = (counts[id] ?? 0) + 1;
  }
  const expected = logSoftmax(scoresAfter([start], 3)).map((score) => Math.exp(score));
  for (const [id, count] of counts.entries()) assert.ok(Math.abs(count / 2_000 - (expected[id] ?? 0)) < 0.05);
});

test('a cancel is heard between two tokens', async () => {
  for (const beams of [1, 3]) {
    let tokens = 0;
    let stop = false;
    const writing = write(
      2,
      { beams, maxNewTokens: 500, lengthPenalty: 5 },
      {
        end: 99,
        onTokens: () => {
          tokens++;
          // As a message would: it is heard when the loop turns.
          if (tokens === 5)
            setImmediate(() => {
              stop = true;
            });
        },
        shouldStop: () => stop,
      },
    );
    await assert.rejects(writing, (thrown) => thrown instanceof AppError && thrown.code === 'cancelled');
    assert.ok(tokens <= 6, `${String(tokens)} tokens`);
  }
});

test('the queue runs one at a time, foreground first, and drops what is aborted while it waits', async () => {
  let idle = 0;
  const queue = createRequestQueue(() => idle++);
  const order: string[] = [];
  const gate = Promise.withResolvers<undefined>();
  let running = 0;
  const work = (name: string) => async (): Promise<void> => {
    assert.equal(++running, 1);
    if (name === 'first') await gate.promise;
    order.push(name);
    running--;
  };
  const controller = new AbortController();
  const all = [
    queue.run(work('first'), { background: true }),
    queue.run(work('later'), { background: true }),
    queue.run(work('soon'), { background: false }),
    queue.run(work('soon too'), { background: false }),
  ];
  const dropped = queue.run(work('never'), { background: false, signal: controller.signal });
  const failing = queue.run(() => Promise.reject(new Error('no')), { background: false });
  controller.abort(new Error('given up'));
  await assert.rejects(dropped, /given up/);
  gate.resolve(undefined);
  await assert.rejects(failing, /no/);
  await Promise.all(all);
  assert.deepEqual(order, ['first', 'soon', 'soon too', 'later']);
  await new Promise(setImmediate);
  assert.equal(idle, 1);
});
