/** Events: thinned out, but never the last one, and no listener can harm another. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { createEventBus } from '../../../main/engine/event-bus.ts';
import { silentLog } from '../../../main/engine/log.ts';

function setUp() {
  const due: (() => void)[] = [];
  const bus = createEventBus(
    {
      after(_delayMs, run) {
        due.push(run);
        return () => void due.splice(due.indexOf(run), 1);
      },
    },
    silentLog,
  );
  const seen: unknown[] = [];
  bus.onAny((_name, payload) => seen.push(payload));
  const tick = (): void => {
    for (const run of due.splice(0)) run();
  };
  const send = (photos: number): void => bus.emitThinned('library', 100, () => ({ generation: 0, photos }));
  return { bus, seen, tick, send, due };
}

test('of many events the first and the last arrive', () => {
  const { seen, tick, send, due } = setUp();
  for (const photos of [1, 2, 3, 4]) send(photos);
  assert.deepEqual(seen, [{ generation: 0, photos: 1 }]);
  tick();
  assert.deepEqual(seen.slice(1), [{ generation: 0, photos: 4 }]);
  tick();
  assert.deepEqual([seen.length, due.length], [2, 0]);
  send(5);
  assert.equal(seen.length, 3);
});

test('a listener that throws keeps nothing from the others', () => {
  const { bus, seen } = setUp();
  bus.onAny(() => {
    throw new Error('a fault');
  });
  const stop = bus.onAny((_name, payload) => seen.push(payload));
  bus.emit('roots', { roots: [] });
  assert.equal(seen.length, 2);
  stop();
  bus.emit('roots', { roots: [] });
  assert.equal(seen.length, 3);
});

test('a closed bus sends nothing that was still waiting', () => {
  const { bus, seen, tick, send } = setUp();
  send(1);
  send(2);
  bus.close();
  tick();
  assert.equal(seen.length, 1);
});
