/** Calls about thumbs and past queries: what they answer, and what they tell. */
import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import { createEventBus } from '../../../main/engine/event-bus.ts';
import { feedbackHandlers } from '../../../main/engine/feedback-handlers.ts';
import { silentLog } from '../../../main/engine/log.ts';
import { openStore } from '../../../main/engine/store/store.ts';
import type { Store } from '../../../main/engine/store/types.ts';
import { file, finished, now, storeWithModel } from '../store/temporary-library.ts';

const context = { signal: new AbortController().signal, progress: () => undefined };

function handlersOver(store: Store) {
  const bus = createEventBus({ after: () => () => undefined }, silentLog);
  const told: unknown[] = [];
  bus.onAny((name, payload) => told.push([name, payload]));
  return { told, handlers: feedbackHandlers({ store, bus, now }) };
}

function library(t: TestContext): { store: Store; directory: string } {
  const { store, directory, rootId, modelId } = storeWithModel(t);
  const ids = store.photos.add(rootId, [file('sea/a.jpg'), file('b.jpg')]);
  store.photos.commit(
    modelId,
    ids.map((id) => finished(id)),
    [],
  );
  return { store, directory };
}

test('a thumb is kept, told of, listed with its photo, and taken back', async (t) => {
  const { store } = library(t);
  const { handlers, told } = handlersOver(store);
  const set = (photoId: number, vote: 'up' | 'down' | null) =>
    handlers['feedback.set']({ photoId, text: 'the sea', vote }, context);
  assert.deepEqual(await set(1, 'up'), { up: 1, down: 0 });
  assert.deepEqual(await set(2, 'down'), { up: 1, down: 1 });
  assert.deepEqual(told, [
    ['feedback', { up: 1, down: 0 }],
    ['feedback', { up: 1, down: 1 }],
  ]);
  assert.deepEqual(await handlers['feedback.of']({ text: 'THE sea', photoIds: [2, 1] }, context), {
    votes: [
      { photoId: 2, vote: 'down' },
      { photoId: 1, vote: 'up' },
    ],
  });
  const { entries, ...counts } = await handlers['feedback.list']({ offset: 0, limit: 9 }, context);
  assert.deepEqual(counts, { up: 1, down: 1 });
  assert.deepEqual(
    entries.map(({ photo, text, vote, at }) => [photo.name, photo.path, text, vote, at]).sort(),
    [
      ['a.jpg', '/photos/sea/a.jpg', 'the sea', 'up', now()],
      ['b.jpg', '/photos/b.jpg', 'the sea', 'down', now()],
    ],
  );
  assert.deepEqual(await set(1, null), { up: 0, down: 1 });
  await handlers['feedback.clear']({}, context);
  assert.deepEqual(told.at(-1), ['feedback', { up: 0, down: 0 }]);
  await assert.rejects(async () => set(99, 'up'), { code: 'not-found' });
});

test('queries are noted where the library may be written, and silently not where it may not', async (t) => {
  const { store, directory } = library(t);
  const { handlers } = handlersOver(store);
  await handlers['queries.remember']({ text: 'Dog' }, context);
  await handlers['queries.remember']({ text: 'dog ' }, context);
  const kept = { queries: [{ text: 'dog', at: now(), times: 2 }] };
  assert.deepEqual(await handlers['queries.list']({ limit: 9 }, context), kept);
  const beside = openStore({ directory, now, readOnly: true });
  t.after(() => beside.close());
  const reader = handlersOver(beside).handlers;
  assert.deepEqual(await reader['queries.remember']({ text: 'cat' }, context), {});
  assert.deepEqual(await reader['queries.list']({ limit: 9 }, context), kept);
  await handlers['queries.forget']({ text: 'DOG' }, context);
  assert.deepEqual(await handlers['queries.list']({ limit: 9 }, context), { queries: [] });
});
